import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ExchangeEvent, ExchangeState } from '../../../../server/exchange/machine/exchangeState.ts';
import { newExchange, step, walkOf } from '../../../../server/exchange/machine/machine.ts';
import { nothingTried, recordFailure, recordUnfit } from '../../../../server/exchange/machine/triedTargets.ts';
import { a, asking, attempt, b, begun, brief, c, errorOf, failed, hedging, look, planned, ready, run, standing, startMs, walk } from './machineFixtures.ts';

type Case = readonly [sentence: string, state: ExchangeState, event: ExchangeEvent, becomes: string, effects: readonly string[]];

const first = attempt(1, a);
const refusal = { error: errorOf('content-policy'), target: a.target, raw: undefined };
const attempting = (queue = [b], more: Parameters<typeof walk>[1] = {}): ExchangeState => ({ kind: 'attempting', walk: walk(queue, { launched: 1, ...more }), running: [first], pending: undefined });
const hedged = (queue = [c]): ExchangeState => ({ kind: 'attempting', walk: walk(queue, { terms: hedging, launched: 2 }), running: [first, attempt(2, b, 'hedge')], pending: undefined });
const admittingHedge = (queue = [c]): ExchangeState => ({ kind: 'attempting', walk: walk(queue, { terms: hedging, launched: 1 }), running: [first], pending: attempt(2, b, 'hedge') });
const answering = (queue = [b], more: Parameters<typeof walk>[1] = {}): ExchangeState => ({ kind: 'answering', walk: walk(queue, { launched: 1, headSent: true, ...more }), attempt: first });
const acquiring = (queue = [b], more: Parameters<typeof walk>[1] = {}): ExchangeState => ({ kind: 'acquiring', walk: walk(queue, more), attempt: first, look: undefined });
const lastResort: ExchangeState = { kind: 'acquiring', walk: walk([]), attempt: attempt(1, a, 'last-resort'), look: look() };
const failedOnce = recordFailure(nothingTried, a, errorOf('server'), false);
const looking = (more: Parameters<typeof walk>[1] = {}): ExchangeState => ({ kind: 'looking', walk: walk([], { planned: [a, b], launched: 1, tried: failedOnce, ...more }), why: 'exhausted' });
const waiting: ExchangeState = { kind: 'waiting', walk: walk([]), next: [a] };
const question: ExchangeState = { kind: 'asking', walk: walk([b], { terms: asking, launched: 1 }), end: { kind: 'failed', failure: refusal } };
const capped = { sentence: 'The cap is reached.', question: { message: 'More?', accept: 'Allow $1 More', decline: 'Stop', allowances: [], microUsd: 1_000_000 } };
const reading = { ...asking, asksOnRefusal: false, hasReader: true };
const capQuestion: ExchangeState = { kind: 'asking', walk: walk([], { terms: reading }), end: { kind: 'exhausted', look: look({ capped }), tried: nothingTried, raw: undefined }, question: capped.question };
const choosing: ExchangeState = { kind: 'choosing', walk: walk([]), look: look(), candidates: [] };

