import type { ProtocolCodec } from '../codec.ts';
import { GeminiStreamDecoder } from './answerDecode.ts';
import { encodeGeminiResponse, GeminiStreamEncoder } from './answerEncode.ts';
import { encodeGeminiError, encodeGeminiRefusal, encodeGeminiStreamError } from './errors.ts';
import { geminiWithoutReasoning } from './reasoning.ts';
import { decodeGeminiRequest } from './requestDecode.ts';
import { encodeGeminiRequest } from './requestEncode.ts';

/** Google's `generateContent`, of the Gemini API and of Vertex AI. The model's name is in the path, not in the body. */
export const gemini: ProtocolCodec = {
  protocol: 'gemini',
  decodeRequest: decodeGeminiRequest,
  encodeRequest: encodeGeminiRequest,
  withoutReasoning: geminiWithoutReasoning,
  createStreamDecoder: () => new GeminiStreamDecoder(),
  decodeResponse: (body) => new GeminiStreamDecoder().decodeWhole(body),
  createStreamEncoder: (meta) => new GeminiStreamEncoder(meta),
  encodeResponse: encodeGeminiResponse,
  encodeError: encodeGeminiError,
  encodeRefusal: encodeGeminiRefusal,
  encodeStreamError: encodeGeminiStreamError,
  keepAlive: ': keep-alive\n\n',
};
