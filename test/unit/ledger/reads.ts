import type { TimeRange } from '../../../server/api/receipt.ts';
import type { HealthEvent, Ledger, PeerFacts, RecordedAttempt } from '../../../server/ledger/ports.ts';
import { SpendBook } from '../../../server/router/spend/spendBook.ts';

/** The results of one poll of a ledger. */
export function polled(ledger: Ledger): Omit<PeerFacts, 'reopened'> {
  let found: Omit<PeerFacts, 'reopened'> = { attempts: [], probes: [], notes: [], repriced: false };
  const subscription = ledger.subscribe(({ attempts, probes, notes, repriced }) => { found = { attempts, probes, notes, repriced }; });
  ledger.poll();
  subscription.dispose();
  return found;
}

/** The attempts that ended at peers, and their probes, as one poll delivers them. */
export function learnt(ledger: Ledger): { attempts: Omit<RecordedAttempt, 'position'>[]; health: readonly HealthEvent[] } {
  const { attempts, probes } = polled(ledger);
  return { attempts: attempts.filter(({ runs }) => !runs).map(({ attempt, endedAt, stream, beaten }) => ({ attempt, endedAt, stream, beaten })), health: probes };
}

/** Spend by endpoint name, as in a report. */
export async function spendByEndpoint(ledger: Ledger, range: TimeRange): Promise<Map<string, { microUsd: number; estimated: boolean; unknown: number }>> {
  return new Map((await ledger.spend(range)).byEndpoint.map((group) => [group.name, {
    microUsd: group.microUsd, estimated: group.estimatedMicroUsd > 0, unknown: group.unknownAttempts,
  }]));
}

/** The cost of second requests of a route in a range, as the cap of the route counts it. */
export async function hedgeSpend(ledger: Ledger, route: string, range: TimeRange): Promise<number> {
  const book = new SpendBook(range, (name) => name);
  book.begin(await ledger.spendStart(range), range.from);
  return book.byHedges(route);
}
