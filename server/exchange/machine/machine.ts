import { liftedMicroUsd } from '../../api/budgets/budgetStatus.ts';
import type { PlannedTarget } from '../../api/receipt.ts';
import { afterChoice, afterExhaustion, afterRefusedChoice, afterWaitedLook } from './afterExhaustion.ts';
import { afterFailure, withPendingBack } from './afterFailure.ts';
import type { ExchangeAttempt, ExchangeEffect, ExchangeEvent, ExchangeState, ExchangeStep, Walk } from './exchangeState.ts';
import { forgetKeys, recordFailure, recordUnfit } from './triedTargets.ts';
import { endWith, failWith, hasNext, newWalk, tryNext } from './walk.ts';

type StateOf<Kind extends ExchangeState['kind']> = Extract<ExchangeState, { kind: Kind }>;
type EventOf<Type extends ExchangeEvent['type']> = Extract<ExchangeEvent, { type: Type }>;

const nothing: readonly ExchangeEffect[] = [];

/** An exchange that waits for its first plan. */
export const newExchange: ExchangeState = { kind: 'planning' };

/**
 * The state after an event, and what is to be done. It reads no clock, chance or service: time and facts come in with the
 * event. An event that means nothing in a state changes nothing, so late answers do no harm. Chunks of an answer are no
 * events: they pass from the leading attempt to the sink.
 */
export function step(state: ExchangeState, event: ExchangeEvent): ExchangeStep {
  if (state.kind === 'ended') return same(state);
  switch (event.type) {
    case 'cancelled': return endWith({ kind: 'cancelled' }, givingUpAll(state));
    case 'stopped': return endWith({ kind: 'stopped' }, givingUpAll(state));
    case 'interrupted': return endWith({ kind: 'interrupted' }, givingUpAll(state));
    case 'crashed': return endWith({ kind: 'crashed' }, givingUpAll(state));
    case 'replayed': return endWith({ kind: 'ok', refusal: event.refusal }, givingUpAll(state));
    case 'replay-failed': return failWith(event.failure, givingUpAll(state));
    case 'name-refused': return state.kind === 'planning' ? failWith(event.failure) : same(state);
    case 'planned': return state.kind === 'planning' ? tryNext(newWalk(event.terms, event.targets, event.atMs)) : same(state);
    case 'ready': return ready(state);
    case 'excluded': return excluded(state, event);
    case 'unsendable': return unsendable(state, event);
    case 'hedge-due': return state.kind === 'attempting' && state.running.length === 1 && state.pending === undefined ? tryHedge(state, nothing) : same(state);
    case 'arrived': return arrived(state, event.number);
    case 'committed': return lead(state, event.number);
    case 'begun': return begun(state, event);
    case 'answered': return answered(state, event);
    case 'failed': return failed(state, event);
    case 'looked':
      if (state.kind !== 'looking') return same(state);
      return state.why === 'exhausted' ? afterExhaustion(state.walk, event.look) : afterWaitedLook(state.walk, event.look);
    case 'chosen': return state.kind === 'choosing' ? afterChoice(state, event.target) : same(state);
    case 'wait-over': return state.kind === 'waiting' ? waitOver(state) : same(state);
    case 'reader-answered': return state.kind === 'asking' ? readerAnswered(state, event) : same(state);
    case 'question-expired': return state.kind === 'asking' ? endWith(state.end) : same(state);
  }
}

/** Attempts that are under way, one or two. */
export function runningOf(state: ExchangeState): readonly ExchangeAttempt[] {
  switch (state.kind) {
    case 'attempting': return state.running;
    case 'answering': return [state.attempt];
    default: return [];
  }
}

/** The attempt whose permit is being acquired. */
export function pendingOf(state: ExchangeState): ExchangeAttempt | undefined {
  switch (state.kind) {
    case 'acquiring': return state.attempt;
    case 'attempting': return state.pending;
    default: return undefined;
  }
}

/** What a state between the first plan and the end carries on. @throws Error in the two others, which have no attempts */
export function walkOf(state: ExchangeState): Walk {
  if (state.kind === 'planning' || state.kind === 'ended') throw new Error(`an exchange that is ${state.kind} has no attempts`);
  return state.walk;
}

