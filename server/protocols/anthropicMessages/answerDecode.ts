import type { BilledExtras, ConversationEvent, StopReason, TokenUsage } from '../../api/conversation.ts';
import { asNumber, asString, isObject, parseJson } from '../../base/json.ts';
import type { JsonObject, JsonValue } from '../../base/json.ts';
import { contradictsMessages, decodeMessagesUsage } from './usage.ts';
import { tokenBuckets } from '../../api/usage.ts';
import { ExtrasGatherer } from '../billedExtras.ts';
import type { StreamDecoder } from '../codec.ts';
import { readErrorBody } from '../errorBody.ts';
import { maxParts, mergeUsage } from '../events.ts';
import { TextTemplate } from '../textTemplate.ts';

type OpenBlock =
  | { type: 'text' }
  | { type: 'thinking'; signature: string | undefined }
  | { type: 'tool'; index: number; arguments: string; input: JsonValue | undefined }
  /** A block of a hosted tool: it ran at the provider, and only its text is read. */
  | { type: 'other' };

/**
 * Reads a stream of Messages events. An answer is whole at its stop reason, which comes after its last block. The finish is held
 * until `message_stop` or the end of the stream, because the usage may come in a later `message_delta`.
 */
export class MessagesStreamDecoder implements StreamDecoder {
  unreadable = 0;
  ended = false;
  /** `message_stop` was read. */
  #isStopped = false;
  readonly #plainText = new TextTemplate('text');
  readonly #blocks = new Map<number, OpenBlock>();
  readonly #extras = new ExtrasGatherer();
  #usage: TokenUsage = {};
  /** An error was reported: a `message_stop` after it does not complete the answer. */
  #failed = false;
  #callCount = 0;
  #completeCalls = 0;
  /** Calls whose block has ended but whose arguments are no JSON: the stop reason decides about them. */
  #doubtful: number[] = [];
  /** A guardrail of Amazon Bedrock put its own words in place of the model's. */
  #intervened = false;
  #finish: { reason: string | undefined; stopSequence: string | undefined; detail: string | undefined } | undefined;

  get terminated(): boolean {
    return this.#isStopped || (this.#finish?.reason !== undefined && !this.#failed);
  }

  get missingEnd(): string {
    return this.terminated && !this.#isStopped ? stopEvent : '';
  }

  close(): ConversationEvent[] {
    const events: ConversationEvent[] = [];
    if (this.terminated) this.#close(events);
    return events;
  }

  decode(event: string | undefined, data: string): ConversationEvent[] {
    const plainText = this.#plainText.textOf(event, data);
    if (plainText !== undefined) return plainText === '' ? [] : [{ type: 'text', text: plainText }];
    const payload = parseJson(data);
    if (!isObject(payload)) {
      if (data.trim() !== '' && data.trim() !== '[DONE]' && event !== 'ping') this.unreadable += 1;
      return [];
    }
    const events: ConversationEvent[] = [];
    const type = asString(payload.type) ?? event;
    this.#event(type, payload, events);
    const [only] = events;
    if (events.length === 1 && only?.type === 'text' && type === 'content_block_delta') this.#plainText.learn(event, data, only.text);
    return events;
  }

  decodeChunk(chunk: Buffer): ConversationEvent[] | undefined {
    const plainText = this.#plainText.textOfChunk(chunk);
    return plainText === undefined ? undefined : plainText === '' ? [] : [{ type: 'text', text: plainText }];
  }

  /** Reads a plain answer, block by block as if it had been streamed. */
  decodeWhole(body: JsonValue): ConversationEvent[] {
    const error = readErrorBody(body);
    if (error !== undefined) return [{ type: 'error', error }];
    if (!isObject(body) || !Array.isArray(body.content)) {
      return [{ type: 'error', error: { type: 'invalid_response', message: 'The provider answered without any content.' } }];
    }
    const events: ConversationEvent[] = [];
    this.#event('message_start', { message: body }, events);
    const { extras } = this.#extras;
    for (const [index, block] of body.content.entries()) {
      this.#event('content_block_start', { index, content_block: block }, events);
      if (isObject(block) && typeof block.signature === 'string') this.#delta(index, { type: 'signature_delta', signature: block.signature }, events);
      this.#event('content_block_stop', { index }, events);
    }
    // Tools that the blocks name are reported with the usage once more.
    this.#event('message_delta', extras === this.#extras.extras ? { delta: body } : { delta: body, usage: body.usage ?? {} }, events);
    this.#event('message_stop', body, events);
    return events;
  }

