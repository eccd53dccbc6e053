import { isObject } from '../../base/json.ts';
import { RequestFormatError, type ProtocolCodec } from '../codec.ts';
import { readErrorBody } from '../errorBody.ts';
import { openAiChat } from '../openAiChat/codec.ts';
import { decodeChatUsage } from '../openAiChat/usage.ts';

/** Embeddings (`POST /v1/embeddings`): requests and answers go through as they are; answers are read for usage and errors. */
export const openAiEmbeddings: ProtocolCodec = {
  ...openAiChat,
  decodeRequest() {
    throw new RequestFormatError('input', 'embeddings go only to targets that offer embeddings');
  },
  decodeResponse(body) {
    if (!isObject(body)) return [];
    const vectors = Array.isArray(body.data) ? body.data : undefined;
    const error = vectors === undefined ? readErrorBody(body) : undefined;
    if (error !== undefined) return [{ type: 'error', error }];
    return [
      // Vectors are not text, but they are the content of this answer.
      ...(vectors !== undefined && vectors.length > 0 ? [{ type: 'text' as const, text: ' ' }] : []),
      ...(isObject(body.usage) ? [{ type: 'usage' as const, usage: { ...decodeChatUsage(body.usage, {}), outputTokens: 0 } }] : []),
      { type: 'finish', reason: 'end' },
    ];
  },
};
