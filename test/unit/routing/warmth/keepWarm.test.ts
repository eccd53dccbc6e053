import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { TokenUsage } from '../../../../server/api/conversation.ts';
import type { WorkKind } from '../../../../server/api/purpose.ts';
import type { PlanResult, RoutingRequest } from '../../../../server/routing/plan.ts';
import type { RouteConfig } from '../../../../server/config/config.ts';
import { makePlan } from '../../../../server/routing/makePlan.ts';
import { WarmCaches, type Answered } from '../../../../server/routing/warmth/warmCaches.ts';
import { ask, FakeRoutingView, now, plainRequirements } from '../routingFixture.ts';

/** US dollars for a million tokens: input; the answer costs five times as much, a cached token a tenth, one that is written a quarter more. */
const inputPrices: Record<string, number | undefined> = { dear: 3, cheap: 0.25, same: 3, slightly: 2.5, half: 1.5, unpriced: undefined, unknown: undefined };

class View extends FakeRoutingView {
  readonly warm = new WarmCaches();
  override now = now;

  constructor(route: Partial<RouteConfig> = {}) {
    super(Object.fromEntries(Object.keys(inputPrices).map(name => [name, { models: ['m'] }])), { r: [] });
    const made = this.config.routes.get('r');
    assert.ok(made !== undefined);
    Object.assign(made, { targets: targets('dear', 'cheap'), ...route });
    this.signals.costMicroUsd = ({ endpoint }, { inputTokens = 0, cacheReadTokens = 0, cacheWriteTokens = 0, outputTokens = 0 }) => {
      const price = inputPrices[endpoint.name];
      return price === undefined ? undefined : price * (inputTokens + cacheReadTokens / 10 + cacheWriteTokens * 1.25 + outputTokens * 5);
    };
  }

  /** An answer of `endpoint/m`, which leaves the whole prompt in its cache. */
  answered(endpoint: string, changed: Partial<Answered> = {}, usage: TokenUsage = { inputTokens: 0, cacheWriteTokens: 48_000, outputTokens: 300 }): void {
    this.warm.answered({
      conversation: 'a conversation', target: `${endpoint}/m`, provider: 'openai-compatible', upstreamModel: 'm', startedAt: this.now, usage, estimatedTokens: 40_000, led: true, forced: false, ...changed,
    });
  }

  plan(changed: Partial<RoutingRequest> = {}): PlanResult {
    return makePlan({ ...ask('r', { ...plainRequirements, estimatedInputTokens: 40_000 }), ...changed }, this);
  }
}

const targets = (...names: string[]): RouteConfig['targets'] => names.map(endpoint => ({ endpoint, model: 'm' }));
const first = ({ targets: [target] }: PlanResult): string | undefined => target?.endpoint.name;
/** The route proposes this endpoint first. */
const proposes = (...names: string[]): Partial<RouteConfig> => ({ targets: targets(...names) });