  /** A guardrail that looked at the answer is charged apart, by the texts and its policies, which no answer tells. */
  #noteGuardrail(payload: JsonObject, events: ConversationEvent[]): void {
    const action = payload['amazon-bedrock-guardrailAction'];
    if (typeof action !== 'string') return;
    if (action === 'INTERVENED') this.#intervened = true;
    if (this.#extras.extras?.tools?.guardrail !== undefined) return;
    this.#extras.setRuns('guardrail', 1);
    const { extras } = this.#extras;
    events.push({ type: 'usage', usage: noUsage, ...(extras === undefined ? {} : { extras }) });
  }

  #event(type: string | undefined, payload: JsonObject, events: ConversationEvent[]): void {
    switch (type) {
      case 'message_start': {
        const message = isObject(payload.message) ? payload.message : {};
        events.push({ type: 'start', id: asString(message.id), model: asString(message.model) });
        this.#reportUsage(message.usage, events);
        return;
      }
      case 'content_block_start':
        this.#startBlock(asNumber(payload.index) ?? 0, isObject(payload.content_block) ? payload.content_block : {}, events);
        return;
      case 'content_block_delta':
        if (isObject(payload.delta)) this.#delta(asNumber(payload.index) ?? 0, payload.delta, events);
        return;
      case 'content_block_stop':
        this.#stopBlock(asNumber(payload.index) ?? 0, events);
        return;
      case 'message_delta': {
        const delta = isObject(payload.delta) ? payload.delta : {};
        this.#reportUsage(payload.usage, events);
        this.#noteGuardrail(payload, events);
        const details = isObject(delta.stop_details) ? delta.stop_details : {};
        if (this.#finish?.reason !== undefined && isObject(payload.usage)) this.ended = true;
        const reason = asString(delta.stop_reason);
        if (reason !== undefined || this.#finish === undefined) this.#finish = { reason, stopSequence: asString(delta.stop_sequence), detail: asString(details.explanation) };
        return;
      }
      case 'message_stop':
        this.#noteGuardrail(payload, events);
        this.#close(events);
        return;
      case 'ping':
        return;
      default: {
        const error = payload.error === undefined && type !== 'error' ? undefined : readErrorBody(payload) ?? (type === 'error' ? { message: 'The provider reported an error.' } : undefined);
        if (error === undefined) return;
        this.#failed = true;
        events.push({ type: 'error', error });
      }
    }
  }

  #keep(index: number, block: OpenBlock): void {
    if (this.#blocks.size < maxParts) this.#blocks.set(index, block);
  }

  #startBlock(index: number, block: JsonObject, events: ConversationEvent[]): void {
    switch (block.type) {
      case 'text':
        this.#keep(index, { type: 'text' });
        this.#text(asString(block.text), events);
        return;
      case 'thinking':
        this.#keep(index, { type: 'thinking', signature: undefined });
        this.#thinking(asString(block.thinking), events);
        return;
      case 'redacted_thinking':
        this.#keep(index, { type: 'other' });
        events.push({ type: 'thinking-end', redacted: asString(block.data), origin: 'anthropic-messages' });
        return;
      case 'tool_use': {
        const call = this.#callCount;
        this.#callCount += 1;
        this.#keep(index, { type: 'tool', index: call, arguments: '', input: block.input });
        events.push({ type: 'tool-call-start', index: call, id: asString(block.id) ?? `call_${call}`, name: asString(block.name) ?? '' });
        return;
      }
      default:
        if (block.type === 'server_tool_use' && (asString(block.name) ?? '').includes('code_execution')) this.#extras.setRuns('code execution', 1);
        this.#keep(index, { type: 'other' });
    }
  }

