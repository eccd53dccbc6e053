import type { ConversationEvent, ConversationRequest, TokenUsage } from '../api/conversation.ts';
import type { RouteConfig } from '../config/config.ts';
import { sumUsage } from '../pricing/sums.ts';
import { mergeUsage } from '../protocols/events.ts';
import type { ExchangeInput } from './request.ts';

/** Asks a model to continue an answer that is not its own, in words every model understands. */
const continuationPrompt = 'Your answer above was cut off by a broken connection. Go on from exactly where it stops: do not repeat any of it, do not begin anew, and do not comment on the interruption. If nothing is missing, answer with <complete/> and nothing else.';
/** The answer of a model that has nothing to add. An empty answer would look like a provider that fails. */
const nothingMissing = '<complete/>';
/** A repetition of the end of the text is looked for in at most this many characters. */
const longestOverlap = 400;
/** Fewer equal characters may be chance. */
const shortestOverlap = 12;
/** Longer answers cannot be resumed: no context window holds them. */
const maxKeptChars = 2_000_000;

/**
 * Whether another model can continue an answer to such a request. The answer is one text, of which a half is of use: half a JSON
 * text is of none. State that one provider keeps is out of reach for another.
 */
export function isResumable({ choices = 1, responseFormat, providerState }: ConversationRequest): boolean {
  return choices <= 1 && (responseFormat === undefined || responseFormat.type === 'text') && providerState === undefined;
}

/**
 * What was handed out of a streamed answer, so that another target can continue it when it breaks: text goes out as
 * it comes, a tool call only when it is whole, so that a half one is never seen.
 */
export class Resumption {
  #text = '';
  #tooLong = false;
  #handedOutCall = false;
  /** A model refused in words: no other one is to answer in its place. */
  #refused = false;
  /** Events of tool calls whose end has not come, by index. */
  #calls = new Map<number, ConversationEvent[]>();
  #resumed = false;
  #overlap: OverlapFilter | undefined;
  #before: TokenUsage = {};
  /** Usage of the attempt that continues the answer; counts come bit by bit. */
  #own: TokenUsage = {};

  /** For a stream over HTTP whose route resumes broken answers, and whose kind of answer can be resumed; undefined for others. */
  static of({ inbound, stream, body, requirements }: ExchangeInput, route: RouteConfig | undefined): Resumption | undefined {
    if (route?.afterCommit !== 'resume' || inbound !== 'http' || !stream || body.kind !== 'conversation' || requirements.jsonSchema) return undefined;
    try {
      return isResumable(body.decoded()) ? new Resumption() : undefined;
    } catch {
      // The first attempt decodes the request again and reports what is wrong with it.
      return undefined;
    }
  }

  /** The request of an attempt that continues the answer, with what is left of the caller's limit. */
  input(first: ExchangeInput): ExchangeInput {
    const { body, requirements } = first;
    if (body.kind !== 'conversation') return first;
    const request = this.request(body.decoded());
    return { ...first, body: { kind: 'conversation', thinkingAsked: body.thinkingAsked, decoded: () => request }, requirements: { ...requirements, maxOutputTokens: this.leftOf(requirements.maxOutputTokens) } };
  }

  /** Whether the next target can continue from here. */
  get possible(): boolean {
    return !this.#handedOutCall && !this.#refused && !this.#tooLong;
  }

  /** An answer broke off: every attempt from now on continues it. */
  get begun(): boolean {
    return this.#resumed;
  }

  /** What of an attempt's events goes to the caller now. */
  pass(events: readonly ConversationEvent[]): ConversationEvent[] {
    const passed: ConversationEvent[] = [];
    for (const event of events) this.#pass(event, passed);
    return passed;
  }

  /** The answer broke off, and another attempt continues it. @param spent what the broken ones used, for the caller's final count */
  begin(spent: readonly { usage: TokenUsage }[]): void {
    this.#calls.clear();
    this.#resumed = true;
    this.#before = sumUsage(spent);
    this.#own = {};
    this.#overlap = this.#text === '' ? undefined : new OverlapFilter(this.#text.slice(-longestOverlap));
  }

