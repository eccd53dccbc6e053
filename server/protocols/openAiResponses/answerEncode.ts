import type { ConversationEvent, StopReason, TokenUsage, ToolDefinition } from '../../api/conversation.ts';
import type { JsonObject, JsonValue } from '../../base/json.ts';
import type { CallerError, ResponseMeta, StreamEncoder } from '../codec.ts';
import { CustomToolRestorer } from '../customTools.ts';
import { mergeUsage } from '../events.ts';
import { encodeResponsesStreamError } from './errors.ts';
import { begunItem, finishedItem, finishedPart } from './output.ts';
import type { CallItem, MessageItem, OutputItem, ReasoningItem } from './output.ts';
import { encodeResponsesUsage } from './usage.ts';

type EventOf<Type extends ConversationEvent['type']> = Extract<ConversationEvent, { type: Type }>;

/**
 * Writes an answer as response events, with the whole response in the last one. Text and reasoning follow each
 * other; calls may overlap, as every event says which item it belongs to. A call whose end was never seen gets no
 * `output_item.done` and is not in the final output: callers take what they run from there.
 */
export class ResponsesStreamEncoder implements StreamEncoder {
  readonly #meta: ResponseMeta;
  readonly #restorer: CustomToolRestorer | undefined;
  readonly #tools: ReadonlyMap<string, ToolDefinition>;
  readonly #items: OutputItem[] = [];
  readonly #ids = new Set<string>();
  readonly #calls = new Map<number, CallItem>();
  #usage: TokenUsage = {};
  #sequence = 0;
  #begun = false;
  #hasRefusal = false;
  #finish: EventOf<'finish'> | undefined;

  constructor(meta: ResponseMeta) {
    this.#meta = meta;
    this.#restorer = CustomToolRestorer.for(meta.tools);
    this.#tools = new Map((meta.tools ?? []).map((tool) => [tool.name, tool]));
  }

