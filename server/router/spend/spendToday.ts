import type { Cost, Receipt } from '../../api/receipt.ts';
import type { Clock } from '../../base/clock.ts';
import { Guard } from '../../base/guarded.ts';
import { localMidnight, nextLocalMidnight } from '../../base/localMidnight.ts';
import type { Log } from '../../base/log.ts';
import type { ExchangeObserver, ExchangePriced } from '../../exchange/events.ts';
import { LedgerUnavailableError } from '../../ledger/ledgerUnavailable.ts';
import type { LedgerReader, PeerAttempt, PeerFacts, SharedState } from '../../ledger/ports.ts';
import type { EndpointSpend, SpendStart, SpentAttempt } from '../../ledger/spend.ts';
import { bareName } from '../../routing/resolveName.ts';
import { isUnknownCost, SpendBook } from './spendBook.ts';

export interface SpendTodayOptions {
  ledger: Pick<LedgerReader, 'spendStart'> & Pick<SharedState, 'subscribe'>;
  clock: Clock;
  log: Log;
  /** Resolves once every exchange of this process that has ended is priced and recorded. */
  recorded(): Promise<void>;
  /** The sums are there, or were read again. */
  changed(): void;
}

/** A peer's running exchange records its progress once a second; a record older than this belongs to one that is gone. */
const peerSilenceMs = 15_000;

/**
 * What was spent since local midnight, in all servers, kept in memory: status and routing read it without the ledger.
 * It starts from one read, and adds what this process prices and what peers record. The ledger is read again at midnight, when
 * the clock was set to another day, when a peer's attempt got its price late, and when the ledger was opened again.
 */
export class SpendToday implements ExchangeObserver {
  readonly name = 'The sum of what was spent today';
  readonly #options: SpendTodayOptions;
  readonly #guard: Guard;
  /** The sums; undefined until the first read, and while another day is being read. */
  #book: SpendBook | undefined;
  /** The local day of the sums, in milliseconds since the epoch; `to` is the next midnight. */
  #day: { from: number; to: number };
  /** A read that runs: what came since it began. */
  #reading: { own: SpentAttempt[]; peers: PeerAttempt[] } | undefined;
  /** Attempts of peers up to here are in the sums; see PeerAttempt.position. */
  #position = 0;
  /** The ledger is to be read at the next tick. */
  #readDue = true;
  /** Running exchanges of this process and their attempts so far, by id. */
  readonly #running = new Map<string, SpentAttempt[]>();

