import { programVersion } from '../../base/processIdentity.ts';
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { HttpStatus } from '../../api/status.ts';
import type { Subscription } from '../../base/emitter.ts';
import { pause } from '../../base/clock.ts';
import { isLoopbackHost } from '../../config/baseUrl.ts';
import type { Config } from '../../config/config.ts';
import type { MonitoringConfig, OtlpConfig } from '../../config/monitoring/monitoringConfig.ts';
import type { ExchangeInput, ResponseSink } from '../../exchange/request.ts';
import { Guard } from '../../base/guarded.ts';
import { tickMs } from '../ticker.ts';
import { AlertBook } from './alerts/alertBook.ts';
import { isWindowed } from './alerts/conditions.ts';
import { SharedIncidents } from './alerts/sharedIncidents.ts';
import { Windows } from './alerts/windows.ts';
import { exposition, expositionType } from './metrics/exposition.ts';
import { Figures } from './metrics/figures.ts';
import { KnownNames } from './metrics/knownNames.ts';
import { Lateness } from './metrics/lateness.ts';
import { noTelemetry, type MetricSources, type ProcessFigures } from './metrics/metric.ts';
import { ownMetrics } from './metrics/metricTable.ts';
import { genAiMetrics, liteLlmMetrics } from './metrics/otherNames.ts';
import { OtlpExport, type TakenMetrics } from './otlp/otlpExport.ts';
import type { MonitoringSources } from './sources.ts';

/** Every metric, in the order in which it is written. */
export const allMetrics = [...ownMetrics, ...genAiMetrics, ...liteLlmMetrics];

/** Rules of alerts are looked at every fifth second. */
const ticksOfLook = 5;
/** How often the spend of the last hour is read. */
const readSpendMs = 60_000;
/** A look waits so long for it. */
const spendPatienceMs = 1_000;
const hourMs = 3_600_000;

/** Alerts do not depend on the local endpoint. */
const off: HttpStatus = { state: 'off' };

/** Starts to measure. */
export function startMonitoring(sources: MonitoringSources, config: Config): MonitoringPart {
  return new MonitoringPart(sources, config);
}

/** What runs while the configuration switches something on. */
export class MonitoringPart {
  readonly #sources: MonitoringSources;
  readonly #figures: Figures;
  #following: Subscription | undefined;
  readonly #alerts: AlertBook | undefined;
  readonly #windows: Windows;
  readonly #guard: Guard;
  readonly #unread: Guard;
  #watches = false;
  #ticks = 0;
  /** The times that rules about requests look back. */
  #windowsMs: ReadonlySet<number> = new Set();
  #isLooking = false;
  #needsSpend = false;
  #hourUsd: number | undefined;
  #spendReadAt = -Infinity;
  #isReadingSpend = false;
  #lateness: Lateness | undefined;
  readonly #instance = randomUUID();
  readonly #sinceMs: number;
  readonly #telemetry = noTelemetry();
  readonly #takenMetrics: TakenMetrics = { baseline: new Map(), at: undefined };
  #otlp: { export: OtlpExport; id: string } | undefined;

  constructor(sources: MonitoringSources, config: Config) {
    this.#sources = sources;
    this.#figures = new Figures(namesOf(config));
    this.#sinceMs = sources.clock.now();
    this.#windows = new Windows({ outcomes: (range, boundsMs) => sources.outcomes(range, boundsMs), revision: () => sources.ledger.revision(), elapsed: () => performance.now() });
    const { alertsFolder, clock, log, receivers, redact, hasAudience, notify } = sources;
    this.#guard = new Guard('The watch of alerts', log);
    this.#unread = new Guard('Reading how requests ended, for alerts', log);
    if (alertsFolder !== undefined) {
      this.#alerts = new AlertBook({ folder: alertsFolder, shared: new SharedIncidents(sources.store, (rule, subject) => this.#placeOf(rule, subject)), now: () => clock.now(), log, post: receivers.post, redact, hasAudience, notify: (message, text, alert) => { notify({ kind: 'alert', endpoint: '', message, alert, ...(text === undefined ? {} : { said: text }) }); } });
    }
    this.configure(config);
  }

  /** Takes a configuration over. What was counted stays, also while it is switched off. */
  configure(config: Config): void {
    if (config.monitoring === undefined) {
      this.#guard.settle(this.close());
      return;
    }
    this.#figures.rename(namesOf(config));
    this.#watch(config.monitoring);
    this.#countWhere(config.monitoring.metrics !== undefined || config.monitoring.otlp?.metrics !== undefined);
    this.#lateness = config.monitoring.metrics === undefined && config.monitoring.otlp?.metrics === undefined ? undefined : this.#lateness ?? new Lateness(tickMs);
    this.#guard.settle(this.#sendTo(config.monitoring.otlp));
  }

