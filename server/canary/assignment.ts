import type { ArmOfPlan } from '../api/canary.ts';
import type { Random } from '../base/clock.ts';
import type { CanaryConfig } from '../config/config.ts';
import { placeOf } from '../base/statistics/placeOf.ts';
import { shareMeanwhile } from './closerLook.ts';
import { isLive, type Rollout } from './rollout.ts';

/** Per cent of conversations that go to the canary now. */
export function shareOf(rollout: Rollout, rules: CanaryConfig): number {
  const { kind } = rollout.phase;
  if (kind === 'rolled-back') return 0;
  if (kind === 'promoted') return 100;
  const share = shareOfStage(rollout, rules);
  return rollout.closerLook?.on === true ? Math.min(share, shareMeanwhile) : share;
}

function shareOfStage({ stage }: Rollout, { stages }: CanaryConfig): number {
  return stages[Math.min(stage, stages.length - 1)] ?? 0;
}

/** The stage means more conversations for the canary than it gets, because its failures are compared first. */
export function isHeldBack(rollout: Rollout, rules: CanaryConfig): boolean {
  return isLive(rollout) && shareOf(rollout, rules) < shareOfStage(rollout, rules);
}

/**
 * The arm of a request. A conversation has one place in [0, 1) for the whole run, so it keeps its arm while the share
 * grows; one that is asked for without a conversation is drawn by itself.
 * @returns undefined where the canary takes no part
 */
export function armOf(rollout: Rollout, rules: CanaryConfig, conversation: string | undefined, random: Random): ArmOfPlan | undefined {
  const share = shareOf(rollout, rules);
  if (share === 0) return undefined;
  if (rollout.phase.kind === 'promoted') return { arm: 'canary', share, why: 'the canary was promoted through all its stages' };
  const place = conversation === undefined ? random() : placeOf(`${rollout.id}:${conversation}`);
  const arm = place * 100 < share ? 'canary' : 'baseline';
  const subject = conversation === undefined ? 'the request, which names no conversation,' : 'the conversation';
  return { arm, share, why: `${subject} was drawn for ${arm === 'canary' ? `the ${String(share)} % of the canary` : `the ${String(100 - share)} % of the baseline`}, stage ${String(rollout.stage + 1)} of ${String(rules.stages.length)}${isHeldBack(rollout, rules) ? ', while failures of the canary are compared' : ''}` };
}
