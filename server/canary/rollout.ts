import type { CanaryArm } from '../api/canary.ts';
import { noCloserLook, type CloserLook } from './closerLook.ts';
import { noEvidence, noExcess, noTraffic, type Evidence, type RecentTraffic } from './evidence.ts';
import { noMoments, type LogMoments } from '../base/statistics/intervals.ts';
import { noLatencies, type Latencies } from './latencies.ts';

/** Where a canary stands; each phase has its own data. Moments are milliseconds since the epoch. */
export type Phase =
  | { readonly kind: 'running' }
  /** The share stays and the gates still watch; only a person goes on. @property why one sentence */
  | { readonly kind: 'paused'; readonly by: 'hand' | 'inconclusive'; readonly why: string; readonly at: number }
  /** @property announced some process has notified a person */
  | { readonly kind: 'rolled-back'; readonly by: 'hand' | 'gate'; readonly why: string; readonly at: number; readonly announced: boolean }
  | { readonly kind: 'promoted'; readonly at: number };

/** What one arm did since the canary started. */
export interface ArmTally {
  readonly requests: number;
  readonly failed: number;
  readonly answered: number;
  readonly firstToken: Latencies;
  readonly total: Latencies;
  /** Of the cost of 1,000 tokens, in millionths of a US dollar. */
  readonly cost: LogMoments;
}

/** Trials and failures. */
export interface Counts { readonly trials: number; readonly failures: number }

/** Evidence of which one kind of event is judged. */
export interface EventEvidence {
  /** Against the baseline, since the canary started. */
  readonly run: Evidence;
  /** Against the baseline, in this stage: a canary that was well for long is found out as soon. */
  readonly stage: Evidence;
  /** Against the limit of the gate, in this stage. */
  readonly limit: Evidence;
}

/** The whole state of a canary: plain data, stored as JSON and shared by all processes of a data folder. */
export interface Rollout {
  readonly version: 1;
  /** Of this run; arms are drawn with it. */
  readonly id: string;
  /** The targets that are tried out, so that others cannot inherit what was found out about these. */
  readonly targets: string;
  readonly phase: Phase;
  readonly startedAt: number;
  /** Index into the stages. */
  readonly stage: number;
  readonly stageSince: number;
  /** Requests of this stage by arm. */
  readonly stageRequests: Readonly<Record<CanaryArm, number>>;
  readonly stageFailed: Readonly<Record<CanaryArm, number>>;
  readonly arms: Readonly<Record<CanaryArm, ArmTally>>;
  readonly traffic: RecentTraffic;
  readonly errors: EventEvidence;
  readonly unanswered: Evidence;
  readonly slowFirstToken: EventEvidence;
  readonly slowTotal: EventEvidence;
  /** Above these durations a request counts as slow, in milliseconds; absent until the baseline is known. */
  readonly slowAfter: { readonly firstTokenMs?: number | undefined; readonly totalMs?: number | undefined };
  /** Failures of the canary in a row, each of which the baseline did not share. */
  readonly inARow: number;
  /** Failures of the canary since both arms last failed one request. */
  readonly aloneInFailing: number;
  /** States of earlier versions lack it. */
  readonly closerLook?: CloserLook | undefined;
  /** The last requests that the baseline got, those that it took over included, each weighing a little less than the one after it. */
  readonly baselineOfLate: Counts;
}

const noTally: ArmTally = { requests: 0, failed: 0, answered: 0, firstToken: noLatencies, total: noLatencies, cost: noMoments };
const noEventEvidence: EventEvidence = { run: noEvidence, stage: noEvidence, limit: noExcess };
const none = { baseline: 0, canary: 0 } as const;

/** A canary at its first stage. @param id random @param now milliseconds since the epoch */
export function newRollout(id: string, targets: string, now: number): Rollout {
  return {
    version: 1, id, targets, phase: { kind: 'running' }, startedAt: now, stage: 0, stageSince: now,
    stageRequests: none, stageFailed: none,
    arms: { baseline: noTally, canary: noTally }, traffic: noTraffic,
    errors: noEventEvidence, unanswered: noExcess, slowFirstToken: noEventEvidence, slowTotal: noEventEvidence, slowAfter: {},
    inARow: 0, aloneInFailing: 0, closerLook: noCloserLook, baselineOfLate: { trials: 0, failures: 0 },
  };
}

/** The same canary at another stage, which has evidence of its own. */
export function atStage(rollout: Rollout, stage: number, now: number): Rollout {
  const ofStage = ({ run }: EventEvidence): EventEvidence => ({ ...noEventEvidence, run });
  return {
    ...rollout, phase: { kind: 'running' }, stage, stageSince: now, stageRequests: none, stageFailed: none,
    ...(rollout.closerLook === undefined ? {} : { closerLook: { ...rollout.closerLook, times: 0 } }),
    errors: ofStage(rollout.errors), unanswered: noExcess, slowFirstToken: ofStage(rollout.slowFirstToken), slowTotal: ofStage(rollout.slowTotal),
  };
}

/** Whether requests are still drawn and judged. */
export function isLive({ phase }: Rollout): boolean {
  return phase.kind === 'running' || phase.kind === 'paused';
}

/** The stored form. */
export function storedForm(rollout: Rollout): string {
  return JSON.stringify(rollout);
}

/** @returns undefined for what is no state of this version */
export function fromStored(text: string): Rollout | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null) return undefined;
    const rollout = value as Rollout;
    const whole = rollout.version === 1 && typeof rollout.id === 'string' && typeof rollout.targets === 'string' && typeof rollout.phase.kind === 'string'
      && Number.isInteger(rollout.stage) && [rollout.startedAt, rollout.stageSince, rollout.inARow].every(Number.isFinite)
      && [rollout.errors, rollout.slowFirstToken, rollout.slowTotal].every(({ run, stage, limit }) => [run, stage, limit].every(Array.isArray))
      && Array.isArray(rollout.unanswered) && [rollout.arms.baseline, rollout.arms.canary].every(arm => Number.isFinite(arm.requests) && Number.isFinite(arm.cost.count))
      && Number.isFinite(rollout.traffic.canary) && Number.isFinite(rollout.aloneInFailing) && Number.isFinite(rollout.baselineOfLate.trials)
      && Number.isFinite(rollout.stageRequests.canary) && Number.isFinite(rollout.stageFailed.canary) && typeof rollout.slowAfter === 'object';
    return whole ? rollout : undefined;
  } catch {
    return undefined;
  }
}