  encode(event: ConversationEvent): string {
    if (this.#restorer === undefined) return this.#encode(event);
    let out = '';
    for (const restored of this.#restorer.restore(event)) out += this.#encode(restored);
    return out;
  }

  end(): string {
    const closing = this.#begin() + this.#closeRun();
    const response = this.response();
    return closing + this.#frame(response.status === 'incomplete' ? 'response.incomplete' : 'response.completed', { response });
  }

  fail(error: CallerError): string {
    const closing = this.#begin();
    return closing + encodeResponsesStreamError(error, { ...this.#head(), usage: encodeResponsesUsage(this.#usage) }, this.#sequence);
  }

  /** The response as far as it has been written. */
  response(): JsonObject {
    const incomplete = incompleteReason(this.#finish?.reason, this.#hasRefusal);
    return {
      ...this.#head(),
      status: incomplete === undefined ? 'completed' : 'incomplete',
      incomplete_details: incomplete === undefined ? null : { reason: incomplete },
      output: this.#items.filter((item) => item.isDone).map(finishedItem),
      usage: encodeResponsesUsage(this.#usage),
    };
  }

  /** Closes text or reasoning that is still open. */
  close(): void {
    this.#closeRun();
  }

  #encode(event: ConversationEvent): string {
    switch (event.type) {
      case 'start':
        return this.#begin();
      case 'text':
        return this.#text(event);
      case 'refusal':
        if (event.text === '') return '';
        this.#hasRefusal = true;
        return this.#piece('refusal', event.text, undefined);
      case 'thinking':
        return event.text === '' ? '' : this.#thinking(event.text);
      case 'thinking-end':
        return this.#endThinking(event);
      case 'tool-call-start':
        return this.#startCall(event);
      case 'tool-call-arguments': {
        const call = this.#calls.get(event.index);
        return call === undefined || call.isDone ? '' : this.#arguments(call, event.text);
      }
      case 'tool-call-end': {
        const call = this.#calls.get(event.index);
        return call === undefined || call.isDone ? '' : this.#endCall(call);
      }
      case 'usage':
        this.#usage = mergeUsage(this.#usage, event.usage);
        return '';
      case 'finish':
        this.#finish = event;
        return '';
      case 'error':
        return '';
    }
  }

  #begin(): string {
    if (this.#begun) return '';
    this.#begun = true;
    const response = this.#head();
    return this.#frame('response.created', { response }) + this.#frame('response.in_progress', { response });
  }

  #text(event: EventOf<'text'>): string {
    const logprobs = Array.isArray(event.logprobs) ? event.logprobs as JsonValue[] : undefined;
    if (event.text === '' && logprobs === undefined) return '';
    return this.#piece('text', event.text, event.phase, logprobs);
  }

  #piece(type: 'text' | 'refusal', text: string, phase: string | undefined, logprobs?: JsonValue[]): string {
    let out = this.#begin();
    let item = this.#items.at(-1);
    if (item?.kind !== 'message' || item.isDone || (type === 'text' && item.phase !== phase)) {
      out += this.#closeRun();
      item = { kind: 'message', id: this.#itemId('msg'), index: this.#items.length, phase, parts: [], isDone: false };
      out += this.#addItem(item);
    }
    let part = item.parts.at(-1);
    if (part?.type !== type) {
      out += this.#closePart(item);
      part = { type, text: '', logprobs: [] };
      item.parts.push(part);
      out += this.#frame('response.content_part.added', { ...addressOf(item), content_index: item.parts.length - 1, part: finishedPart(part) });
    }
    part.text += text;
    if (logprobs !== undefined) part.logprobs.push(...logprobs);
    const name = type === 'text' ? 'response.output_text.delta' : 'response.refusal.delta';
    // This runs once for every token.
    const tail = type === 'text' ? `,"logprobs":${logprobs === undefined ? '[]' : JSON.stringify(logprobs)}` : '';
    return `${out}event: ${name}\ndata: {"type":"${name}","sequence_number":${this.#next()},"item_id":"${item.id}","output_index":${item.index},"content_index":${item.parts.length - 1},"delta":${JSON.stringify(text)}${tail}}\n\n`;
  }

  #thinking(text: string): string {
    let out = this.#begin();
    let item = this.#items.at(-1);
    if (item?.kind !== 'reasoning' || item.isDone) {
      out += this.#closeRun();
      item = { kind: 'reasoning', id: this.#itemId('rs'), index: this.#items.length, text: '', encrypted: undefined, isDone: false };
      out += this.#addItem(item);
      out += this.#frame('response.reasoning_summary_part.added', { ...addressOf(item), summary_index: 0, part: { type: 'summary_text', text: '' } });
    }
    item.text += text;
    return out + this.#frame('response.reasoning_summary_text.delta', { ...addressOf(item), summary_index: 0, delta: text });
  }

  /** Signatures of other protocols have no place here; only what was encrypted for this protocol is given back. */
  #endThinking(event: EventOf<'thinking-end'>): string {
    const last = this.#items.at(-1);
    if (last?.kind === 'reasoning' && !last.isDone) {
      last.encrypted = event.encrypted;
      return this.#closeRun();
    }
    if (event.encrypted === undefined) return '';
    let out = this.#begin() + this.#closeRun();
    const item: ReasoningItem = {
      kind: 'reasoning', id: this.#unusedId(event.itemId) ?? this.#itemId('rs'), index: this.#items.length, text: '', encrypted: event.encrypted, isDone: false,
    };
    out += this.#addItem(item);
    return out + this.#closeRun();
  }

  #startCall(event: EventOf<'tool-call-start'>): string {
    const out = this.#begin() + this.#closeRun();
    const tool = this.#tools.get(event.name);
    const isCustom = event.kind === 'custom';
    const item: CallItem = {
      kind: 'call', id: this.#itemId(isCustom ? 'ctc' : 'fc'), index: this.#items.length, callId: event.id,
      name: tool?.namespace?.tool ?? event.name, namespace: tool?.namespace?.name, isCustom, arguments: '', isDone: false,
    };
    this.#calls.set(event.index, item);
    return out + this.#addItem(item);
  }

  #arguments(call: CallItem, text: string): string {
    if (text === '') return '';
    call.arguments += text;
    return this.#frame(call.isCustom ? 'response.custom_tool_call_input.delta' : 'response.function_call_arguments.delta', { ...addressOf(call), delta: text });
  }

  #endCall(call: CallItem): string {
    // Callers parse the arguments as JSON: a call without any has an empty object.
    const filled = call.arguments === '' && !call.isCustom ? this.#arguments(call, '{}') : '';
    call.isDone = true;
    const whole = call.isCustom
      ? this.#frame('response.custom_tool_call_input.done', { ...addressOf(call), input: call.arguments })
      : this.#frame('response.function_call_arguments.done', { ...addressOf(call), name: call.name, arguments: call.arguments });
    return filled + whole + this.#finishItem(call);
  }

