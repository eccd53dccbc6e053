import type { ArmOfPlan } from '../api/canary.ts';
import type { Random } from '../base/clock.ts';
import type { CanaryConfig } from '../config/config.ts';
import { placeOf } from '../base/statistics/placeOf.ts';
import type { Rollout } from './rollout.ts';

/** Per cent of conversations that go to the canary now. */
export function shareOf({ phase, stage }: Rollout, { stages }: CanaryConfig): number {
  if (phase.kind === 'rolled-back') return 0;
  return phase.kind === 'promoted' ? 100 : stages[Math.min(stage, stages.length - 1)] ?? 0;
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
  return { arm, share, why: `${subject} was drawn for ${arm === 'canary' ? `the ${String(share)} % of the canary` : `the ${String(100 - share)} % of the baseline`}, stage ${String(rollout.stage + 1)} of ${String(rules.stages.length)}` };
}