describe('a conversation whose cache is warm', () => {
  it('stays where the other target is no cheaper, and the plan says what leaving costs', () => {
    const view = new View(proposes('same', 'dear'));
    view.answered('dear');
    const { plan, targets: planned } = view.plan();
    assert.deepEqual(planned.map(({ endpoint }) => endpoint.name), ['dear', 'same']);
    assert.match(plan.why ?? '', /^stayed at dear\/m: 48k cached tokens, leaving for same\/m costs \$0\.1\d and never pays back$/);
    assert.equal(plan.cache?.turn, 'stays');
    assert.equal(plan.cache.why, plan.why);
  });

  it('stays where leaving pays back too late for the route, and goes where the route waits so long', () => {
    for (const [payBackTurns, expected] of [[8, 'dear'], [1000, 'slightly']] as const) {
      const view = new View({ ...proposes('slightly', 'dear'), warmCache: { enabled: true, payBackTurns, higherKinds: 'at-once' } });
      view.answered('dear');
      const result = view.plan();
      assert.equal(first(result), expected);
      assert.match(result.plan.cache?.why ?? '', /pays back after \d+ turns/);
    }
  });

  it('leaves where a much cheaper target pays at once', () => {
    const view = new View(proposes('cheap', 'dear'));
    view.answered('dear');
    const { plan } = view.plan();
    assert.equal(plan.targets[0]?.endpoint, 'cheap');
    assert.match(plan.cache?.why ?? '', /^left dear\/m with 48k cached tokens: that costs (?:nothing|\$)/);
    assert.equal(plan.cache?.turn, 'switches');
  });

  it('is free to leave once the cache is cold, or the last answer read a cache that is none', () => {
    const cold = new View(proposes('same', 'dear'));
    cold.answered('dear');
    cold.now += 300_000;
    assert.equal(first(cold.plan()), 'same');
    assert.match(cold.plan().plan.cache?.why ?? '', /^the cache at dear\/m \(48k tokens\) has gone cold$/);
    const uncached = new View(proposes('same', 'dear'));
    uncached.answered('dear', {}, { inputTokens: 48_000, outputTokens: 300 });
    assert.equal(first(uncached.plan()), 'same');
    assert.equal(uncached.plan().plan.cache?.why, undefined);
  });

  it('leaves for a target that pays only since the prompt was written anew and little of it is found, and stays where that saves nothing', () => {
    const rewritten = { requirements: { ...plainRequirements, estimatedInputTokens: 34_000 } };
    const view = new View(proposes('half', 'dear'));
    view.answered('dear');
    assert.equal(first(view.plan()), 'dear');
    const { plan } = view.plan(rewritten);
    assert.equal(plan.targets[0]?.endpoint, 'half');
    assert.equal(plan.cache?.why, 'left dear/m with about 14k cached tokens of a conversation that was written anew: that costs nothing');
    const equal = new View(proposes('same', 'dear'));
    equal.answered('dear');
    for (const estimatedInputTokens of [34_000, 8_000]) assert.equal(first(equal.plan({ requirements: { ...plainRequirements, estimatedInputTokens } })), 'dear');
  });

  it('knows how long a cache lasts: an hour where that was paid for', () => {
    const view = new View(proposes('same', 'dear'));
    view.answered('dear', {}, { cacheWrite1hTokens: 48_000, outputTokens: 300 });
    view.now += 40 * 60_000;
    assert.equal(first(view.plan()), 'dear');
    view.answered('dear', {}, { cacheReadTokens: 48_000, outputTokens: 300 });
    view.now += 40 * 60_000;
    assert.equal(first(view.plan()), 'dear', 'what is read keeps its lifetime');
  });

  it('is nothing of another conversation, of a short prompt, of a rehearsal, or where the route says so', () => {
    const view = new View(proposes('same', 'dear'));
    view.answered('dear');
    assert.equal(first(view.plan({ conversation: 'another' })), 'same');
    assert.equal(view.plan({ conversation: 'another' }).plan.cache?.turn, 'first');
    assert.equal(view.plan({ requirements: plainRequirements }).plan.cache, undefined);
    assert.equal(view.plan({ rehearsal: true }).plan.cache, undefined);
    const off = new View({ ...proposes('same', 'dear'), warmCache: { enabled: false, payBackTurns: 8, higherKinds: 'at-once' } });
    off.answered('dear');
    assert.equal(first(off.plan()), 'same');
  });

  it('does not find out the conversation where there is nothing to choose', () => {
    const view = new View(proposes('dear'));
    const request = (requestedModel: string): RoutingRequest => Object.defineProperty({ ...ask(requestedModel, { ...plainRequirements, estimatedInputTokens: 40_000 }) }, 'conversation', { get: () => assert.fail('it was found out') });
    assert.equal(makePlan(request('r'), view).plan.cache, undefined);
    assert.equal(makePlan(request('dear/m'), view).plan.cache, undefined);
  });

  it('holds for a model that several endpoints serve, too', () => {
    const view = new View();
    view.admissions.set('cheap/m', { admitted: false, reason: 'its breaker is open', retryAt: now + 60_000, cause: 'overloaded' });
    assert.equal(first(view.plan({ requestedModel: 'm' })), 'dear');
    view.answered('same');
    assert.equal(first(view.plan({ requestedModel: 'm' })), 'same');
  });

  it('stays where no price is known of either target, and goes where one of them has none', () => {
    const neither = new View(proposes('unknown', 'unpriced'));
    neither.answered('unpriced');
    assert.equal(first(neither.plan()), 'unpriced');
    assert.match(neither.plan().plan.why ?? '', /and no price is known$/);
    const one = new View(proposes('same', 'unpriced'));
    one.answered('unpriced');
    assert.equal(first(one.plan()), 'same');
  });

  it('leaves a target that begins to answer much later, where the route wants the fastest', () => {
    const view = new View({ ...proposes('same', 'dear'), strategy: 'fastest', members: undefined });
    view.signals.firstTokenAverage = ({ endpoint }) => ({ ms: endpoint.name === 'dear' ? 9000 : 800, samples: 50 });
    view.answered('dear');
    assert.equal(first(view.plan()), 'same');
    view.signals.firstTokenAverage = ({ endpoint }) => ({ ms: endpoint.name === 'dear' ? 1100 : 800, samples: 50 });
    assert.equal(first(view.plan()), 'dear');
  });
});

