import type { PlannedTarget } from '../../api/receipt.ts';
import type { KeptAway } from '../../routing/plan.ts';
import type { ExchangeAttempt, ExchangeEnd, ExchangeState, ExchangeStep, Look, Walk } from './exchangeState.ts';
import { recordRetry, untriedOf, worthAnotherTry, worthWaiting, worthWaitingOut } from './triedTargets.ts';
import { endWith, tryNext } from './walk.ts';

/** The shortest wait for a target that cools down, in milliseconds. */
const shortestWaitMs = 20;

/** A cap that only running attempts have used up is looked at again so often, and for so long, in milliseconds. */
const settleLookMs = 200;
export const longestSettleMs = 10_000;

/** The queue is empty and all targets were looked at again: one more try, a wait, the best of those kept away, or the error that says it all. */
export function afterExhaustion(walk: Walk, look: Look): ExchangeStep {
  if (walk.launched >= walk.attemptBound) return exhausted(walk, look);
  const { tried, terms } = walk;
  const patienceLeftMs = terms.patienceMs - (look.atMs - walk.waitsSinceMs);
  const again = worthAnotherTry(tried, walk.planned, patienceLeftMs);
  if (again !== undefined && look.targets.some(({ target }) => target === again.target)) {
    return waitFor({ ...walk, tried: recordRetry(tried, again) }, tried.failures.get(again.target)?.retryAfterMs ?? 0, true, [again]);
  }
  // What cooled down at the last look may have come free between two readings of the clock.
  const freed = patienceLeftMs <= 0 ? undefined
    : look.targets.find(target => (walk.waited || !tried.failures.has(target.target)) && worthWaiting(tried, target));
  if (freed !== undefined) return waitFor(walk, shortestWaitMs, false, [freed]);
  const soonest = look.coolingDown.find(kept => worthWaitingOut(tried, kept));
  if (soonest !== undefined && soonest.retryAt - look.now <= patienceLeftMs) {
    return waitFor(walk, Math.max(soonest.retryAt - look.now, shortestWaitMs), false, undefined);
  }
  const candidates = untriedOf(tried, look.coolingDown);
  if (candidates.length === 0 && look.capped?.maySettle === true && Math.min(patienceLeftMs, longestSettleMs - (look.atMs - walk.waitsSinceMs)) > 0) {
    return waitFor(walk, settleLookMs, false, undefined);
  }
  return choose(walk, look, candidates);
}

function choose(walk: Walk, look: Look, candidates: readonly KeptAway[]): ExchangeStep {
  if (candidates.length === 0) return exhausted(walk, look);
  return { state: { kind: 'choosing', walk, look, candidates }, effects: [{ type: 'choose', candidates, now: look.now }] };
}

function waitFor(walk: Walk, delayMs: number, backoff: boolean, next: readonly PlannedTarget[] | undefined): ExchangeStep {
  return { state: { kind: 'waiting', walk, next }, effects: [{ type: 'wait', delayMs, backoff }] };
}

/** Targets were looked at again after a wait: those that are worth the wait are tried. */
export function afterWaitedLook(walk: Walk, { targets }: Look): ExchangeStep {
  return tryNext({ ...walk, planned: targets, queue: targets.filter(target => worthWaiting(walk.tried, target)) });
}

/**
 * A target that its breaker keeps away may be well again, and what a provider said of waits and keys may no longer hold. It
 * is asked although it is kept away, because the turn is lost otherwise.
 */
export function afterChoice({ walk, look, candidates }: Extract<ExchangeState, { kind: 'choosing' }>, target: PlannedTarget | undefined): ExchangeStep {
  if (target === undefined) return exhausted(walk, look);
  const attempt: ExchangeAttempt = { number: walk.launched + 1, target, role: 'last-resort' };
  const others = candidates.filter(other => other.target.target !== target.target);
  return { state: { kind: 'acquiring', walk, attempt, look, others }, effects: [{ type: 'acquire', attempt }] };
}

/** The last resort could not be tried: the best of the others is. */
export function afterRefusedChoice(walk: Walk, look: Look, others: readonly KeptAway[] = []): ExchangeStep {
  return choose(walk, look, others);
}

/** No target could serve. Where a cap is the reason and a reader can allow more, the exchange waits for the answer. */
export function exhausted(walk: Walk, look: Look): ExchangeStep {
  const { tried, lastRaw, terms, launched, attemptBound } = walk;
  const end: ExchangeEnd = { kind: 'exhausted', look, tried, raw: lastRaw };
  const question = launched < attemptBound ? look.capped?.question : undefined;
  if (question === undefined || !terms.hasReader) return endWith(end);
  const { message, accept, decline, lift } = question;
  return { state: { kind: 'asking', walk, end, question }, effects: [{ type: 'ask', message, accept, decline, instead: lift }] };
}
