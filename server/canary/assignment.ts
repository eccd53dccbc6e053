import type { ArmOfPlan } from '../api/canary.ts';
import type { Random } from '../base/clock.ts';
import type { CanaryConfig } from '../config/config.ts';
import type { Rollout } from './rollout.ts';

/** A number in [0, 1) that is always the same for a text: FNV-1a with the final mix of MurmurHash3. */
export function placeOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}

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
