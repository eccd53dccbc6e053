import type { FailureClass, RefusalScope } from '../api/failure.ts';
import type { FailureCode, TimerPhase } from '../base/failureCodes.ts';
import type { EndpointStatus } from '../api/status.ts';
import type { BreakerConfig } from '../config/config.ts';
import type { NetworkTrouble, NetworkKind } from './network/networkState.ts';

/** What one attempt or probe proved about an endpoint, or about the model it asked there. */
export interface Outcome {
  endpoint: string;
  /** Canonical model; absent for probes. */
  model?: string | undefined;
  at: number;
  /** When the attempt or probe began. Tells failures caused by a sleep of the machine from those of the endpoint. */
  startedAt?: number | undefined;
  kind: 'traffic' | 'probe';
  /** Absent: the attempt or probe succeeded. */
  failureClass?: FailureClass | undefined;
  message?: string | undefined;
  firstTokenMs?: number | undefined;
  totalMs?: number | undefined;
  /** The provider asked for a pause (Retry-After). */
  retryAfterMs?: number | undefined;
  /**
   * What `enter` answered for this attempt (`Permit.trial`). Without it, a traffic outcome that arrives while a trial is
   * under way counts as the trial's, even when its attempt began before the breaker opened.
   */
  trial?: boolean | undefined;
  /** Observed by a peer: the attempt never entered here, so no place is freed. */
  foreign?: boolean | undefined;
  /** Observed from another machine: it says nothing of this machine's network. */
  elsewhere?: boolean | undefined;
  /** What a refusal speaks of; absent: by its class. */
  scope?: RefusalScope | undefined;
  /** The failure concerns one key while others of the endpoint may still serve: the key cools down, the endpoint does not. */
  keyScoped?: boolean | undefined;
  /** How a network failure came about, where known. Refused and reset connections are no sign of being offline. */
  networkKind?: NetworkKind | undefined;
  /** How far the attempt had come when a timer ended it. A timeout while connecting counts for the endpoint, a later one for its model. */
  phase?: TimerPhase | undefined;
  /** The stable code of the failure (`WaybillError.code`): pages, redirects and certificates may be a captive portal's. */
  code?: FailureCode | undefined;
  /** The HTTP status of a failure, where there was one. */
  status?: number | undefined;
  /** A probe that a person asked for: its success closes a breaker whose cause it disproves. */
  asked?: boolean | undefined;
  /** Fault injection made it fail. It is no evidence about the machine's network, and none at all after the injection ended. */
  drill?: boolean | undefined;
}

/** The part of an endpoint's status that health knows; `retryAt` is the earliest moment it may be tried again. */
export type EndpointHealthReport = Pick<EndpointStatus,
  'state' | 'breaker' | 'modelBreakers' | 'offline' | 'retryAt' | 'firstToken' | 'total' | 'errorRate' | 'downtime' | 'latestHour' | 'lastError' | 'lastCheckedAt'> & {
  /** 0..1 since this server started watching; absent without data. Moves with the clock, so no snapshot holds it. */
  uptime?: number | undefined;
  /** How many attempts of the last ten minutes the latencies are of; absent without any. */
  answered?: number | undefined;
};

/** Whether an attempt may go to a target now, and if not, why and until when. */
export type Admission =
  | {
      admitted: true;
      /** The attempt is a half-open trial. */
      trial: boolean;
      /** The provider named a wait that is not over: only force let the attempt through. */
      early?: true | undefined;
    }
  | {
      admitted: false; reason: string; retryAt: number;
      /** Absent: a breaker is open. `busy`: only for a moment, as many requests are under way as may be. */
      cause?: FailureClass | 'busy' | undefined;
      /** The cause in a few words, where its class does not say it. */
      why?: string | undefined;
      /** A limit that the user set refuses it, and holds in any case; whatever else is said may be overridden when nothing else can serve. */
      ownLimit?: true | undefined;
      /** Of a limit: the reason without how long it holds, so that it reads the same while time passes. */
      limit?: string | undefined;
    };

