import type { GateReport, GateState } from '../api/canary.ts';
import type { CanaryConfig } from '../config/config.ts';
import { isHeldBack, shareOf } from './assignment.ts';
import { excessStrength, strength, type Evidence } from './evidence.ts';
import { ratioOf } from '../base/statistics/intervals.ts';
import { quantile } from './latencies.ts';
import { countsText, durationText, percentText } from './wording.ts';
import type { EventEvidence, Rollout } from './rollout.ts';

/*
 * How strong evidence must be. A sum of 1/strength over all of them bounds the share of canaries that are rolled back
 * without a difference: 0.003 for errors, 0.0025 for the stages, 0.001 for each latency.
 * Closer looks reach theirs seldom: few failures decide, and one too many of the baseline ends it. Simulations bound them all.
 */
const enoughOfRun = 100;
const enoughOfStage = 2_000;
/** Of the first closer look of a stage; later ones need more, because there may be many. */
const enoughOfLook = 60;
const enoughOfLatency = 1_000;
/** Weaker evidence than that, and a person decides. */
const suspicious = 20;
/** Failures in a row are a reason only where the baseline's own failures do not explain them. */
const byChance = 1e-3;
/** Limits are no reason before the canary failed so often without the baseline: half an outage of both looks alike for less long. */
const enoughAlone = 14;

/** Why the canary is to be rolled back now, in one sentence; undefined where no gate fails. Constant time. */
export function failedGate(rollout: Rollout, rules: CanaryConfig): string | undefined {
  return failuresInARow(rollout, rules) ?? tooManyErrors(rollout, rules) ?? tooSlow(rollout, rules) ?? tooExpensive(rollout, rules);
}

function where({ stage }: Rollout, { stages }: CanaryConfig): string {
  return `at stage ${String(stage + 1)} of ${String(stages.length)} (${String(stages[stage] ?? 100)} %)`;
}

function failuresInARow(rollout: Rollout, rules: CanaryConfig): string | undefined {
  if (rollout.inARow < rules.failuresInARow) return undefined;
  const { trials, failures } = rollout.baselineOfLate;
  const rate = (failures + 1) / (trials + 2);
  if (rate ** rollout.inARow > byChance) return undefined;
  return `Rolled back ${where(rollout, rules)}: the canary failed ${String(rollout.inARow)} requests in a row, which the baseline can serve.`;
}

function tooManyErrors(rollout: Rollout, rules: CanaryConfig): string | undefined {
  const { arms, errors, gates } = { ...rollout, gates: rules.gates };
  if (strength(errors.run) >= enoughOfRun) {
    return `Rolled back ${where(rollout, rules)}: ${countsText(arms.canary.failed, arms.canary.requests)} failed at the canary, and ${countsText(arms.baseline.failed, arms.baseline.requests)} at the baseline.`;
  }
  if (strength(errors.stage) >= enoughOfStage) {
    return `Rolled back ${where(rollout, rules)}: in this stage ${countsText(rollout.stageFailed.canary, rollout.stageRequests.canary)} failed at the canary, and ${countsText(rollout.stageFailed.baseline, rollout.stageRequests.baseline)} at the baseline.`;
  }
  const look = rollout.closerLook;
  if (look !== undefined && strength(look.errors) >= enoughOfLook * Math.max(1, look.times) ** 1.5) {
    return `Rolled back ${where(rollout, rules)}: the canary failed more than once in a short time and was compared more closely; in this stage ${countsText(rollout.stageFailed.canary, rollout.stageRequests.canary)} failed at the canary, and ${countsText(rollout.stageFailed.baseline, rollout.stageRequests.baseline)} at the baseline.`;
  }
  if (isAboveLimit(rollout, errors.limit, gates.errorRate)) {
    return `Rolled back ${where(rollout, rules)}: ${countsText(rollout.stageFailed.canary, rollout.stageRequests.canary)} failed at the canary, above its limit of ${percentText(gates.errorRate)}, while the baseline serves.`;
  }
  if (isAboveLimit(rollout, rollout.unanswered, 1 - gates.successRate)) {
    return `Rolled back ${where(rollout, rules)}: the canary answers too few requests (${countsText(rollout.stageFailed.canary, rollout.stageRequests.canary)} failed), below its limit of ${percentText(gates.successRate)}, while the baseline serves.`;
  }
  return undefined;
}

