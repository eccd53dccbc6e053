import type { ConversationEvent, StopReason, TokenUsage } from '../../api/conversation.ts';
import { asNumber, asString, isObject, type JsonObject, type JsonValue } from '../../base/json.ts';
import { parseJson } from '../../base/json.ts';
import { ExtrasGatherer } from '../billedExtras.ts';
import type { StreamDecoder } from '../codec.ts';
import { readErrorBody } from '../errorBody.ts';
import { maxParts } from '../events.ts';
import { TextTemplate } from '../textTemplate.ts';
import { exceedsWhole, isAbsurd, tokenCountOf } from '../usageFigures.ts';

type OpenBlock = { type: 'thinking'; signature: string } | { type: 'tool'; index: number; arguments: string };

/**
 * Reads a stream of ConverseStream, whose events come as server-sent events with the names of the frames. The finish is held
 * until the usage, which comes last, or the end of the stream.
 */
export class ConverseStreamDecoder implements StreamDecoder {
  unreadable = 0;
  ended = false;
  /** Callers never get this form. */
  readonly missingEnd = '';
  readonly #plainText = new TextTemplate('text');
  readonly #blocks = new Map<number, OpenBlock>();
  readonly #extras = new ExtrasGatherer();
  #failed = false;
  #isClosed = false;
  #callCount = 0;
  /** Calls whose block has ended but whose arguments are no JSON: the stop reason decides about them. */
  #doubtful: number[] = [];
  #stopReason: string | undefined;

  get terminated(): boolean {
    return this.#stopReason !== undefined && !this.#failed;
  }

  close(): ConversationEvent[] {
    const events: ConversationEvent[] = [];
    this.#finish(events);
    return events;
  }

  decode(event: string | undefined, data: string): ConversationEvent[] {
    const plainText = this.#plainText.textOf(event, data);
    if (plainText !== undefined) return plainText === '' ? [] : [{ type: 'text', text: plainText }];
    const payload = parseJson(data);
    if (!isObject(payload)) {
      this.unreadable += 1;
      return [];
    }
    const events: ConversationEvent[] = [];
    this.#event(event, payload, events);
    const [only] = events;
    if (events.length === 1 && only?.type === 'text') this.#plainText.learn(event, data, only.text);
    return events;
  }

  /** Reads a plain answer, block by block as if it had been streamed. */
  decodeWhole(body: JsonValue): ConversationEvent[] {
    const message = isObject(body) && isObject(body.output) ? body.output.message : undefined;
    if (!isObject(body) || !isObject(message) || !Array.isArray(message.content)) {
      return [{ type: 'error', error: readErrorBody(body) ?? { type: 'invalid_response', message: 'The provider answered without any content.' } }];
    }
    const events: ConversationEvent[] = [{ type: 'start' }];
    for (const [index, block] of message.content.entries()) if (isObject(block)) this.#wholeBlock(index, block, events);
    this.#event('messageStop', { stopReason: body.stopReason ?? 'end_turn' }, events);
    this.#event('metadata', { usage: body.usage, serviceTier: body.serviceTier, trace: body.trace }, events);
    return events;
  }

