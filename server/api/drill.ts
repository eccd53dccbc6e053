import type { FailureClass } from './failure.ts';
import type { Receipt } from './receipt.ts';

/**
 * What a fire drill makes of an endpoint. `down`, `rate-limit` and `dead-key` are answered inside this process, and no
 * byte is sent; `slow` and `cut` let the user's own requests through and hold back or break off what comes back.
 */
export const drillFaults = ['down', 'rate-limit', 'slow', 'cut', 'dead-key'] as const;
export type DrillFault = (typeof drillFaults)[number];

export const shortestDrillMs = 1000;
export const longestDrillMs = 24 * 60 * 60_000;
/** How long `slow` holds an answer back where no time was chosen. */
export const defaultSlowMs = 10_000;
export const longestSlowMs = 10 * 60_000;

/** Client -> server, request: begin a drill. */
export interface StartDrillParams {
  endpoint: string;
  fault: DrillFault;
  durationMs: number;
  /** Only this canonical model of the endpoint; absent: all of it. */
  model?: string | undefined;
  /** Only this key of the endpoint; absent: all of them. */
  keyId?: string | undefined;
  /** `slow`: how long the first byte of an answer is held back, in milliseconds. */
  slowMs?: number | undefined;
}
export const startDrillMethod = 'waybill/startDrill';
/** The drill that runs now, or one sentence why none began. */
export interface StartDrillResult { drill?: RunningDrill | undefined; refused?: string | undefined }

/** Client -> server, request: end a drill now, or all of them; with what became of them. */
export interface StopDrillParams { id?: string | undefined }
export const stopDrillMethod = 'waybill/stopDrill';
export type StopDrillResult = DrillSummary[];

/** Client -> server, request: what each route survives. */
export const resilienceReportMethod = 'waybill/resilienceReport';
export type ResilienceReportResult = ResilienceReport;

export interface RunningDrill {
  id: string;
  endpoint: string;
  fault: DrillFault;
  model?: string | undefined;
  keyId?: string | undefined;
  /** Label and last four characters of the one key it is about. */
  keyName?: string | undefined;
  slowMs?: number | undefined;
  /** Milliseconds since the epoch. */
  startedAt: number;
  until: number;
}

/** How a request fared that met a drill, or passed an endpoint over because of one. */
export interface DrilledRequest {
  /** The exchange's id, for its receipt. */
  id: string;
  requestedModel: string;
  at: number;
  outcome: Receipt['outcome'];
  failureClass?: FailureClass | undefined;
  /** The target that answered. */
  target?: string | undefined;
  totalMs: number;
  path: DrilledStep[];
}
export interface DrilledStep {
  target: string;
  /** `passed-over`: not even tried, because of what earlier requests had met there. */
  outcome: 'ok' | 'failed' | 'cancelled' | 'interrupted' | 'passed-over';
  /** The drill was what it met. */
  drill: boolean;
  failureClass?: FailureClass | undefined;
  totalMs?: number | undefined;
}

export interface DrillCounts {
  /** Requests that met the drill. */
  met: number;
  /** Of these, how many got an answer all the same. */
  answered: number;
  /** Of these, how many failed. The rest went away by themselves. */
  failed: number;
}

/** What became of a drill. */
export interface DrillSummary extends RunningDrill, DrillCounts {
  endedAt: number;
  /** `time`: it was over. `stopped`: by command. `gone`: its endpoint or key left the configuration. */
  ended: 'time' | 'stopped' | 'gone';
}

/**
 * How a route answers while a drill runs: by its usual target, by another one, only later than usual, brokenly (an answer
 * begins and breaks off), or not at all.
 */
export interface DrilledRoute {
  name: string;
  kind: 'route' | 'model';
  effect: 'unaffected' | 'taken-over' | 'slow' | 'broken' | 'lost';
  /** The target that answers a request now, as far as it is known. */
  answeredBy?: string | undefined;
  /** The target that would answer were there no drill. */
  usually?: string | undefined;
  /** One sentence: what a request now meets. */
  note: string;
}

/** The state of drills; part of the status snapshot. */
export interface DrillStatus {
  running: RunningDrill[];
  counts: DrillCounts;
  routes: DrilledRoute[];
  /** The latest requests that met a drill, newest first, a few only. */
  requests: DrilledRequest[];
  /** The drill that ended last. */
  last?: DrillSummary | undefined;
}

/** Which single loss is looked at. */
export type LossKind = 'endpoint' | 'key' | 'model' | 'provider';

/**
 * `survives`: another target serves as well. `weaker`: one serves, but not everything. `not-now`: one would, were it not
 * down or resting at this moment. `stops`: none is left.
 */
export type LossResult = 'survives' | 'weaker' | 'not-now' | 'stops';

export interface LossOutcome {
  kind: LossKind;
  /** Name of the endpoint, the model or the provider; of a key its endpoint, label and last four characters. */
  name: string;
  result: LossResult;
  /** The target that takes over. */
  takenOverBy?: string | undefined;
  /** One sentence: what is missing, or why the other cannot serve now. */
  note?: string | undefined;
}

/** Where a gap can be closed. */
export type GapFix = 'edit-route' | 'add-provider' | 'add-key' | 'replace-key' | 'enable' | 'check-health';

export interface ResilienceGap {
  /** One sentence: what is wrong. */
  problem: string;
  /** One sentence: what to do about it. */
  action: string;
  fix: GapFix;
  /** The endpoint the fix is about. */
  endpoint?: string | undefined;
}

export interface SurvivingTarget {
  target: string;
  /** `ready`: would serve now. `not-now`: down or resting. `never`: cannot serve at all as things are configured. */
  state: 'ready' | 'not-now' | 'never';
  note?: string | undefined;
}

export interface RouteResilience {
  name: string;
  kind: 'route' | 'model';
  /** `stopped`: nothing serves even without a loss. */
  verdict: 'survives' | 'gaps' | 'stopped';
  targets: SurvivingTarget[];
  losses: LossOutcome[];
  gaps: ResilienceGap[];
}

/** What each route survives, from the configuration and the state at one moment. */
export interface ResilienceReport {
  at: number;
  /** Routes first, then models that several endpoints serve. */
  routes: RouteResilience[];
  /** FaultInjector that run; what they do to health is left out of the report. */
  drills: RunningDrill[];
  /** The drill that ended last. */
  last?: DrillSummary | undefined;
}