/** A limit is broken by the canary alone: the baseline keeps it, or fails four times less. */
function isAboveLimit({ aloneInFailing, baselineOfLate: { trials, failures }, stageFailed, stageRequests }: Rollout, evidence: Evidence, limit: number): boolean {
  if (aloneInFailing < enoughAlone || excessStrength(evidence) < enoughOfLatency) return false;
  const ofBaseline = (failures + 0.5) / (trials + 1);
  return ofBaseline <= Math.max(limit, stageFailed.canary / Math.max(1, stageRequests.canary) / 4);
}

function tooSlow(rollout: Rollout, rules: CanaryConfig): string | undefined {
  return slowSentence('first token', rollout.slowFirstToken, rollout.slowAfter.firstTokenMs, rollout, rules)
    ?? slowSentence('whole answer', rollout.slowTotal, rollout.slowAfter.totalMs, rollout, rules);
}

function slowSentence(subject: string, { run }: EventEvidence, limitMs: number | undefined, rollout: Rollout, rules: CanaryConfig): string | undefined {
  if (limitMs === undefined || strength(run) < enoughOfLatency) return undefined;
  return `Rolled back ${where(rollout, rules)}: more than 1 % of the canary's requests wait for the ${subject} longer than ${durationText(limitMs)}, and the baseline's do not.`;
}

function tooExpensive(rollout: Rollout, rules: CanaryConfig): string | undefined {
  const { costRatio } = rules.gates;
  if (costRatio === undefined) return undefined;
  const { canary, baseline } = rollout.arms;
  if (Math.min(canary.cost.count, baseline.cost.count) < rules.minRequests) return undefined;
  const ratio = ratioOf(canary.cost, baseline.cost);
  if (ratio?.low === undefined || ratio.low <= costRatio) return undefined;
  return `Rolled back ${where(rollout, rules)}: 1,000 tokens cost ${ratio.value.toFixed(2)} times as much at the canary as at the baseline, above the limit of ${String(costRatio)}.`;
}

/** Every gate as it stands. */
export function judge(rollout: Rollout, rules: CanaryConfig): GateReport[] {
  const gates = [errorGate(rollout, rules), successGate(rollout, rules), slowGate('p99 of first token', 'firstToken', rollout, rules), slowGate('p99 of total time', 'total', rollout, rules)];
  const cost = costGate(rollout, rules);
  return [...gates, ...cost === undefined ? [] : [cost]].flatMap(gate => gate ?? []);
}

/** The verdict over all gates: the worst of them. */
export function overall(gates: readonly GateReport[]): GateState {
  for (const state of ['fail', 'inconclusive', 'no-data'] as const) if (gates.some(gate => gate.state === state)) return state;
  return 'pass';
}

/** The arm without enough requests in this stage; at 100 % only the canary has any. */
function missing(rollout: Rollout, { minRequests, stages }: CanaryConfig): string | undefined {
  const { canary, baseline } = rollout.stageRequests;
  if (canary < minRequests) return `${String(canary)} of ${String(minRequests)} requests at the canary in this stage.`;
  if (baseline < minRequests && (stages[rollout.stage] ?? 100) < 100) return `${String(baseline)} of ${String(minRequests)} requests at the baseline in this stage.`;
  return undefined;
}

