import type { FailureClass } from './failure.ts';
import type { Said } from './localization/said.ts';
import { requestType, type NoParams } from './messageTypes.ts';
import type { Receipt } from './receipt.ts';

/**
 * The faults that a fire drill injects. `down`, `rate-limit` and `dead-key` are answered inside this process, and no byte
 * is sent; `slow` and `cut` send the user's own requests, and delay or truncate the answer.
 */
export const drillFaults = ['down', 'rate-limit', 'slow', 'cut', 'dead-key'] as const;
export type DrillFault = (typeof drillFaults)[number];

export const shortestDrillMs = 1000;
export const longestDrillMs = 24 * 60 * 60_000;
/** How long `slow` delays an answer by default. */
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
  /** `slow`: how long the first byte of an answer is delayed, in milliseconds. */
  slowMs?: number | undefined;
}
/** The drill that runs now, or one sentence why none began. */
export interface StartDrillResult { drill?: RunningDrill | undefined; refused?: string | undefined }
export const startDrillRequest = requestType<StartDrillParams, StartDrillResult>('waybill/startDrill');

/** Client -> server, request: end a drill now, or all of them; the result sums up each. */
export interface StopDrillParams { id?: string | undefined }
export type StopDrillResult = DrillSummary[];
export const stopDrillRequest = requestType<StopDrillParams, StopDrillResult>('waybill/stopDrill');

/** Client -> server, request: what each route survives. */
export type ResilienceReportResult = ResilienceReport;
export const resilienceReportRequest = requestType<NoParams, ResilienceReportResult>('waybill/resilienceReport');

export interface RunningDrill {
  id: string;
  endpoint: string;
  fault: DrillFault;
  model?: string | undefined;
  keyId?: string | undefined;
  /** Label and last four characters of the key it is limited to. */
  keyName?: string | undefined;
  slowMs?: number | undefined;
  /** Milliseconds since the epoch. */
  startedAt: number;
  until: number;
}

/** A request that met a drill, or passed over an endpoint because of one. */
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
  /** `passed-over`: not tried, because of failures of earlier requests there. */
  outcome: 'ok' | 'failed' | 'cancelled' | 'interrupted' | 'passed-over';
  /** The drill caused this outcome. */
  drill: boolean;
  failureClass?: FailureClass | undefined;
  totalMs?: number | undefined;
}

export interface DrillCounts {
  /** Requests that met the drill. */
  met: number;
  /** Of these, how many got an answer. */
  answered: number;
  /** Of these, how many failed. All others were cancelled by their callers. */
  failed: number;
}

/** A drill that has ended, with its counts. */
export interface DrillSummary extends RunningDrill, DrillCounts {
  endedAt: number;
  /** `time`: its duration was over. `stopped`: by command. `gone`: its endpoint or key left the configuration. */
  ended: 'time' | 'stopped' | 'gone';
}

/**
 * How a route answers while a drill runs. `unaffected`: by its usual target. `taken-over`: by another target. `slow`: later
 * than usual. `broken`: the answer begins and breaks off. `lost`: not at all.
 */
export interface DrilledRoute {
  name: string;
  kind: 'route' | 'model';
  effect: 'unaffected' | 'taken-over' | 'slow' | 'broken' | 'lost';
  /** The target that answers a request now, as far as is known. */
  answeredBy?: string | undefined;
  /** The target that answers without the drill. */
  usually?: string | undefined;
  /** One sentence: what happens to a request now. */
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

/** The kind of the single loss that is considered. */
export type LossKind = 'endpoint' | 'key' | 'model' | 'provider';

/**
 * `survives`: another target serves as well. `weaker`: another serves, but not every request. `not-now`: the only other one
 * is down or cooling down at this moment. `stops`: none is left.
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
  /** One sentence in English: what is wrong. */
  problem: string;
  saidProblem: Said;
  /** One sentence in English: what to do about it. */
  action: string;
  saidAction: Said;
  fix: GapFix;
  /** The endpoint the fix is about. */
  endpoint?: string | undefined;
}

export interface SurvivingTarget {
  target: string;
  /** `ready`: can serve now. `not-now`: down or cooling down. `never`: cannot serve with this configuration. */
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
  /** Running drills; the report leaves out their effect on health. */
  drills: RunningDrill[];
  /** The drill that ended last. */
  last?: DrillSummary | undefined;
}