function same(state: ExchangeState): ExchangeStep {
  return { state, effects: nothing };
}

/** Ends what runs, waits or is being admitted, without blaming a provider. */
function givingUpAll(state: ExchangeState): ExchangeEffect[] {
  const effects: ExchangeEffect[] = runningOf(state).map(({ number }) => ({ type: 'give-up', number, why: 'cancelled' }));
  if (pendingOf(state) !== undefined) effects.push({ type: 'withdraw' });
  if (state.kind === 'waiting' || state.kind === 'asking') effects.push({ type: 'stop-wait' });
  return effects;
}

function ready(state: ExchangeState): ExchangeStep {
  const attempt = pendingOf(state);
  if (attempt === undefined || (state.kind !== 'acquiring' && state.kind !== 'attempting')) return same(state);
  const { walk } = state;
  const effects: ExchangeEffect[] = [];
  // The reader learns which target starts the answer again.
  if (walk.brokenBy !== undefined) effects.push({ type: 'announce-restart', message: `${walk.brokenBy} Starting again with ${attempt.target.target}.` });
  if (walk.terms.mayHedge && attempt.role !== 'hedge' && hedgeOf(walk) !== undefined) effects.push({ type: 'arm-hedge', target: attempt.target });
  effects.push({ type: 'start' });
  return {
    state: {
      kind: 'attempting', pending: undefined, running: state.kind === 'attempting' ? [...state.running, attempt] : [attempt],
      walk: { ...walk, launched: attempt.number, waited: false, nextRole: undefined, brokenBy: undefined },
    },
    effects,
  };
}

function excluded(state: ExchangeState, { reason, unfit, failure }: EventOf<'excluded'>): ExchangeStep {
  const attempt = pendingOf(state);
  if (attempt === undefined || (state.kind !== 'acquiring' && state.kind !== 'attempting')) return same(state);
  const { target } = attempt;
  let { tried } = state.walk;
  if (unfit === true) tried = recordUnfit(tried, target, false);
  if (failure !== undefined) tried = recordFailure(tried, target, failure, false);
  const walk: Walk = { ...state.walk, tried };
  const effects: ExchangeEffect[] = [{ type: 'exclude', target, reason }];
  if (state.kind === 'attempting') return tryHedge({ ...state, walk }, effects);
  if (state.look === undefined) return tryNext(walk, effects);
  const next = afterRefusedChoice(walk, state.look, state.others);
  return { state: next.state, effects: [...effects, ...next.effects] };
}

function unsendable(state: ExchangeState, { failure }: EventOf<'unsendable'>): ExchangeStep {
  if (state.kind === 'acquiring') return failWith(failure);
  // Beside a running attempt a hedge is only a second chance.
  return state.kind === 'attempting' && state.pending !== undefined ? tryHedge(state, nothing) : same(state);
}

/** The target that may be asked beside a running one: the next, unless it is for when all before it are out. */
function hedgeOf({ queue: [next], terms: { noHedge } }: Walk): PlannedTarget | undefined {
  return next === undefined || noHedge?.has(next.target) === true ? undefined : next;
}

/** The first target takes long to begin: the next one is asked beside it. */
function tryHedge({ walk, running }: StateOf<'attempting'>, first: readonly ExchangeEffect[]): ExchangeStep {
  const target = hedgeOf(walk);
  if (target === undefined || !hasNext(walk)) return { state: { kind: 'attempting', walk, running, pending: undefined }, effects: first };
  const attempt: ExchangeAttempt = { number: walk.launched + 1, target, role: 'hedge' };
  return {
    state: { kind: 'attempting', walk: { ...walk, queue: walk.queue.slice(1) }, running, pending: attempt },
    effects: [...first, { type: 'acquire', attempt }],
  };
}

/**
 * The first target produced content, so no second one is needed. Targets of attempts that are given up go back into the
 * queue: the first may still fail before the commit point.
 */
