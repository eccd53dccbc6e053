import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { failureClassWords } from '../../../server/api/condition.ts';
import type { FailureClass } from '../../../server/api/failure.ts';
import type { Attempt, Plan, Receipt } from '../../../server/api/receipt.ts';
import { routeStrategies } from '../../../server/api/settings.ts';
import { whyBrief, whyText } from '../../../server/api/routes/why.ts';

const planned = (...names: string[]): Plan['targets'] => names.map(target => ({ target, endpoint: target.split('/')[0] ?? '', model: 'm', upstreamModel: 'm' }));

const routePlan: Plan = { requestedModel: 'best', kind: 'route', route: 'best', strategy: 'priority', targets: planned('a/m', 'b/m'), excluded: [] };

function attempt(target: string, changes: Partial<Attempt> = {}): Attempt {
  return {
    number: 1, target, endpoint: target.split('/')[0] ?? '', model: 'm', upstreamModel: 'm', protocol: 'openai-chat', startedAt: 0, totalMs: 10, outcome: 'ok', usage: {}, usageEstimated: false, cost: { certainty: 'unknown' }, ...changes,
  };
}

function failed(target: string, failureClass: FailureClass, changes: Partial<Attempt> = {}): Attempt {
  return attempt(target, { outcome: 'failed', failureClass, ...changes });
}

function why(plan: Partial<Plan>, attempts: Attempt[], changes: Partial<Receipt> = {}): string {
  const answered = attempts.findLast(({ outcome }) => outcome === 'ok')?.target;
  return whyText({
    id: 'x', inbound: 'http', protocol: 'openai-chat', stream: true, caller: { tool: 'http' }, startedAt: 0, totalMs: 10, outcome: answered === undefined ? 'failed' : 'ok',
    ...(answered === undefined ? {} : { target: answered }), plan: { ...routePlan, ...plan }, attempts, usage: {}, cost: { certainty: 'unknown' }, ...changes,
  });
}

describe('why a request went where it went, in short', () => {
  const brief = (plan: Partial<Plan>, attempts: Attempt[], changes: Partial<Receipt> = {}): string => {
    const answered = attempts.findLast(({ outcome }) => outcome === 'ok')?.target;
    return whyBrief({
      id: 'x', inbound: 'http', protocol: 'openai-chat', stream: true, caller: { tool: 'http' }, startedAt: 0, totalMs: 10, outcome: answered === undefined ? 'failed' : 'ok',
      ...(answered === undefined ? {} : { target: answered }), plan: { ...routePlan, ...plan }, attempts, usage: {}, cost: { certainty: 'unknown' }, ...changes,
    });
  };

  it('is the outcome with the most telling reason alone', () => {
    assert.equal(brief({}, [attempt('a/m')]), 'a/m answered: a/m is the first of the route best that can serve it.');
    const excluded = [{ target: 'c/m', reason: 'its key was rejected' }];
    assert.equal(brief({ excluded }, [failed('a/m', 'rate-limit', { status: 429 }), attempt('b/m')]), 'b/m answered: a/m (rate limited, 429) failed.');
    assert.equal(brief({ why: 'weighted: drawn with 70 %', cache: { conversation: 'c', estimatedTokens: 50_000, turn: 'switches', why: 'left b/m with 48k cached tokens' } }, [attempt('a/m')]), 'a/m answered: of its prompt cache: left b/m with 48k cached tokens.');
    assert.equal(brief({ targets: [], excluded }, []), 'It was sent to no provider: left out was c/m (its key was rejected).');
  });

  it('fits into a notification whatever the names and reasons are', () => {
    const long = 'x'.repeat(300);
    for (const text of [brief({ why: long }, [attempt('a/m')]), brief({ targets: [], excluded: [{ target: 'c/m', reason: long }] }, []), brief({ strategy: 'none', targets: [] }, [], { message: `${long}\nmore` })]) {
      assert.ok(text.length < 200 && text.endsWith('…') && !text.includes('\n'), text);
    }
  });
});

