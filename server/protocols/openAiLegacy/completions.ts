import type { ConversationEvent, StopReason } from '../../api/conversation.ts';
import { asString, isObject, parseJson, type JsonObject, type JsonValue } from '../../base/json.ts';
import { RequestFormatError, type ProtocolCodec, type ResponseMeta, type StreamDecoder, type StreamEncoder } from '../codec.ts';
import { readErrorBody } from '../errorBody.ts';
import { gatherAnswer } from '../events.ts';
import { openAiChat } from '../openAiChat/codec.ts';
import { decodeChatUsage } from '../openAiChat/usage.ts';

/**
 * Text completions (`POST /v1/completions`, also with a suffix to fill the gap before it). Their requests go through as
 * they are; their answers are read for text, usage and errors, and written for callers whose provider answers in chat
 * shape.
 */
export const openAiCompletions: ProtocolCodec = {
  ...openAiChat,
  decodeRequest() {
    throw new RequestFormatError('prompt', 'completions go only to targets that offer completions');
  },
  createStreamDecoder: () => new CompletionDecoder(),
  decodeResponse(body) {
    const error = readErrorBody(body);
    if (error !== undefined && !(isObject(body) && Array.isArray(body.choices))) return [{ type: 'error', error }];
    return eventsOf(body);
  },
  createStreamEncoder: meta => new CompletionEncoder(meta),
  encodeResponse(events, meta) {
    const answer = gatherAnswer(events);
    const text = answer.parts.map(part => (part.type === 'text' ? part.text : '')).join('');
    const { usage } = openAiChat.encodeResponse(events, meta);
    return { ...head(meta), choices: [choice(text, finishName(answer.finish?.reason))], ...(usage === undefined ? {} : { usage }) };
  },
};

const doneEvent = 'data: [DONE]\n\n';

class CompletionDecoder implements StreamDecoder {
  terminated = false;
  ended = false;
  missingEnd = '';
  unreadable = 0;

  decode(_event: string | undefined, data: string): ConversationEvent[] {
    if (data === '[DONE]') {
      this.terminated = true;
      this.ended = true;
      this.missingEnd = '';
      return [];
    }
    const body = parseJson(data);
    if (!isObject(body)) {
      this.unreadable++;
      return [];
    }
    const error = Array.isArray(body.choices) ? undefined : readErrorBody(body);
    if (error !== undefined) return [{ type: 'error', error }];
    const events = eventsOf(body);
    if (this.terminated && events.some(event => event.type === 'usage')) this.ended = true;
    if (!this.terminated && events.some(event => event.type === 'finish')) {
      this.terminated = true;
      this.missingEnd = doneEvent;
    }
    return events;
  }
}

function eventsOf(body: JsonValue): ConversationEvent[] {
  if (!isObject(body)) return [];
  const events: ConversationEvent[] = [];
  const first = Array.isArray(body.choices) ? body.choices[0] : undefined;
  if (isObject(first)) {
    const text = asString(first.text);
    if (text !== undefined && text !== '') events.push({ type: 'text', text });
    const reason = asString(first.finish_reason);
    if (reason !== undefined) events.push({ type: 'finish', reason: reason === 'length' ? 'length' : reason === 'content_filter' ? 'refusal' : 'end' });
  }
  if (isObject(body.usage)) events.push({ type: 'usage', usage: decodeChatUsage(body.usage, {}) });
  return events;
}

class CompletionEncoder implements StreamEncoder {
  #meta: ResponseMeta;

  constructor(meta: ResponseMeta) {
    this.#meta = meta;
  }

  encode(event: ConversationEvent): string {
    switch (event.type) {
      case 'text': return this.#chunk(event.text, null);
      case 'finish': return this.#chunk('', finishName(event.reason));
      default: return '';
    }
  }

  end(): string {
    return doneEvent;
  }

  #chunk(text: string, reason: string | null): string {
    return `data: ${JSON.stringify({ ...head(this.#meta), choices: [choice(text, reason)] })}\n\n`;
  }
}

function head(meta: ResponseMeta): JsonObject {
  return { id: meta.id, object: 'text_completion', created: meta.createdAt, model: meta.model };
}

function choice(text: string, reason: string | null): JsonObject {
  return { index: 0, text, logprobs: null, finish_reason: reason };
}

function finishName(reason: StopReason | undefined): string {
  return reason === 'length' || reason === 'context-full' ? 'length' : reason === 'refusal' ? 'content_filter' : 'stop';
}