  /** About once a second, by the ticker of the process. */
  tick(): void {
    this.#lateness?.tick(performance.now());
    this.#otlp?.export.tick(this.#sources.clock.now());
    if (!this.#watches) return;
    this.#ticks = (this.#ticks + 1) % ticksOfLook;
    if (this.#ticks !== 0 || this.#isLooking) return;
    this.#isLooking = true;
    this.#guard.start(() => this.#look().finally(() => { this.#isLooking = false; }));
  }

  #watch({ alerts = [], webhooks = new Map() }: MonitoringConfig): void {
    this.#alerts?.configure(alerts, webhooks);
    this.#windowsMs = new Set(alerts.filter(isWindowed).map(({ windowMs }) => windowMs));
    this.#needsSpend = alerts.some(({ when }) => when === 'spend');
    this.#watches = alerts.length > 0 && this.#alerts !== undefined;
  }

  async #look(): Promise<void> {
    const { clock, status, spend } = this.#sources;
    const now = clock.now();
    // While the ledger cannot be read, nobody knows of requests; the other rules are looked at all the same.
    await this.#windows.take(now, this.#windowsMs).catch((error: unknown) => { this.#unread.failed(error); });
    if (this.#needsSpend && now - this.#spendReadAt >= readSpendMs && !this.#isReadingSpend) {
      this.#spendReadAt = now;
      this.#isReadingSpend = true;
      const reading = spend({ from: now - hourMs, to: now }).then(({ totals }) => { this.#hourUsd = totals.microUsd / 1e6; }, (error: unknown) => { this.#unread.failed(error); }).finally(() => { this.#isReadingSpend = false; });
      // A ledger that is slow holds up no other rule: what comes later is for the next look.
      await Promise.race([reading, pause(spendPatienceMs, new AbortController().signal, false)]);
    }
    this.#alerts?.look({ status: status(off), within: windowMs => this.#windows.within(windowMs), hourUsd: this.#hourUsd });
    await this.#alerts?.share();
  }

  /** An address of this machine is another server on each machine. */
  #placeOf(rule: string, subject: string): string {
    const { endpoints, monitoring } = this.#sources.config();
    if (monitoring?.alerts?.find(({ name }) => name === rule)?.when !== 'endpoint-down') return '';
    const baseUrl = endpoints.get(subject)?.baseUrl ?? '';
    return URL.canParse(baseUrl) && isLoopbackHost(new URL(baseUrl).hostname) ? hostname() : '';
  }

  metrics(http: HttpStatus): { text: string; type: string } {
    return { text: exposition(allMetrics, this.#read(http)), type: expositionType };
  }

  /** The caller's sink, or one that hears the answer for its trace. */
  heard(input: ExchangeInput, sink: ResponseSink): ResponseSink {
    return this.#otlp?.export.contents?.heard(input, sink) ?? sink;
  }

  /** Ends what runs, within a bound. What was counted stays. */
  async close(): Promise<void> {
    this.#watches = false;
    this.#alerts?.close();
    this.#countWhere(false);
    this.#lateness = undefined;
    await this.#sendTo(undefined);
  }

  /** Takes over where metrics and traces are sent. What still waits for the receiver before this one is sent there. */
  #sendTo(config: OtlpConfig | undefined): Promise<void> {
    const before = this.#otlp;
    const id = config === undefined ? '' : JSON.stringify(config, (_name, value: unknown) => (value instanceof Set ? [...value as Set<unknown>] : value));
    if (before?.id === id) return Promise.resolve();
    const ended = before?.export.close() ?? Promise.resolve();
    const { events, copies, receivers, clock, log, redact, codecFor, tracePassing } = this.#sources;
    this.#otlp = config === undefined ? undefined : {
      id, export: new OtlpExport(config, {
        events, copies, receivers, clock, log, redact, codecFor, version: programVersion, instance: this.#instance, figures: this.#telemetry, taken: this.#takenMetrics, after: ended, table: allMetrics, sinceMs: this.#sinceMs, read: () => this.#read(off),
      }),
    };
    tracePassing.headers = this.#otlp?.export.headersFor;
    return ended;
  }

  /** Counts what happens while somebody reads it. */
  #countWhere(isRead: boolean): void {
    if (isRead) this.#following ??= this.#figures.follow(this.#sources.events, this.#sources.copies);
    else {
      this.#following?.dispose();
      this.#following = undefined;
    }
  }

  #read(http: HttpStatus): MetricSources {
    const { ledger, sharedLedger, status, clock } = this.#sources;
    return { figures: this.#figures, status: status(http), ledger: { ...ledger.backlog(), isOpen: ledger.isOpen }, sharedLedger: sharedLedger.figures(), process: this.#process(), news: this.#sources.news(), shared: this.#sources.shared(), answers: this.#sources.answers(), telemetry: this.#otlp === undefined ? undefined : this.#telemetry, now: clock.now() };
  }

  #process(): ProcessFigures {
    const { user, system } = process.cpuUsage();
    const { rss, heapUsed } = process.memoryUsage();
    return {
      version: programVersion, startedAt: Date.now() / 1000 - process.uptime(), cpuSeconds: (user + system) / 1e6, residentBytes: rss, heapBytes: heapUsed,
      loopDelay: this.#lateness?.read() ?? { p50: 0, p99: 0, max: 0 },
    };
  }
}

function namesOf(config: Config): KnownNames {
  return new KnownNames(config, config.monitoring?.metrics?.models ?? []);
}