  #delta(index: number, delta: JsonObject, events: ConversationEvent[]): void {
    const block = this.#blocks.get(index);
    if (delta.type === 'text_delta') this.#text(asString(delta.text), events);
    else if (delta.type === 'thinking_delta') this.#thinking(asString(delta.thinking), events);
    else if (delta.type === 'signature_delta' && block?.type === 'thinking') block.signature = asString(delta.signature);
    else if (delta.type === 'input_json_delta' && block?.type === 'tool') {
      const text = asString(delta.partial_json);
      if (text === undefined || text === '') return;
      block.arguments += text;
      events.push({ type: 'tool-call-arguments', index: block.index, text });
    }
  }

  #stopBlock(index: number, events: ConversationEvent[]): void {
    const block = this.#blocks.get(index);
    this.#blocks.delete(index);
    if (block?.type === 'thinking') {
      events.push({ type: 'thinking-end', signature: block.signature === '' ? undefined : block.signature, origin: 'anthropic-messages' });
    }
    if (block?.type !== 'tool') return;
    // A plain answer, and some servers' streams, give the input whole at the block's start.
    if (block.arguments === '' && isObject(block.input) && Object.keys(block.input).length > 0) {
      block.arguments = JSON.stringify(block.input);
      events.push({ type: 'tool-call-arguments', index: block.index, text: block.arguments });
    }
    // A call that runs into `max_tokens` has its block closed like any other: only the JSON shows that it is half.
    if (block.arguments !== '' && parseJson(block.arguments) === undefined) this.#doubtful.push(block.index);
    else this.#endCall(block.index, events);
  }

  #endCall(index: number, events: ConversationEvent[]): void {
    this.#completeCalls += 1;
    events.push({ type: 'tool-call-end', index });
  }

  #close(events: ConversationEvent[]): void {
    if (this.#isStopped || this.#failed) return;
    this.#isStopped = true;
    this.ended = true;
    const { reason, stopSequence, detail } = this.#finish ?? {};
    if (reason === 'tool_use') for (const index of this.#doubtful) this.#endCall(index, events);
    const known = this.#intervened ? 'refusal' : reason === undefined ? undefined : stopReasons.get(reason);
    events.push({
      type: 'finish',
      reason: known ?? (this.#completeCalls > 0 ? 'tool-calls' : 'end'),
      ...(stopSequence === undefined ? {} : { stopSequence }),
      ...(detail === undefined ? (known === undefined && reason !== undefined ? { detail: reason } : {}) : { detail }),
    });
  }

  #text(text: string | undefined, events: ConversationEvent[]): void {
    if (text === undefined || text === '') return;
    events.push({ type: 'text', text });
  }

  #thinking(text: string | undefined, events: ConversationEvent[]): void {
    if (text === undefined || text === '') return;
    events.push({ type: 'thinking', text });
  }

  #reportUsage(usage: JsonValue | undefined, events: ConversationEvent[]): void {
    if (!isObject(usage)) return;
    const report = decodeMessagesUsage(usage, this.#usage);
    this.#usage = mergeUsage(this.#usage, report);
    const extras = this.#readExtras(usage);
    events.push({ type: 'usage', usage: report, ...(contradictsMessages(usage) ? { contradictory: true } : {}), ...(extras === undefined ? {} : { extras }) });
  }

  /** Steps of an answer. A compaction is billed at the model's price and is in no other count; other models' steps have prices of their own. */
  #readIterations(iterations: readonly JsonValue[]): void {
    let compacted: TokenUsage | undefined;
    for (const step of iterations) {
      if (!isObject(step) || step.type === undefined || step.type === 'message') continue;
      if (step.type === 'compaction') compacted = summed(compacted, decodeMessagesUsage(step, noUsage));
      else if (typeof step.type === 'string' && toolNameShape.test(step.type)) this.#extras.setRuns(step.type.replace(/_message$/, '').replaceAll('_', ' '), 1);
    }
    if (compacted !== undefined) this.#extras.setAlsoBilled(compacted);
  }

  #readExtras(usage: JsonObject): BilledExtras | undefined {
    const gatherer = this.#extras;
    if (isObject(usage.server_tool_use)) {
      for (const [name, runs] of Object.entries(usage.server_tool_use)) if (name.endsWith('_requests') && toolNameShape.test(name)) gatherer.setRuns(name.slice(0, -'_requests'.length).replaceAll('_', ' '), runs);
    }
    if (usage.service_tier !== 'standard') gatherer.setTier(usage.service_tier);
    if (Array.isArray(usage.iterations)) this.#readIterations(usage.iterations);
    gatherer.setSpeed(usage.speed);
    gatherer.setGeo(usage.inference_geo);
    return gatherer.extras;
  }
}

const noUsage: TokenUsage = {};
const toolNameShape = /^[a-z_]{1,60}$/;
const stopEvent = 'event: message_stop\ndata: {"type":"message_stop"}\n\n';

const stopReasons: ReadonlyMap<string, StopReason> = new Map<string, StopReason>([
  ['end_turn', 'end'],
  ['stop_sequence', 'stop-sequence'],
  ['max_tokens', 'length'],
  ['model_context_window_exceeded', 'context-full'],
  ['tool_use', 'tool-calls'],
  ['pause_turn', 'pause'],
  ['refusal', 'refusal'],
]);

function summed(one: TokenUsage | undefined, other: TokenUsage): TokenUsage {
  if (one === undefined) return other;
  const sum: TokenUsage = { ...one };
  for (const bucket of tokenBuckets) if (other[bucket] !== undefined) sum[bucket] = (sum[bucket] ?? 0) + other[bucket];
  return sum;
}
