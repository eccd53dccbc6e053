import type { SpendReport, SpendTotals, TimeRange } from '../../api/receipt.ts';
import type { StatusSnapshot } from '../../api/status.ts';
import { localMidnight } from '../../base/localMidnight.ts';

type Today = Pick<StatusSnapshot, 'todayMicroUsd' | 'todayEstimated' | 'todayUnknown' | 'todayUnpriced'>;

/**
 * A status with what all replicas spent today in the place of what those of one data folder did, and whose sums they are. Where the shared ledger cannot
 * be read the sums stay, and `todayScope` says why.
 * @param now milliseconds since the epoch
 */
export async function statusOfReplicas(status: StatusSnapshot, spend: (range: TimeRange) => Promise<SpendReport>, now: number): Promise<StatusSnapshot> {
  const { totals, byEndpoint, scope } = await spend({ from: localMidnight(now), to: now + 1 });
  if (scope?.replicas !== 'all') return { ...status, ...(scope === undefined ? {} : { todayScope: scope }) };
  const spent = new Map(byEndpoint.map(group => [group.name, group]));
  return { ...withToday(status, totals), todayScope: scope, endpoints: status.endpoints.map(endpoint => withToday(endpoint, spent.get(endpoint.name))) };
}

/** @param spent undefined: nothing was */
function withToday<Part extends Today>({ todayUnpriced: _before, ...part }: Part, spent: SpendTotals | undefined): Part {
  return {
    ...part, todayMicroUsd: spent?.microUsd ?? 0, todayEstimated: (spent?.estimatedMicroUsd ?? 0) > 0, todayUnknown: spent?.unknownAttempts ?? 0, ...(spent?.unpriced === undefined ? {} : { todayUnpriced: spent.unpriced }),
  } as Part;
}
