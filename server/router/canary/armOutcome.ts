import type { FailureClass } from '../../api/failure.ts';
import type { Attempt, Receipt } from '../../api/receipt.ts';
import { promptTokens } from '../../api/usage.ts';
import type { CostObservation, Observation } from '../../canary/observation.ts';

/** Failures that lie with the request, the caller or this machine, and say nothing about a provider. */
const notOfProvider: ReadonlySet<FailureClass> = new Set<FailureClass>(['bad-request', 'context-overflow', 'content-policy', 'cancelled', 'local']);

/**
 * What an exchange showed about its arm; undefined where it showed nothing.
 * @param isCanary whether a target is one of the canary's
 */
export function observationOf({ plan, attempts, outcome, cache }: Receipt, isCanary: (target: string) => boolean): Observation | undefined {
  const { canary } = plan;
  // An answer from the response cache says nothing of any target.
  if (canary === undefined || ((cache?.state === 'hit' || cache?.state === 'shared') && attempts.length === 0)) return undefined;
  const own: Attempt[] = [];
  const others: Attempt[] = [];
  for (const attempt of attempts) (isCanary(attempt.target) === (canary.arm === 'canary') ? own : others).push(attempt);
  const answer = own.find(one => one.outcome === 'ok');
  const failed = own.some(isFailure);
  if (answer === undefined && !failed) {
    // Every target of the canary was kept away, so the request went past it.
    return canary.keptAway === true && outcome !== 'cancelled' ? { arm: canary.arm, failed: true, answered: false, takenOver: takenOver(others) } : undefined;
  }
  return {
    arm: canary.arm, failed, answered: answer !== undefined,
    ...(canary.arm === 'canary' && answer === undefined ? { takenOver: takenOver(others) } : {}),
    ...(answer === undefined ? {} : { firstTokenMs: answer.firstTokenMs, totalMs: answer.totalMs }),
  };
}

function isFailure({ outcome, failureClass, drill }: Attempt): boolean {
  return outcome === 'failed' && drill !== true && (failureClass === undefined || !notOfProvider.has(failureClass));
}

function takenOver(attempts: readonly Attempt[]): Observation['takenOver'] {
  if (attempts.some(one => one.outcome === 'ok')) return 'answered';
  return attempts.some(isFailure) ? 'failed' : undefined;
}

/** What the answer of an exchange cost at its arm; undefined where no answer of the arm has a known cost and known tokens. */
export function costOf({ plan, attempts }: Receipt, isCanary: (target: string) => boolean): CostObservation | undefined {
  const { canary } = plan;
  if (canary === undefined) return undefined;
  const answer = attempts.find(one => one.outcome === 'ok' && isCanary(one.target) === (canary.arm === 'canary'));
  if (answer === undefined || answer.cost.microUsd === undefined) return undefined;
  const prompt = promptTokens(answer.usage);
  const { outputTokens } = answer.usage;
  return prompt === undefined || outputTokens === undefined ? undefined : { arm: canary.arm, microUsd: answer.cost.microUsd, tokens: prompt + outputTokens };
}
