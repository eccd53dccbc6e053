import type { AttemptRole, PlannedTarget } from '../../../../server/api/receipt.ts';
import type { FailureClass } from '../../../../server/api/failure.ts';
import { WaybillError, type FailureDetails } from '../../../../server/base/failure.ts';
import type { FailureCode } from '../../../../server/base/failureCodes.ts';
import type { AttemptFailure, ExchangeAttempt, ExchangeEffect, ExchangeEvent, ExchangeState, ExchangeTerms, Look, Walk } from '../../../../server/exchange/machine/exchangeState.ts';
import { newExchange, step } from '../../../../server/exchange/machine/machine.ts';
import { newWalk } from '../../../../server/exchange/machine/walk.ts';

export const terms: ExchangeTerms = { patienceMs: 1000, mayHedge: false, asksOnRefusal: false, hasReader: false };
export const hedging: ExchangeTerms = { ...terms, mayHedge: true };
export const asking: ExchangeTerms = { ...terms, asksOnRefusal: true };
/** The start time of every exchange of these tests. */
export const startMs = 5000;

export function targetNamed(name: string): PlannedTarget {
  return { target: `${name}/m`, endpoint: name, model: 'm', upstreamModel: `upstream-${name}` };
}
export const [a, b, c] = ['a', 'b', 'c'].map(targetNamed) as [PlannedTarget, PlannedTarget, PlannedTarget];

export function attempt(number: number, target: PlannedTarget, role?: AttemptRole): ExchangeAttempt {
  return { number, target, role };
}

/** A walk with these targets still to try. */
export function walk(queue: readonly PlannedTarget[], more: Partial<Walk> = {}): Walk {
  return { ...newWalk(terms, queue, startMs), ...more };
}

export function errorOf(failureClass: FailureClass, details: FailureDetails & { code?: FailureCode } = {}): WaybillError {
  return new WaybillError(details.code ?? 'connection-lost', failureClass, `It failed: ${failureClass}.`, details);
}

export function failure(error: WaybillError | FailureClass, more: Partial<AttemptFailure> = {}): AttemptFailure {
  return {
    error: typeof error === 'string' ? errorOf(error) : error, raw: undefined, begun: false, cutShort: false, keyId: 'key-1', anotherKey: false, sharedLimits: false,
    largerContexts: undefined, repairs: undefined, canRestart: false, canResume: false, atMs: startMs + 100, ...more,
  };
}

export function failed(number: number, error: WaybillError | FailureClass, more: Partial<AttemptFailure> = {}): ExchangeEvent {
  return { type: 'failed', number, failure: failure(error, more) };
}

export function look(more: Partial<Look> = {}): Look {
  return { targets: [], coolingDown: [], unfit: [], now: 1_000_000, atMs: startMs + 100, ...more };
}

export function planned(targets: readonly PlannedTarget[], more: ExchangeTerms = terms): ExchangeEvent {
  return { type: 'planned', targets, terms: more, atMs: startMs };
}

export const ready: ExchangeEvent = { type: 'ready' };

export function begun(number: number): ExchangeEvent {
  return { type: 'begun', number, headers: { 'x-request-id': '1' } };
}

/** Runs events one after the other from a new exchange. @returns the last state, and the effects of the last event */
export function run(...events: readonly ExchangeEvent[]): { state: ExchangeState; effects: readonly ExchangeEffect[] } {
  let result: ReturnType<typeof step> = { state: newExchange, effects: [] };
  for (const event of events) result = step(result.state, event);
  return result;
}

/** Effects in short form: their types, with the number or target they are about. */
export function brief(effects: readonly ExchangeEffect[]): string[] {
  return effects.map(effect => {
    switch (effect.type) {
      case 'acquire': return `acquire ${effect.attempt.number} ${effect.attempt.target.target}${effect.attempt.role === undefined ? '' : ` ${effect.attempt.role}`}`;
      case 'lead': return `lead ${effect.attempt.target.target}`;
      case 'exclude': case 'arm-hedge': return `${effect.type} ${effect.target.target}`;
      case 'begin': return `begin ${effect.target.target} after ${effect.attempts}`;
      case 'give-up': return `give-up ${effect.number} ${effect.why}`;
      case 'wait': return `wait ${effect.delayMs}${effect.backoff ? ' or backoff' : ''}`;
      case 'look': return effect.keepsPlan ? 'look' : 'look anew';
      case 'choose': return `choose ${effect.candidates.map(({ target }) => target.target).join(' ')}`;
      case 'end': return `end ${effect.end.kind}`;
      default: return effect.type;
    }
  });
}

/** A state in short form: its kind and its queue. */
export function standing(state: ExchangeState): string {
  const queue = 'walk' in state ? ` [${state.walk.queue.map(({ endpoint }) => endpoint).join(' ')}]` : '';
  switch (state.kind) {
    case 'acquiring': return `acquiring ${state.attempt.number}${state.look === undefined ? '' : ' as last resort'}${queue}`;
    case 'attempting': return `attempting ${state.running.map(({ number }) => number).join('+')}${state.pending === undefined ? '' : ` acquiring ${state.pending.number}`}${queue}`;
    case 'answering': return `answering ${state.attempt.number}${queue}`;
    case 'looking': return `looking ${state.why}${queue}`;
    case 'waiting': return `waiting ${state.next === undefined ? 'to look' : `for ${state.next.map(({ endpoint }) => endpoint).join(' ')}`}${queue}`;
    case 'choosing': case 'asking': return `${state.kind}${queue}`;
    case 'planning': case 'ended': return state.kind;
  }
}
