import type { ConversationEvent, ConversationRequest, ProtocolName } from '../../../server/api/conversation.ts';
import { isObject, parseJson, type JsonObject } from '../../../server/base/json.ts';
import type { ProtocolCodec } from '../../../server/protocols/codec.ts';
import { gatherAnswer, type Answer } from '../../../server/protocols/events.ts';
import { codecFor } from '../../../server/protocols/registry.ts';
import { createSseReader } from '../../../server/protocols/sseReader.ts';
import { rawRequest } from './rawClient.ts';
import type { TestRouter } from './testRouter.ts';

/** A caller that writes its requests and reads its answers with the codec of its protocol; everything between is real. */
export interface Asked {
  caller: ProtocolName;
  model: string;
  request: ConversationRequest;
  stream: boolean;
  /** Changes the body before it goes out. */
  edit?: ((body: JsonObject) => void) | undefined;
  signal?: AbortSignal | undefined;
  onChunk?: (() => void) | undefined;
}

export interface CallerAnswer {
  status: number;
  events: ConversationEvent[];
  answer: Answer;
  text: string;
  /** The protocol's own end of a stream, or a whole body, was seen. */
  complete: boolean;
  raw: string;
}

/** The features of a request depend on the model it names; these models allow most. Only newer Claude models accept a request to show reasoning. */
const thinkingClaude = 'claude-sonnet-5-5';
const writtenFor: Readonly<Record<ProtocolName, string>> = {
  'openai-chat': 'm', 'openai-responses': 'm', 'anthropic-messages': 'claude-sonnet-4-5', 'gemini': 'gemini-3.8-flash',
};

export function codecOf(protocol: ProtocolName): ProtocolCodec {
  const codec = codecFor(protocol);
  if (codec === undefined) throw new Error(`no codec for ${protocol}`);
  return codec;
}

/** Path of a call in the caller's protocol. */
export function pathOf(caller: ProtocolName, model: string, stream: boolean): string {
  switch (caller) {
    case 'openai-chat': return '/v1/chat/completions';
    case 'openai-responses': return '/v1/responses';
    case 'anthropic-messages': return '/v1/messages';
    case 'gemini': return `/v1beta/models/${encodeURIComponent(model)}:${stream ? 'streamGenerateContent?alt=sse' : 'generateContent'}`;
  }
}

/** Headers a caller of this protocol sends. */
export function headersOf(caller: ProtocolName, token: string): Record<string, string> {
  switch (caller) {
    case 'openai-chat':
    case 'openai-responses': return { authorization: `Bearer ${token}` };
    case 'anthropic-messages': return { 'x-api-key': token, 'anthropic-version': '2023-06-01' };
    case 'gemini': return { 'x-goog-api-key': token };
  }
}

/** The body of a request in the caller's protocol. */
export function bodyOf({ caller, model, request, stream, edit }: Omit<Asked, 'signal' | 'onChunk'>): JsonObject {
  const body = codecOf(caller).encodeRequest(request, {
    model: caller === 'anthropic-messages' && request.reasoning !== undefined ? thinkingClaude : writtenFor[caller], stream, defaultMaxOutputTokens: 4096, dialect: { customTools: true }, origin: caller,
  });
  if (caller !== 'gemini') body.model = model;
  if (caller === 'openai-chat' && stream) body.stream_options = { include_usage: true };
  edit?.(body);
  return body;
}

/** Reads an answer, streamed or plain, as a client of the protocol would. */
export function readCallerAnswer(caller: ProtocolName, status: number, raw: string, stream: boolean): CallerAnswer {
  const codec = codecOf(caller);
  let events: ConversationEvent[] = [];
  let complete = false;
  if (stream && status === 200) {
    const decoder = codec.createStreamDecoder({});
    const reader = createSseReader({ maxEventBytes: 64 << 20 }, (event, data) => void events.push(...decoder.decode(event, data)));
    reader.push(Buffer.from(raw));
    reader.end();
    complete = decoder.terminated;
  } else {
    const body = parseJson(raw);
    if (isObject(body)) {
      events = codec.decodeResponse(body, {});
      complete = status === 200 && !events.some(event => event.type === 'error');
    }
  }
  const answer = gatherAnswer(events);
  return { status, events, answer, complete, raw, text: answer.parts.map(part => (part.type === 'text' ? part.text : '')).join('') };
}

/** Sends one request to Waybill and reads what comes back. */
export async function converse(testRouter: Pick<TestRouter, 'url' | 'token'>, asked: Asked): Promise<CallerAnswer> {
  const { caller, model, stream } = asked;
  const answer = await rawRequest({
    url: testRouter.url + pathOf(caller, model, stream), headers: headersOf(caller, testRouter.token), body: JSON.stringify(bodyOf(asked)), signal: asked.signal, onChunk: asked.onChunk,
  });
  return readCallerAnswer(caller, answer.status, answer.text, stream);
}