describe('a switch that is forced', () => {
  it('goes at once, and the conversation returns while the old cache is still warm', () => {
    const view = new View(proposes('dear', 'same'));
    view.answered('dear');
    view.admissions.set('dear/m', { admitted: false, reason: 'its breaker is open', retryAt: now + 60_000, cause: 'overloaded' });
    const out = view.plan();
    assert.equal(first(out), 'same');
    assert.equal(out.plan.cache?.forced, true);
    assert.match(out.plan.cache.why ?? '', /^left dear\/m, which cannot serve this request now, with 48k cached tokens$/);
    view.answered('same', { forced: true });
    view.admissions.clear();
    view.now += 60_000;
    const back = view.plan();
    assert.equal(first(back), 'dear');
    assert.match(back.plan.cache?.why ?? '', /^returned to dear\/m: 48k cached tokens are still there$/);
    assert.equal(back.plan.cache?.turn, 'returns');
  });

  it('stays at its new place while the old cache is gone and the new one is warm, then returns', () => {
    const view = new View(proposes('dear', 'same'));
    view.answered('dear');
    view.now += 200_000;
    view.answered('same', { forced: true });
    view.now += 200_000;
    assert.equal(first(view.plan()), 'same');
    view.now += 200_000;
    assert.equal(first(view.plan()), 'dear');
  });
});

