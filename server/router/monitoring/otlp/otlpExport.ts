import type { Subscription } from '../../../base/emitter.ts';
import { Guard } from '../../../base/guarded.ts';
import type { OtlpConfig, OtlpMetrics, OtlpReceiver } from '../../../config/monitoring/monitoringConfig.ts';
import type { Metric, MetricSources, TelemetryFigures } from '../metrics/metric.ts';
import type { MonitoringSources } from '../sources.ts';
import { otlpMetrics, type Baseline } from './otlpMetrics.ts';
import { metricsRequest, senderOf, tracesRequest, type Sender } from './otlpJson.ts';
import { OtlpSender, type Sent } from './otlpSender.ts';
import { SpanQueue } from './spanQueue.ts';
import { TracedContents } from './tracedContents.ts';
import { randomIds } from './traceContext.ts';
import { Tracer } from './tracer.ts';

/** Spans wait so long for others to be sent with. */
const spansWaitMs = 5_000;
/** What is left at the end is sent within this time, or not at all. */
const flushMs = 2_000;

/** What receivers took of the metrics so far, which goes on over configurations: the next deltas count from there. */
export interface TakenMetrics {
  baseline: Baseline;
  /** Milliseconds since the epoch; undefined: nothing was taken. */
  at: number | undefined;
}

export interface OtlpExportOptions extends Pick<MonitoringSources, 'events' | 'copies' | 'receivers' | 'clock' | 'log' | 'redact' | 'codecFor'> {
  /** Attributes of the resource that tell this server from others. */
  version: string;
  instance: string;
  /** What was sent and left out, which goes on over configurations. */
  figures: TelemetryFigures;
  taken: TakenMetrics;
  /** The end of the export before this one, which may still send its last metrics. */
  after: Promise<void>;
  table: readonly Metric[];
  read(): MetricSources;
  /** Since when requests are counted, in milliseconds since the epoch. */
  sinceMs: number;
}

/** Sends the metrics and traces of one configuration. Requests never wait for it: spans wait in a bounded queue, and metrics are read when they are sent. */
export class OtlpExport {
  readonly #options: OtlpExportOptions;
  readonly #config: OtlpConfig;
  readonly #sender: Sender;
  readonly #guard: Guard;
  readonly #queue = new SpanQueue();
  readonly #traces: OtlpSender | undefined;
  readonly #metrics: { config: OtlpMetrics; sender: OtlpSender } | undefined;
  readonly #tracer: Tracer | undefined;
  readonly #contents: TracedContents | undefined;
  readonly #following: Subscription | undefined;
  #spansSince: number | undefined;
  #sendingSpans: Promise<void> | undefined;
  #sendingMetrics: Promise<void> | undefined;
  #nextMetricsAt: number;
  #isClosed = false;