/** What the registry needs of an endpoint's configuration; an `EndpointConfig` has it all. */
export interface HealthReading {
  breaker: BreakerConfig;
  /** Identifies local endpoints, whose failures are no evidence about the machine's network. */
  baseUrl?: string | undefined;
  provider?: { local?: boolean } | undefined;
}

/** Where one attempt can go, as far as health is concerned. */
export interface HealthTarget { readonly endpoint: string; readonly model: string }

/** Of targets that are all kept away, the one most likely to answer nevertheless. */
export interface BestUnavailable extends HealthTarget {
  /** When it would be admitted without force. */
  readonly retryAt: number;
}

/** A handle on all that is known of one endpoint at a moment. Only the registry that made it can read it. */
export interface HealthSnapshot { readonly endpoint: string }

/** Health of all endpoints. Outcomes and time are handed in; it does no I/O. */
export interface HealthRegistry {
  /** Takes over the configured endpoints. History of those that stay is kept, others are forgotten. */
  configure(endpoints: ReadonlyMap<string, HealthReading>): void;
  record(outcome: Outcome): void;
  /** A look, without taking a half-open trial slot. For plans and status. */
  admission(endpoint: string, model: string | undefined, now: number): Admission;
  /**
   * Admits an attempt right before it is sent, and takes a trial slot when half-open. `record` or `release` frees its place.
   * @param options.force neither breakers, the ramp nor cooldowns refuse the attempt, which is the trial where none is under
   *   way; `early` in the answer where the provider named a wait that is not over
   */
  enter(endpoint: string, model: string | undefined, now: number, options?: { readonly force?: boolean | undefined }): Admission;
  /**
   * Frees the place of an attempt that ended without proving anything (cancelled by the caller, or never sent).
   * @param trial what `enter` answered; absent: the attempt counts as the trial if one is under way
   */
  release(endpoint: string, model: string | undefined, trial?: boolean): void;
  /**
   * Of targets that only an open or half-open breaker, the ramp or our own backoff keeps away, the one most likely to
   * answer: that which reopened least often, then that which is admitted soonest, then the first. Targets that are admitted,
   * that wait as long as the provider asked, or whose endpoint is unknown are passed over.
   */
  bestUnavailable(candidates: readonly HealthTarget[], now: number): BestUnavailable | undefined;
  health(endpoint: string, now: number): EndpointHealthReport;
  /** Forgets the failures of an endpoint and its models: breakers are closed and cooldowns are over. What peers observed before `at` no longer counts. */
  reset(endpoint: string, at: number): void;
  /** Attempts of this process that run at an endpoint now. */
  inFlight(endpoint: string): number;
  /** When an endpoint's report, or an admission there, changes by time alone and not for a moment only; Infinity: never. */
  changesAt(endpoint: string, now: number): number;
  /** Why remote endpoints cannot be reached, when it is the machine's own doing. Never where there are only local ones. */
  networkTrouble(): NetworkTrouble | undefined;
  /** Whether the machine's own trouble keeps this endpoint out of reach; never for local ones. */
  isOffline(endpoint: string): boolean;
}

/** A registry that also takes in the state of the machine's network. */
export interface NetworkAwareHealthRegistry extends HealthRegistry {
  /**
   * Takes in whether the operating system has any network interface besides loopback. Where there never was one, in a
   * container or a sandbox, its absence proves nothing.
   */
  reportInterfaces(present: boolean, at: number): void;
  /** The machine was asleep, or this process stood still, in between: failures since then are taken back. */
  slept(from: number, to: number): void;
  /** What is known of an endpoint now; undefined when there is no such endpoint. Taken before fault injection. */
  snapshotOf(endpoint: string): HealthSnapshot | undefined;
  /**
   * Restores what was known of an endpoint, as if nothing had happened since. Attempts under way stay counted. Outcomes of
   * those that fault injection altered are ignored until the next `snapshotOf`.
   */
  restore(endpoint: string, snapshot: HealthSnapshot): void;
}