const cases: Record<string, readonly Case[]> = {
  'the plan': [
    ['the first target of a plan is tried', newExchange, planned([a, b]), 'acquiring 1 [b]', ['acquire 1 a/m']],
    ['a plan without targets leads to another look at all targets', newExchange, planned([]), 'looking exhausted []', ['look']],
    ['a name that cannot be looked up ends the exchange', newExchange, { type: 'name-refused', failure: refusal }, 'ended', ['end failed']],
    ['a second first plan changes nothing', attempting(), planned([c]), 'attempting 1 [b]', []],
  ],
  'a permit': [
    ['an attempt that is ready is sent', acquiring(), ready, 'attempting 1 [b]', ['start']],
    ['with a hedge allowed and a target left, the hedge is armed before the attempt is sent', acquiring([b], { terms: hedging }), ready, 'attempting 1 [b]', ['arm-hedge a/m', 'start']],
    ['with no target left no hedge is armed', acquiring([], { terms: hedging }), ready, 'attempting 1 []', ['start']],
    ['the reader is informed which target starts again', acquiring([], { brokenBy: 'It broke.' }), ready, 'attempting 1 []', ['announce-restart', 'start']],
    ['a refused target is left out with its reason, and the next one is tried', acquiring(), { type: 'excluded', reason: 'full' }, 'acquiring 1 []', ['exclude a/m', 'acquire 1 b/m']],
    ['after the last refusal all targets are looked at again', acquiring([]), { type: 'excluded', reason: 'full' }, 'looking exhausted []', ['exclude a/m', 'look']],
    ['after a refused last resort nothing is left', lastResort, { type: 'excluded', reason: 'full' }, 'ended', ['exclude a/m', 'end exhausted']],
    ['a request that cannot be sent anywhere ends the exchange', acquiring(), { type: 'unsendable', failure: refusal }, 'ended', ['end failed']],
    ['a caller that disconnects while a permit is acquired withdraws it', acquiring(), { type: 'cancelled' }, 'ended', ['withdraw', 'end cancelled']],
    ['a server that shuts down while a permit is acquired withdraws it', acquiring(), { type: 'interrupted' }, 'ended', ['withdraw', 'end interrupted']],
    ['a crash while a permit is acquired withdraws it', acquiring(), { type: 'crashed' }, 'ended', ['withdraw', 'end crashed']],
    ['a permit that no attempt waits for changes nothing', attempting(), ready, 'attempting 1 [b]', []],
    ['a refusal that no attempt waits for changes nothing', answering(), { type: 'excluded', reason: 'full' }, 'answering 1 [b]', []],
    ['an unsendable request that no attempt waits for changes nothing', answering(), { type: 'unsendable', failure: refusal }, 'answering 1 [b]', []],
  ],
  'a hedge': [
    ['the next target is asked beside a slow one', attempting([b, c], { terms: hedging }), { type: 'hedge-due' }, 'attempting 1 acquiring 2 [c]', ['acquire 2 b/m hedge']],
    ['no hedge goes to a target that waits until all before it are out', attempting([b, c], { terms: { ...hedging, noHedge: new Set(['b/m']) } }), { type: 'hedge-due' }, 'attempting 1 [b c]', []],
    ['without a target there is no hedge', attempting([], { terms: hedging }), { type: 'hedge-due' }, 'attempting 1 []', []],
    ['without an attempt left there is no hedge', attempting([b], { terms: hedging, attemptBound: 1 }), { type: 'hedge-due' }, 'attempting 1 [b]', []],
    ['a third attempt never runs beside two', hedged(), { type: 'hedge-due' }, 'attempting 1+2 [c]', []],
    ['a second hedge is not admitted beside one that is', admittingHedge(), { type: 'hedge-due' }, 'attempting 1 acquiring 2 [c]', []],
    ['an answer that has begun is not hedged', answering(), { type: 'hedge-due' }, 'answering 1 [b]', []],
    ['a hedge that is ready runs beside the first attempt, and arms no other', admittingHedge(), ready, 'attempting 1+2 [c]', ['start']],
    ['a hedge that is refused makes room for the next target', admittingHedge(), { type: 'excluded', reason: 'full' }, 'attempting 1 acquiring 2 []', ['exclude b/m', 'acquire 2 c/m hedge']],
    ['the last hedge that is refused leaves the first attempt alone', admittingHedge([]), { type: 'excluded', reason: 'full' }, 'attempting 1 []', ['exclude b/m']],
    ['a hedge that cannot be sent does not end the exchange', admittingHedge([]), { type: 'unsendable', failure: refusal }, 'attempting 1 []', []],
    ['the first content of the first target aborts the second, which may still take over', hedged(), { type: 'arrived', number: 1 }, 'attempting 1 [b c]', ['stop-hedge', 'give-up 2 slower']],
    ['the first content of the second target aborts the first', hedged(), { type: 'arrived', number: 2 }, 'attempting 2 [a c]', ['stop-hedge', 'give-up 1 slower']],
    ['the first content withdraws a hedge that is being admitted', admittingHedge(), { type: 'arrived', number: 1 }, 'attempting 1 [b c]', ['stop-hedge', 'withdraw']],
    ['the first content stops the hedge timer', attempting([b], { terms: hedging }), { type: 'arrived', number: 1 }, 'attempting 1 [b]', ['stop-hedge']],
    ['without hedging the first content changes nothing', attempting(), { type: 'arrived', number: 1 }, 'attempting 1 [b]', []],
    ['content of an attempt that does not run changes nothing', hedged(), { type: 'arrived', number: 7 }, 'attempting 1+2 [c]', []],
    ['the second target that commits leads, and the first is aborted', hedged(), { type: 'committed', number: 2 }, 'answering 2 [c]', ['lead b/m', 'stop-hedge', 'give-up 1 slower']],
    ['a target that begins withdraws a hedge that is being admitted', admittingHedge(), begun(1), 'answering 1 [b c]', ['lead a/m', 'stop-hedge', 'withdraw', 'begin a/m after 1']],
    ['a first attempt that fails leaves the hedge to answer', hedged(), failed(1, 'server'), 'attempting 2 [c]', []],
    ['a hedge that fails leaves the first attempt to answer', hedged(), failed(2, 'server'), 'attempting 1 [c]', []],
    ['a hedge that is refused by its provider does not decide', hedged(), failed(2, 'bad-request'), 'attempting 1 [c]', []],
    ['a first attempt whose request is wrong ends the hedge and the exchange', hedged(), failed(1, 'bad-request'), 'ended', ['give-up 2 cancelled', 'end failed']],
    ['a hedge that is being admitted takes the place of a first attempt that fails', admittingHedge(), failed(1, 'server'), 'acquiring 2 [c]', ['stop-hedge']],
    ['a wrong request withdraws a hedge that is being admitted', admittingHedge(), failed(1, 'bad-request'), 'ended', ['stop-hedge', 'withdraw', 'end failed']],
    ['a caller that disconnects ends both attempts', hedged(), { type: 'cancelled' }, 'ended', ['give-up 1 cancelled', 'give-up 2 cancelled', 'end cancelled']],
    ['a caller that disconnects ends the first attempt and withdraws the hedge', admittingHedge(), { type: 'cancelled' }, 'ended', ['give-up 1 cancelled', 'withdraw', 'end cancelled']],
  ],
  'an answer': [
    ['content that the caller can see makes the attempt lead', attempting(), { type: 'committed', number: 1 }, 'answering 1 [b]', ['lead a/m']],
    ['the head of the answer goes out before its first byte', answering([b], { headSent: false }), begun(1), 'answering 1 [b]', ['begin a/m after 1']],
    ['lifecycle events of the only target may begin the answer before there is content', attempting([]), begun(1), 'answering 1 []', ['lead a/m', 'begin a/m after 1']],
    ['the head of an answer goes out once', answering(), begun(1), 'answering 1 [b]', []],
    ['a second commit changes nothing', answering(), { type: 'committed', number: 1 }, 'answering 1 [b]', []],
    ['another attempt that begins beside the leading one changes nothing', answering(), begun(2), 'answering 1 [b]', []],
    ['a commit of an attempt that does not run changes nothing', attempting(), { type: 'committed', number: 3 }, 'attempting 1 [b]', []],
    ['content after the head changes nothing', answering(), { type: 'arrived', number: 1 }, 'answering 1 [b]', []],
    ['a complete answer ends the exchange', answering(), { type: 'answered', number: 1, refusal: false }, 'ended', ['end ok']],
    ['an answer ends the attempt that runs beside it', hedged(), { type: 'answered', number: 1, refusal: false }, 'ended', ['give-up 2 cancelled', 'end ok']],
    ['the end of an attempt that does not run changes nothing', answering(), { type: 'answered', number: 4, refusal: false }, 'answering 1 [b]', []],
    ['a caller that disconnects ends the attempt that answers', answering(), { type: 'cancelled' }, 'ended', ['give-up 1 cancelled', 'end cancelled']],
    ['a person who cancels ends the attempt that answers', answering(), { type: 'stopped' }, 'ended', ['give-up 1 cancelled', 'end stopped']],
    ['a server that shuts down ends the attempt that answers', answering(), { type: 'interrupted' }, 'ended', ['give-up 1 cancelled', 'end interrupted']],
    ['a crash ends the attempt that answers', answering(), { type: 'crashed' }, 'ended', ['give-up 1 cancelled', 'end crashed']],
  ],
  'a failure that the caller did not see': [
    ['the next target takes over', attempting(), failed(1, 'server'), 'acquiring 2 []', ['acquire 2 b/m']],
    ['without a target all are looked at again', attempting([]), failed(1, 'server'), 'looking exhausted []', ['look']],
    ['without an attempt left all targets are looked at again', attempting([b], { attemptBound: 1 }), failed(1, 'server'), 'looking exhausted [b]', ['look']],
    ['the hedge timer stops with the only attempt', attempting([b], { terms: hedging }), failed(1, 'server'), 'acquiring 2 []', ['stop-hedge', 'acquire 2 b/m']],
    ['another key of the same endpoint comes first', attempting(), failed(1, 'auth', { anotherKey: true }), 'acquiring 2 [b]', ['acquire 2 a/m']],
    ['without another key the next target comes', attempting(), failed(1, 'quota'), 'acquiring 2 []', ['acquire 2 b/m']],
    ['keys that share a limit wait behind another target', attempting(), failed(1, 'rate-limit', { anotherKey: true, sharedLimits: true }), 'acquiring 2 []', ['acquire 2 b/m']],
    ['keys that share a limit are tried where no target is left', attempting([]), failed(1, 'rate-limit', { anotherKey: true, sharedLimits: true }), 'acquiring 2 []', ['acquire 2 a/m']],
    ['a request of which a part is refused is sent once more without it', attempting(), failed(1, errorOf('bad-request'), { repairs: [{ kind: 'drop', name: 'seed' }] }), 'acquiring 2 [b]', ['acquire 2 a/m']],
    ['a request with foreign reasoning is sent once more without it', attempting(), failed(1, errorOf('bad-request', { code: 'reasoning-rejected' })), 'acquiring 2 [b]', ['acquire 2 a/m']],
    ['a wrong request is not sent to another target', attempting(), failed(1, 'bad-request'), 'ended', ['end failed']],
    ['a prompt that is too long goes to larger contexts only', attempting([b, c]), failed(1, 'context-overflow', { largerContexts: [c] }), 'acquiring 2 []', ['exclude b/m', 'acquire 2 c/m']],
    ['a refusal ends the exchange where the reader cannot be asked', attempting(), failed(1, 'content-policy'), 'ended', ['end failed']],
    ['a refusal asks the reader where the route wants it', attempting([b], { terms: asking }), failed(1, 'content-policy'), 'asking [b]', ['ask']],
    ['a refusal of the only target is not asked about', attempting([], { terms: asking }), failed(1, 'content-policy'), 'ended', ['end failed']],
    ['the failure of an attempt that does not run changes nothing', attempting(), failed(9, 'server'), 'attempting 1 [b]', []],
    ['the failure of an attempt that leads and has begun nothing is still unseen', answering([b], { headSent: false }), failed(1, 'server'), 'acquiring 2 []', ['acquire 2 b/m']],
  ],
  'an answer that breaks in sight of the caller': [
    ['the answer ends with an error when it cannot be taken back', answering(), failed(1, 'network', { begun: true }), 'ended', ['end failed']],
    ['the next target resumes the answer where that is possible', answering(), failed(1, 'network', { begun: true, canResume: true, canRestart: true }), 'acquiring 2 []', ['resume', 'acquire 2 b/m resume']],
    ['the answer starts again at the next target in sight of the reader', answering(), failed(1, 'network', { begun: true, canRestart: true }), 'acquiring 2 []', ['acquire 2 b/m restart']],
    ['an answer with a final failure is not started again', answering(), failed(1, 'content-policy', { begun: true, canRestart: true }), 'ended', ['end failed']],
    ['an attempt that runs beside the broken answer does not write', hedged(), failed(1, 'network', { begun: true }), 'ended', ['give-up 2 slower', 'end failed']],
    ['a hedge that is being admitted is withdrawn, and its target may start again', admittingHedge(), failed(1, 'network', { begun: true, canRestart: true }), 'acquiring 2 [c]', ['stop-hedge', 'withdraw', 'acquire 2 b/m restart']],
  ],
  'a question to the reader': [
    ['the answer yes tries the next target', question, { type: 'reader-answered', proceed: true, atMs: startMs + 60_000 }, 'acquiring 2 []', ['stop-wait', 'acquire 2 b/m']],
    ['the answer no ends the exchange with the refusal', question, { type: 'reader-answered', proceed: false, atMs: startMs + 60_000 }, 'ended', ['stop-wait', 'end failed']],
    ['a question that expires counts as no', question, { type: 'question-expired' }, 'ended', ['end failed']],
    ['a cap that keeps targets away is a question to a reader', looking({ tried: nothingTried, terms: reading }), { type: 'looked', look: look({ capped }) }, 'asking []', ['ask']],
    ['a cap that running attempts have used up is looked at again', looking({ tried: nothingTried }), { type: 'looked', look: look({ capped: { ...capped, maySettle: true } }) }, 'waiting to look []', ['wait 200']],
    ['a cap that running attempts have used up for ten seconds ends the exchange', looking({ tried: nothingTried }), { type: 'looked', look: look({ capped: { ...capped, maySettle: true }, atMs: 10_000 }) }, 'ended', ['end exhausted']],
    ['a cap that nobody can be asked about ends the exchange', looking({ tried: nothingTried }), { type: 'looked', look: look({ capped }) }, 'ended', ['end exhausted']],
    ['a cap without a question ends the exchange', looking({ tried: nothingTried, terms: reading }), { type: 'looked', look: look({ capped: { sentence: 'Reached.' } }) }, 'ended', ['end exhausted']],
    ['after a yes more may be spent, and all targets are looked at again', capQuestion, { type: 'reader-answered', proceed: true, atMs: startMs + 60_000 }, 'looking waited []', ['stop-wait', 'allow', 'look anew']],
    ['after a no the exchange ends with the cap', capQuestion, { type: 'reader-answered', proceed: false, atMs: startMs + 60_000 }, 'ended', ['stop-wait', 'end exhausted']],
    ['a caller that disconnects ends the question', question, { type: 'cancelled' }, 'ended', ['stop-wait', 'end cancelled']],
    ['an answer to no question changes nothing', attempting(), { type: 'reader-answered', proceed: true, atMs: startMs }, 'attempting 1 [b]', []],
    ['a question that expired elsewhere changes nothing', attempting(), { type: 'question-expired' }, 'attempting 1 [b]', []],
  ],
  'an empty queue': [
    ['a target that failed for a moment is tried once more after a backoff', looking(), { type: 'looked', look: look({ targets: [a, b] }) }, 'waiting for a []', ['wait 0 or backoff']],
    ['the provider of a failed target may ask for a longer wait', looking({ tried: recordFailure(nothingTried, a, errorOf('overloaded', { retryAfterMs: 700 }), false) }),
      { type: 'looked', look: look({ targets: [a] }) }, 'waiting for a []', ['wait 700 or backoff']],
    ['a wait beyond the patience of the caller is not begun', looking({ tried: recordFailure(nothingTried, a, errorOf('overloaded', { retryAfterMs: 901 }), false) }),
      { type: 'looked', look: look({ targets: [a] }) }, 'ended', ['end exhausted']],
    ['a target that a short timer ended is tried once more', looking({ tried: recordFailure(nothingTried, a, errorOf('timeout'), true) }),
      { type: 'looked', look: look({ targets: [a] }) }, 'waiting for a []', ['wait 0 or backoff']],
    ['a target that its full timer ended is not tried once more', looking({ tried: recordFailure(nothingTried, a, errorOf('timeout'), false) }),
      { type: 'looked', look: look({ targets: [a] }) }, 'ended', ['end exhausted']],
    ['a target that has become available is tried', looking({ tried: nothingTried }), { type: 'looked', look: look({ targets: [b] }) }, 'waiting for b []', ['wait 20']],
    ['a target that has become available is tried again once a wait is over', looking({ planned: [], waited: true }), { type: 'looked', look: look({ targets: [a] }) }, 'waiting for a []', ['wait 20']],
    ['the soonest cooldown is waited for', looking(), { type: 'looked', look: look({ coolingDown: [{ target: b, retryAt: 1_000_400 }] }) }, 'waiting to look []', ['wait 400']],
    ['a cooldown that is over is waited for briefly', looking(), { type: 'looked', look: look({ coolingDown: [{ target: b, retryAt: 1_000_000 }] }) }, 'waiting to look []', ['wait 20']],
    ['a cooldown beyond the patience of the caller makes a last resort', looking(), { type: 'looked', look: look({ coolingDown: [{ target: b, retryAt: 1_000_901 }] }) }, 'choosing []', ['choose b/m']],
    ['an unfit target is neither waited for nor a last resort', looking({ tried: recordUnfit(nothingTried, b, false) }),
      { type: 'looked', look: look({ coolingDown: [{ target: b, retryAt: 1_000_400 }] }) }, 'ended', ['end exhausted']],
    ['the patience that is left counts from the last answer', looking({ waitsSinceMs: startMs - 600 }), { type: 'looked', look: look({ coolingDown: [{ target: b, retryAt: 1_000_400 }] }) }, 'choosing []', ['choose b/m']],
    ['an exchange without a target to try ends', looking(), { type: 'looked', look: look() }, 'ended', ['end exhausted']],
    ['an exchange without an attempt left ends', looking({ attemptBound: 1 }), { type: 'looked', look: look({ targets: [a, b] }) }, 'ended', ['end exhausted']],
    ['a look that was not requested changes nothing', attempting(), { type: 'looked', look: look({ targets: [a, b] }) }, 'attempting 1 [b]', []],
    ['a caller that disconnects ends a look', looking(), { type: 'cancelled' }, 'ended', ['end cancelled']],
  ],
  'a wait': [
    ['the target that was waited for is tried', waiting, { type: 'wait-over' }, 'acquiring 1 []', ['acquire 1 a/m']],
    ['after a cooldown all targets are looked at again', { kind: 'waiting', walk: walk([]), next: undefined }, { type: 'wait-over' }, 'looking waited []', ['look anew']],
    ['targets that are worth the wait are tried in their order', { kind: 'looking', walk: walk([], { tried: recordFailure(nothingTried, a, errorOf('auth'), false) }), why: 'waited' },
      { type: 'looked', look: look({ targets: [a, b, c] }) }, 'acquiring 1 [c]', ['acquire 1 b/m']],
    ['a caller that disconnects ends the wait', waiting, { type: 'cancelled' }, 'ended', ['stop-wait', 'end cancelled']],
    ['a server that shuts down ends the wait', waiting, { type: 'interrupted' }, 'ended', ['stop-wait', 'end interrupted']],
    ['the end of a wait that does not run changes nothing', attempting(), { type: 'wait-over' }, 'attempting 1 [b]', []],
  ],
  'a last resort': [
    ['the best unavailable target is tried', choosing, { type: 'chosen', target: b }, 'acquiring 1 as last resort []', ['acquire 1 b/m last-resort']],
    ['no target to choose ends the exchange', choosing, { type: 'chosen', target: undefined }, 'ended', ['end exhausted']],
    ['a choice that was not requested changes nothing', attempting(), { type: 'chosen', target: b }, 'attempting 1 [b]', []],
    ['a last resort is sent like any other attempt', lastResort, ready, 'attempting 1 []', ['start']],
    ['a request that cannot be sent to the last resort ends the exchange', lastResort, { type: 'unsendable', failure: refusal }, 'ended', ['end failed']],
    ['the next key of a last resort is a last resort too', { kind: 'attempting', walk: walk([], { launched: 1 }), running: [attempt(1, a, 'last-resort')], pending: undefined },
      failed(1, 'auth', { anotherKey: true }), 'acquiring 2 []', ['acquire 2 a/m last-resort']],
  ],
};

