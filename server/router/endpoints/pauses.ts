import { randomUUID } from 'node:crypto';
import { pauseText, type Pause } from '../../api/endpoints/pause.ts';
import type { Clock } from '../../base/clock.ts';
import { Guard } from '../../base/guarded.ts';
import type { Log } from '../../base/log.ts';
import type { EndpointDecision, EndpointFiles } from './endpointFiles.ts';

export interface PausesOptions {
  /** Where decisions outlive the process and reach peers; absent: nowhere. */
  files: Pick<EndpointFiles, 'poll' | 'read' | 'write' | 'known'> | undefined;
  clock: Clock;
  log: Log;
  /** Failures of an endpoint up to a moment are forgotten, here or by a peer. */
  reset(endpoint: string, at: number): void;
  changed(): void;
  /** Servers on other machines cannot learn of a decision now; absent: there are none. */
  othersAreAway?: (() => boolean) | undefined;
  /** Decisions are here that servers on other machines may not know. */
  decided?: (() => void) | undefined;
}

const othersLearnLater = 'Redis cannot be used now; other replicas learn of it as soon as it can.';
const cannotStore = 'The decision could not be written to the data folder, so other windows do not know of it and it ends with this server. Check that the folder can be written to.';

/**
 * What people decided about endpoints for a while: which are paused, and whose failures are forgotten. All servers of a data
 * folder learn it within a second, and the next start as well.
 */
export class Pauses {
  readonly #options: PausesOptions;
  /** By endpoint; empty nearly always. */
  readonly #paused = new Map<string, Pause>();
  /** The last reset of each endpoint that was carried out here, as it is stored. */
  readonly #resets = new Map<string, number>();
  readonly #reads: Guard;
  #isRead = false;

  constructor(options: PausesOptions) {
    this.#options = options;
    this.#reads = new Guard('The read of what people decided about endpoints', options.log);
  }

  /** The pause of an endpoint that holds now; undefined where there is none. Allocates nothing. @param now milliseconds since the epoch */
  of(endpoint: string, now: number): Pause | undefined {
    if (this.#paused.size === 0) return undefined;
    const pause = this.#paused.get(endpoint);
    return pause === undefined || (pause.until !== undefined && pause.until <= now) ? undefined : pause;
  }

  /** Why requests go around an endpoint, as the end of a sentence; undefined where they do not. */
  reason(endpoint: string, now: number): string | undefined {
    const pause = this.of(endpoint, now);
    return pause === undefined ? undefined : `it is ${pauseText(pause, now)}`;
  }

  /** When a pause of an endpoint ends by itself; Infinity: never. */
  changesAt(endpoint: string, now: number): number {
    return this.of(endpoint, now)?.until ?? Infinity;
  }

  /** @returns what a person has to know beside that it was done; undefined: nothing */
  pause(endpoint: string, until: number | undefined): string | undefined {
    const pause: Pause = { since: this.#options.clock.now(), ...(until === undefined ? {} : { until }) };
    this.#options.log.info(`${endpoint}: ${pauseText(pause, pause.since)}.`);
    return this.#decide(endpoint, before => ({ ...before, pause }));
  }

  /** As `pause`. */
  resume(endpoint: string): string | undefined {
    this.#options.log.info(`${endpoint}: resumed.`);
    return this.#decide(endpoint, before => ({ endpoint, ...(before.resetAt === undefined ? {} : { resetAt: before.resetAt }) }));
  }

  /** Forgets the failures of an endpoint up to now, in all servers of the data folder. As `pause`. */
  forgetFailures(endpoint: string): string | undefined {
    const resetAt = this.#options.clock.now();
    this.#options.log.info(`${endpoint}: failures up to now are forgotten.`);
    return this.#decide(endpoint, before => ({ ...before, resetAt }));
  }

  /** Takes in what peers, or servers before this one, decided. Cheap where that is nothing. */
  tick(): void {
    const { files, changed } = this.#options;
    const decisions = files?.poll();
    if (decisions === undefined) return;
    const before = JSON.stringify([...this.#paused]);
    this.#paused.clear();
    for (const decision of decisions) this.#apply(decision);
    this.#isRead = true;
    if (JSON.stringify([...this.#paused]) !== before) changed();
    this.#options.decided?.();
  }

  /** What people decided about each endpoint, as it is known here. */
  get decisions(): readonly EndpointDecision[] {
    return this.#options.files?.known ?? [];
  }

  /** Takes in later decisions of servers on other machines. They are kept like those of this one. */
  learn(decisions: readonly EndpointDecision[]): void {
    const { files, log, changed } = this.#options;
    this.readOnce();
    let isNew = false;
    for (const decision of decisions) {
      const known = files?.read(decision.endpoint);
      if (known !== undefined && (known.id === decision.id || decidedAt(known) >= decidedAt(decision))) continue;
      isNew = true;
      try {
        files?.write(decision);
      } catch (cause) {
        log.error(cannotStore, cause);
      }
      this.#paused.delete(decision.endpoint);
      this.#apply(decision);
    }
    if (isNew) changed();
  }

  /** Decisions are known before the first request: they are read once, where no tick has read them. Never throws: the next tick reads what could not be read. */
  readOnce(): void {
    if (!this.#isRead) this.#reads.run(() => { this.tick(); });
  }

  #decide(endpoint: string, change: (before: EndpointDecision) => EndpointDecision): string | undefined {
    const { files, log, changed } = this.#options;
    this.readOnce();
    const pause = this.#paused.get(endpoint);
    const decision = { ...change(files?.read(endpoint) ?? { endpoint, ...(pause === undefined ? {} : { pause }) }), id: randomUUID(), decidedAt: this.#options.clock.now() };
    let trouble = this.#options.othersAreAway?.() === true ? othersLearnLater : undefined;
    try {
      files?.write(decision);
    } catch (cause) {
      trouble = cannotStore;
      log.error(cannotStore, cause);
    }
    this.#paused.delete(endpoint);
    this.#apply(decision);
    changed();
    this.#options.decided?.();
    return trouble;
  }

  #apply({ endpoint, pause, resetAt }: EndpointDecision): void {
    const { clock, reset } = this.#options;
    if (pause !== undefined && (pause.until === undefined || pause.until > clock.now())) this.#paused.set(endpoint, pause);
    // Another moment is another reset, an earlier one too: the clock may have run ahead at the one before.
    if (resetAt === undefined || resetAt === this.#resets.get(endpoint)) return;
    this.#resets.set(endpoint, resetAt);
    reset(endpoint, Math.min(resetAt, clock.now()));
  }
}

/** When a decision was made; of an earlier version, what is known of that. */
export function decidedAt({ decidedAt: at, pause, resetAt }: EndpointDecision): number {
  return at ?? Math.max(pause?.since ?? 0, resetAt ?? 0);
}
