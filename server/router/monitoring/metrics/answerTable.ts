import { cacheLayers, readOutcomes, writeOutcomes } from '../../../exchange/cache/layerFigures.ts';
import { ofState, type Metric } from './metric.ts';

/** Where response caches looked for answers. Nothing where no route keeps answers. */
export const answerMetrics: readonly Metric[] = [
  ofState('waybill_response_cache_reads_total', 'counter', ['layer', 'outcome'], 'Times that a kept answer was looked for: in the `memory` of this server, then among those of its `replicas`. `hit`, `miss`, `late` (not in time), `away` (Redis is), `unreadable` (changed, cut off or of another secret), `error`.',
    ({ answers }) => (answers === undefined ? [] : cacheLayers.flatMap(layer => readOutcomes.map(outcome => [[layer, outcome], answers.reads[layer][outcome]] as const)))),
  ofState('waybill_response_cache_writes_total', 'counter', ['outcome'], 'Answers that were to be kept for replicas: `stored`, `too-large`, `error`.',
    ({ answers }) => (answers === undefined ? [] : writeOutcomes.map(outcome => [[outcome], answers.writes[outcome]] as const))),
];
