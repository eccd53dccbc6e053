import { countKinds, deciders, type SharedStoreFigures } from '../../../limits/replicas/countFigures.ts';
import { Histogram } from './histogram.ts';
import { ofState, type Metric, type Sample } from './metric.ts';

function shared(samples: (figures: SharedStoreFigures) => readonly Sample[]): Metric['samples'] {
  return sources => (sources.shared === undefined ? [] : samples(sources.shared));
}

/** The store that servers on several machines share. Nothing where none is configured. */
export const sharedStoreMetrics: readonly Metric[] = [
  ofState('waybill_shared_store_up', 'gauge', [], '1 where the store that servers on several machines share can be used now.', shared(({ isUp }) => [[[], isUp ? 1 : 0]])),
  ofState('waybill_shared_store_replicas', 'gauge', [], 'Servers that share it, this one included, as last known.', shared(({ replicas }) => [[[], replicas]])),
  ofState('waybill_shared_store_losses_total', 'counter', [], 'How often it went away.', shared(({ store }) => [[[], store.losses]])),
  ofState('waybill_shared_store_calls_total', 'counter', ['outcome'], 'Calls of it: `ok`, `timeout`, `error`, and `away`, which were not made because it was away.', shared(({ store }) => Object.entries(store.calls).map(([outcome, count]) => [[outcome], count] as const))),
  ofState('waybill_shared_store_call_duration_seconds', 'histogram', [], 'Time of calls that were made.', shared(({ store, bounds }) => {
    const histogram = new Histogram(bounds);
    store.durations.forEach((count, index) => { histogram.counts[index] = count; });
    histogram.sum = store.seconds;
    histogram.count = store.durations.reduce((sum, count) => sum + count, 0);
    return [[[], histogram]];
  })),
  ofState('waybill_shared_store_decisions_total', 'counter', ['kind', 'state'], 'Who decided whether limits and budgets (`kind`) let an attempt through: `store`, or the mode that holds while it is away.', shared(({ decisions }) => countKinds.flatMap(kind => deciders.map(by => [[kind, by], decisions[kind][by]] as const)))),
  ofState('waybill_shared_store_mode', 'gauge', ['kind', 'state'], '1 for who decides now, 0 for the others.', shared(({ inForce }) => countKinds.flatMap(kind => deciders.map(by => [[kind, by], inForce[kind] === by ? 1 : 0] as const)))),
];