describe('the machine of an exchange', () => {
  for (const [about, rows] of Object.entries(cases)) {
    describe(about, () => {
      for (const [sentence, state, event, becomes, effects] of rows) {
        it(sentence, () => {
          const next = step(state, event);
          assert.deepEqual([standing(next.state), brief(next.effects)], [becomes, effects]);
          if (sentence.endsWith('changes nothing')) assert.equal(next.state, state, 'the same state object');
        });
      }
    });
  }

  it('does nothing after the end, whatever happens', () => {
    const { state } = run(planned([a]), { type: 'cancelled' });
    for (const rows of Object.values(cases)) {
      for (const [, , event] of rows) assert.deepEqual(step(state, event), { state, effects: [] }, event.type);
    }
  });

  it('has a case for each event in each state that handles it', () => {
    const met = new Set(Object.values(cases).flat().map(([, state, event]) => `${state.kind}: ${event.type}`));
    const meaningful: Record<Exclude<ExchangeState['kind'], 'ended'>, readonly ExchangeEvent['type'][]> = {
      planning: ['planned', 'name-refused'],
      acquiring: ['ready', 'excluded', 'unsendable', 'cancelled', 'interrupted', 'crashed'],
      attempting: ['ready', 'excluded', 'unsendable', 'hedge-due', 'arrived', 'committed', 'begun', 'answered', 'failed', 'cancelled'],
      answering: ['begun', 'answered', 'failed', 'cancelled', 'interrupted', 'crashed'],
      looking: ['looked', 'cancelled'],
      choosing: ['chosen'],
      waiting: ['wait-over', 'cancelled', 'interrupted'],
      asking: ['reader-answered', 'question-expired', 'cancelled'],
    };
    const missing = Object.entries(meaningful).flatMap(([state, events]) => events.map(event => `${state}: ${event}`)).filter(pair => !met.has(pair));
    assert.deepEqual(missing, []);
  });
});