function arrived(state: ExchangeState, number: number): ExchangeStep {
  if (state.kind !== 'attempting' || !state.running.some(attempt => attempt.number === number)) return same(state);
  const { walk, running, pending } = state;
  if (!walk.terms.mayHedge) return same(state);
  const effects: ExchangeEffect[] = [{ type: 'stop-hedge' }];
  if (running.length === 1 && pending === undefined) return { state, effects };
  let next = withPendingBack(walk, pending, effects);
  for (const other of running) {
    if (other.number === number) continue;
    effects.push({ type: 'give-up', number: other.number, why: 'slower' });
    next = { ...next, queue: [other.target, ...next.queue] };
  }
  return { state: { kind: 'attempting', walk: next, running: running.filter(attempt => attempt.number === number), pending: undefined }, effects };
}

/** The caller gets this attempt's answer; what runs beside it is given up. */
function lead(state: ExchangeState, number: number): ExchangeStep {
  if (state.kind !== 'attempting') return same(state);
  const attempt = state.running.find(one => one.number === number);
  if (attempt === undefined) return same(state);
  const effects: ExchangeEffect[] = [{ type: 'lead', attempt }];
  if (state.walk.terms.mayHedge) effects.push({ type: 'stop-hedge' });
  for (const other of state.running) if (other !== attempt) effects.push({ type: 'give-up', number: other.number, why: 'slower' });
  return { state: { kind: 'answering', walk: withPendingBack(state.walk, state.pending, effects), attempt }, effects };
}

function begun(before: ExchangeState, { number, headers }: EventOf<'begun'>): ExchangeStep {
  const { state, effects } = lead(before, number);
  if (state.kind !== 'answering' || state.attempt.number !== number || state.walk.headSent) return { state, effects };
  const { walk, attempt } = state;
  return {
    state: { kind: 'answering', walk: { ...walk, headSent: true }, attempt },
    effects: [...effects, { type: 'begin', target: attempt.target, attempts: Math.max(attempt.number, walk.launched), headers }],
  };
}

function answered(state: ExchangeState, { number, refusal }: EventOf<'answered'>): ExchangeStep {
  // Nearly always the answer is that of the one attempt that leads.
  if (state.kind === 'answering' && state.attempt.number === number) return endWith({ kind: 'ok', refusal });
  const rest = withoutAttempt(state, number);
  return rest === undefined ? same(state) : endWith({ kind: 'ok', refusal }, givingUpAll(rest));
}

function failed(state: ExchangeState, { number, failure }: EventOf<'failed'>): ExchangeStep {
  const attempt = runningOf(state).find(one => one.number === number);
  const rest = withoutAttempt(state, number);
  return attempt === undefined || rest === undefined ? same(state) : afterFailure(rest.walk, attempt, failure, rest);
}

/** The state without an attempt that has ended by itself; undefined where it does not run. */
function withoutAttempt(state: ExchangeState, number: number): StateOf<'attempting'> | undefined {
  const running = runningOf(state);
  if ((state.kind !== 'attempting' && state.kind !== 'answering') || !running.some(attempt => attempt.number === number)) return undefined;
  return { kind: 'attempting', walk: state.walk, running: running.filter(attempt => attempt.number !== number), pending: pendingOf(state) };
}

function waitOver({ walk, next }: StateOf<'waiting'>): ExchangeStep {
  const waited: Walk = { ...walk, tried: forgetKeys(walk.tried), waited: true };
  if (next !== undefined) return tryNext({ ...waited, queue: next });
  return { state: { kind: 'looking', walk: waited, why: 'waited' }, effects: [{ type: 'look', keepsPlan: false }] };
}

/** The time in which the reader thought is not counted against the caller's patience. */
function readerAnswered({ walk, end, question }: StateOf<'asking'>, { proceed, instead, atMs }: EventOf<'reader-answered'>): ExchangeStep {
  const effects: ExchangeEffect[] = [{ type: 'stop-wait' }];
  if (!proceed) return endWith(end, effects);
  const waited: Walk = { ...walk, waitsSinceMs: atMs };
  if (question === undefined) return tryNext(waited, effects);
  return { state: { kind: 'looking', walk: waited, why: 'waited' }, effects: [...effects, { type: 'allow', question, microUsd: instead === true ? liftedMicroUsd : question.microUsd }, { type: 'look', keepsPlan: false }] };
}
