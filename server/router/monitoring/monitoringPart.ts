import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { HttpStatus } from '../../api/status.ts';
import type { Subscription } from '../../base/emitter.ts';
import type { Config } from '../../config/config.ts';
import type { MonitoringConfig } from '../../config/monitoring/monitoringConfig.ts';
import { Guard } from '../../base/guarded.ts';
import { AlertBook } from './alerts/alertBook.ts';
import { Windows } from './alerts/windows.ts';
import { exposition, expositionType } from './metrics/exposition.ts';
import { Figures } from './metrics/figures.ts';
import { KnownNames } from './metrics/knownNames.ts';
import type { MetricSources, ProcessFigures } from './metrics/metric.ts';
import { ownMetrics } from './metrics/metricTable.ts';
import { genAiMetrics, liteLlmMetrics } from './metrics/otherNames.ts';
import type { MonitoringSources } from './sources.ts';

/** Every metric, in the order in which it is written. */
export const allMetrics = [...ownMetrics, ...genAiMetrics, ...liteLlmMetrics];

const loopResolutionMs = 20;
const nanoseconds = 1e9;
/** How often rules of alerts are looked at, and the spend of the last hour is read. */
const lookMs = 5_000;
const readSpendMs = 60_000;
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
  readonly #windows = new Windows();
  readonly #guard: Guard;
  #looking: NodeJS.Timeout | undefined;
  #longestWindowMs = 0;
  #needsSpend = false;
  #hourUsd: number | undefined;
  #spendReadAt = -Infinity;
  #delay: ReturnType<typeof monitorEventLoopDelay> | undefined;

  constructor(sources: MonitoringSources, config: Config) {
    this.#sources = sources;
    this.#figures = new Figures(namesOf(config));
    const { alertsFolder, clock, log, redact, hasAudience, notify } = sources;
    this.#guard = new Guard('The watch of alerts', log);
    if (alertsFolder !== undefined) {
      this.#alerts = new AlertBook({ folder: alertsFolder, now: () => clock.now(), log, redact, hasAudience, notify: (message, text) => { notify({ kind: 'alert', endpoint: '', message, ...(text === undefined ? {} : { said: text }) }); } });
    }
    this.configure(config);
  }

  /** Takes a configuration over. What was counted stays, also while it is switched off. */
  configure(config: Config): void {
    if (config.monitoring === undefined) {
      this.#rest();
      return;
    }
    this.#figures.rename(namesOf(config));
    this.#watch(config.monitoring);
    this.#following ??= this.#figures.follow(this.#sources.events, this.#sources.copies);
    if (this.#delay === undefined) {
      this.#delay = monitorEventLoopDelay({ resolution: loopResolutionMs });
      this.#delay.enable();
    }
  }

  #watch({ alerts = [], webhooks = new Map() }: MonitoringConfig): void {
    this.#alerts?.configure(alerts, webhooks);
    this.#longestWindowMs = Math.max(0, ...alerts.map(({ windowMs }) => windowMs));
    this.#needsSpend = alerts.some(({ when }) => when === 'spend');
    if (alerts.length === 0 || this.#alerts === undefined) {
      clearInterval(this.#looking);
      this.#looking = undefined;
    } else this.#looking ??= setInterval(this.#guard.wrap(() => this.#look(this.#alerts)), lookMs).unref();
  }

  async #look(alerts: AlertBook | undefined): Promise<void> {
    const { clock, status, spend } = this.#sources;
    const now = clock.now();
    this.#windows.take(this.#figures.requests.values(), now, this.#longestWindowMs);
    if (this.#needsSpend && now - this.#spendReadAt >= readSpendMs) {
      this.#spendReadAt = now;
      this.#hourUsd = (await spend({ from: now - hourMs, to: now })).totals.microUsd / 1e6;
    }
    alerts?.look({ status: status(off), within: windowMs => this.#windows.within(windowMs), hourUsd: this.#hourUsd });
  }

  metrics(http: HttpStatus): { text: string; type: string } {
    const text = exposition(allMetrics, this.#read(http));
    // Each reading has the delays since the one before.
    this.#delay?.reset();
    return { text, type: expositionType };
  }

  close(): Promise<void> {
    this.#rest();
    return Promise.resolve();
  }

  #rest(): void {
    clearInterval(this.#looking);
    this.#looking = undefined;
    this.#alerts?.close();
    this.#following?.dispose();
    this.#following = undefined;
    this.#delay?.disable();
    this.#delay = undefined;
  }

  #read(http: HttpStatus): MetricSources {
    const { ledger, status, clock } = this.#sources;
    return { figures: this.#figures, status: status(http), ledger: { ...ledger.backlog(), isOpen: ledger.isOpen }, process: this.#process(), now: clock.now() };
  }

  #process(): ProcessFigures {
    const { user, system } = process.cpuUsage();
    const { rss, heapUsed } = process.memoryUsage();
    const late = (nanos: number | undefined): number => (nanos === undefined || !Number.isFinite(nanos) ? 0 : Math.max(0, nanos / nanoseconds - loopResolutionMs / 1000));
    const delay = this.#delay;
    return {
      version: process.env.WAYBILL_VERSION ?? '0.0.0', startedAt: Date.now() / 1000 - process.uptime(), cpuSeconds: (user + system) / 1e6, residentBytes: rss, heapBytes: heapUsed,
      loopDelay: delay === undefined || delay.count === 0 ? { p50: 0, p99: 0, max: 0 } : { p50: late(delay.percentile(50)), p99: late(delay.percentile(99)), max: late(delay.max) },
    };
  }
}

function namesOf(config: Config): KnownNames {
  return new KnownNames(config, config.monitoring?.metrics?.models ?? []);
}
