import type { StatusSnapshot } from '../../../api/status.ts';
import type { LayerFigures } from '../../../exchange/cache/layerFigures.ts';
import type { LedgerBacklog } from '../../../ledger/ports.ts';
import type { SharedStoreFigures } from '../../../limits/replicas/countFigures.ts';
import type { NewsFigures } from '../../replicas/news/newsDesk.ts';
import type { SharedLedgerFigures } from '../../../ledger/sharedLedger.ts';
import type { AttemptRow, Figures, RequestRow } from './figures.ts';
import { Histogram } from './histogram.ts';
import type { LatenessFigures } from './lateness.ts';

/** What this process says of itself. Times in seconds. */
export interface ProcessFigures {
  version: string;
  /** Since the epoch. */
  startedAt: number;
  cpuSeconds: number;
  residentBytes: number;
  heapBytes: number;
  /** How late the event loop was at its ticks, once a second, since metrics were last read. */
  loopDelay: LatenessFigures;
}

/** What was sent in the OpenTelemetry protocol, and what was left out. */
export interface TelemetryFigures {
  /** Spans that wait to be sent. */
  waiting: number;
  spansSent: number;
  /** How often metrics were taken, and how often not. */
  metricsSent: number;
  metricsLost: number;
  dropped: Record<TelemetryDrop, number>;
}

/** Why something was left out. `tooMany` counts requests, `points` values of metrics, the others spans; `ended` counts one for each request that still ran. */
export type TelemetryDrop = 'full' | 'tooMany' | 'refused' | 'unreachable' | 'rejected' | 'ended' | 'points';

export function noTelemetry(): TelemetryFigures {
  return { waiting: 0, spansSent: 0, metricsSent: 0, metricsLost: 0, dropped: { full: 0, tooMany: 0, refused: 0, unreachable: 0, rejected: 0, ended: 0, points: 0 } };
}

/** What metrics are made of, at one moment. */
export interface MetricSources {
  figures: Figures;
  status: StatusSnapshot;
  ledger: LedgerBacklog & { isOpen: boolean };
  /** Undefined: none is configured. */
  sharedLedger: SharedLedgerFigures | undefined;
  process: ProcessFigures;
  /** Undefined where no store is shared with other replicas. */
  news: NewsFigures | undefined;
  /** Undefined: servers on several machines share no store. */
  shared?: SharedStoreFigures | undefined;
  /** Undefined: no route keeps answers. */
  answers?: LayerFigures | undefined;
  /** Undefined: nothing is sent. */
  telemetry?: TelemetryFigures | undefined;
  /** Milliseconds since the epoch. */
  now: number;
}

export type MetricType = 'counter' | 'gauge' | 'histogram';
/** Values of the labels in the order of the metric's labels, and what is counted for them. */
export type Sample = readonly [labels: readonly string[], value: number | Histogram];

/** What a metric is called in the OpenTelemetry protocol, its unit by UCUM, and its labels there. */
export interface OtlpNames { readonly name: string; readonly unit: string; readonly labels: Readonly<Record<string, string>> }

/** One metric: what it is called, what it says, and where its values come from. */
export interface Metric {
  readonly name: string;
  readonly type: MetricType;
  /** One sentence. */
  readonly help: string;
  readonly labels: readonly string[];
  /** Its name, its unit and those of its labels in the OpenTelemetry protocol, where they do not follow from these. */
  readonly otlp?: OtlpNames | undefined;
  samples(sources: MetricSources): readonly Sample[];
}

type LabelsOf<Row> = Readonly<Record<string, (row: Row) => string>>;

interface FromRows<Row> {
  name: string;
  type: MetricType;
  help: string;
  labels: LabelsOf<Row>;
  /** Undefined: the row says nothing of the metric. */
  value(row: Row): number | Histogram | undefined;
}

/** A metric that adds up figures of attempts, those of callers' requests alone where nothing else is said. */
export function ofAttempts({ copies = false, ...metric }: FromRows<AttemptRow> & { copies?: boolean }): Metric {
  return fromRows(metric, ({ figures }) => [...figures.attempts.values()].filter(({ purpose }) => copies || purpose === 'request'));
}

/** A metric that adds up figures of requests. */
export function ofRequests(metric: FromRows<RequestRow>): Metric {
  return fromRows(metric, ({ figures }) => [...figures.requests.values()]);
}

/** A metric of the present state. */
export function ofState(name: string, type: MetricType, labels: readonly string[], help: string, samples: (sources: MetricSources) => readonly Sample[]): Metric {
  return { name, type, labels, help, samples };
}

function fromRows<Row>({ name, type, help, labels, value }: FromRows<Row>, rows: (sources: MetricSources) => readonly Row[]): Metric {
  const readers = Object.values(labels);
  return {
    name, type, help, labels: Object.keys(labels),
    samples(sources) {
      const sums = new Map<string, [string[], number | Histogram]>();
      for (const row of rows(sources)) {
        const one = value(row);
        if (one === undefined) continue;
        const values = readers.map(read => read(row));
        const id = values.join('\n');
        const sum = sums.get(id);
        if (sum === undefined) sums.set(id, [values, one instanceof Histogram ? copyOf(one) : one]);
        else if (typeof sum[1] === 'number') sum[1] += one as number;
        else sum[1].add(one as Histogram);
      }
      return [...sums.values()];
    },
  };
}

function copyOf(histogram: Histogram): Histogram {
  const copy = new Histogram(histogram.bounds);
  copy.add(histogram);
  return copy;
}
