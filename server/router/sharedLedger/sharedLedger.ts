import type { Receipt, SpendReport, SpendScope, TimeRange } from '../../api/receipt.ts';
import type { GroupedSpend, GroupedSpendParams } from '../../api/reports/groupedSpend.ts';
import type { Clock } from '../../base/clock.ts';
import { Guard } from '../../base/guarded.ts';
import type { Log } from '../../base/log.ts';
import type { SharedLedgerConfig } from '../../config/ledger/ledgerConfig.ts';
import { WaybillError } from '../../base/failure.ts';
import type { Ledger, LedgerReader } from '../../ledger/ports.ts';
import type { SharedLedgerFigures, SharedLedgerOptions, SharedLedgerStore } from '../../ledger/sharedLedger.ts';
import type { LedgerBill, SpentBy, SpentScope } from '../../ledger/spend.ts';
import type { TickedPart } from '../ticker.ts';

export interface SharedLedgerSources {
  ledger: Ledger;
  /** Loads what speaks to PostgreSQL. */
  load(): Promise<(options: SharedLedgerOptions) => SharedLedgerStore>;
  clock: Clock;
  log: Log;
}

type Reads = Pick<LedgerReader, 'spend' | 'spentBy' | 'bill' | 'receipt'>;

/** While nothing else says that replicas recorded something, sums are taken to have changed so often. */
const looksEveryMs = 60_000;

/**
 * The ledger as replicas read it: the sums of all of them where they share one and it can be read, else those of this data folder, marked as such.
 * Without it in the configuration this object alone is there: nothing is loaded, and reads go to the ledger of the data folder.
 */
export class SharedLedger implements Reads, TickedPart {
  readonly name = 'The copy to the shared ledger';
  readonly #sources: SharedLedgerSources;
  readonly #guard: Guard;
  #config: SharedLedgerConfig | undefined;
  #store: SharedLedgerStore | undefined;
  #loading: Promise<void> | undefined;
  #isClosed = false;
  /** The last read of sums was of this data folder alone, though there is a shared ledger. */
  #isPartial = false;

  constructor(sources: SharedLedgerSources) {
    this.#sources = sources;
    this.#guard = new Guard('The shared ledger', sources.log);
  }

  /** Takes a configuration over. Where it names another database than before, that is opened in the background. */
  configure(config: SharedLedgerConfig | undefined): void {
    if (JSON.stringify(config) === JSON.stringify(this.#config)) return;
    this.#config = config;
    const before = this.#store;
    this.#store = undefined;
    if (before !== undefined) this.#guard.start(() => before.close());
    const { journal } = this.#sources.ledger;
    if (config?.postgres === undefined || journal === undefined) return;
    const { postgres } = config;
    const loading = this.#loading = (async () => {
      const open = await this.#sources.load();
      if (this.#isClosed || this.#config !== config) return;
      const { clock, log } = this.#sources;
      this.#store = open({ config: postgres, journal, clock, log });
      this.#store.tick();
    })().catch((error: unknown) => { this.#guard.failed(error); }).finally(() => {
      if (this.#loading === loading) this.#loading = undefined;
    });
  }

  tick(): void {
    this.#store?.tick();
  }

  /** A shared ledger is configured. */
  get isConfigured(): boolean {
    return this.#config !== undefined;
  }

  /** The last read was of this data folder alone, though others spend too. */
  get isPartial(): boolean {
    return this.#config !== undefined && this.#isPartial;
  }

  /** See SharedState.revision. With other replicas, sums may have changed where nothing was recorded here. */
  revision(): number {
    const { ledger, clock } = this.#sources;
    return ledger.revision() + (this.#config === undefined ? 0 : Math.floor(clock.now() / looksEveryMs));
  }

  /** Undefined where none is configured. */
  figures(): SharedLedgerFigures | undefined {
    return this.#store?.figures() ?? (this.#config === undefined ? undefined : { isUp: false, waiting: 0, lagMs: 0, batches: 0, exchanges: 0, refused: 0, errors: 0, busyMs: 0 });
  }

  spend(range: TimeRange): Promise<SpendReport> {
    return this.#read(store => store.spend(range), async (why) => {
      const report = await this.#sources.ledger.spend(range);
      if (why !== undefined) report.scope = ownScope(why);
      return report;
    });
  }

  /** Sums by a field. @param own reads those of this data folder */
  grouped(params: GroupedSpendParams, own: () => Promise<GroupedSpend>): Promise<GroupedSpend> {
    return this.#read(store => store.grouped(params), async (why) => ({ ...await own(), ...(why === undefined ? {} : { scope: ownScope(why) }) }));
  }

  spentBy(range: TimeRange, scope: SpentScope): Promise<SpentBy[]> {
    return this.#read(store => store.spentBy(range, scope), () => this.#sources.ledger.spentBy(range, scope));
  }

  bill(range: TimeRange, endpoints: readonly string[], offsetMs: number): Promise<LedgerBill> {
    return this.#read(store => store.bill(range, endpoints, offsetMs), (why) => {
      // A part of what was spent cannot be compared with the bill of all of it.
      if (why !== undefined) throw new WaybillError('ledger-unavailable', 'server', `The shared ledger cannot be read now: ${why}`);
      return this.#sources.ledger.bill(range, endpoints, offsetMs);
    });
  }

  /** The receipt of an exchange of any replica. */
  async receipt(id: string): Promise<Receipt | undefined> {
    const own = await this.#sources.ledger.receipt(id);
    if (own !== undefined || this.#config === undefined) return own;
    return this.#read(store => store.receipt(id), () => undefined);
  }

  /** Copies what waits, for a bounded time, and ends. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#store?.close();
  }

  /** @param local reads the ledger of the data folder; `why` is a sentence that says why the shared one cannot be read, undefined: there is none */
  async #read<Result>(shared: (store: SharedLedgerStore) => Promise<Result>, local: (why: string | undefined) => Result | Promise<Result>): Promise<Result> {
    if (this.#config === undefined) return local(undefined);
    await this.#loading;
    let why = 'the configuration of the shared ledger has a mistake, which the status names.';
    if (this.#store !== undefined) {
      try {
        const result = await shared(this.#store);
        this.#isPartial = false;
        return result;
      } catch (error) {
        why = error instanceof Error ? error.message : String(error);
      }
    }
    this.#isPartial = true;
    return local(why);
  }
}

function ownScope(why: string): SpendScope {
  return { replicas: 'own', message: `These are the sums of this replica alone: ${why}` };
}