describe('what wins over a warm cache', () => {
  const byKind = (kind: WorkKind, route: Partial<RouteConfig> = {}): View => new View({ ...proposes('dear'), purposes: { byRole: {}, byKind: { [kind]: { target: { endpoint: 'same', model: 'm' } } } }, ...route });
  const purpose = (kind: WorkKind, stalled?: true) => ({ role: 'main' as const, kind, why: 'a test says so', ...(stalled === undefined ? {} : { stalled }) });

  it('is a higher kind of work, unless the route says that it has to pay', () => {
    const view = byKind('high-quality');
    view.answered('dear', { kind: 'balanced' });
    const up = view.plan({ purpose: purpose('high-quality') });
    assert.equal(first(up), 'same');
    assert.match(up.plan.cache?.why ?? '', /not meant for work of a higher kind \(high-quality\)$/);
    const thrifty = byKind('high-quality', { warmCache: { enabled: true, payBackTurns: 8, higherKinds: 'when-it-pays' } });
    thrifty.answered('dear', { kind: 'balanced' });
    assert.equal(first(thrifty.plan({ purpose: purpose('high-quality') })), 'dear');
    assert.equal(first(thrifty.plan({ purpose: purpose('high-quality', true) })), 'same', 'a loop that is stuck goes in any case');
  });

  it('is no lower kind of work: it has to pay', () => {
    const view = byKind('low-cost');
    view.answered('dear', { kind: 'balanced' });
    assert.equal(first(view.plan({ purpose: purpose('low-cost') })), 'dear');
  });

  it('is no place of another purpose that went cold, and a warm one is kept although the plan does not lead there', () => {
    const view = byKind('high-quality');
    view.answered('same', { kind: 'high-quality' });
    const kept = view.plan({ purpose: purpose('balanced') });
    assert.deepEqual(kept.targets.map(({ endpoint }) => endpoint.name), ['same', 'dear']);
    view.now += 300_000;
    assert.deepEqual(view.plan({ purpose: purpose('balanced') }).targets.map(({ endpoint }) => endpoint.name), ['dear']);
  });

  it('is an errand only where it costs less than the cache for that one request', () => {
    const view = new View({ ...proposes('dear'), purposes: { byRole: { compaction: { target: { endpoint: 'cheap', model: 'm' } } }, byKind: {} } });
    view.answered('dear');
    const result = view.plan({ purpose: { role: 'compaction', kind: 'low-cost', why: 'a header says so' } });
    assert.equal(result.plan.cache?.errand, true);
    assert.equal(first(result), 'dear');
    assert.match(result.plan.why ?? '', /for one request$/);
  });

  it('is the arm of a canary', () => {
    const view = new View({ ...proposes('dear'), canary: { targets: targets('same'), stages: [50, 100], advance: 'time', stageMs: 1, stageRequests: 1, minRequests: 1, failuresInARow: 8, gates: { errorRate: 0.05, successRate: 0.95 } } });
    Object.assign(view, { arm: () => ({ arm: 'canary', share: 50, why: 'its draw' }) });
    view.answered('dear');
    const result = view.plan();
    assert.equal(first(result), 'same');
    assert.equal(result.plan.cache?.forced, true);
  });
});

describe('the memory of warm caches', () => {
  it('takes the whole prompt for kept at a provider that keeps every prompt, until one was not read', () => {
    const warm = new WarmCaches();
    const at = (startedAt: number, usage: TokenUsage): number | undefined => {
      warm.answered({ conversation: 'c', target: 'openai/gpt', provider: 'openai', upstreamModel: 'gpt-5', startedAt, usage, estimatedTokens: 1, led: true, forced: false });
      return warm.of('c')?.places.at(-1)?.cachedTokens;
    };
    assert.equal(at(now, { inputTokens: 20_000, outputTokens: 1 }), 20_000);
    assert.equal(at(now + 1000, { inputTokens: 1000, cacheReadTokens: 20_000, outputTokens: 1 }), 21_000);
    assert.equal(at(now + 2000, { inputTokens: 22_000, cacheReadTokens: 0, outputTokens: 1 }), 0, 'its beginning changes with each request');
  });

  it('is bounded, and forgets the conversation that was used longest ago', () => {
    const warm = new WarmCaches();
    for (let index = 0; index < 2100; index++) {
      for (const target of ['a/m', 'b/m', 'c/m', 'd/m', 'e/m']) {
        warm.answered({ conversation: `c${index}`, target, provider: 'anthropic', upstreamModel: 'claude', startedAt: now, usage: { cacheReadTokens: 2000 }, estimatedTokens: 1, led: true, forced: false });
      }
    }
    assert.equal(warm.of('c99'), undefined);
    assert.equal(warm.of('c100')?.places.length, 4);
  });

  it('keeps the chance of a cold return between nothing and certainty', () => {
    const warm = new WarmCaches();
    for (let turn = 0; turn < 200; turn++) {
      warm.answered({ conversation: 'c', target: turn % 2 === 0 ? 'a/m' : 'b/m', provider: 'anthropic', upstreamModel: 'claude', startedAt: now + turn * 600_000, usage: { cacheReadTokens: 2000 }, estimatedTokens: 1, led: true, forced: false });
    }
    assert.ok(warm.coldReturnChance > 0.9 && warm.coldReturnChance <= 1, String(warm.coldReturnChance));
    assert.ok(new WarmCaches().coldReturnChance < 0.05);
  });
});