describe('what an exchange remembers', () => {
  it('a failed hedge leaves the role of the next attempt alone, and the role is kept until an attempt is sent', () => {
    const { state } = run(planned([a, b, c]), ready, begun(1), failed(1, 'network', { begun: true, canRestart: true }), { type: 'excluded', reason: 'full' });
    assert.ok(state.kind === 'acquiring');
    assert.deepEqual([state.attempt.target, state.attempt.role], [c, 'restart']);
    assert.equal(walkOf(step(state, ready).state).nextRole, undefined);
  });

  it('a restart that fails unseen is a restart at the next target too, and the reader is informed of the break once', () => {
    const restarted = run(planned([a, b, c]), ready, begun(1), failed(1, 'network', { begun: true, canRestart: true }), ready);
    assert.deepEqual(restarted.effects, [{ type: 'announce-restart', message: 'It failed: network. Starting again with b/m.' }, { type: 'start' }]);
    const again = step(restarted.state, failed(2, 'server'));
    assert.deepEqual(brief(again.effects), ['acquire 3 c/m restart']);
    assert.deepEqual(brief(step(again.state, ready).effects), ['start']);
  });

  it('the head of an answer that starts again is not sent twice', () => {
    const { effects } = run(planned([a, b]), ready, begun(1), failed(1, 'network', { begun: true, canRestart: true }), ready, begun(2));
    assert.deepEqual(brief(effects), ['lead b/m']);
  });

  it('reasoning of another provider is taken out once, and a second rejection is final', () => {
    const rejected = errorOf('bad-request', { code: 'reasoning-rejected' });
    const stripped = run(planned([a, b]), ready, failed(1, rejected), ready);
    assert.ok(walkOf(stripped.state).tried.stripped.has(a.target));
    assert.deepEqual(brief(step(stripped.state, failed(2, rejected)).effects), ['end failed']);
  });

  it('each exhausted key allows one more attempt, and is not used again until a wait is over', () => {
    const { state } = run(planned([a]), ready, failed(1, 'rate-limit', { anotherKey: true, keyId: 'one' }), ready, failed(2, 'rate-limit', { keyId: 'two' }));
    const { tried, attemptBound } = walkOf(state);
    assert.deepEqual([...tried.keys.get('a') ?? []], ['one', 'two']);
    assert.equal(attemptBound, 14);
    const waited = step(step(state, { type: 'looked', look: look({ coolingDown: [{ target: a, retryAt: 1_000_100 }] }) }).state, { type: 'wait-over' });
    assert.equal(walkOf(waited.state).tried.keys.size, 0);
  });

  it('a target is retried once, and not twice', () => {
    const once = run(planned([a]), ready, failed(1, 'server'), { type: 'looked', look: look({ targets: [a] }) }, { type: 'wait-over' }, ready, failed(2, 'server'));
    assert.deepEqual(brief(step(once.state, { type: 'looked', look: look({ targets: [a] }) }).effects), ['end exhausted']);
  });

  it('a target whose admission failed is retried once, is not waited for, and is no last resort', () => {
    const refused: ExchangeEvent = { type: 'excluded', reason: 'no answer', failure: errorOf('local') };
    const again = run(planned([a]), refused, { type: 'looked', look: look({ targets: [a] }) });
    assert.equal(standing(again.state), 'waiting for a []');
    const { effects } = run(planned([a]), refused, { type: 'looked', look: look({ targets: [a] }) }, { type: 'wait-over' }, refused, { type: 'looked', look: look({ targets: [a] }) });
    assert.deepEqual(brief(effects), ['end exhausted']);
  });

  it('a target that no translation exists for is unfit, and the error says so', () => {
    const { effects } = run(planned([a]), { type: 'excluded', reason: 'it has no tools', unfit: true }, { type: 'looked', look: look({ targets: [a] }) });
    const [end] = effects;
    assert.ok(end?.type === 'end' && end.end.kind === 'exhausted');
    assert.deepEqual(end.end.tried.unfit, [{ target: a.target, tooLong: false }]);
  });

  it('the time in which the reader decides is not counted against the patience of the caller', () => {
    const { state } = run(planned([a, b], asking), ready, failed(1, 'content-policy'), { type: 'reader-answered', proceed: true, atMs: startMs + 60_000 });
    assert.equal(walkOf(state).waitsSinceMs, startMs + 60_000);
  });

  it('a hedge that takes the place of a restart is the restart', () => {
    const hedgedRestart: ExchangeState = {
      kind: 'attempting', walk: walk([], { terms: hedging, launched: 2 }), running: [attempt(2, b, 'restart')], pending: attempt(3, c, 'hedge'),
    };
    const { state } = step(hedgedRestart, failed(2, 'server'));
    assert.ok(state.kind === 'acquiring');
    assert.deepEqual(state.attempt, attempt(3, c, 'restart'));
  });

  it('an exchange without a plan has no attempts', () => {
    assert.throws(() => walkOf(newExchange), /planning has no attempts/);
  });
});
