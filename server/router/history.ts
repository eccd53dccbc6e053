import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import type { LedgerBill, RouteOutcomes } from '../ledger/spend.ts';
import type { UsedPage, UsedPosition } from '../ledger/usedExchange.ts';
import type { DearestParams, DearestSpend, SpendDashboard, SpendDashboardParams, SpendFilter } from '../api/reports/dashboard.ts';
import type { ForgottenTitles } from '../api/ledger/keptTitles.ts';
import type { Receipt, RequestSummary, SpendReport, TimeRange } from '../api/receipt.ts';
import type { GroupedSpend, GroupedSpendParams } from '../api/reports/groupedSpend.ts';
import type { RequestFilter } from '../api/reports/requestFilter.ts';
import type { FoundRequests, RequestPlace, RunningRequest } from '../api/reports/requestMessages.ts';
import type { ProviderMessages } from '../exchange/providerMessages.ts';
import { LedgerUnavailableError } from '../ledger/ledgerUnavailable.ts';
import type { LedgerReader, ReceiptPage, ReceiptPlace, TitleStore } from '../ledger/ports.ts';
import type { CostRecorder } from './spend/costRecorder.ts';
import { groupedSpend } from './spend/groupedSpend.ts';
import type { RunningExchanges } from './runningExchanges.ts';
import type { SharedLedger } from './sharedLedger/sharedLedger.ts';

/** How long a question about the past waits for a ledger that cannot be read now. */
const ledgerPatienceMs = 3_000;
const ledgerLookMs = 50;

export interface HistoryOptions {
  ledger: Pick<LedgerReader, 'recent' | 'find' | 'running' | 'receiptsIn' | 'dashboard' | 'dearest' | 'used' | 'outcomes'> & TitleStore;
  /** The ledger of all replicas, where they share one. */
  shared: Pick<LedgerReader, 'receipt' | 'spend' | 'bill'> & Pick<SharedLedger, 'grouped'>;
  running: Pick<RunningExchanges, 'receipt'>;
  costs: Pick<CostRecorder, 'pricedUpToNow'>;
  providerMessages: ProviderMessages;
}

/**
 * Receipts, requests and spend, as a person asks for them. Every answer includes what ended before the question.
 * Each method throws LedgerUnavailableError when the ledger stays locked or under repair for three seconds.
 */
export class History {
  readonly #options: HistoryOptions;

  constructor(options: HistoryOptions) {
    this.#options = options;
  }

  /** The receipt of an exchange, finished or running, with the sentences of providers that are still in memory. */
  async receipt(id: string): Promise<Receipt | undefined> {
    const { shared, running, costs, providerMessages } = this.#options;
    await costs.pricedUpToNow();
    const receipt = running.receipt(id) ?? await this.#read(() => shared.receipt(id));
    return receipt === undefined ? undefined : providerMessages.complete(receipt);
  }

  /** The latest exchanges first. @param before milliseconds since the epoch */
  recent(limit: number, before?: number): Promise<RequestSummary[]> {
    return this.#read(() => this.#options.ledger.recent(limit, before));
  }

  /** A page of the exchanges that pass a query, newest first: fewer than `limit` only at the end, or where the search is given up. */
  async find(filter: RequestFilter, limit: number, after?: RequestPlace, signal?: AbortSignal): Promise<FoundRequests> {
    const requests: RequestSummary[] = [];
    let next = after;
    do {
      const part = await this.#read(() => this.#options.ledger.find(filter, limit - requests.length, next));
      requests.push(...part.requests);
      next = part.next;
      // Requests are served between two parts of a long search.
      if (next !== undefined && requests.length < limit) await nextTurn();
    } while (next !== undefined && requests.length < limit && signal?.aborted !== true);
    return { requests, next };
  }

  /** See LedgerReader.running. */
  running(): Promise<RunningRequest[]> {
    return this.#read(() => this.#options.ledger.running());
  }

  /** See TitleStore.keptTitles. */
  keptTitles(): Promise<number> {
    return this.#read(() => this.#options.ledger.keptTitles());
  }

  /** See TitleStore.forgetTitles. */
  forgetTitles(): Promise<ForgottenTitles> {
    return this.#read(() => this.#options.ledger.forgetTitles());
  }

  /** See LedgerReader.receiptsIn. */
  receiptsIn(range: TimeRange, limit: number, after?: ReceiptPlace): Promise<ReceiptPage> {
    return this.#read(() => this.#options.ledger.receiptsIn(range, limit, after));
  }

  spend(range: TimeRange): Promise<SpendReport> {
    return this.#read(() => this.#options.shared.spend(range));
  }

  /** See groupedSpend. */
  grouped(params: GroupedSpendParams): Promise<GroupedSpend> {
    return this.#read(() => this.#options.shared.grouped(params, () => groupedSpend(this.#options.ledger, params)));
  }

  /** See LedgerReader.dashboard. */
  dashboard(params: SpendDashboardParams): Promise<SpendDashboard> {
    return this.#read(() => this.#options.ledger.dashboard(params));
  }

  /** See LedgerReader.dearest. */
  dearest(params: DearestParams): Promise<DearestSpend> {
    return this.#read(() => this.#options.ledger.dearest(params));
  }

  /** See LedgerReader.outcomes. */
  async outcomes(range: TimeRange, boundsMs: readonly number[]): Promise<RouteOutcomes[]> {
    await this.#options.costs.pricedUpToNow();
    return this.#read(() => this.#options.ledger.outcomes(range, boundsMs));
  }

  /** See LedgerReader.bill. */
  bill(range: TimeRange, endpoints: readonly string[], offsetMs: number): Promise<LedgerBill> {
    return this.#read(() => this.#options.shared.bill(range, endpoints, offsetMs));
  }

  /** See LedgerReader.used. */
  used(range: TimeRange, after: UsedPosition | undefined, limit: number, filter?: SpendFilter): Promise<UsedPage> {
    return this.#read(() => this.#options.ledger.used(range, after, limit, filter));
  }

  async #read<Result>(read: () => Promise<Result>): Promise<Result> {
    await this.#options.costs.pricedUpToNow();
    const until = performance.now() + ledgerPatienceMs;
    for (;;) {
      try {
        return await read();
      } catch (error) {
        if (!(error instanceof LedgerUnavailableError) || performance.now() >= until) throw error;
      }
      await sleep(ledgerLookMs);
    }
  }
}
