import type { ConversationEvent, ProviderErrorBody, RefusalPart, StopReason, TextPart, ThinkingPart, TokenUsage, ToolCallPart } from '../api/conversation.ts';
import { usageBuckets } from '../api/usage.ts';

/** A tool call as it was gathered; `complete` is false when its end was never seen: such a call must not be run. */
export interface GatheredToolCall extends ToolCallPart { index: number; complete: boolean }

/** The most parts of one answer that are kept in mind while it comes: blocks, items or calls. What belongs to more of them is not read. */
export const maxParts = 10_000;

export type AnswerPart = TextPart | ThinkingPart | GatheredToolCall | RefusalPart;

/** A whole answer, gathered from its events. */
export interface Answer {
  id?: string | undefined;
  model?: string | undefined;
  /** In the order in which they began; never two text parts of one phase, nor two refusals, in a row. */
  parts: AnswerPart[];
  /** Log probabilities of the text's tokens, in order, where the provider gave any. */
  logprobs?: unknown[] | undefined;
  usage: TokenUsage;
  finish?: { reason: StopReason; stopSequence?: string | undefined; detail?: string | undefined } | undefined;
  error?: ProviderErrorBody | undefined;
}

/**
 * Whether an event carries something a person or a tool could see: text, reasoning, a refusal or a tool call.
 * Such an event commits an exchange to its target.
 */
export function isContentEvent(event: ConversationEvent): boolean {
  switch (event.type) {
    case 'text':
    case 'thinking':
    case 'refusal':
    case 'tool-call-arguments':
      return event.text.length > 0;
    case 'tool-call-start':
      return true;
    case 'start':
    case 'thinking-end':
    case 'tool-call-end':
    case 'usage':
    case 'finish':
    case 'error':
      return false;
  }
}

/** The counts so far with a later report laid over them: a bucket the report does not know keeps its value. */
export function mergeUsage(earlier: TokenUsage, later: TokenUsage): TokenUsage {
  const merged: TokenUsage = { ...earlier };
  for (const bucket of usageBuckets) {
    const count = later[bucket];
    if (count !== undefined) merged[bucket] = count;
  }
  return merged;
}

const opaqueKeys = ['signature', 'redacted', 'encrypted', 'itemId', 'origin'] as const;

/** All tokens written to a cache, whatever its life; undefined when unknown. */
export function cacheWriteTokens(usage: TokenUsage): number | undefined {
  if (usage.cacheWriteTokens === undefined && usage.cacheWrite1hTokens === undefined) return undefined;
  return (usage.cacheWriteTokens ?? 0) + (usage.cacheWrite1hTokens ?? 0);
}

/** Gathers a whole answer from events as they come. */
export class AnswerGatherer {
  readonly answer: Answer = { parts: [], usage: {} };
  readonly #calls = new Map<number, GatheredToolCall>();
  #thinkingIsOpen = false;

  add(event: ConversationEvent): void {
    const { answer } = this;
    switch (event.type) {
      case 'start':
        answer.id ??= event.id;
        answer.model ??= event.model;
        return;
      case 'text':
        if (Array.isArray(event.logprobs)) (answer.logprobs ??= []).push(...(event.logprobs as unknown[]));
        this.#addText('text', event.text, event.phase);
        return;
      case 'refusal':
        this.#addText('refusal', event.text);
        return;
      case 'thinking':
        this.#thinking().text += event.text;
        return;
      case 'thinking-end': {
        // A redacted block is a block of its own, even right after readable reasoning.
        if (event.redacted !== undefined) this.#thinkingIsOpen = false;
        const part = this.#thinking();
        for (const key of opaqueKeys) if (event[key] !== undefined) part[key] = event[key];
        this.#thinkingIsOpen = false;
        return;
      }
      case 'tool-call-start': {
        const { index, id, name, kind, signature, origin } = event;
        const call: GatheredToolCall = { type: 'tool-call', index, id, name, kind, signature, origin, arguments: '', complete: false };
        this.#thinkingIsOpen = false;
        this.#calls.set(index, call);
        answer.parts.push(call);
        return;
      }
      case 'tool-call-arguments': {
        const call = this.#calls.get(event.index);
        if (call !== undefined) call.arguments += event.text;
        return;
      }
      case 'tool-call-end': {
        const call = this.#calls.get(event.index);
        if (call !== undefined) call.complete = true;
        return;
      }
      case 'usage':
        answer.usage = mergeUsage(answer.usage, event.usage);
        return;
      case 'finish':
        answer.finish = { reason: event.reason, stopSequence: event.stopSequence, detail: event.detail };
        return;
      case 'error':
        answer.error = event.error;
        return;
    }
  }

  #addText(type: 'text' | 'refusal', text: string, phase?: string): void {
    if (text.length === 0) return;
    this.#thinkingIsOpen = false;
    const last = this.answer.parts.at(-1);
    if (last?.type === type && (last.type === 'refusal' || last.phase === phase)) last.text += text;
    else this.answer.parts.push(type === 'text' && phase !== undefined ? { type, text, phase } : { type, text });
  }

  #thinking(): ThinkingPart {
    const last = this.answer.parts.at(-1);
    if (this.#thinkingIsOpen && last?.type === 'thinking') return last;
    const part: ThinkingPart = { type: 'thinking', text: '' };
    this.answer.parts.push(part);
    this.#thinkingIsOpen = true;
    return part;
  }
}

/** A whole answer from all its events. */
export function gatherAnswer(events: Iterable<ConversationEvent>): Answer {
  const gatherer = new AnswerGatherer();
  for (const event of events) gatherer.add(event);
  return gatherer.answer;
}

/** The calls of an answer that may be handed to the caller: those whose end was seen. */
export function completeCalls(answer: Answer): GatheredToolCall[] {
  return answer.parts.filter((part): part is GatheredToolCall => part.type === 'tool-call' && part.complete);
}

/**
 * Why the answer really stopped: providers say "stop" after a tool call, and "tool calls" without one, so the
 * parts decide between the two.
 */
export function effectiveStopReason(reason: StopReason | undefined, hasCompleteCall: boolean): StopReason {
  if (hasCompleteCall && (reason === undefined || reason === 'end')) return 'tool-calls';
  if (!hasCompleteCall && reason === 'tool-calls') return 'end';
  return reason ?? 'end';
}
