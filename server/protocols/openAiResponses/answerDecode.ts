import type { ConversationEvent, ProviderErrorBody, StopReason } from '../../api/conversation.ts';
import { asNumber, asString, isObject, parseJson } from '../../base/json.ts';
import type { JsonObject, JsonValue } from '../../base/json.ts';
import { ExtrasGatherer } from '../billedExtras.ts';
import type { StreamDecoder } from '../codec.ts';
import { readErrorBody } from '../errorBody.ts';
import { maxParts } from '../events.ts';
import { contradictsResponses, decodeResponsesUsage } from './usage.ts';
import { flatName } from './tools.ts';

interface OpenItem {
  kind: 'message' | 'reasoning' | 'function' | 'custom' | 'other';
  /** Message: whether its text is a remark or the answer. */
  phase: string | undefined;
  /** Message, reasoning: how many UTF-16 units of each part have been passed on, by part. */
  lengths: Map<string, number>;
  /** Calls: their number among the calls, once they have begun. */
  call: number | undefined;
  arguments: string;
  isDone: boolean;
}

/**
 * Reads a stream of response events. Items are distinguished by their place in the output. Whatever a server leaves
 * out of its deltas is taken from the later, complete forms of the same item, up to the final response.
 */
export class ResponsesStreamDecoder implements StreamDecoder {
  unreadable = 0;
  terminated = false;
  /** Without its terminal event an answer is not whole. */
  readonly missingEnd = '';
  readonly #items = new Map<number, OpenItem>();
  #searches = 0;
  readonly #extras = new ExtrasGatherer();
  #started = false;
  #callCount = 0;
  #completeCalls = 0;
  #hasContent = false;
  #hasRefusal = false;
  /** An error was reported: whatever follows does not complete the answer. */
  #failed = false;

  get ended(): boolean {
    return this.terminated;
  }

  decode(event: string | undefined, data: string): ConversationEvent[] {
    const payload = parseJson(data);
    if (!isObject(payload)) {
      if (data.trim() !== '' && data.trim() !== '[DONE]') this.unreadable += 1;
      return [];
    }
    const events: ConversationEvent[] = [];
    this.#event(asString(payload.type) ?? event, payload, events);
    return events;
  }

  /** Reads a plain answer as if its final event had been streamed alone. */
  decodeWhole(body: JsonValue): ConversationEvent[] {
    const events: ConversationEvent[] = [];
    const error = isObject(body) && isObject(body.response) ? undefined : readErrorBody(body);
    if (error !== undefined) {
      if (isObject(body)) this.#usage(body.usage, events);
      events.push({ type: 'error', error });
      return events;
    }
    if (!isObject(body) || !Array.isArray(body.output)) {
      return [{ type: 'error', error: { type: 'invalid_response', message: 'The provider answered without any output.' } }];
    }
    this.#event(body.status === 'incomplete' ? 'response.incomplete' : body.status === 'failed' ? 'response.failed' : body.status === 'cancelled' ? 'response.cancelled' : 'response.completed', { response: body }, events);
    return events;
  }