  constructor(options: SpendTodayOptions) {
    this.#options = options;
    this.#guard = new Guard('The sum of what was spent today', options.log);
    this.#day = dayOf(options.clock.now());
    options.ledger.subscribe((facts) => { this.#onPeers(facts); });
    this.tick();
  }

  /** To be called about once a second: begins what reads are due. */
  tick(): void {
    const now = this.#options.clock.now();
    this.#turnTo(now);
    if (this.#book?.hasSilentPeer(now - peerSilenceMs) === true) this.#readDue = true;
    if (this.#readDue && this.#reading === undefined) this.#guard.start(() => this.#read());
  }

  /** The attempts of a running exchange of this process and their cost so far. */
  running(receipt: Receipt): void {
    this.#turnTo(this.#options.clock.now());
    this.#setRunning(receipt.id, spentAttempts(receipt));
  }

  onPriced({ receipt }: ExchangePriced): void {
    this.#turnTo(this.#options.clock.now());
    // An attempt that ended before its exchange was recorded with the cost it had then.
    const known = this.#running.get(receipt.id);
    this.#setRunning(receipt.id, undefined);
    for (const spent of spentAttempts(receipt)) {
      const before = known?.find(({ attempt }) => attempt.number === spent.attempt.number);
      this.#add(before !== undefined && !before.runs && stands(before.attempt.cost, spent.attempt.cost) ? before : spent);
    }
  }

  #setRunning(id: string, attempts: SpentAttempt[] | undefined): void {
    if (attempts === undefined) this.#running.delete(id);
    else this.#running.set(id, attempts);
    this.#book?.setRunning(id, attempts);
  }

  #add(spent: SpentAttempt): void {
    this.#book?.add(spent);
    this.#reading?.own.push(spent);
  }

  /** Spend by endpoint name; endpoints without attempts today are absent. Undefined while it is not known. */
  byEndpoint(): ReadonlyMap<string, EndpointSpend> | undefined {
    this.#turnTo(this.#options.clock.now());
    return this.#book?.byEndpoint();
  }

  /** How many requests run, in all servers, as far as they were recorded: those of less than a second may be missing. */
  runningRequests(): number {
    return this.#running.size + (this.#book?.peersRunning() ?? 0);
  }

  /**
   * What second requests of a route cost today, in whole micro-dollars. One whose cost is unknown (it still runs, or was
   * cancelled before usage was reported) counts as much as the average of the others: a cap that took it for free could be
   * passed unseen. Where no cost is known at all there is no money to cap.
   * @param route its name; of requests without one the requested name
   * @returns undefined while it is not known
   */
  byHedges(route: string): number | undefined {
    this.#turnTo(this.#options.clock.now());
    return this.#book?.byHedges(route);
  }

  #onPeers({ attempts, repriced, reopened }: PeerFacts): void {
    this.#turnTo(this.#options.clock.now());
    if (reopened) this.#position = 0;
    if (reopened || repriced) this.#readDue = true;
    for (const peer of attempts) this.#onPeer(peer);
  }

  #onPeer(peer: PeerAttempt): void {
    if (peer.position <= this.#position) return;
    this.#reading?.peers.push(peer);
    this.#book?.addPeer(peer, this.#options.clock.now());
  }

  /** Sums are those of the day of a moment. */
  #turnTo(now: number): void {
    if (now >= this.#day.from && now < this.#day.to) return;
    const forward = now >= this.#day.to;
    this.#day = dayOf(now);
    // On a day that has just begun only what runs has cost anything; of an earlier one more is known to the ledger.
    this.#book = forward && this.#book !== undefined ? this.#newBook() : undefined;
    this.#reading = undefined;
    this.#readDue = true;
  }

  #newBook(): SpendBook {
    const book = new SpendBook(this.#day, bareName);
    for (const [id, attempts] of this.#running) book.setRunning(id, attempts);
    return book;
  }

  async #read(): Promise<void> {
    const reading = { own: [], peers: [] };
    this.#reading = reading;
    this.#readDue = false;
    let start: SpendStart;
    try {
      await this.#options.recorded();
      // Exchanges that were priced meanwhile are with the ledger, which holds all it was given before the read.
      reading.own.length = 0;
      start = await this.#options.ledger.spendStart(this.#day);
    } catch (error) {
      if (this.#reading !== reading) return;
      this.#reading = undefined;
      this.#readDue = true;
      if (error instanceof LedgerUnavailableError) return;
      throw error;
    }
    // The day has changed meanwhile.
    if (this.#reading !== reading) return;
    this.#adopt(start, reading);
    this.#options.changed();
  }

  #adopt(start: SpendStart, { own, peers }: { own: readonly SpentAttempt[]; peers: readonly PeerAttempt[] }): void {
    const now = this.#options.clock.now();
    const book = this.#newBook();
    book.begin(start, now);
    for (const spent of own) book.add(spent);
    this.#position = start.position;
    this.#book = book;
    this.#reading = undefined;
    for (const peer of peers) this.#onPeer(peer);
  }
}

function dayOf(now: number): { from: number; to: number } {
  return { from: localMidnight(now), to: nextLocalMidnight(now) };
}

/** Whether the ledger keeps the cost of an attempt that ended before its exchange: an exact one, or one in place of which none is known. */
function stands(before: Cost, now: Cost): boolean {
  return !isUnknownCost(before) && (before.certainty === 'exact' || isUnknownCost(now));
}

/** The attempts of a receipt; of an exchange that goes on, what still runs has no other outcome yet. */
function spentAttempts(receipt: Receipt): SpentAttempt[] {
  const open = receipt.outcome === 'open';
  return receipt.attempts.map(attempt => ({
    exchangeId: receipt.id, attempt, runs: open && attempt.outcome === 'interrupted', route: receipt.plan.route, requestedModel: receipt.plan.requestedModel,
  }));
}