  constructor(config: OtlpConfig, options: OtlpExportOptions) {
    this.#options = options;
    this.#config = config;
    const { log, clock, events, copies, version, instance, figures } = options;
    this.#guard = new Guard('The export of metrics and traces', log);
    this.#sender = senderOf(version, { 'service.version': version, 'service.instance.id': instance, ...config.resource });
    this.#nextMetricsAt = clock.now() + (config.metrics?.everyMs ?? 0);
    if (config.metrics !== undefined) this.#metrics = { config: config.metrics, sender: this.#senderFor(config.metrics, 'The receiver of metrics') };
    if (config.traces === undefined) return;
    this.#traces = this.#senderFor(config.traces, 'The receiver of traces');
    this.#contents = config.traces.prompts || config.traces.answers ? new TracedContents(config.traces, options.codecFor, options.redact) : undefined;
    this.#tracer = new Tracer({
      config: config.traces, ids: randomIds, contents: this.#contents,
      take: spans => { this.#take(spans); },
      leftOut: () => { figures.dropped.tooMany += 1; },
    });
    this.#following = this.#tracer.follow(events, copies);
  }

  /** The headers by which a target learns of the trace of an exchange; undefined where no target is to learn of any. */
  get headersFor(): Tracer['headersFor'] | undefined {
    const tracer = this.#tracer;
    return tracer === undefined || this.#config.traces?.passOn.size === 0 ? undefined : (...asked) => tracer.headersFor(...asked);
  }

  /** Hears answers for those traces that have them; undefined: none have. */
  get contents(): TracedContents | undefined {
    return this.#contents;
  }

  /** About once a second. @param now milliseconds since the epoch */
  tick(now: number): void {
    if (this.#isClosed) return;
    if (this.#spansSince !== undefined && (this.#queue.hasBatch || now - this.#spansSince >= spansWaitMs)) this.#sendSpans();
    if (this.#metrics !== undefined && now >= this.#nextMetricsAt) {
      this.#nextMetricsAt = now + this.#metrics.config.everyMs;
      this.#sendMetrics();
    }
  }

  /** Ends: what waits is sent once more, within a bound. */
  async close(withinMs = flushMs): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#following?.dispose();
    const senders = [this.#traces, this.#metrics?.sender];
    for (const sender of senders) sender?.hurry();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>(resolve => { timer = setTimeout(resolve, withinMs); });
    await Promise.race([this.#flush(), late]);
    clearTimeout(timer);
    for (const sender of senders) sender?.close();
    // Of requests that still run the spans are not written any more.
    this.#options.figures.dropped.ended += this.#queue.clear() + (this.#tracer?.traced ?? 0);
    this.#options.figures.waiting = 0;
  }

  /** Resolves when what is being sent was taken or given up. */
  async settled(): Promise<void> {
    await Promise.all([this.#sendingSpans, this.#sendingMetrics]);
  }

  async #flush(): Promise<void> {
    await this.settled();
    this.#sendSpans();
    this.#sendMetrics();
    await this.settled();
  }

  #senderFor(receiver: OtlpReceiver, name: string): OtlpSender {
    const { receivers, log, redact, clock } = this.#options;
    const { timeoutMs, gzip } = this.#config;
    return new OtlpSender({ receiver, name, timeoutMs, gzip, post: receivers.post, log, redact, random: Math.random, now: () => clock.now() });
  }

  #take(spans: readonly string[]): void {
    const { figures, clock } = this.#options;
    if (!this.#queue.add(spans)) {
      figures.dropped.full += spans.length;
      return;
    }
    figures.waiting = this.#queue.length;
    this.#spansSince ??= clock.now();
    if (this.#queue.hasBatch) this.#sendSpans();
  }

  #sendSpans(): void {
    if (this.#sendingSpans !== undefined || this.#traces === undefined) return;
    this.#sendingSpans = this.#sendAllSpans(this.#traces).catch((error: unknown) => { this.#guard.failed(error); }).finally(() => { this.#sendingSpans = undefined; });
  }

  async #sendAllSpans(sender: OtlpSender): Promise<void> {
    const { figures, clock } = this.#options;
    // The rest of a batch waits for others, but at the end.
    for (let isFirst = true; this.#queue.length > 0 && (isFirst || this.#queue.hasBatch || this.#isClosed); isFirst = false) {
      const batch = this.#queue.takeBatch();
      figures.waiting = this.#queue.length;
      const sent = await sender.send(tracesRequest(this.#sender, batch));
      countSpans(figures, sent, batch.length);
      if (sent.kind === 'closed') break;
    }
    this.#spansSince = this.#queue.length === 0 ? undefined : clock.now();
  }

  #sendMetrics(): void {
    const metrics = this.#metrics;
    if (this.#sendingMetrics !== undefined || metrics === undefined) return;
    this.#sendingMetrics = this.#sendTheMetrics(metrics.config, metrics.sender).catch((error: unknown) => { this.#guard.failed(error); }).finally(() => { this.#sendingMetrics = undefined; });
  }

  async #sendTheMetrics({ temporality }: OtlpMetrics, sender: OtlpSender): Promise<void> {
    const { figures, taken, after, table, read, sinceMs } = this.#options;
    await after;
    const sources = read();
    const written = otlpMetrics(table, sources, { temporality, sinceMs: temporality === 'delta' ? taken.at ?? sinceMs : sinceMs, baseline: taken.baseline });
    const sent = await sender.send(metricsRequest(this.#sender, written.metrics));
    if (sent.kind !== 'taken') {
      figures.metricsLost += 1;
      return;
    }
    // What was not taken is in the next deltas.
    taken.baseline = written.baseline;
    taken.at = sources.now;
    figures.metricsSent += 1;
    figures.dropped.points += sent.rejected;
  }
}

function countSpans(figures: TelemetryFigures, sent: Sent, count: number): void {
  const { dropped } = figures;
  switch (sent.kind) {
    case 'taken':
      figures.spansSent += Math.max(0, count - sent.rejected);
      dropped.rejected += Math.min(count, sent.rejected);
      return;
    case 'refused': dropped.refused += count; return;
    case 'given-up': dropped.unreachable += count; return;
    case 'closed': dropped.ended += count;
  }
}