function errorGate(rollout: Rollout, rules: CanaryConfig): GateReport {
  const gate = 'error rate';
  const failed = failuresInARow(rollout, rules) ?? tooManyErrors(rollout, rules);
  if (failed !== undefined) return { gate, state: 'fail', message: failed };
  const { canary, baseline } = rollout.stageRequests;
  const rate = canary === 0 ? 0 : rollout.stageFailed.canary / canary;
  const figures = `${countsText(rollout.stageFailed.canary, canary)} failed at the canary, ${countsText(rollout.stageFailed.baseline, baseline)} at the baseline.`;
  if (Math.max(strength(rollout.errors.run), strength(rollout.errors.stage)) >= suspicious) return { gate, state: 'inconclusive', message: `${figures} That may be chance or a fault of the canary.` };
  const lacks = missing(rollout, rules);
  if (lacks !== undefined) return { gate, state: 'no-data', message: lacks };
  if (rate > rules.gates.errorRate) return { gate, state: 'inconclusive', message: `${figures} That is above the limit of ${percentText(rules.gates.errorRate)}.` };
  if (isHeldBack(rollout, rules)) return { gate, state: 'no-data', message: `${figures} The canary gets ${String(shareOf(rollout, rules))} % of conversations until its last failures are compared with the baseline.` };
  return { gate, state: 'pass', message: figures };
}

function successGate(rollout: Rollout, rules: CanaryConfig): GateReport {
  const gate = 'success rate';
  const lacks = missing(rollout, rules);
  if (lacks !== undefined) return { gate, state: 'no-data', message: lacks };
  const { requests, answered } = rollout.arms.canary;
  const message = `The canary answered ${countsText(answered, requests)}; the least is ${percentText(rules.gates.successRate)}.`;
  return { gate, state: answered / requests < rules.gates.successRate ? 'inconclusive' : 'pass', message };
}

function slowGate(gate: string, kind: 'firstToken' | 'total', rollout: Rollout, rules: CanaryConfig): GateReport | undefined {
  const { gates } = rules;
  const written = kind === 'firstToken' ? gates.p99FirstTokenMs : gates.p99TotalMs;
  if (written === undefined && gates.p99Ratio === undefined) return undefined;
  const [canary, baseline] = [quantile(rollout.arms.canary[kind], 0.99), quantile(rollout.arms.baseline[kind], 0.99)];
  const evidence = kind === 'firstToken' ? rollout.slowFirstToken : rollout.slowTotal;
  if (strength(evidence.run) >= enoughOfLatency) return { gate, state: 'fail', message: 'The canary is slower than its limit.' };
  const lacks = missing(rollout, rules);
  if (lacks !== undefined) return { gate, state: 'no-data', message: lacks };
  // Plain answers have no first token: where neither arm has one, there is nothing to compare.
  if (canary === undefined && baseline === undefined && kind === 'firstToken') return written === undefined ? undefined : { gate, state: 'no-data', message: 'No answer was a stream, so the time of the first token is not known.' };
  if (canary === undefined) return { gate, state: 'no-data', message: 'The canary has not answered yet.' };
  const limit = written ?? (baseline === undefined ? undefined : baseline.value * (gates.p99Ratio ?? 1));
  if (limit === undefined) return { gate, state: 'no-data', message: 'The baseline has not answered yet.' };
  const message = `${durationText(canary.value)} at the canary${baseline === undefined ? '' : `, ${durationText(baseline.value)} at the baseline`}; the limit is ${durationText(limit)}.`;
  return { gate, state: canary.value > limit ? 'inconclusive' : 'pass', message };
}

function costGate(rollout: Rollout, { gates, minRequests }: CanaryConfig): GateReport | undefined {
  const { costRatio } = gates;
  if (costRatio === undefined) return undefined;
  const gate = 'cost per 1,000 tokens';
  const { canary, baseline } = rollout.arms;
  const ratio = ratioOf(canary.cost, baseline.cost);
  if (ratio === undefined || canary.cost.count < minRequests) return { gate, state: 'no-data', message: `The price of ${String(canary.cost.count)} of ${String(minRequests)} requests at the canary is known.` };
  const message = `${ratio.value.toFixed(2)} times the baseline's; the limit is ${String(costRatio)}.`;
  if (ratio.low !== undefined && ratio.low > costRatio) return { gate, state: 'fail', message };
  return { gate, state: ratio.value > costRatio ? 'inconclusive' : 'pass', message };
}
