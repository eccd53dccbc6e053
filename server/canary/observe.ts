import type { CanaryArm } from '../api/canary.ts';
import type { CanaryConfig } from '../config/config.ts';
import { isHeldBack, shareOf } from './assignment.ts';
import { counts, noCloserLook, withOutcome } from './closerLook.ts';
import { localShare, withEvent, withRequest, withTrial } from './evidence.ts';
import { failedGate } from './gates.ts';
import { withValue } from '../base/statistics/intervals.ts';
import { quantile, withLatency } from './latencies.ts';
import type { CostObservation, Observation } from './observation.ts';
import { isLive, type ArmTally, type Counts, type EventEvidence, type Rollout } from './rollout.ts';

/** The baseline's p99 is looked at again after so many of its requests. */
const looksAgainAfter = 10;
/** How many of its last requests say how well the baseline is now. */
const memoryOfLate = 20;
/** The share of requests that a p99 lets be slower. */
const slowShare = 0.01;

/**
 * The state after one more request. A gate that fails now rolls the canary back. Once it is not live any more, what
 * still runs at its targets changes nothing.
 * @param now milliseconds since the epoch
 */
export function observed(rollout: Rollout, observation: Observation, rules: CanaryConfig, now: number): Rollout {
  if (!isLive(rollout)) return rollout;
  return rolledBackIfFailed(counted(rollout, observation, rules), rules, now);
}

/** The state after a request got its price. @param now milliseconds since the epoch */
export function priced(rollout: Rollout, { arm, microUsd, tokens }: CostObservation, rules: CanaryConfig, now: number): Rollout {
  // The logarithm of a price of 0 does not exist, and a free arm is never the dearer one.
  if (!isLive(rollout) || tokens <= 0 || microUsd <= 0) return rollout;
  const tally = rollout.arms[arm];
  const arms = { ...rollout.arms, [arm]: { ...tally, cost: withValue(tally.cost, microUsd * 1000 / tokens) } };
  return rolledBackIfFailed({ ...rollout, arms }, rules, now);
}

function rolledBackIfFailed(rollout: Rollout, rules: CanaryConfig, now: number): Rollout {
  const why = failedGate(rollout, rules);
  return why === undefined ? rollout : { ...rollout, phase: { kind: 'rolled-back', by: 'gate', why, at: now, announced: false } };
}

function counted(rollout: Rollout, observation: Observation, rules: CanaryConfig): Rollout {
  const { arm, failed, answered, takenOver } = observation;
  // What both arms fail is an outage of both, and says nothing about the canary.
  const outage = arm === 'canary' && failed && takenOver === 'failed';
  const meant = (observation.share ?? shareOf(rollout, rules)) / 100;
  const traffic = withRequest(rollout.traffic, arm, meant);
  const share = localShare(rollout.traffic, meant);
  const baseline = trialOfBaseline(observation);
  const tally = rollout.arms[arm];
  const arms = { ...rollout.arms, [arm]: tallied(tally, observation) };
  const errors = { ...rollout.errors };
  let { unanswered } = rollout;
  const failure = failed ? outage ? 'baseline' : arm : undefined;
  const look = rollout.closerLook ?? noCloserLook;
  if (failure !== undefined && (!isHeldBack(rollout, rules) || counts(look, failure))) Object.assign(errors, compared(errors, failure, share));
  if (arm === 'canary' && !outage) {
    errors.limit = withTrial(errors.limit, failed, rules.gates.errorRate);
    unanswered = withTrial(unanswered, !answered, 1 - rules.gates.successRate);
  }
  return {
    ...rollout, traffic, arms, errors, unanswered,
    stageRequests: { ...rollout.stageRequests, [arm]: rollout.stageRequests[arm] + 1 },
    stageFailed: failed && !outage ? { ...rollout.stageFailed, [arm]: rollout.stageFailed[arm] + 1 } : rollout.stageFailed,
    baselineOfLate: baseline === undefined ? rollout.baselineOfLate : ofLate(rollout.baselineOfLate, baseline),
    inARow: arm === 'baseline' ? rollout.inARow : failed && !answered && !outage ? rollout.inARow + 1 : 0,
    aloneInFailing: outage ? 0 : arm === 'canary' && failed ? rollout.aloneInFailing + 1 : rollout.aloneInFailing,
    closerLook: withOutcome(look, arm, failure, share),
    slowFirstToken: slowness(rollout.slowFirstToken, arm, observation.firstTokenMs, rollout.slowAfter.firstTokenMs, share),
    slowTotal: slowness(rollout.slowTotal, arm, observation.totalMs, rollout.slowAfter.totalMs, share),
    slowAfter: arm === 'baseline' && arms.baseline.requests % looksAgainAfter === 0 ? slowLimits(arms.baseline, rules) : rollout.slowAfter,
  };
}

/** 1: the baseline failed the request, as its own or as one that it took over; 0: it answered; undefined: it was not asked. */
function trialOfBaseline({ arm, failed, takenOver }: Observation): 0 | 1 | undefined {
  if (arm === 'baseline') return failed ? 1 : 0;
  return takenOver === undefined ? undefined : takenOver === 'failed' ? 1 : 0;
}

function ofLate({ trials, failures }: Counts, failure: 0 | 1): Counts {
  const kept = 1 - 1 / memoryOfLate;
  return { trials: trials * kept + 1, failures: failures * kept + failure };
}

function tallied(tally: ArmTally, { failed, answered, firstTokenMs, totalMs }: Observation): ArmTally {
  return {
    ...tally, requests: tally.requests + 1, failed: tally.failed + (failed ? 1 : 0), answered: tally.answered + (answered ? 1 : 0),
    firstToken: firstTokenMs === undefined ? tally.firstToken : withLatency(tally.firstToken, firstTokenMs),
    total: totalMs === undefined ? tally.total : withLatency(tally.total, totalMs),
  };
}

function compared(evidence: EventEvidence, arm: CanaryArm, share: number): EventEvidence {
  return { ...evidence, run: withEvent(evidence.run, arm, share), stage: withEvent(evidence.stage, arm, share) };
}

function slowness(evidence: EventEvidence, arm: CanaryArm, ms: number | undefined, limitMs: number | undefined, share: number): EventEvidence {
  if (ms === undefined || limitMs === undefined) return evidence;
  const slow = ms > limitMs;
  const next = slow ? compared(evidence, arm, share) : evidence;
  return arm === 'canary' ? { ...next, limit: withTrial(next.limit, slow, slowShare) } : next;
}

/** From when on a request counts as slow: the limits of the gates, else a multiple of the baseline's own p99. */
function slowLimits({ firstToken, total, requests }: ArmTally, { gates, minRequests }: CanaryConfig): Rollout['slowAfter'] {
  const limit = (written: number | undefined, latencies: ArmTally['total']): number | undefined => {
    if (written !== undefined) return written;
    if (gates.p99Ratio === undefined || requests < minRequests) return undefined;
    const p99 = quantile(latencies, 0.99)?.value;
    return p99 === undefined ? undefined : p99 * gates.p99Ratio;
  };
  return { firstTokenMs: limit(gates.p99FirstTokenMs, firstToken), totalMs: limit(gates.p99TotalMs, total) };
}