  #wholeBlock(index: number, block: JsonObject, events: ConversationEvent[]): void {
    const { text, toolUse, reasoningContent } = block;
    if (isObject(toolUse)) {
      this.#event('contentBlockStart', { contentBlockIndex: index, start: { toolUse } }, events);
      this.#delta(index, { toolUse: { input: JSON.stringify(toolUse.input ?? {}) } }, events);
    } else if (isObject(reasoningContent)) {
      const inner = isObject(reasoningContent.reasoningText) ? reasoningContent.reasoningText : {};
      this.#delta(index, { reasoningContent: { text: inner.text } }, events);
      this.#delta(index, { reasoningContent: { signature: inner.signature, redactedContent: reasoningContent.redactedContent } }, events);
    } else this.#delta(index, { text }, events);
    this.#event('contentBlockStop', { contentBlockIndex: index }, events);
  }

  #event(name: string | undefined, payload: JsonObject, events: ConversationEvent[]): void {
    const index = asNumber(payload.contentBlockIndex) ?? 0;
    switch (name) {
      case 'messageStart':
        events.push({ type: 'start' });
        return;
      case 'contentBlockStart':
        if (isObject(payload.start) && isObject(payload.start.toolUse)) this.#startCall(index, payload.start.toolUse, events);
        return;
      case 'contentBlockDelta':
        if (isObject(payload.delta)) this.#delta(index, payload.delta, events);
        return;
      case 'contentBlockStop':
        this.#stopBlock(index, events);
        return;
      case 'messageStop':
        this.#stopReason = asString(payload.stopReason) ?? 'end_turn';
        return;
      case 'metadata':
        this.#metadata(payload, events);
        return;
      case 'error':
        this.#failed = true;
        events.push({ type: 'error', error: readErrorBody(payload) ?? { message: 'The provider reported an error.' } });
        return;
      // Events that are not known yet say nothing.
      default:
    }
  }

  #startCall(index: number, { toolUseId, name }: JsonObject, events: ConversationEvent[]): void {
    const call = this.#callCount;
    this.#callCount += 1;
    if (this.#blocks.size < maxParts) this.#blocks.set(index, { type: 'tool', index: call, arguments: '' });
    events.push({ type: 'tool-call-start', index: call, id: asString(toolUseId) ?? `call_${call}`, name: asString(name) ?? '' });
  }

  #delta(index: number, { text, toolUse, reasoningContent }: JsonObject, events: ConversationEvent[]): void {
    if (typeof text === 'string' && text !== '') events.push({ type: 'text', text });
    const block = this.#blocks.get(index);
    if (isObject(toolUse) && typeof toolUse.input === 'string' && toolUse.input !== '' && block?.type === 'tool') {
      block.arguments += toolUse.input;
      events.push({ type: 'tool-call-arguments', index: block.index, text: toolUse.input });
    }
    if (!isObject(reasoningContent)) return;
    const { text: thought, signature, redactedContent } = reasoningContent;
    if (typeof redactedContent === 'string') {
      events.push({ type: 'thinking-end', redacted: redactedContent, origin: 'anthropic-messages' });
      return;
    }
    const open = block?.type === 'thinking' ? block : { type: 'thinking' as const, signature: '' };
    if (block === undefined && this.#blocks.size < maxParts) this.#blocks.set(index, open);
    if (typeof signature === 'string') open.signature += signature;
    if (typeof thought === 'string' && thought !== '') events.push({ type: 'thinking', text: thought });
  }

  #stopBlock(index: number, events: ConversationEvent[]): void {
    const block = this.#blocks.get(index);
    this.#blocks.delete(index);
    if (block?.type === 'thinking') events.push({ type: 'thinking-end', signature: block.signature === '' ? undefined : block.signature, origin: 'anthropic-messages' });
    if (block?.type !== 'tool') return;
    // A call that runs into the limit has its block closed like any other: only the JSON shows that it is half.
    if (block.arguments !== '' && parseJson(block.arguments) === undefined) this.#doubtful.push(block.index);
    else events.push({ type: 'tool-call-end', index: block.index });
  }

  #metadata({ usage, serviceTier, trace }: JsonObject, events: ConversationEvent[]): void {
    this.ended = true;
    // It is charged apart, by the texts and its policies.
    if (this.#stopReason === 'guardrail_intervened' || (isObject(trace) && isObject(trace.guardrail))) this.#extras.setRuns('guardrail', 1);
    if (isObject(serviceTier) && serviceTier.type !== 'default') this.#extras.setTier(serviceTier.type);
    if (isObject(usage)) {
      const { extras } = this.#extras;
      events.push({ type: 'usage', usage: usageOf(usage), ...(contradicts(usage) ? { contradictory: true } : {}), ...(extras === undefined ? {} : { extras }) });
    }
    this.#finish(events);
  }

  #finish(events: ConversationEvent[]): void {
    if (this.#isClosed || this.#failed || this.#stopReason === undefined) return;
    this.#isClosed = true;
    const reason = stopReasons.get(this.#stopReason);
    if (reason === 'tool-calls') for (const index of this.#doubtful) events.push({ type: 'tool-call-end', index });
    events.push({ type: 'finish', reason: reason ?? 'end', ...(reason === undefined || reason === 'refusal' ? { detail: this.#stopReason } : {}) });
  }
}

/** The counts of Converse are disjoint. Writes to the cache are split by life where the answer says it. */
function usageOf(usage: JsonObject): TokenUsage {
  const written = tokenCountOf(usage.cacheWriteInputTokens);
  let long: number | undefined;
  if (Array.isArray(usage.cacheDetails)) {
    for (const entry of usage.cacheDetails) if (isObject(entry) && entry.ttl === '1h') long = (long ?? 0) + (tokenCountOf(entry.inputTokens) ?? 0);
  }
  return {
    inputTokens: tokenCountOf(usage.inputTokens),
    cacheReadTokens: tokenCountOf(usage.cacheReadInputTokens),
    cacheWriteTokens: written === undefined ? undefined : Math.max(0, written - (long ?? 0)),
    cacheWrite1hTokens: long,
    outputTokens: tokenCountOf(usage.outputTokens),
  };
}

function contradicts({ inputTokens, outputTokens, totalTokens, cacheReadInputTokens, cacheWriteInputTokens }: JsonObject): boolean {
  return isAbsurd(inputTokens) || isAbsurd(outputTokens) || isAbsurd(cacheReadInputTokens) || isAbsurd(cacheWriteInputTokens) || exceedsWhole(totalTokens, inputTokens, outputTokens);
}

const stopReasons: ReadonlyMap<string, StopReason> = new Map<string, StopReason>([
  ['end_turn', 'end'],
  ['stop_sequence', 'stop-sequence'],
  ['max_tokens', 'length'],
  ['model_context_window_exceeded', 'context-full'],
  ['tool_use', 'tool-calls'],
  ['guardrail_intervened', 'refusal'],
  ['content_filtered', 'refusal'],
  ['malformed_model_output', 'error'],
  ['malformed_tool_use', 'error'],
]);
