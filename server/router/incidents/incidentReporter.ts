import type { Attempt } from '../../api/receipt.ts';
import { mostIncidentDays, mostIncidents, type IncidentParams, type IncidentResult } from '../../api/reports/incidents.ts';
import type { Clock } from '../../base/clock.ts';
import { IncidentBook } from '../../health/incidents/incidents.ts';
import type { LedgerReader } from '../../ledger/ports.ts';
import type { UsedExchange } from '../../ledger/usedExchange.ts';
import type { Pricer } from '../../pricing/pricing.ts';
import { requestSaving } from '../../pricing/savings/requestSaving.ts';
import type { RouteTable } from '../../routing/routeTable.ts';
import { placeOfTarget } from '../savings/baseline.ts';
import { pagesOf, type SavingsReporterOptions } from '../savings/savingsReporter.ts';

export interface IncidentReporterOptions extends Pick<SavingsReporterOptions, 'used'> {
  routeTable(): RouteTable;
  pricer: Pick<Pricer, 'priceAttempt' | 'ready'>;
  ledger: Pick<LedgerReader, 'recentHealth'>;
  clock: Clock;
}

const dayMs = 86_400_000;

/** Says when endpoints failed, for how long, who answered instead, and what that cost. All of it comes from the ledger, so it is the same in every window. */
export class IncidentReporter {
  readonly #options: IncidentReporterOptions;

  constructor(options: IncidentReporterOptions) {
    this.#options = options;
  }

  async report({ days, endpoint }: IncidentParams, signal?: AbortSignal): Promise<IncidentResult> {
    const { used, pricer, ledger, clock } = this.#options;
    if (!Number.isInteger(days) || days < 1 || days > mostIncidentDays) return { problem: `Give days=7, a whole number from 1 to ${String(mostIncidentDays)}.` };
    await pricer.ready();
    const at = clock.now();
    const from = at - days * dayMs;
    const book = new IncidentBook((exchange, failed) => this.#extra(exchange, failed));
    for (const probe of await ledger.recentHealth(from)) book.addProbe(probe);
    for await (const page of pagesOf(used, { from, to: at + 1 }, signal)) for (const exchange of page) book.addExchange(exchange);
    const all = book.incidents().filter(one => endpoint === undefined || one.endpoint === endpoint);
    return { report: { at, days, incidents: all.slice(0, mostIncidents), left: Math.max(0, all.length - mostIncidents) } };
  }

  /** All that a request cost, less what its answer would have cost at the target that failed. */
  #extra(exchange: UsedExchange, failed: Attempt): { microUsd: number; estimated: boolean } | undefined {
    const { routeTable, pricer } = this.#options;
    const target = routeTable().target(failed.endpoint, failed.model);
    const figure = requestSaving({ exchange, place: target === undefined ? undefined : placeOfTarget(target), warmTokens: 0, price: request => pricer.priceAttempt(request) });
    return 'uncounted' in figure ? undefined : { microUsd: figure.spentMicroUsd - figure.baselineMicroUsd, estimated: figure.estimated };
  }
}
