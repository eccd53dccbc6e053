import type { FailureClass } from '../api/failure.ts';
import type { EndpointStatus } from '../api/status.ts';
import type { BreakerConfig } from '../config/config.ts';
import type { NetworkTrouble, NetworkKind } from './network/networkState.ts';

/** What one attempt or probe proved about an endpoint, or about the model it asked there. */
export interface Outcome {
  endpoint: string;
  /** Canonical model; absent for probes. */
  model?: string | undefined;
  at: number;
  /** When the attempt or probe began. Without it, what a sleep of the machine did cannot be told from what the endpoint did. */
  startedAt?: number | undefined;
  kind: 'traffic' | 'probe';
  /** Absent: it went well. */
  failureClass?: FailureClass | undefined;
  message?: string | undefined;
  firstTokenMs?: number | undefined;
  totalMs?: number | undefined;
  /** The provider asked for a pause (Retry-After). */
  retryAfterMs?: number | undefined;
  /**
   * What `enter` answered for this attempt. Pass it on: without it a traffic outcome that arrives while a trial is under
   * way is taken for the trial's, also when its attempt began before the breaker opened.
   */
  trial?: boolean | undefined;
  /** Seen by another window: it never entered here, so no place is freed. */
  foreign?: boolean | undefined;
  /** The failure concerns one key while others of the endpoint may still serve: the key rests, the endpoint does not. */
  keyScoped?: boolean | undefined;
  /** How a network failure came about, where it is known; refused and reset connections are no sign of being offline. */
  networkKind?: NetworkKind | undefined;
  /** How far the attempt had come when a timer ended it. While connecting it speaks against the endpoint, later against its model. */
  phase?: 'connect' | 'headers' | 'first-token' | 'idle' | 'throughput' | 'total' | undefined;
  /** The stable code of the failure (`WaybillError.code`): pages, redirects and certificates may be a captive portal's. */
  code?: string | undefined;
  /** The HTTP status of a failure, where there was one. */
  status?: number | undefined;
  /** A probe that a person asked for: one that goes well closes a breaker that it disproves. */
  asked?: boolean | undefined;
  /** A fire drill made it fail. It says nothing of the machine's link, and nothing at all once the drill is over. */
  drill?: boolean | undefined;
}

/** The part of an endpoint's status that health knows; `retryAt` is the earliest moment it may be tried again. */
export type EndpointHealthReport = Pick<EndpointStatus,
  'state' | 'breaker' | 'modelBreakers' | 'offline' | 'retryAt' | 'firstToken' | 'total' | 'errorRate' | 'downtime' | 'lastError' | 'lastCheckedAt'> & {
  /** 0..1 since this server started watching; absent without data. Moves with the clock, so no snapshot holds it. */
  uptime?: number | undefined;
  /** How many attempts of the last ten minutes the latencies are of; absent without any. */
  answered?: number | undefined;
};

/** Whether an attempt may go to a target now, and if not, why and until when. */
export type Admission =
  | { admitted: true; /** The attempt is a half-open trial. */ trial: boolean }
  | {
      admitted: false; reason: string; retryAt: number;
      /** Absent: a breaker is open. `busy`: only for a moment, as many requests are under way as may be. */
      cause?: FailureClass | 'busy' | undefined;
      /** Of a limit: the reason without how long it holds, so that it reads the same while time passes. */
      limit?: string | undefined;
    };

/** What the board needs of an endpoint's configuration; an `EndpointConfig` has it all. */
export interface HealthReading {
  breaker: BreakerConfig;
  /** Tells local endpoints, whose failures say nothing about the machine's link. */
  baseUrl?: string | undefined;
  provider?: { local?: boolean } | undefined;
}

/** A place for one attempt, as far as health is concerned. */
export interface HealthTarget { readonly endpoint: string; readonly model: string }

/** Of targets that are all kept away, the one most likely to answer all the same. */
export interface BestUnavailable extends HealthTarget {
  /** When it would be let through by itself. */
  readonly retryAt: number;
}

/** Stands for all that is known of one endpoint at a moment; only the board that gave it can read it. */
export interface HealthSnapshot { readonly endpoint: string }

/** Health of all endpoints: fed with outcomes and a clock, does no I/O. */
export interface HealthRegistry {
  /** Adopts the set of endpoints; history of those that stay is kept, others are forgotten. */
  configure(endpoints: ReadonlyMap<string, HealthReading>): void;
  record(outcome: Outcome): void;
  /** A look, without taking a half-open trial slot. For plans and status. */
  admission(endpoint: string, model: string | undefined, now: number): Admission;
  /**
   * Takes a trial slot when half-open; call right before sending. Release by `record` or `release`.
   * @param options.force the attempt is let through whatever breakers, the ramp and our own backoff say, as the trial
   *   where there is none; only a wait that the provider named still keeps it away, since it is bound to be refused
   */
  enter(endpoint: string, model: string | undefined, now: number, options?: { readonly force?: boolean | undefined }): Admission;
  /**
   * The attempt ended without proving anything (cancelled by the caller).
   * @param trial what `enter` answered; absent: taken for the trial if one is under way
   */
  release(endpoint: string, model: string | undefined, trial?: boolean): void;
  /**
   * Of targets that only an open or half-open breaker, the ramp or our own backoff keeps away, the one most likely to
   * answer: that reopened least often, then that which is let through soonest, then the first. Targets that may go, that
   * rest for a wait the provider named, or whose endpoint is unknown are passed over.
   */
  bestUnavailable(candidates: readonly HealthTarget[], now: number): BestUnavailable | undefined;
  health(endpoint: string, now: number): EndpointHealthReport;
  /** Why remote endpoints cannot be reached, when it is the machine's own doing. Never where there are only local ones. */
  networkTrouble(): NetworkTrouble | undefined;
  /** Since when the machine itself is cut off, offline or behind a portal; undefined while it is not. */
  offlineSince(): number | undefined;
  /** Whether the machine's own trouble keeps this endpoint out of reach; never for local ones. */
  isOffline(endpoint: string): boolean;
}

/** A board that is also told of the machine itself. */
export interface NetworkAwareHealthRegistry extends HealthRegistry {
  /**
   * Tells whether the operating system has any network interface besides loopback. Where there never was one, in a
   * container or a sandbox, its absence proves nothing.
   */
  reportInterfaces(present: boolean, at: number): void;
  /** The machine was asleep, or this process stood still, in between: failures since then are taken back. */
  slept(from: number, to: number): void;
  /** What is known of an endpoint now; undefined when it is none. Taken before a fire drill. */
  snapshotOf(endpoint: string): HealthSnapshot | undefined;
  /**
   * Puts an endpoint back to what it was, as if nothing had happened since. Attempts under way stay counted; the
   * outcomes of those that a drill made fail count for nothing until the next `snapshotOf`.
   */
  restore(endpoint: string, snapshot: HealthSnapshot): void;
}
