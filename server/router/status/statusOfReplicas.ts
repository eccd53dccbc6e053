import type { SpendReport, SpendTotals, TimeRange } from '../../api/receipt.ts';
import type { StatusSnapshot } from '../../api/status.ts';
import { localMidnight } from '../../base/localMidnight.ts';

type Today = Pick<StatusSnapshot, 'todayMicroUsd' | 'todayEstimated' | 'todayUnknown' | 'todayUnpriced'>;

/** A status waits no longer for the sums of others. */
const patienceMs = 3_000;

/**
 * A status with what all replicas spent today in the place of what those of one data folder did, and whose sums they are. Where the shared ledger cannot
 * be read in time, or no ledger can, the sums stay, and `todayScope` says why. Never rejects.
 * @param now milliseconds since the epoch @param waitMs so long the shared ledger may take
 */
export async function statusOfReplicas(status: StatusSnapshot, spend: (range: TimeRange) => Promise<SpendReport>, now: number, waitMs = patienceMs): Promise<StatusSnapshot> {
  const read = await inTime(spend({ from: localMidnight(now), to: now + 1 }), waitMs);
  if (typeof read === 'string') return { ...status, todayScope: { replicas: 'own', message: `These are the sums of this replica alone: ${read}` } };
  const { totals, byEndpoint, scope } = read;
  if (scope?.replicas !== 'all') return { ...status, ...(scope === undefined ? {} : { todayScope: scope }) };
  const spent = new Map(byEndpoint.map(group => [group.name, group]));
  return { ...withToday(status, totals), todayScope: scope, endpoints: status.endpoints.map(endpoint => withToday(endpoint, spent.get(endpoint.name))) };
}

/** @returns a sentence that says why there is no report */
async function inTime(reading: Promise<SpendReport>, waitMs: number): Promise<SpendReport | string> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<string>(resolve => { timer = setTimeout(resolve, waitMs, `the shared ledger did not give those of all within ${String(waitMs / 1000)} s.`); });
  try {
    return await Promise.race([reading, late]);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    clearTimeout(timer);
  }
}

/** @param spent undefined: nothing was */
function withToday<Part extends Today>({ todayUnpriced: _before, ...part }: Part, spent: SpendTotals | undefined): Part {
  return {
    ...part, todayMicroUsd: spent?.microUsd ?? 0, todayEstimated: (spent?.estimatedMicroUsd ?? 0) > 0, todayUnknown: spent?.unknownAttempts ?? 0, ...(spent?.unpriced === undefined ? {} : { todayUnpriced: spent.unpriced }),
  } as Part;
}
