import { longestBatch, subjectOf, type AttemptNews, type NewsItem, type StandingNews } from './newsItems.ts';
import type { Batch } from './newsStore.ts';

/** So much waits while the store is away; of more the oldest goes. */
const mostWaiting = 1_000;
/** Of the attempts at one target so many are told at once; of more an even part. */
const mostOfTarget = 32;
const mostOfBatch = 200;
/** The longest text of the items of one batch. */
const longestText = Math.floor(longestBatch / 8);
/** A wait of at least this many milliseconds stands until it is over, for replicas that start meanwhile. */
const standingWaitMs = 5_000;

/** What this replica found out and has not told yet, bounded. */
export class Outbox {
  #items: NewsItem[] = [];
  #dropped = 0;

  get isEmpty(): boolean {
    return this.#items.length === 0;
  }

  /** Items that were told of by none, because too many waited or because an even part says as much. */
  get dropped(): number {
    return this.#dropped;
  }

  add(item: NewsItem): void {
    this.#items.push(item);
    this.#bound();
  }

  /** Puts back what could not be told, before what came since. */
  putBack({ items }: Batch): void {
    this.#items.unshift(...items);
    this.#bound();
  }

  /** Forgets attempts and probes before a moment: what is so old says nothing of now. */
  forgetBefore(at: number): void {
    this.#items = this.#items.filter(item => (item.kind !== 'attempt' && item.kind !== 'probe') || item.at >= at);
  }

  /** Takes the next batch. */
  take(): Batch {
    this.#items = this.#evenly(this.#items);
    const items: NewsItem[] = [];
    for (let length = 2; items.length < mostOfBatch;) {
      const [next] = this.#items;
      if (next === undefined) break;
      length += JSON.stringify(next).length + 1;
      if (length > longestText && items.length > 0) break;
      items.push(next);
      this.#items.shift();
    }
    return { items, standing: items.flatMap(item => (stands(item) ? [{ subject: subjectOf(item), at: item.at, item }] : [])) };
  }

  #bound(): void {
    if (this.#items.length <= mostWaiting) return;
    this.#dropped += this.#items.length - mostWaiting;
    this.#items = this.#items.slice(-mostWaiting);
  }

  /** An even part of the attempts at targets with many, so that their share of failures stays; waits are all told of. */
  #evenly(items: readonly NewsItem[]): NewsItem[] {
    if (items.length <= mostOfTarget) return [...items];
    const counts = new Map<string, number>();
    for (const item of items) if (isSampled(item)) counts.set(targetOf(item), (counts.get(targetOf(item)) ?? 0) + 1);
    const seen = new Map<string, number>();
    const kept = items.filter(item => {
      if (!isSampled(item)) return true;
      const target = targetOf(item);
      const place = seen.get(target) ?? 0;
      seen.set(target, place + 1);
      const share = Math.min(1, mostOfTarget / (counts.get(target) ?? 1));
      return Math.floor((place + 1) * share) > Math.floor(place * share);
    });
    this.#dropped += items.length - kept.length;
    return kept;
  }
}

function isSampled(item: NewsItem): item is AttemptNews {
  return item.kind === 'attempt' && item.retryAfterMs === undefined;
}

function targetOf({ endpoint, model }: AttemptNews): string {
  return JSON.stringify([endpoint, model]);
}

/** A later one of its subject takes its place; until then it holds. */
function stands(item: NewsItem): item is StandingNews | AttemptNews {
  if (item.kind === 'probe') return false;
  return item.kind !== 'attempt' || (item.retryAfterMs ?? 0) >= standingWaitMs;
}
