import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { HttpStatus } from '../../api/status.ts';
import type { Subscription } from '../../base/emitter.ts';
import type { Config } from '../../config/config.ts';
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

/** Starts to measure. */
export function startMonitoring(sources: MonitoringSources, config: Config): MonitoringPart {
  return new MonitoringPart(sources, config);
}

/** What runs while the configuration switches something on. */
export class MonitoringPart {
  readonly #sources: MonitoringSources;
  readonly #figures: Figures;
  #following: Subscription | undefined;
  #delay: ReturnType<typeof monitorEventLoopDelay> | undefined;

  constructor(sources: MonitoringSources, config: Config) {
    this.#sources = sources;
    this.#figures = new Figures(namesOf(config));
    this.configure(config);
  }

  /** Takes a configuration over. What was counted stays, also while it is switched off. */
  configure(config: Config): void {
    if (config.monitoring === undefined) {
      this.#rest();
      return;
    }
    this.#figures.rename(namesOf(config));
    this.#following ??= this.#figures.follow(this.#sources.events, this.#sources.copies);
    if (this.#delay === undefined) {
      this.#delay = monitorEventLoopDelay({ resolution: loopResolutionMs });
      this.#delay.enable();
    }
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
