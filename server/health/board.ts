import type { FailureClass } from '../api/failure.ts';
import type { EndpointStatus } from '../api/status.ts';
import type { BreakerConfig } from '../config/config.ts';

/** What one attempt or probe proved about an endpoint. */
export interface Outcome {
  endpoint: string;
  /** Canonical model; absent for probes. */
  model?: string | undefined;
  at: number;
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
  networkKind?: 'dns' | 'unreachable' | 'refused' | 'reset' | 'tls' | undefined;
}

/** The part of an endpoint's status that health knows; `retryAt` is the earliest moment it may be tried again. */
export type EndpointHealth = Pick<EndpointStatus,
  'state' | 'breaker' | 'retryAt' | 'firstToken' | 'total' | 'errorRate' | 'uptime' | 'lastError' | 'lastCheckedAt'>;

/** Whether an attempt may go to a target now, and if not, why and until when. */
export type Admission =
  | { admitted: true; /** The attempt is a half-open trial. */ trial: boolean }
  | { admitted: false; reason: string; retryAt: number };

/** What the board needs of an endpoint's configuration; an `EndpointConfig` has it all. */
export interface WatchedEndpoint {
  breaker: BreakerConfig;
  /** Tells local endpoints, whose failures say nothing about the machine's link. */
  baseUrl?: string | undefined;
  provider?: { local?: boolean } | undefined;
}

/** Health of all endpoints: fed with outcomes and a clock, does no I/O. */
export interface HealthBoard {
  /** Adopts the set of endpoints; history of those that stay is kept, others are forgotten. */
  configure(endpoints: ReadonlyMap<string, WatchedEndpoint>): void;
  record(outcome: Outcome): void;
  /** A look, without taking a half-open trial slot. For plans and status. */
  admission(endpoint: string, model: string | undefined, now: number): Admission;
  /** Takes a trial slot when half-open; call right before sending. Release by `record` or `release`. */
  enter(endpoint: string, model: string | undefined, now: number): Admission;
  /**
   * The attempt ended without proving anything (cancelled by the caller).
   * @param trial what `enter` answered; absent: taken for the trial if one is under way
   */
  release(endpoint: string, model: string | undefined, trial?: boolean): void;
  health(endpoint: string, now: number): EndpointHealth;
}
