import type { Temporality } from '../../../api/monitoring/monitoringSettings.ts';
import { Histogram } from '../metrics/histogram.ts';
import type { Metric, MetricSources, OtlpNames, Sample } from '../metrics/metric.ts';
import { double, integer, keyValues, nanoseconds, type KeyValue } from './otlpJson.ts';

/** Numbers of the enumeration `AggregationTemporality`. */
const temporalityNumbers: Readonly<Record<Temporality, number>> = { delta: 1, cumulative: 2 };

/** Ends of names that are a unit; receivers like Prometheus write it behind the name again. Money has no unit there, so its name says it. */
const units: readonly (readonly [end: string, unit: string])[] = [['_seconds', 's'], ['_bytes', 'By'], ['_ratio', '1']];

/**
 * The name of a metric in OTLP. Names of the OpenTelemetry conventions are written with dots; the others keep theirs without the
 * ends that Prometheus adds to them when it takes them in.
 */
export function otlpNameOf({ name, type, otlp }: Pick<Metric, 'name' | 'type' | 'otlp'>): Pick<OtlpNames, 'name' | 'unit'> {
  if (otlp !== undefined) return otlp;
  const counted = type === 'counter' && name.endsWith('_total') ? name.slice(0, -'_total'.length) : name;
  const [end, unit = ''] = units.find(([one]) => counted.endsWith(one)) ?? [];
  return { name: end === undefined ? counted : counted.slice(0, -end.length), unit };
}

/** What a series was when it was last taken. */
interface Known { value: number; counts?: readonly number[]; count?: number }

/** The series as they were at one moment, for sums of what was added since. */
export type Baseline = ReadonlyMap<string, Known>;

/** The metrics of one moment, ready to be sent, and what the next deltas count from once these are taken. */
interface WrittenMetrics { metrics: unknown[]; baseline: Baseline }

interface WriteOptions {
  temporality: Temporality;
  /** Since when what is summed up is counted, in milliseconds since the epoch. */
  sinceMs: number;
  /** Of the last that was taken; empty: nothing was. */
  baseline: Baseline;
}

/** Writes metrics as OTLP wants them; those without a value are left out. */
export function otlpMetrics(table: readonly Metric[], sources: MetricSources, { temporality, sinceMs, baseline }: WriteOptions): WrittenMetrics {
  const next = new Map<string, Known>();
  const isDelta = temporality === 'delta';
  const times = { startTimeUnixNano: nanoseconds(sinceMs), timeUnixNano: nanoseconds(sources.now) };
  const aggregationTemporality = temporalityNumbers[temporality];
  const metrics = table.flatMap((metric): unknown[] => {
    const samples = metric.samples(sources);
    if (samples.length === 0) return [];
    const { name, unit } = otlpNameOf(metric);
    const dataPoints = samples.map(([labels, value]: Sample): unknown => {
      const attributes = attributesOf(metric, labels);
      if (metric.type === 'gauge') return { attributes, timeUnixNano: times.timeUnixNano, asDouble: double(Number(value)) };
      const id = `${name}\n${labels.join('\n')}`;
      const before = isDelta ? baseline.get(id) : undefined;
      if (!(value instanceof Histogram)) {
        next.set(id, { value });
        return { attributes, ...times, asDouble: double(value - (before?.value ?? 0)) };
      }
      const { bounds, counts, sum, count } = value;
      next.set(id, { value: sum, counts: [...counts], count });
      return {
        attributes, ...times, count: integer(count - (before?.count ?? 0)), sum: double(sum - (before?.value ?? 0)),
        bucketCounts: counts.map((one, index) => integer(one - (before?.counts?.[index] ?? 0))), explicitBounds: [...bounds],
      };
    });
    const common = { name, description: metric.help, unit };
    if (metric.type === 'gauge') return [{ ...common, gauge: { dataPoints } }];
    if (metric.type === 'histogram') return [{ ...common, histogram: { dataPoints, aggregationTemporality } }];
    return [{ ...common, sum: { dataPoints, aggregationTemporality, isMonotonic: true } }];
  });
  return { metrics, baseline: next };
}

/** Labels that say nothing are left out, as Prometheus reads them. */
function attributesOf({ labels: names, otlp }: Metric, values: readonly string[]): KeyValue[] {
  return keyValues(names.map((name, index) => [otlp?.labels[name] ?? name, values[index] === '' ? undefined : values[index]]));
}
