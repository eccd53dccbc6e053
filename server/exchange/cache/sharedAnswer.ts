import type { ConversationEvent } from '../../api/conversation.ts';
import type { CacheUse, PlannedTarget } from '../../api/receipt.ts';
import type { ExchangeFailure } from '../request.ts';

/** Where an answer came from. */
export interface AnswerOrigin {
  readonly target: PlannedTarget;
  /** The id under which a caller of the Responses API can go on from it at the provider; absent where it is not to. */
  readonly storedId?: string | undefined;
}

/** How an answer ended. `whole`: nothing more comes. */
export type AnswerState = { readonly kind: 'running' } | { readonly kind: 'whole'; readonly refusal: boolean } | { readonly kind: 'broken'; readonly failure: Omit<ExchangeFailure, 'exchangeId' | 'attempts'> };

/** What follows a shared answer as it comes. */
export interface AnswerFollower {
  /** More is here, or its end. */
  onMore(): void;
}

/** What an answer had cost, once that is known. */
export interface AnswerCost { readonly microUsd: number; readonly estimated: boolean }

/** The cost of one answer, for receipts of those who got it for nothing. */
export class AnswerPrice {
  #cost: AnswerCost | undefined;
  #isSet = false;
  /** Who waits for it. */
  #waiting: ((cost: AnswerCost | undefined) => void)[] = [];

  /** Writes into a receipt what the answer had cost, now or when that is known. */
  saves(use: CacheUse): void {
    this.whenSet(cost => { if (cost !== undefined) write(use, cost); });
  }

  /** Calls once the cost is known, or known to stay unknown. */
  whenSet(listen: (cost: AnswerCost | undefined) => void): void {
    if (this.#isSet) listen(this.#cost);
    else this.#waiting.push(listen);
  }

  /** @param cost undefined: it stays unknown */
  set(cost: AnswerCost | undefined): void {
    this.#cost = cost;
    this.#isSet = true;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const listen of waiting) listen(cost);
  }
}

const eventOverhead = 48;
/** Neighbouring pieces of text are joined up to this length when an answer is kept. */
const pieceLength = 512;

/**
 * One answer: an append-only list of events, or the body of embeddings. Those who follow it read from its beginning, each at a pace of
 * its own, so that none waits for another.
 */
export class SharedAnswer {
  /** The exchange that pays for it. */
  readonly of: string;
  readonly followers = new Set<AnswerFollower>();
  events: ConversationEvent[] = [];
  /** A whole body, where events cannot say it. */
  body: Buffer | undefined;
  origin: AnswerOrigin | undefined;
  state: AnswerState = { kind: 'running' };
  bytes = 0;
  /** False once somebody wants what runs not to be kept. */
  keepable = true;
  /** Milliseconds since the epoch; when it was whole. */
  keptAt = 0;
  /** Called when somebody begins to follow an answer that still runs: it is to wait for no slow caller any more. */
  onFollowed: (() => void) | undefined;
  /** Called when the last follower leaves an answer that still runs. */
  onDeserted: (() => void) | undefined;
  price: AnswerPrice;

  readonly route: string;

  constructor(of: string, route: string, price = new AnswerPrice()) {
    this.of = of;
    this.route = route;
    this.price = price;
  }

  /** A follower wants it. */
  join(follower: AnswerFollower): void {
    this.followers.add(follower);
    if (this.state.kind === 'running') this.onFollowed?.();
  }

  /** A follower wants no more of it. */
  leave(follower: AnswerFollower): void {
    if (this.followers.delete(follower) && this.followers.size === 0 && this.state.kind === 'running') this.onDeserted?.();
  }

  append(events: readonly ConversationEvent[]): void {
    for (const event of events) {
      if (event.type === 'start' && this.events.length > 0) continue;
      this.events.push(event);
      this.bytes += sizeOf(event);
    }
    this.#notify();
  }

  setBody(body: Buffer): void {
    this.body = body;
    this.bytes = body.length;
    this.#notify();
  }

  end(state: Exclude<AnswerState, { kind: 'running' }>): void {
    if (this.state.kind !== 'running') return;
    this.state = state;
    this.#notify();
  }

  /** Becomes a kept answer, for those who follow; its end comes apart. */
  takes({ origin, price, events, body }: SharedAnswer): void {
    this.origin = origin;
    this.price = price;
    this.append(events);
    if (body !== undefined) this.setBody(body);
  }

  /** A whole answer as it is kept: pieces are joined, so that it takes less memory. Its cost is that of this one. */
  compacted(): SharedAnswer {
    const kept = new SharedAnswer(this.of, this.route, this.price);
    for (const event of this.events) {
      const last = kept.events.at(-1);
      if (last?.type === 'text' && event.type === 'text' && canJoin(last, event)) kept.events[kept.events.length - 1] = { ...last, text: last.text + event.text };
      else kept.events.push(event);
    }
    kept.body = this.body;
    kept.bytes = this.body?.length ?? 0;
    for (const event of kept.events) kept.bytes += sizeOf(event);
    kept.origin = this.origin;
    kept.state = this.state;
    return kept;
  }

  #notify(): void {
    for (const follower of [...this.followers]) follower.onMore();
  }
}

function write(use: CacheUse, { microUsd, estimated }: AnswerCost): void {
  use.savedMicroUsd = microUsd;
  if (estimated) use.savedEstimated = true;
}

type TextEvent = Extract<ConversationEvent, { type: 'text' }>;

function canJoin(last: TextEvent, next: TextEvent): boolean {
  return last.logprobs === undefined && next.logprobs === undefined && last.phase === next.phase && last.text.length + next.text.length <= pieceLength;
}

function sizeOf(event: ConversationEvent): number {
  switch (event.type) {
    case 'text': return eventOverhead + 2 * event.text.length + (event.logprobs === undefined ? 0 : 2 * JSON.stringify(event.logprobs).length);
    case 'thinking':
    case 'refusal':
    case 'tool-call-arguments': return eventOverhead + 2 * event.text.length;
    default: return eventOverhead + 2 * JSON.stringify(event).length;
  }
}
