import type { DrilledRequest, DrilledStep } from '../../api/drill.ts';
import type { Receipt } from '../../api/receipt.ts';

/**
 * What a drill meant to a request that has ended: the targets it was sent to, and before them those that were not even
 * tried because of the drill. Undefined when no drill had anything to do with it.
 * @param keptAway whether a drill is why a target was left out
 */
export function drilledRequest(receipt: Receipt, keptAway: (target: string) => boolean): DrilledRequest | undefined {
  const attempts = receipt.attempts.map((attempt): DrilledStep => ({
    target: attempt.target, outcome: attempt.outcome, drill: attempt.drill === true, failureClass: attempt.failureClass, totalMs: attempt.totalMs,
  }));
  const tried = new Set(attempts.map(step => step.target));
  const passedOver = receipt.plan.excluded
    .filter(({ target }) => !tried.has(target) && keptAway(target))
    .map(({ target }): DrilledStep => ({ target, outcome: 'passed-over', drill: true }));
  if (passedOver.length === 0 && !attempts.some(step => step.drill)) return undefined;
  return {
    id: receipt.id, requestedModel: receipt.plan.requestedModel, at: receipt.startedAt, outcome: receipt.outcome, failureClass: receipt.failureClass,
    target: receipt.target, totalMs: receipt.totalMs, path: [...passedOver, ...attempts],
  };
}