describe('why a request went where it went', () => {
  it('is its name: a route, a model or a target', () => {
    assert.equal(why({}, [attempt('a/m')]), 'a/m answered: a/m is the first of the route best that can serve it.');
    assert.equal(why({ kind: 'model', requestedModel: 'm', route: undefined }, [attempt('a/m')]), 'a/m answered: m was asked for, and a/m is the first of its providers by priority.');
    assert.equal(why({ kind: 'target', requestedModel: 'a/m', targets: planned('a/m'), route: undefined }, [attempt('a/m')]), 'a/m answered: exactly a/m was asked for.');
  });

  it('is the strategy of the route, in its own words', () => {
    for (const strategy of Object.keys(routeStrategies)) {
      assert.equal(why({ strategy, why: `${strategy}: it is so` }, [attempt('a/m')]), `a/m answered: the route best puts a/m first (${strategy}: it is so).`);
    }
  });

  it('is what the request is for', () => {
    const purpose = { role: 'subagent', kind: 'balanced', why: 'its header names a subagent' } as const;
    assert.equal(why({ purpose: { ...purpose, entry: 'byRole.subagent', first: 'cheap' } }, [attempt('a/m')]), 'a/m answered: the route best sends requests of the role subagent to cheap first, because its header names a subagent.');
    assert.match(why({ purpose: { ...purpose, entry: 'byKind.low-cost', first: 'cheap' }, why: 'sticky: this conversation belongs to a/m' }, [attempt('a/m')]), /sends low-cost work to cheap first, because its header names a subagent \(sticky: this conversation belongs to a\/m\)\.$/);
    assert.equal(why({ purpose }, [attempt('a/m')]), why({}, [attempt('a/m')]), 'a purpose that no entry holds for has no part in it');
  });

  it('is the prompt cache of its conversation: stayed, left, returned, gone', () => {
    const cache = { conversation: 'c', estimatedTokens: 50_000 } as const;
    const stayed = 'stayed at a/m: 48k cached tokens, leaving for b/m costs $0.14 and never pays back';
    assert.equal(why({ why: stayed, cache: { ...cache, turn: 'stays', why: stayed } }, [attempt('a/m')]), `a/m answered: the route best puts a/m first (${stayed}).`, 'what put it first is said once');
    assert.equal(why({ kind: 'model', requestedModel: 'm', route: undefined, why: stayed, cache: { ...cache, turn: 'stays', why: stayed } }, [attempt('a/m')]), `a/m answered: m was asked for, and a/m comes first (${stayed}).`);
    for (const [turn, said] of [
      ['switches', 'left b/m with 48k cached tokens: that costs $0.0100 and pays back after 3 turns'], ['switches', 'left b/m, which cannot serve this request now, with 48k cached tokens'],
      ['returns', 'returned to a/m: 48k cached tokens are still there'], ['switches', 'the cache at b/m (48k tokens) has gone cold'],
    ] as const) {
      assert.equal(why({ why: 'round-robin: it is the turn of a/m', cache: { ...cache, turn, why: said } }, [attempt('a/m')]), `a/m answered: the route best puts a/m first (round-robin: it is the turn of a/m); of its prompt cache: ${said}.`);
    }
    assert.equal(why({ cache: { ...cache, turn: 'first' } }, [attempt('a/m')]), why({}, [attempt('a/m')]), 'a cache that had no part in it is not spoken of');
  });

  it('is an answer of the response cache, kept or shared', () => {
    const kept = (state: NonNullable<Receipt['cache']>['state']): string => why({}, [], { outcome: 'ok', target: 'a/m', cache: { state, of: 'y' } });
    assert.equal(kept('hit'), 'An answer of a/m was kept by the response cache and given again: a/m is the first of the route best that can serve it.');
    assert.equal(kept('shared'), 'It shared the call of an equal request, which a/m answered: a/m is the first of the route best that can serve it.');
    for (const state of ['miss', 'refresh', 'bypass'] as const) assert.equal(why({}, [attempt('a/m')], { cache: { state } }), why({}, [attempt('a/m')]), 'a cache that did not answer says nothing of where it went');
    assert.match(why({}, [failed('a/m', 'server')], { outcome: 'ok', target: 'b/m', cache: { state: 'hit' } }), /^An answer of b\/m was kept by the response cache and given again: .*; a\/m \(server error\) failed\.$/);
    assert.match(why({}, [], { outcome: 'failed', cache: { state: 'shared' }, message: 'The answer broke off.' }), /^It was sent to no provider/);
  });

  it('is a tier or a declared equivalent', () => {
    const standIns = [{ target: 'b/m', why: 'backup' }, { target: 'c/x', why: "x stands in for the route's models" }, { target: 'd/m', why: 'last resort' }];
    const targets = planned('a/m', 'b/m', 'c/x', 'd/m');
    const all = [failed('a/m', 'server'), failed('b/m', 'server'), failed('c/x', 'server')];
    assert.match(why({ targets, standIns }, [...all.slice(0, 1), attempt('b/m')]), /; a\/m \(server error\) failed; b\/m waits behind the others \(backup\)\.$/);
    assert.match(why({ targets, standIns }, [...all.slice(0, 2), attempt('c/x')]), /; c\/x waits behind the others \(x stands in for the route's models\)\.$/);
    assert.match(why({ targets, standIns }, [...all, attempt('d/m')]), /; d\/m waits behind the others \(last resort\)\.$/);
    assert.doesNotMatch(why({ targets, standIns }, [attempt('a/m')]), /waits/, 'those that were not needed are not spoken of');
    const instead = 'x stands in for m, because nothing before it can serve now';
    const model: Partial<Plan> = { kind: 'model', requestedModel: 'm', route: undefined, targets: planned('c/x'), standIns: [{ target: 'c/x', why: 'x stands in for m' }], why: instead, excluded: [{ target: 'a/m', reason: 'its breaker is open' }] };
    assert.equal(why(model, [attempt('c/x')]), `c/x answered: m was asked for, and c/x comes first (${instead}); left out was a/m (its breaker is open).`);
  });

  it('is a cap: what was passed over, what was stopped, and the expensive last resort', () => {
    const beyond = 'it is expected to cost $0.05, and $0.03 is left of the cap of this turn on route "best" ($0.50)';
    const after = 'the cap of this turn on route "best" ($0.50) is reached by the target before it, and no other one is to serve then';
    assert.equal(why({ targets: planned('b/m'), excluded: [{ target: 'a/m', reason: beyond }] }, [attempt('b/m')]), `b/m answered: b/m is the first of the route best that can serve it; left out was a/m (${beyond}).`);
    assert.equal(why({ targets: [], excluded: [{ target: 'a/m', reason: beyond }, { target: 'b/m', reason: after }] }, [], { failureClass: 'quota' }), `It was sent to no provider: left out were a/m (${beyond}) and b/m (${after}).`);
    const targets = planned('a/m', 'dear/m');
    const purpose = { role: 'main', kind: 'high-quality', why: 'it asks for a proof' } as const;
    assert.match(why({ targets, lastResort: ['dear/m'], purpose }, [failed('a/m', 'server'), attempt('dear/m')]), /a\/m \(server error\) failed; dear\/m is the expensive last resort of the route for high-quality work\.$/);
    assert.doesNotMatch(why({ targets, lastResort: ['dear/m'], purpose }, [attempt('a/m')]), /last resort/);
  });

  it('is another key of the same endpoint', () => {
    const refused = failed('a/m', 'auth', { keyId: 'k1', status: 401 });
    assert.match(why({}, [refused, attempt('a/m', { keyId: 'k2', keyLabel: 'work' })]), /; a\/m \(.*401\) failed; a has several keys, and the one before was not accepted, so another one \("work"\) was used\.$/);
    assert.match(why({}, [refused, failed('a/m', 'rate-limit', { keyId: 'k2' }), attempt('a/m', { keyId: 'k3', keyLast4: 'wxyz' })]), /those before were not accepted, so another one \(…wxyz\) was used\.$/);
    for (const other of [attempt('a/m', { keyId: 'k1' }), attempt('b/m', { keyId: 'k2' }), attempt('a/m')]) assert.doesNotMatch(why({}, [refused, other]), /several keys/);
    assert.doesNotMatch(why({}, [failed('a/m', 'server', { keyId: 'k1' }), attempt('a/m', { keyId: 'k2' })]), /not accepted/, 'what failed for another reason says nothing of its key');
  });

  it('is the arm of a canary', () => {
    const drawn = 'the conversation was drawn for the 5 % of the canary, stage 1 of 5';
    assert.match(why({ canary: { arm: 'canary', share: 5, why: drawn } }, [attempt('a/m')]), new RegExp(`it is in the canary arm of the route's canary, because ${drawn}\\.$`));
    assert.match(why({ canary: { arm: 'canary', share: 5, why: drawn, keptAway: true } }, [attempt('a/m')]), /but the targets of the canary were kept away, so the baseline got it\.$/);
    assert.match(why({ canary: { arm: 'baseline', share: 5, why: 'the conversation was drawn for the 95 % of the baseline' } }, [attempt('a/m')]), /baseline arm/);
  });

  it('is what was left out, with each reason, and at most three names', () => {
    assert.match(why({ excluded: [{ target: 'c/m', reason: 'cannot call tools, and the request has some' }] }, [attempt('a/m')]), /; left out was c\/m \(cannot call tools, and the request has some\)\.$/);
    const many = ['c', 'd', 'e', 'f', 'g'].map(name => ({ target: `${name}/m`, reason: 'down.' }));
    assert.match(why({ excluded: many }, [attempt('a/m')]), /; left out were c\/m \(down\), d\/m \(down\), e\/m \(down\) and 2 more\.$/);
    assert.doesNotMatch(why({ excluded: [{ target: 'a/m', reason: 'down' }] }, [attempt('a/m', { role: 'last-resort' })]), /left out/, 'what was asked all the same was not left out');
  });

  for (const [failureClass, words] of Object.entries(failureClassWords) as [FailureClass, string][]) {
    it(`is a failure before: ${failureClass}`, () => {
      assert.equal(why({}, [failed('a/m', failureClass, { status: 429 }), attempt('b/m')]), `b/m answered: a/m is the first of the route best that can serve it; a/m (${words}, 429) failed.`);
      assert.match(why({}, [failed('a/m', failureClass), failed('b/m', failureClass)], { failureClass }), new RegExp(`^Nothing answered it: .*a/m \\(${words.replace(/[()]/g, '\\$&')}\\) and b/m`));
    });
  }

  it('is a fire drill, and more failures than are named', () => {
    assert.match(why({}, [failed('a/m', 'network', { drill: true }), attempt('b/m')]), /a\/m \(network error, in a fire drill\) failed\.$/);
    assert.match(why({}, [...['a', 'b', 'c', 'd', 'e'].map(name => failed(`${name}/m`, 'server')), attempt('f/m')]), /a\/m \(server error\), b\/m \(server error\), c\/m \(server error\) and 2 more failed\.$/);
  });

  it('is the role of the attempt that answered', () => {
    const cut = failed('a/m', 'network');
    assert.match(why({}, [cut, attempt('b/m', { role: 'resume' })]), /b\/m went on from where the answer had broken off\.$/);
    assert.match(why({}, [cut, attempt('b/m', { role: 'restart' })]), /the answer had broken off and started again at b\/m\.$/);
    assert.match(why({}, [attempt('a/m', { role: 'last-resort' })]), /nothing else was left, so a\/m was asked although it was kept away\.$/);
    assert.match(why({}, [attempt('a/m', { role: 'shadow' })]), /it was a copy of a caller's request, which is only compared\.$/);
    assert.match(why({}, [attempt('a/m', { outcome: 'cancelled' }), attempt('b/m', { role: 'hedge' })]), /it was asked beside a\/m, which took long to begin, and began first\.$/);
    assert.match(why({}, [attempt('a/m'), attempt('b/m', { role: 'hedge', outcome: 'cancelled' })], { target: 'a/m' }), /b\/m was asked beside it, because it took long to begin, and was slower still\.$/);
  });

  it('is that a target could not be asked any more', () => {
    assert.match(why({ targets: planned('a/m', 'b/m', 'c/m') }, [failed('a/m', 'server'), attempt('c/m')]), /b\/m was passed over, because by then it could not be asked;/);
    assert.match(why({ targets: planned('a/m', 'b/m', 'c/m') }, [failed('a/m', 'context-overflow'), attempt('c/m')]), /b\/m was passed over, because the prompt is too long there as well;/);
  });

  it('is that there was nothing to send it to', () => {
    const nothing: Partial<Plan> = { kind: 'model', strategy: 'none', requestedModel: 'nope', route: undefined, targets: [] };
    assert.equal(why(nothing, []), 'It was sent to no provider: no route or model is named "nope".');
    assert.equal(why(nothing, [], { message: 'There is no model "nope"; did you mean "nose"?' }), 'It was sent to no provider: There is no model "nope"; did you mean "nose"?');
    assert.equal(why({ targets: [], excluded: [{ target: 'a/m', reason: 'the endpoint is disabled' }] }, []), 'It was sent to no provider: left out was a/m (the endpoint is disabled).');
    assert.equal(why({ targets: [] }, [], { message: 'This machine is offline.' }), 'It was sent to no provider: This machine is offline.');
  });

  it('says how it ended: refused, cancelled, interrupted, still running', () => {
    assert.match(why({}, [attempt('a/m', { failureClass: 'content-policy' })], { failureClass: 'content-policy' }), /^a\/m answered that it declines: /);
    assert.match(why({}, [attempt('a/m', { outcome: 'cancelled' })], { outcome: 'cancelled' }), /^It was at a\/m when it was cancelled: /);
    assert.match(why({}, [attempt('a/m', { outcome: 'interrupted' })], { outcome: 'interrupted' }), /^It was at a\/m when Waybill ended: /);
    assert.match(why({}, [attempt('a/m', { outcome: 'interrupted' })], { outcome: 'open' }), /^It is at a\/m now: /);
    for (const outcome of ['cancelled', 'interrupted', 'open'] as const) assert.match(why({}, [], { outcome }), /^(It was cancelled before it was sent|Waybill ended before|It has not been sent)/);
  });

  it('is one sentence whatever the receipt holds', () => {
    const attempts = [[], [attempt('a/m')], [failed('a/m', 'auth'), failed('a/m', 'auth'), attempt('b/m')], [attempt('z/m')]];
    const plans: Partial<Plan>[] = [{}, { targets: [] }, { kind: 'target', targets: [], excluded: [{ target: 'a/m', reason: 'no key.' }] }, { kind: 'model', route: undefined, strategy: 'pinned' }];
    for (const plan of plans) for (const list of attempts) for (const outcome of ['ok', 'failed', 'cancelled', 'interrupted', 'open'] as const) {
      const text = why(plan, list, { outcome });
      assert.match(text, /^[A-Za-z].*[.!?]$/);
      assert.doesNotMatch(text, /undefined|\.\.|: \.|: ;|\.;/);
    }
  });
});
