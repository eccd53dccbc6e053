import type { ArmReport, CanaryReport, FigureWithInterval, GateReport } from '../api/canary.ts';
import type { CanaryConfig } from '../config/config.ts';
import { isHeldBack, shareOf as shareOfTraffic } from './assignment.ts';
import { judge, overall } from './gates.ts';
import { geometricMean, shareOf } from '../base/statistics/intervals.ts';
import { quantile } from './latencies.ts';
import { isLive, type ArmTally, type Rollout } from './rollout.ts';

/** What a report is made of. */
export interface ReportSources {
  route: string;
  rules: CanaryConfig;
  /** Undefined: it was never started. */
  rollout: Rollout | undefined;
  /** It was started with other targets. */
  targetsChanged: boolean;
  baselineTargets: string[];
  canaryTargets: string[];
  draining: number;
}

const noArm = { requests: 0 } as const;

/** Both arms side by side, and where the canary stands. */
export function reportOf({ route, rules, rollout, targetsChanged, baselineTargets, canaryTargets, draining }: ReportSources): CanaryReport {
  const common = { route, stages: rules.stages, draining };
  if (rollout === undefined) {
    const message = targetsChanged ? 'The targets of the canary have changed since it was started; start it again.' : 'The canary has not been started.';
    return { ...common, phase: 'none', stage: 0, share: 0, verdict: 'none', message, gates: [], baseline: { targets: baselineTargets, ...noArm }, canary: { targets: canaryTargets, ...noArm } };
  }
  const gates = judge(rollout, rules);
  return {
    ...common, phase: rollout.phase.kind, stage: Math.min(rollout.stage, rules.stages.length - 1) + 1, share: shareOfTraffic(rollout, rules),
    verdict: isLive(rollout) ? overall(gates) : rollout.phase.kind === 'promoted' ? 'pass' : rollout.phase.kind === 'rolled-back' && rollout.phase.by === 'gate' ? 'fail' : 'none',
    message: sentence(rollout, rules, gates, canaryTargets), startedAt: rollout.startedAt, stageSince: rollout.stageSince,
    gates: isLive(rollout) ? gates : [],
    baseline: armReport(baselineTargets, rollout.arms.baseline), canary: armReport(canaryTargets, rollout.arms.canary),
  };
}

function sentence(rollout: Rollout, rules: CanaryConfig, gates: readonly GateReport[], canaryTargets: readonly string[]): string {
  const { phase, stage } = rollout;
  const { stages, advance } = rules;
  switch (phase.kind) {
    case 'paused':
    case 'rolled-back': return phase.why;
    case 'promoted': return `Promoted: every request goes to the canary's targets first, and the route's own take over where they fail. To finish, give the route "targets": ${JSON.stringify(canaryTargets)} and remove its "canary".`;
    case 'running': {
      const lead = `Stage ${String(stage + 1)} of ${String(stages.length)}, ${String(stages[stage] ?? 100)} %${isHeldBack(rollout, rules) ? ` (${String(shareOfTraffic(rollout, rules))} % while its failures are compared)` : ''}`;
      const verdict = overall(gates);
      const first = gates.find(gate => gate.state === verdict);
      if (verdict === 'pass' || first === undefined) return `${lead}: every gate passes${advance === 'manual' ? '; promote it when you are ready' : ''}.`;
      return verdict === 'no-data' ? `${lead}: not enough data yet, ${first.message}` : `${lead}: the ${first.gate} is inconclusive. ${first.message}`;
    }
  }
}

function armReport(targets: string[], { requests, failed, answered, firstToken, total, cost }: ArmTally): ArmReport {
  return {
    targets, requests,
    errorRate: rounded(shareOf(failed, requests), 4), successRate: rounded(shareOf(answered, requests), 4),
    p99FirstTokenMs: rounded(quantile(firstToken, 0.99), 0), p99TotalMs: rounded(quantile(total, 0.99), 0),
    microUsdPerThousandTokens: rounded(geometricMean(cost), 2),
  };
}

function rounded(figure: FigureWithInterval | undefined, digits: number): FigureWithInterval | undefined {
  if (figure === undefined) return undefined;
  const round = (value: number): number => Number(value.toFixed(digits));
  return { value: round(figure.value), low: figure.low === undefined ? undefined : round(figure.low), high: figure.high === undefined ? undefined : round(figure.high) };
}
