import type { ConversationEvent, StopReason, TokenUsage } from '../../api/conversation.ts';
import type { JsonObject, JsonValue } from '../../base/json.ts';
import type { ResponseMeta, StreamEncoder } from '../codec.ts';
import { CustomToolRestorer } from '../customTools.ts';
import { completeCalls, effectiveStopReason, gatherAnswer, mergeUsage } from '../events.ts';
import { encodeChatUsage } from './usage.ts';

interface WrittenCall { position: number; kind: 'function' | 'custom'; hasArguments: boolean; ended: boolean }

/**
 * Writes an answer as `chat.completion.chunk`s: the role first, then what comes, the finish reason, the usage if
 * it was asked for and is known, `[DONE]`. Reasoning travels as `reasoning_content`.
 */
export class ChatStreamEncoder implements StreamEncoder {
  readonly #head: string;
  readonly #tail: string;
  readonly #includeUsage: boolean;
  readonly #restorer: CustomToolRestorer | undefined;
  readonly #calls = new Map<number, WrittenCall>();
  #usage: TokenUsage = {};
  #begun = false;
  #hasRefusal = false;
  #finished = false;

  constructor(meta: ResponseMeta) {
    const common = JSON.stringify({ id: meta.id, object: 'chat.completion.chunk', created: meta.createdAt, model: meta.model });
    this.#head = `data: ${common.slice(0, -1)},"choices":[`;
    this.#includeUsage = meta.includeUsage === true;
    this.#restorer = CustomToolRestorer.for(meta.tools);
    this.#tail = this.#includeUsage ? '],"usage":null}\n\n' : ']}\n\n';
  }

  encode(event: ConversationEvent): string {
    return this.#restorer === undefined ? this.#encode(event) : this.#restorer.restore(event).map((restored) => this.#encode(restored)).join('');
  }

  #encode(event: ConversationEvent): string {
    switch (event.type) {
      case 'start':
        return this.#begin();
      case 'text': {
        const logprobs = Array.isArray(event.logprobs) ? JSON.stringify({ content: event.logprobs as unknown[], refusal: null }) : undefined;
        if (event.text === '' && logprobs === undefined) return '';
        return this.#begin() + this.#chunk(`{"content":${JSON.stringify(event.text)}}`, 'null', logprobs);
      }
      case 'thinking':
        return event.text === '' ? '' : this.#begin() + this.#chunk(`{"reasoning_content":${JSON.stringify(event.text)}}`);
      case 'refusal':
        if (event.text === '') return '';
        this.#hasRefusal = true;
        return this.#begin() + this.#chunk(`{"refusal":${JSON.stringify(event.text)}}`);
      case 'tool-call-start': {
        const kind = event.kind ?? 'function';
        const call: WrittenCall = { position: this.#calls.size, kind, hasArguments: false, ended: false };
        this.#calls.set(event.index, call);
        const details = kind === 'custom' ? { custom: { name: event.name, input: '' } } : { function: { name: event.name, arguments: '' } };
        return this.#begin() + this.#toolChunk({ index: call.position, id: event.id, type: kind, ...details });
      }
      case 'tool-call-arguments':
        return this.#arguments(this.#calls.get(event.index), event.text);
      case 'tool-call-end': {
        const call = this.#calls.get(event.index);
        if (call === undefined) return '';
        call.ended = true;
        // Callers parse the arguments as JSON: a call without any has an empty object.
        return call.hasArguments || call.kind === 'custom' ? '' : this.#arguments(call, '{}');
      }
      case 'usage':
        this.#usage = mergeUsage(this.#usage, event.usage);
        return '';
      case 'finish':
        return this.#finish(event.reason);
      case 'thinking-end':
      case 'error':
        return '';
    }
  }

  end(): string {
    const finish = this.#finish(undefined);
    const usage = this.#includeUsage ? encodeChatUsage(this.#usage) : undefined;
    const usageChunk = usage === undefined ? '' : `${this.#head}],"usage":${JSON.stringify(usage)}}\n\n`;
    return `${finish}${usageChunk}data: [DONE]\n\n`;
  }

  #begin(): string {
    if (this.#begun) return '';
    this.#begun = true;
    return this.#chunk('{"role":"assistant","content":"","refusal":null}');
  }

  #finish(reason: StopReason | undefined): string {
    if (this.#finished) return '';
    this.#finished = true;
    const hasCall = [...this.#calls.values()].some((call) => call.ended);
    const finishReason = chatFinishReason(effectiveStopReason(reason, hasCall), this.#hasRefusal);
    return this.#begin() + this.#chunk('{}', `"${finishReason}"`);
  }

  #arguments(call: WrittenCall | undefined, text: string): string {
    if (call === undefined || text === '') return '';
    call.hasArguments = true;
    return this.#toolChunk(call.kind === 'custom'
      ? { index: call.position, custom: { input: text } }
      : { index: call.position, function: { arguments: text } });
  }

  #toolChunk(call: JsonObject): string {
    return this.#chunk(JSON.stringify({ tool_calls: [call] }));
  }

  /** The parts that never change are text already: this runs once for every token. */
  #chunk(delta: string, finishReason = 'null', logprobs = 'null'): string {
    return `${this.#head}{"index":0,"delta":${delta},"logprobs":${logprobs},"finish_reason":${finishReason}}${this.#tail}`;
  }
}

/** Writes a whole answer as a `chat.completion`. Calls whose end was never seen are not in it. */
export function encodeChatResponse(events: readonly ConversationEvent[], meta: ResponseMeta): JsonObject {
  const restorer = CustomToolRestorer.for(meta.tools);
  const answer = gatherAnswer(restorer === undefined ? events : events.flatMap((event) => restorer.restore(event)));
  const textOf = (type: 'text' | 'refusal' | 'thinking'): string => answer.parts.map((part) => (part.type === type ? part.text : '')).join('');
  const [text, refusal, reasoning] = [textOf('text'), textOf('refusal'), textOf('thinking')];
  const calls = completeCalls(answer);
  const message: JsonObject = {
    role: 'assistant',
    content: text === '' && (calls.length > 0 || refusal !== '') ? null : text,
    refusal: refusal === '' ? null : refusal,
  };
  if (reasoning !== '') message.reasoning_content = reasoning;
  if (calls.length > 0) {
    message.tool_calls = calls.map((call): JsonObject => (call.kind === 'custom'
      ? { id: call.id, type: 'custom', custom: { name: call.name, input: call.arguments } }
      : { id: call.id, type: 'function', function: { name: call.name, arguments: call.arguments === '' ? '{}' : call.arguments } }));
  }
  const response: JsonObject = {
    id: meta.id,
    object: 'chat.completion',
    created: meta.createdAt,
    model: meta.model,
    choices: [{
      index: 0,
      message,
      logprobs: answer.logprobs === undefined ? null : { content: answer.logprobs as JsonValue[], refusal: null },
      finish_reason: chatFinishReason(effectiveStopReason(answer.finish?.reason, calls.length > 0), refusal !== ''),
    }],
  };
  const usage = encodeChatUsage(answer.usage);
  if (usage !== undefined) response.usage = usage;
  return response;
}

/** A refusal in words ends with `stop`, as OpenAI's does; one without words is a filter's. */
function chatFinishReason(reason: StopReason, hasRefusal: boolean): string {
  switch (reason) {
    case 'end':
    case 'stop-sequence':
    case 'pause':
    case 'error':
      return 'stop';
    case 'length':
    case 'context-full':
      return 'length';
    case 'tool-calls':
      return 'tool_calls';
    case 'refusal':
      return hasRefusal ? 'stop' : 'content_filter';
  }
}
