import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { failureClasses, type FailureClass } from '../../../../server/api/failure.ts';
import type { AttemptRole, PlannedTarget } from '../../../../server/api/receipt.ts';
import type { Random } from '../../../../server/base/clock.ts';
import type { ExchangeAttempt, ExchangeEffect, ExchangeEvent, ExchangeState } from '../../../../server/exchange/machine/exchangeState.ts';
import { newExchange, pendingOf, runningOf, step } from '../../../../server/exchange/machine/machine.ts';
import { seededRandom } from '../../support/seededRandom.ts';
import { a, b, begun, brief, c, errorOf, failed, look, planned, ready, standing, startMs, targetNamed } from './machineFixtures.ts';

const targets = [a, b, c, targetNamed('d')];
const capped = { sentence: 'The cap is reached.', question: { message: 'More?', accept: 'Allow', decline: 'Stop', allowances: [], microUsd: 1 } };
const exchanges = 4000;
const eventsPerExchange = 60;

/** Chooses events: mostly those that the state waits for, sometimes any. */
class RandomEvents {
  readonly #random: Random;
  #atMs = startMs;

  constructor(random: Random) {
    this.#random = random;
  }

  next(state: ExchangeState): ExchangeEvent {
    this.#atMs += Math.floor(this.#random() * 50);
    if (this.#random() < 0.1) return this.#any();
    switch (state.kind) {
      case 'planning': return planned(this.#some(), { patienceMs: 2000, mayHedge: this.#chance(0.6), asksOnRefusal: this.#chance(0.5), hasReader: this.#chance(0.5) });
      case 'acquiring': return this.#admission();
      case 'attempting': return state.pending !== undefined && this.#chance(0.5) ? this.#admission() : this.#ofAttempt(this.#oneOf(state.running), state.walk.terms.mayHedge);
      case 'answering': return this.#ofAttempt(state.attempt, false);
      case 'looking': return this.#looked();
      case 'choosing': return { type: 'chosen', target: this.#chance(0.7) ? this.#oneOf(targets) : undefined };
      case 'waiting': return { type: 'wait-over' };
      case 'asking': return this.#chance(0.8) ? { type: 'reader-answered', proceed: this.#chance(0.6), atMs: this.#atMs } : { type: 'question-expired' };
      case 'ended': return this.#any();
    }
  }

  #any(): ExchangeEvent {
    const number = 1 + Math.floor(this.#random() * 5);
    return this.#oneOf<() => ExchangeEvent>([
      () => planned(this.#some()), () => this.#admission(), () => ({ type: 'hedge-due' }), () => ({ type: 'arrived', number }), () => ({ type: 'committed', number }),
      () => begun(number), () => ({ type: 'answered', number, refusal: this.#chance(0.5) }), () => this.#failure(number), () => this.#looked(),
      () => ({ type: 'chosen', target: this.#oneOf(targets) }), () => ({ type: 'wait-over' }), () => ({ type: 'reader-answered', proceed: true, atMs: this.#atMs }),
      () => ({ type: 'question-expired' }), () => ({ type: 'name-refused', failure: { error: errorOf('bad-request') } }),
      () => (this.#chance(0.2) ? this.#oneOf<ExchangeEvent>([{ type: 'cancelled' }, { type: 'interrupted' }, { type: 'crashed' }]) : { type: 'hedge-due' }),
    ])();
  }

  #admission(): ExchangeEvent {
    const kind = this.#random();
    if (kind < 0.8) return ready;
    if (kind < 0.97) return { type: 'excluded', reason: 'full', unfit: this.#chance(0.3), failure: this.#chance(0.2) ? errorOf('local') : undefined };
    return { type: 'unsendable', failure: { error: errorOf('bad-request') } };
  }

  #ofAttempt({ number }: ExchangeAttempt, mayHedge: boolean): ExchangeEvent {
    const kind = this.#random();
    if (mayHedge && kind < 0.25) return { type: 'hedge-due' };
    if (kind < 0.35) return { type: 'arrived', number };
    if (kind < 0.45) return { type: 'committed', number };
    if (kind < 0.55) return begun(number);
    return kind < 0.62 ? { type: 'answered', number, refusal: false } : this.#failure(number);
  }

  #failure(number: number): ExchangeEvent {
    const failureClass = this.#oneOf<FailureClass>(failureClasses);
    const code = failureClass === 'bad-request' && this.#chance(0.5) ? 'reasoning-rejected' : undefined;
    return failed(number, errorOf(failureClass, { ...(code === undefined ? {} : { code }), retryAfterMs: this.#chance(0.3) ? Math.floor(this.#random() * 500) : undefined }), {
      begun: this.#chance(0.3), cutShort: this.#chance(0.3), anotherKey: this.#chance(0.3), keyId: this.#oneOf(['one', 'two']), canRestart: this.#chance(0.6), canResume: this.#chance(0.3),
      largerContexts: failureClass === 'context-overflow' ? [] : undefined, atMs: this.#atMs,
    });
  }

  #looked(): ExchangeEvent {
    const now = 1_000_000 + this.#atMs;
    return { type: 'looked', look: look({ targets: this.#some(), coolingDown: this.#some().map(target => ({ target, retryAt: now + Math.floor(this.#random() * 4000) })), now, atMs: this.#atMs, capped: this.#chance(0.2) ? this.#chance(0.5) ? { ...capped, maySettle: true } : capped : undefined }) };
  }

  #some(): PlannedTarget[] {
    return targets.filter(() => this.#chance(0.5));
  }

  #oneOf<Value>(values: readonly Value[]): Value {
    return values[Math.floor(this.#random() * values.length)] as Value;
  }

  #chance(share: number): boolean {
    return this.#random() < share;
  }
}

/** Tracks what a driver sees, and checks what must hold. */
class ObservedExchange {
  readonly ended = new Map<number, number>();
  started: number[] = [];
  ends = 0;
  heads = 0;
  #running = new Map<number, AttemptRole | undefined>();
  #acquiring: ExchangeAttempt | undefined;
  #leader: number | undefined;

  /** The event, before its effects. @param before the state in which it came */
  meet(before: ExchangeState, event: ExchangeEvent): void {
    if ((event.type === 'answered' || event.type === 'failed') && runningOf(before).some(({ number }) => number === event.number)) this.#end(event.number);
    if (event.type === 'excluded' || event.type === 'unsendable') this.#acquiring = undefined;
  }

  carryOut(effect: ExchangeEffect): void {
    assert.equal(this.ends, 0, `${effect.type} after the end`);
    switch (effect.type) {
      case 'acquire':
        assert.equal(this.#acquiring, undefined, 'one permit is acquired at a time');
        assert.equal(effect.attempt.number, this.started.length + 1, 'attempts are numbered 1..n');
        this.#acquiring = effect.attempt;
        return;
      case 'withdraw':
        assert.ok(this.#acquiring !== undefined, 'a permit that is withdrawn is being acquired');
        this.#acquiring = undefined;
        return;
      case 'start': {
        const attempt = this.#acquiring;
        assert.ok(attempt !== undefined, 'an attempt that starts has its permit');
        assert.equal(this.#leader, undefined, 'no attempt starts beside an answer');
        this.#acquiring = undefined;
        this.started.push(attempt.number);
        this.#running.set(attempt.number, attempt.role);
        assert.ok(this.#running.size === 1 || (this.#running.size === 2 && attempt.role === 'hedge'), 'two attempts run only with a hedge');
        return;
      }
      case 'give-up': this.#end(effect.number); return;
      case 'lead':
        assert.equal(this.#leader, undefined, 'a second target leads only after the first one failed');
        assert.ok(this.#running.has(effect.attempt.number), 'an attempt that leads runs');
        this.#leader = effect.attempt.number;
        return;
      case 'begin':
        this.heads += 1;
        assert.ok(this.#leader !== undefined, 'the head belongs to the attempt that leads');
        return;
      case 'end':
        this.ends += 1;
        assert.deepEqual([...this.#running.keys()], [], 'each attempt is ended before the exchange is');
        assert.equal(this.#acquiring, undefined, 'no permit is acquired any more');
        return;
      default:
    }
  }

  /** The running and the leading attempts are those of the state. */
  agrees(state: ExchangeState): void {
    assert.deepEqual([...this.#running.keys()].sort(), runningOf(state).map(({ number }) => number).sort());
    assert.equal(this.#acquiring?.number, pendingOf(state)?.number);
    if (state.kind === 'answering') assert.equal(this.#running.size, 1, 'nothing runs beside an answer');
    assert.equal(this.#leader, state.kind === 'answering' ? state.attempt.number : undefined);
  }

  #end(number: number): void {
    assert.ok(this.#running.delete(number), `attempt ${number} runs`);
    this.ended.set(number, (this.ended.get(number) ?? 0) + 1);
    if (this.#leader === number) this.#leader = undefined;
  }
}

describe('the machine of an exchange, for any events in any order', () => {
  it('ends once, ends each attempt once, runs two only with a hedge, lets one target write, and does nothing after the end', () => {
    const reached = new Set<string>();
    for (let seed = 1; seed <= exchanges; seed += 1) {
      const events = new RandomEvents(seededRandom(seed));
      const observed = new ObservedExchange();
      let state: ExchangeState = newExchange;
      const story: string[] = [];
      const feed = (event: ExchangeEvent): void => {
        observed.meet(state, event);
        const next = step(state, event);
        story.push(`${event.type} -> ${standing(next.state)}: ${brief(next.effects).join(', ')}`);
        for (const effect of next.effects) observed.carryOut(effect);
        state = next.state;
        observed.agrees(state);
        reached.add(state.kind);
      };
      try {
        for (let count = 0; count < eventsPerExchange; count += 1) feed(events.next(state));
        feed({ type: 'cancelled' });
        assert.equal(state.kind, 'ended');
        assert.equal(observed.ends, 1, 'exactly one end');
        assert.deepEqual(observed.started, Array.from({ length: observed.started.length }, (_, index) => index + 1), 'attempts are numbered 1..n');
        assert.deepEqual([...observed.ended].filter(([, times]) => times !== 1), [], 'each attempt is ended once');
        assert.ok(observed.heads <= 1, 'one head');
        assert.equal(observed.ended.size, observed.started.length);
      } catch (error) {
        throw new Error(`seed ${seed}: ${(error as Error).message}\n${story.join('\n')}`, { cause: error });
      }
    }
    assert.deepEqual([...reached].sort(), ['acquiring', 'answering', 'asking', 'attempting', 'choosing', 'ended', 'looking', 'planning', 'waiting']);
  });

  it('ends by itself: there are no more attempts than targets, retries and keys allow', () => {
    for (let seed = 1; seed <= 500; seed += 1) {
      const random = seededRandom(seed);
      let state = step(newExchange, planned(targets)).state;
      let steps = 0;
      for (; state.kind !== 'ended' && steps < 200; steps += 1) {
        const atMs = startMs + steps * 20;
        const event: ExchangeEvent = state.kind === 'acquiring' ? ready
          : state.kind === 'attempting' ? failed(state.running[0]?.number ?? 0, random() < 0.5 ? 'server' : 'overloaded')
            : state.kind === 'looking' ? { type: 'looked', look: look({ targets, now: 1_000_000 + atMs, atMs }) }
              : state.kind === 'choosing' ? { type: 'chosen', target: undefined } : { type: 'wait-over' };
        state = step(state, event).state;
      }
      assert.equal(state.kind, 'ended', `after ${steps} steps`);
    }
  });
});