  /** Closes the text or reasoning that is being written, if any. */
  #closeRun(): string {
    const last = this.#items.at(-1);
    if (last === undefined || last.isDone || last.kind === 'call') return '';
    let out = '';
    if (last.kind === 'message') out = this.#closePart(last);
    else if (last.text !== '') {
      out = this.#frame('response.reasoning_summary_text.done', { ...addressOf(last), summary_index: 0, text: last.text })
        + this.#frame('response.reasoning_summary_part.done', { ...addressOf(last), summary_index: 0, part: { type: 'summary_text', text: last.text } });
    }
    last.isDone = true;
    return out + this.#finishItem(last);
  }

  #closePart(item: MessageItem): string {
    const part = item.parts.at(-1);
    if (part === undefined) return '';
    const address = { ...addressOf(item), content_index: item.parts.length - 1 };
    const whole = part.type === 'text'
      ? this.#frame('response.output_text.done', { ...address, text: part.text, logprobs: part.logprobs })
      : this.#frame('response.refusal.done', { ...address, refusal: part.text });
    return whole + this.#frame('response.content_part.done', { ...address, part: finishedPart(part) });
  }

  #addItem(item: OutputItem): string {
    this.#items.push(item);
    this.#ids.add(item.id);
    return this.#frame('response.output_item.added', { output_index: item.index, item: begunItem(item) });
  }

  #finishItem(item: OutputItem): string {
    return this.#frame('response.output_item.done', { output_index: item.index, item: finishedItem(item) });
  }

  #itemId(prefix: string): string {
    return `${prefix}_${this.#meta.id}_${this.#items.length}`;
  }

  #unusedId(id: string | undefined): string | undefined {
    return id === undefined || id === '' || this.#ids.has(id) ? undefined : id;
  }

  #head(): JsonObject {
    const { id, model, createdAt } = this.#meta;
    return {
      id, object: 'response', created_at: createdAt, status: 'in_progress', background: false, error: null, incomplete_details: null,
      instructions: null, max_output_tokens: null, metadata: {}, model, output: [], parallel_tool_calls: true, previous_response_id: null,
      reasoning: { effort: null, summary: null }, store: false, temperature: null, text: { format: { type: 'text' } },
      tool_choice: 'auto', tools: [], top_p: null, truncation: 'disabled', usage: null, user: null,
    };
  }

  #next(): number {
    const sequence = this.#sequence;
    this.#sequence += 1;
    return sequence;
  }

  #frame(type: string, data: JsonObject): string {
    return `event: ${type}\ndata: ${JSON.stringify({ type, sequence_number: this.#next(), ...data })}\n\n`;
  }
}

function addressOf(item: OutputItem): JsonObject {
  return { item_id: item.id, output_index: item.index };
}

/** A full context is reported as `max_output_tokens`; a refusal in words is a complete answer. */
function incompleteReason(reason: StopReason | undefined, hasRefusal: boolean): string | undefined {
  if (reason === 'length' || reason === 'context-full') return 'max_output_tokens';
  return reason === 'refusal' && !hasRefusal ? 'content_filter' : undefined;
}

/** Writes a whole answer as a `response`. Calls whose end was never seen are not in it. */
export function encodeResponsesResponse(events: readonly ConversationEvent[], meta: ResponseMeta): JsonObject {
  const encoder = new ResponsesStreamEncoder(meta);
  for (const event of events) encoder.encode(event);
  encoder.close();
  return encoder.response();
}
