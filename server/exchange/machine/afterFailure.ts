import type { AttemptRole, PlannedTarget } from '../../api/receipt.ts';
import type { WaybillError } from '../../base/failure.ts';
import type { AttemptFailure, ExchangeAttempt, ExchangeEffect, ExchangeStep, Walk } from './exchangeState.ts';
import { isLastWord, nextStep, type FailoverStep } from './failover.ts';
import { recordFailure, recordKey, recordRepaired, recordStripped, recordUnfit } from './triedTargets.ts';
import { failWith, tryNext } from './walk.ts';

/** What else goes on when an attempt fails. */
export interface Beside {
  /** Attempts that still run. */
  readonly running: readonly ExchangeAttempt[];
  /** The hedge whose permit is being acquired. */
  readonly pending: ExchangeAttempt | undefined;
}

/** What follows from a failed attempt. The attempt is no longer among those that run. */
export function afterFailure(walk: Walk, attempt: ExchangeAttempt, failure: AttemptFailure, beside: Beside): ExchangeStep {
  const failed: Walk = { ...walk, tried: recordFailure(walk.tried, attempt.target, failure.error, failure.cutShort), lastRaw: failure.raw };
  const effects: ExchangeEffect[] = beside.running.length === 0 && walk.terms.mayHedge ? [{ type: 'stop-hedge' }] : [];
  return failure.begun ? afterVisibleFailure(failed, attempt, failure, beside, effects) : afterHiddenFailure(failed, attempt, failure, beside, effects);
}

/** The caller saw nothing of the attempt. While another is at work nothing is lost, and what follows waits for that one. */
function afterHiddenFailure(walk: Walk, attempt: ExchangeAttempt, failure: AttemptFailure, { running, pending }: Beside, effects: ExchangeEffect[]): ExchangeStep {
  const { target, role } = attempt;
  const { step, walk: noted } = failoverStep(walk, target, failure);
  const next: Walk = { ...noted, nextRole: role === 'hedge' ? walk.nextRole : roleOfNext(role, step, failure.keyRests) };
  switch (step) {
    case 'tell-caller':
      // A hedge does not decide: the first target may still answer.
      if (running.length > 0 && role === 'hedge') return { state: { kind: 'attempting', walk: next, running, pending }, effects };
      for (const other of running) effects.push({ type: 'give-up', number: other.number, why: 'cancelled' });
      return afterRefusal(withPendingBack(next, pending, effects), target, failure.error, effects);
    case 'next-key':
      return goOn({ ...next, attemptBound: next.attemptBound + 1, queue: [target, ...next.queue] }, { running, pending }, effects);
    case 'resend-without-reasoning':
    case 'resend-repaired':
      return goOn({ ...next, queue: [target, ...next.queue] }, { running, pending }, effects);
    case 'next-target':
      return goOn(failure.largerContexts === undefined ? next : dropTooSmallContexts(next, target, failure.largerContexts, effects), { running, pending }, effects);
  }
}

/** An interrupted answer is still to be resumed or restarted by the next attempt; a last resort stays one for its next key, and one that rests is one. */
function roleOfNext(role: AttemptRole | undefined, step: FailoverStep, keyRests = false): AttemptRole | undefined {
  if (keyRests && step === 'next-key') return 'last-resort';
  return role === 'resume' || role === 'restart' || (role === 'last-resort' && step !== 'next-target') ? role : undefined;
}

function failoverStep(walk: Walk, target: PlannedTarget, { error, keyId, anotherKey, sharedLimits, repairs }: AttemptFailure): { step: FailoverStep; walk: Walk } {
  const tried = recordKey(walk.tried, target, keyId, error);
  const step = nextStep({
    failureClass: error.failureClass, code: error.code, scope: error.scope, anotherKey, sharedLimits,
    stripped: tried.stripped.has(target.target), repaired: repairs !== undefined, anotherTarget: walk.queue.length > 0,
  });
  if (step === 'resend-without-reasoning') return { step, walk: { ...walk, tried: recordStripped(tried, target) } };
  return { step, walk: { ...walk, tried: step === 'resend-repaired' && repairs !== undefined ? recordRepaired(tried, target, repairs) : tried } };
}

/** What runs beside the failed attempt is waited for; a hedge that is being admitted takes its place; else the next target is tried. */
function goOn(walk: Walk, { running, pending }: Beside, effects: ExchangeEffect[]): ExchangeStep {
  if (running.length > 0) return { state: { kind: 'attempting', walk, running, pending }, effects };
  if (pending !== undefined) return { state: { kind: 'acquiring', walk, attempt: { ...pending, role: walk.nextRole }, look: undefined }, effects };
  return tryNext(walk, effects);
}

/** The prompt was too long for a target, so it is too long for those whose context window is no larger. */
function dropTooSmallContexts(walk: Walk, failed: PlannedTarget, larger: readonly PlannedTarget[], effects: ExchangeEffect[]): Walk {
  let { tried } = walk;
  for (const target of walk.queue) {
    if (larger.includes(target)) continue;
    tried = recordUnfit(tried, target, true);
    effects.push({ type: 'exclude', target, reason: `its context window is no larger than that of ${failed.target}, for which the prompt is too long` });
  }
  return { ...walk, tried, queue: larger };
}

/** The caller gets a refusal as it is, unless the route wants the reader to be asked whether another model may answer. */
function afterRefusal(walk: Walk, target: PlannedTarget, error: WaybillError, effects: ExchangeEffect[]): ExchangeStep {
  const nextTarget = walk.queue[0];
  const failure = { error, target: target.target, raw: walk.lastRaw };
  if (error.failureClass !== 'content-policy' || nextTarget === undefined || !walk.terms.asksOnRefusal) return failWith(failure, effects);
  effects.push({ type: 'ask', message: `${error.message} Another model may answer it.`, accept: `Try ${nextTarget.target}`, decline: 'Keep the Refusal' });
  return { state: { kind: 'asking', walk, end: { kind: 'failed', failure } }, effects };
}

/** The answer broke in sight of the caller: another target resumes it or starts again where that can be done, or the caller gets an error. */
function afterVisibleFailure(walk: Walk, { target }: ExchangeAttempt, failure: AttemptFailure, { running, pending }: Beside, effects: ExchangeEffect[]): ExchangeStep {
  const { error, canRestart, canResume, atMs } = failure;
  // Of several that run, none but the one that broke may write.
  for (const other of running) effects.push({ type: 'give-up', number: other.number, why: 'slower' });
  const rest = withPendingBack(walk, pending, effects);
  if (isLastWord(error.failureClass) || (!canRestart && !canResume)) return failWith({ error, target: target.target }, effects);
  if (canResume) return tryNext({ ...rest, waitsSinceMs: atMs, nextRole: 'resume' }, [...effects, { type: 'resume' }]);
  return tryNext({ ...rest, waitsSinceMs: atMs, nextRole: 'restart', brokenBy: error.message }, effects);
}

/** A hedge that was never sent is given up: its target may still be tried. */
export function withPendingBack(walk: Walk, pending: ExchangeAttempt | undefined, effects: ExchangeEffect[]): Walk {
  if (pending === undefined) return walk;
  effects.push({ type: 'withdraw' });
  return { ...walk, queue: [pending.target, ...walk.queue] };
}
