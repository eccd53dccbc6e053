import type { PlannedTarget } from '../../api/receipt.ts';
import type { ExchangeAttempt, ExchangeEffect, ExchangeEnd, ExchangeState, ExchangeStep, ExchangeTerms, FailureOfExchange, Walk } from './exchangeState.ts';
import { nothingTried } from './triedTargets.ts';

/** Second tries beside one of each target and key; bounds an exchange whose targets all fail at once and recover. */
const spareAttempts = 12;

const ended: ExchangeState = { kind: 'ended' };

/** The walk of a first plan. @param atMs monotonic clock */
export function newWalk(terms: ExchangeTerms, targets: readonly PlannedTarget[], atMs: number): Walk {
  return {
    terms, queue: targets, planned: targets, launched: 0, attemptBound: spareAttempts + targets.length, tried: nothingTried,
    nextRole: undefined, brokenBy: undefined, waited: false, headSent: false, waitsSinceMs: atMs, lastRaw: undefined,
  };
}

/** Whether the queue has a target that may still be tried. */
export function hasNext({ queue, launched, attemptBound }: Walk): boolean {
  return queue.length > 0 && launched < attemptBound;
}

/** Nothing runs: the next target of the queue is tried, or all are looked at again. @param first what is done before that */
export function tryNext(walk: Walk, first: readonly ExchangeEffect[] = []): ExchangeStep {
  const target = walk.queue[0];
  if (target === undefined || !hasNext(walk)) {
    return { state: { kind: 'looking', walk, why: 'exhausted' }, effects: [...first, { type: 'look', keepsPlan: true }] };
  }
  const attempt: ExchangeAttempt = { number: walk.launched + 1, target, role: walk.nextRole };
  return {
    state: { kind: 'acquiring', walk: { ...walk, queue: walk.queue.slice(1) }, attempt, look: undefined },
    effects: [...first, { type: 'acquire', attempt }],
  };
}

/** The exchange ends. @param first what is done before that */
export function endWith(end: ExchangeEnd, first: readonly ExchangeEffect[] = []): ExchangeStep {
  return { state: ended, effects: [...first, { type: 'end', end }] };
}

export function failWith(failure: FailureOfExchange, first?: readonly ExchangeEffect[]): ExchangeStep {
  return endWith({ kind: 'failed', failure }, first);
}
