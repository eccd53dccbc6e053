import type { SpendReport, TimeRange } from '../../api/receipt.ts';
import type { LedgerReader, SharedState } from '../../ledger/ports.ts';
import type { SpentBy, SpentScope } from '../../ledger/spend.ts';

type Reads = Pick<LedgerReader, 'spend' | 'spentBy'> & Pick<SharedState, 'revision'>;

export interface BudgetLedgerSources {
  /** The ledger of the data folder. */
  own: Reads;
  /** The sums of all replicas where they share a ledger. */
  shared: Reads & { readonly isPartial: boolean };
  /** Each ledger has a part of its own in the count of budgets, and the count adds the parts: see SharedCounts. */
  countsParts(): boolean;
}

/**
 * The ledger that budgets are compared with. Where the count adds the parts of ledgers, the part of a server is what its own data folder has: the sums of
 * all replicas would be counted once for each replica.
 */
export class BudgetLedger implements Reads {
  readonly #sources: BudgetLedgerSources;

  constructor(sources: BudgetLedgerSources) {
    this.#sources = sources;
  }

  /** See BudgetBookOptions.ledger. */
  get isPartial(): boolean {
    return !this.#sources.countsParts() && this.#sources.shared.isPartial;
  }

  revision(): number {
    return this.#read.revision();
  }

  spend(range: TimeRange): Promise<SpendReport> {
    return this.#read.spend(range);
  }

  spentBy(range: TimeRange, scope: SpentScope): Promise<SpentBy[]> {
    return this.#read.spentBy(range, scope);
  }

  get #read(): Reads {
    const { own, shared, countsParts } = this.#sources;
    return countsParts() ? own : shared;
  }
}
