import type { CanaryConfig } from '../config/config.ts';
import { isHeldBack } from './assignment.ts';
import { judge, overall } from './gates.ts';
import { atStage, isLive, newRollout, type Rollout } from './rollout.ts';

/** A stage whose figures are inconclusive lasts up to so many times as long, because chance wears off. */
const patience = 3;

/** The state after the end of a stage, where one has ended: the next stage, or a pause where the gates do not say clearly that all is well. */
export function advanced(rollout: Rollout, rules: CanaryConfig, now: number): Rollout {
  if (rollout.phase.kind !== 'running' || rules.advance === 'manual' || !isStageOver(rollout, rules, now)) return rollout;
  const gates = judge(rollout, rules);
  switch (overall(gates)) {
    case 'pass': return nextStage(rollout, rules, now);
    case 'inconclusive': {
      // A closer look leaves the canary so few requests that their sum says nothing; it ends by itself.
      if ((rules.advance === 'requests' && isHeldBack(rollout, rules)) || !isStageOver(rollout, rules, now, patience)) return rollout;
      const { gate, message } = gates.find(one => one.state === 'inconclusive') ?? { gate: '', message: '' };
      return { ...rollout, phase: { kind: 'paused', by: 'inconclusive', why: `Paused, because the ${gate} is inconclusive: ${message} Promote it or roll it back.`, at: now } };
    }
    // A gate that failed has rolled the canary back already; missing data never promotes.
    case 'fail':
    case 'no-data': return rollout;
  }
}

/** Counts or time of the stage are over. A clock that was set back begins the stage anew and ends none. */
function isStageOver(rollout: Rollout, { advance, stageMs, stageRequests }: CanaryConfig, now: number, times = 1): boolean {
  const { canary, baseline } = rollout.stageRequests;
  return advance === 'time' ? now - rollout.stageSince >= stageMs * times : canary + baseline >= stageRequests * times;
}

function nextStage(rollout: Rollout, { stages }: CanaryConfig, now: number): Rollout {
  return rollout.stage + 1 < stages.length ? atStage(rollout, rollout.stage + 1, now) : { ...rollout, phase: { kind: 'promoted', at: now } };
}

/** What a person asked for, done or refused with one sentence. */
export type Acted = { rollout: Rollout } | { refused: string };

/** Starts a canary, or goes on with one that is paused. @param id random, for a new run */
export function started(rollout: Rollout | undefined, id: string, targets: string, now: number): Acted {
  if (rollout === undefined || rollout.targets !== targets || rollout.phase.kind === 'rolled-back' || rollout.phase.kind === 'promoted') return { rollout: newRollout(id, targets, now) };
  if (rollout.phase.kind === 'running') return { refused: 'The canary runs already; `status` says where it stands.' };
  return { rollout: { ...rollout, phase: { kind: 'running' } } };
}

export function promoted(rollout: Rollout | undefined, rules: CanaryConfig, now: number): Acted {
  if (rollout === undefined || !isLive(rollout)) return { refused: 'No canary runs on this route; start it first.' };
  return { rollout: nextStage(rollout, rules, now) };
}

export function paused(rollout: Rollout | undefined, now: number): Acted {
  if (rollout === undefined || !isLive(rollout)) return { refused: 'No canary runs on this route; start it first.' };
  if (rollout.phase.kind === 'paused' && rollout.phase.by === 'hand') return { refused: 'The canary is paused already; start goes on with it.' };
  return { rollout: { ...rollout, phase: { kind: 'paused', by: 'hand', why: 'Paused by hand; start goes on with it.', at: now } } };
}

/** Also takes back one that was promoted. */
export function rolledBack(rollout: Rollout | undefined, now: number): Acted {
  if (rollout === undefined) return { refused: 'No canary was started on this route.' };
  if (rollout.phase.kind === 'rolled-back') return { refused: 'The canary is rolled back already.' };
  return { rollout: { ...rollout, phase: { kind: 'rolled-back', by: 'hand', why: 'Rolled back by hand.', at: now, announced: true } } };
}