  /** The request of the attempt that continues the answer. */
  request(conversation: ConversationRequest): ConversationRequest {
    const maxOutputTokens = this.leftOf(conversation.maxOutputTokens);
    const request = maxOutputTokens === undefined ? conversation : { ...conversation, maxOutputTokens };
    if (this.#text === '') return request;
    return {
      ...request,
      messages: [
        ...conversation.messages,
        { role: 'assistant', content: [{ type: 'text', text: this.#text }] },
        { role: 'user', content: [{ type: 'text', text: continuationPrompt }] },
      ],
    };
  }

  /** What is left of the caller's output limit, one token at least; undefined where there is none. */
  leftOf(maxOutputTokens: number | undefined): number | undefined {
    return maxOutputTokens === undefined ? undefined : Math.max(1, maxOutputTokens - (this.#before.outputTokens ?? 0));
  }

  #pass(event: ConversationEvent, passed: ConversationEvent[]): void {
    switch (event.type) {
      case 'start':
        if (!this.#resumed) passed.push(event);
        return;
      case 'thinking':
      case 'thinking-end':
        // Another model's reasoning in the middle of an answer would be taken for the first one's.
        if (!this.#resumed) passed.push(event);
        return;
      case 'text': {
        const text = this.#overlap === undefined ? event.text : this.#overlap.pass(event.text);
        this.#keep(text);
        if (text !== '' || event.text === '') passed.push(text === event.text ? event : { ...event, text });
        return;
      }
      case 'tool-call-start':
        this.#calls.set(event.index, [event]);
        return;
      case 'tool-call-arguments':
        this.#calls.get(event.index)?.push(event);
        return;
      case 'tool-call-end':
        this.#flushOverlap(passed);
        passed.push(...this.#calls.get(event.index) ?? [], event);
        this.#calls.delete(event.index);
        this.#handedOutCall = true;
        return;
      case 'usage':
        this.#own = mergeUsage(this.#own, event.usage);
        passed.push(this.#resumed ? { ...event, usage: sumUsage([{ usage: this.#before }, { usage: this.#own }]) } : event);
        return;
      case 'finish':
        this.#flushOverlap(passed);
        passed.push(event);
        return;
      case 'refusal':
        this.#refused ||= event.text !== '';
        passed.push(event);
        return;
      case 'error':
        passed.push(event);
    }
  }

  #flushOverlap(passed: ConversationEvent[]): void {
    const text = this.#overlap?.end() ?? '';
    this.#overlap = undefined;
    this.#keep(text);
    if (text !== '') passed.push({ type: 'text', text });
  }

  #keep(text: string): void {
    if (this.#tooLong) return;
    this.#text += text;
    if (this.#text.length > maxKeptChars) {
      this.#text = '';
      this.#tooLong = true;
    }
  }
}

/** Leaves out the beginning of a text that only repeats the end of the one before, and the mark that nothing is missing. */
class OverlapFilter {
  #tail: string;
  #seen = '';
  #decided = false;

  /** @param tail the end of what was said before */
  constructor(tail: string) {
    this.#tail = tail;
  }

  /** The part of a piece that goes out now; what is left waits until it is known whether it repeats. */
  pass(text: string): string {
    if (this.#decided) return text;
    this.#seen += text;
    const undecided = (this.#seen.length < this.#tail.length && this.#mayStillRepeat()) || nothingMissing.startsWith(this.#seen.trim());
    return undecided ? '' : this.end();
  }

  /** Nothing more comes: what waited. */
  end(): string {
    if (this.#decided) return '';
    this.#decided = true;
    if (this.#seen.trim() === nothingMissing) return '';
    const overlap = longestCommon(this.#tail, this.#seen);
    return this.#seen.slice(overlap);
  }

  /** What came so far stands somewhere in the tail, so it may turn out to run to the tail's end. */
  #mayStillRepeat(): boolean {
    return this.#tail.includes(this.#seen);
  }
}

/** How many characters at the end of `before` are also the beginning of `after`; 0 when so few that it may be chance. */
function longestCommon(before: string, after: string): number {
  for (let length = Math.min(before.length, after.length); length >= shortestOverlap; length--) {
    if (after.startsWith(before.slice(-length))) return length;
  }
  return 0;
}