  #event(type: string | undefined, payload: JsonObject, events: ConversationEvent[]): void {
    const index = asNumber(payload.output_index) ?? 0;
    switch (type) {
      case 'response.created':
      case 'response.in_progress':
      case 'response.queued':
        this.#start(payload.response, events);
        return;
      case 'response.output_item.added':
        if (isObject(payload.item)) this.#open(index, payload.item, events);
        return;
      case 'response.output_item.done':
        if (isObject(payload.item)) this.#close(index, payload.item, events);
        return;
      case 'response.output_text.delta':
        this.#piece('text', index, `text${asNumber(payload.content_index) ?? 0}`, payload.delta, events, payload.logprobs);
        return;
      case 'response.refusal.delta':
        this.#piece('refusal', index, `refusal${asNumber(payload.content_index) ?? 0}`, payload.delta, events);
        return;
      case 'response.reasoning_summary_text.delta':
        this.#piece('thinking', index, `summary${asNumber(payload.summary_index) ?? 0}`, payload.delta, events);
        return;
      case 'response.reasoning_text.delta':
        this.#piece('thinking', index, `content${asNumber(payload.content_index) ?? 0}`, payload.delta, events);
        return;
      case 'response.function_call_arguments.delta':
      case 'response.custom_tool_call_input.delta': {
        const item = this.#items.get(index);
        if (item !== undefined) this.#arguments(item, payload.delta, events);
        return;
      }
      case 'response.completed':
      case 'response.incomplete':
      case 'response.failed':
      case 'response.cancelled':
      case 'response.done':
        this.#end(type, isObject(payload.response) ? payload.response : {}, events);
        return;
      case 'error':
        this.#fail(readErrorBody(payload) ?? { message: 'The provider reported an error.', code: asString(payload.code) }, events);
        return;
      default: {
        // Some compatible servers write a bare error object.
        const error = isObject(payload.error) && type === undefined ? readErrorBody(payload) : undefined;
        if (error !== undefined) this.#fail(error, events);
      }
    }
  }

  #start(response: JsonValue | undefined, events: ConversationEvent[]): void {
    if (this.#started || !isObject(response)) return;
    this.#started = true;
    events.push({ type: 'start', id: asString(response.id), model: asString(response.model) });
  }

  #open(index: number, item: JsonObject, events: ConversationEvent[]): OpenItem {
    const known = this.#items.get(index);
    if (known !== undefined) return known;
    const kind = kinds.get(asString(item.type) ?? '') ?? 'other';
    const open: OpenItem = { kind, phase: asString(item.phase), lengths: new Map(), call: undefined, arguments: '', isDone: false };
    if (this.#items.size < maxParts) this.#items.set(index, open);
    if (kind === 'function' || kind === 'custom') this.#startCall(open, item, events);
    return open;
  }

  #startCall(open: OpenItem, item: JsonObject, events: ConversationEvent[]): void {
    const name = asString(item.name);
    if (open.call !== undefined || name === undefined || name === '') return;
    open.call = this.#callCount;
    this.#callCount += 1;
    this.#hasContent = true;
    const id = nonEmpty(item.call_id) ?? nonEmpty(item.id) ?? `call_${open.call}`;
    const start = { type: 'tool-call-start', index: open.call, id, name: flatName(asString(item.namespace), name) } as const;
    events.push(open.kind === 'custom' ? { ...start, kind: 'custom' } : start);
  }

  #arguments(item: OpenItem, text: JsonValue | undefined, events: ConversationEvent[]): void {
    if (item.call === undefined || item.isDone || typeof text !== 'string' || text === '') return;
    item.arguments += text;
    events.push({ type: 'tool-call-arguments', index: item.call, text });
  }

  /** A piece of text of one part of an item. Pieces of the next part of reasoning begin a new paragraph. */
  #piece(type: 'text' | 'thinking' | 'refusal', index: number, part: string, text: JsonValue | undefined, events: ConversationEvent[], logprobs?: JsonValue): void {
    if (typeof text !== 'string' || text === '') return;
    const item = this.#items.get(index) ?? this.#open(index, { type: type === 'thinking' ? 'reasoning' : 'message' }, events);
    if (item.isDone) return;
    const before = item.lengths.get(part);
    if (type === 'thinking' && before === undefined && item.lengths.size > 0) events.push({ type: 'thinking', text: '\n\n' });
    item.lengths.set(part, (before ?? 0) + text.length);
    this.#hasContent = true;
    if (type === 'text') {
      events.push({
        type, text,
        ...(Array.isArray(logprobs) && logprobs.length > 0 ? { logprobs } : {}),
        ...(item.phase === undefined ? {} : { phase: item.phase }),
      });
      return;
    }
    if (type === 'refusal') this.#hasRefusal = true;
    events.push({ type, text });
  }

  /** What of a complete part has not been passed on yet. */
  #rest(type: 'text' | 'thinking' | 'refusal', index: number, part: string, whole: JsonValue | undefined, events: ConversationEvent[], logprobs?: JsonValue): void {
    if (typeof whole !== 'string') return;
    const passed = this.#items.get(index)?.lengths.get(part) ?? 0;
    this.#piece(type, index, part, whole.slice(passed), events, passed === 0 ? logprobs : undefined);
  }

  #close(index: number, item: JsonObject, events: ConversationEvent[]): void {
    const open = this.#open(index, item, events);
    // Some servers number the final output differently from the stream.
    if (open.isDone || open.kind !== (kinds.get(asString(item.type) ?? '') ?? 'other')) return;
    open.phase ??= asString(item.phase);
    switch (open.kind) {
      case 'message':
        for (const [position, part] of listOf(item.content).entries()) {
          if (part.type === 'refusal') this.#rest('refusal', index, `refusal${position}`, part.refusal, events);
          else this.#rest('text', index, `text${position}`, part.text, events, part.logprobs);
        }
        break;
      case 'reasoning':
        for (const [position, part] of listOf(item.summary).entries()) this.#rest('thinking', index, `summary${position}`, part.text, events);
        for (const [position, part] of listOf(item.content).entries()) this.#rest('thinking', index, `content${position}`, part.text, events);
        this.#endReasoning(open, item, events);
        break;
      case 'function':
      case 'custom':
        this.#startCall(open, item, events);
        this.#endCall(open, item, events);
        break;
      case 'other':
        this.#countHosted(item);
        break;
    }
    open.isDone = true;
  }

  #endReasoning(open: OpenItem, item: JsonObject, events: ConversationEvent[]): void {
    const encrypted = nonEmpty(item.encrypted_content);
    if (encrypted === undefined && open.lengths.size === 0) return;
    const itemId = encrypted === undefined ? undefined : asString(item.id);
    events.push({
      type: 'thinking-end',
      ...(encrypted === undefined ? {} : { encrypted }),
      ...(itemId === undefined ? {} : { itemId }),
      origin: 'openai-responses',
    });
  }

  /** A call that ran into the output limit is closed like any other: its status and its JSON show that it is half. */
  #endCall(open: OpenItem, item: JsonObject, events: ConversationEvent[]): void {
    const whole = item.arguments ?? item.input;
    const text = typeof whole === 'string' ? whole : isObject(whole) ? JSON.stringify(whole) : '';
    if (text.startsWith(open.arguments)) this.#arguments(open, text.slice(open.arguments.length), events);
    if (open.call === undefined || item.status === 'incomplete' || item.status === 'in_progress') return;
    if (open.kind === 'function' && open.arguments !== '' && parseJson(open.arguments) === undefined) return;
    this.#completeCalls += 1;
    events.push({ type: 'tool-call-end', index: open.call });
  }

  #end(type: string, response: JsonObject, events: ConversationEvent[]): void {
    if (this.terminated || this.#failed) return;
    this.#start(response, events);
    const failed = type === 'response.failed' || type === 'response.cancelled' || response.status === 'failed' || response.status === 'cancelled';
    if (!failed) for (const [index, item] of listOf(response.output).entries()) this.#close(index, item, events);
    if (response.service_tier !== 'default' && response.service_tier !== 'auto') this.#extras.setTier(response.service_tier);
    this.#usage(response.usage, events, usesPreviewSearch(response));
    if (failed) {
      this.#fail(readErrorBody({ error: response.error ?? {} }) ?? { message: 'The provider broke off the answer.', code: asString(response.status) }, events);
      return;
    }
    const details = isObject(response.incomplete_details) ? response.incomplete_details : {};
    const incomplete = type === 'response.incomplete' || response.status === 'incomplete';
    const detail = asString(details.reason);
    const reason = incomplete ? incompleteReason(detail) : this.#completeCalls > 0 ? 'tool-calls' : this.#hasRefusal ? 'refusal' : 'end';
    if (reason === 'error' && !this.#hasContent) {
      this.#fail({ type: 'incomplete', code: detail, message: `The provider ended without an answer (${detail ?? 'incomplete'}).` }, events);
      return;
    }
    this.terminated = true;
    events.push(incomplete && detail !== undefined ? { type: 'finish', reason, detail } : { type: 'finish', reason });
  }

  #usage(usage: JsonValue | undefined, events: ConversationEvent[], previewSearch = false): void {
    if (!isObject(usage)) return;
    const searches = this.#searches;
    if (searches > 0) this.#extras.setRuns(previewSearch ? 'web search preview' : 'web search', searches);
    const { extras } = this.#extras;
    events.push({ type: 'usage', usage: decodeResponsesUsage(usage), ...(contradictsResponses(usage) ? { contradictory: true } : {}), ...(extras === undefined ? {} : { extras }) });
  }

  /** A hosted tool ran. Of a web search only searching is charged, and not opening a page. */
  #countHosted(item: JsonObject): void {
    const type = asString(item.type) ?? '';
    if (type === 'web_search_call') {
      const action = isObject(item.action) ? asString(item.action.type) : undefined;
      if (action === undefined || action === 'search') this.#searches += 1;
      return;
    }
    const tool = chargedTools.get(type);
    if (tool !== undefined) this.#extras.addRun(tool);
  }

  #fail(error: ProviderErrorBody, events: ConversationEvent[]): void {
    this.#failed = true;
    events.push({ type: 'error', error });
  }
}

const kinds: ReadonlyMap<string, OpenItem['kind']> = new Map<string, OpenItem['kind']>([
  ['message', 'message'],
  ['reasoning', 'reasoning'],
  ['function_call', 'function'],
  ['custom_tool_call', 'custom'],
]);

/** Output items of hosted tools that are charged for beside their tokens. */
const chargedTools: ReadonlyMap<string, string> = new Map([
  ['file_search_call', 'file search'],
  ['code_interpreter_call', 'code interpreter'],
  ['image_generation_call', 'image generation'],
  ['shell_call', 'shell'],
]);

/** The older search tool has another price. An answer repeats the tools of its request. */
function usesPreviewSearch(response: JsonObject): boolean {
  return listOf(response.tools).some(tool => (asString(tool.type) ?? '').startsWith('web_search_preview'));
}

function incompleteReason(reason: string | undefined): StopReason {
  if (reason === undefined || reason === 'max_output_tokens' || reason === 'max_tokens') return 'length';
  return reason === 'content_filter' ? 'refusal' : 'error';
}

function listOf(value: JsonValue | undefined): JsonObject[] {
  return Array.isArray(value) ? value.map((entry) => (isObject(entry) ? entry : {})) : [];
}

function nonEmpty(value: JsonValue | undefined): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
