import type { Requirements } from '../../../server/api/routes/requirements.ts';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ModelFacts } from '../../../server/models/mergedFacts.ts';
import { makePlan, nextLargerContext } from '../../../server/routing/makePlan.ts';
import { ask, FakeRoutingView, now, plainRequirements } from './routingFixture.ts';

function threeEndpoints(): FakeRoutingView {
  return new FakeRoutingView({
    openai: { models: ['gpt-4.1', 'o3'], priority: 2 },
    azure: { models: ['gpt-4.1'], priority: 1, weight: 10 },
    mirror: { models: ['gpt-4.1', 'meta-llama/llama-3'], priority: 1, weight: 40 },
    claude: { models: ['claude-sonnet-4.5'], protocol: 'anthropic-messages' },
  }, { auto: ['openai/gpt-4.1', 'claude/claude-sonnet-4-5', 'azure/gpt-4.1'], models: ['openai/o3'] });
}

function names(wanted: string, view = threeEndpoints()): string[] {
  return makePlan(ask(wanted), view).plan.targets.map(({ target }) => target);
}

test('a name resolves to a route, a pinned target or a model, in this order', () => {
  const table: [string, string, string[]][] = [
    ['auto', 'route', ['openai/gpt-4.1', 'claude/claude-sonnet-4.5', 'azure/gpt-4.1']],
    ['waybill/auto', 'route', ['openai/gpt-4.1', 'claude/claude-sonnet-4.5', 'azure/gpt-4.1']],
    ['models/auto', 'route', ['openai/gpt-4.1', 'claude/claude-sonnet-4.5', 'azure/gpt-4.1']],
    ['models/waybill/auto', 'route', ['openai/gpt-4.1', 'claude/claude-sonnet-4.5', 'azure/gpt-4.1']],
    ['models', 'route', ['openai/o3']],
    ['openai/gpt-4.1', 'target', ['openai/gpt-4.1']],
    ['waybill/openai/gpt-4-1', 'target', ['openai/gpt-4.1']],
    ['openai/never-heard-of', 'target', ['openai/never-heard-of']],
    ['mirror/meta-llama/llama-3', 'target', ['mirror/meta-llama/llama-3']],
    ['meta-llama/llama-3', 'model', ['mirror/meta-llama/llama-3']],
    ['models/gpt-4.1', 'model', ['mirror/gpt-4.1', 'azure/gpt-4.1', 'openai/gpt-4.1']],
    ['gpt-4-1', 'model', ['mirror/gpt-4.1', 'azure/gpt-4.1', 'openai/gpt-4.1']],
  ];
  for (const [requestedModel, kind, targets] of table) {
    const { plan } = makePlan(ask(requestedModel), threeEndpoints());
    assert.equal(plan.kind, kind, requestedModel);
    assert.equal(plan.requestedModel, requestedModel);
    assert.deepEqual(plan.targets.map(({ target }) => target), targets, requestedModel);
    assert.deepEqual(plan.excluded, []);
  }
});

test('a plan names its route as it is configured, whatever prefix the caller wrote', () => {
  for (const wanted of ['auto', ' auto ', 'waybill/auto', 'models/waybill/auto']) assert.equal(makePlan(ask(wanted), threeEndpoints()).plan.route, 'auto', wanted);
  for (const wanted of ['gpt-4.1', 'openai/gpt-4.1', 'nope']) assert.equal(Object.hasOwn(makePlan(ask(wanted), threeEndpoints()).plan, 'route'), false, wanted);
});

test('endpoints of one model are ordered by priority, then weight, then name', () => {
  const view = new FakeRoutingView({
    late: { models: ['m'], priority: 2, weight: 99 }, zed: { models: ['m'] }, abe: { models: ['m'] }, heavy: { models: ['m'], weight: 5 },
  });
  assert.deepEqual(names('m', view), ['heavy/m', 'abe/m', 'zed/m', 'late/m']);
});

test('a planned target has the model name of its provider', () => {
  assert.deepEqual(makePlan(ask('openai/gpt-4-1'), threeEndpoints()).plan.targets, [
    { target: 'openai/gpt-4.1', endpoint: 'openai', model: 'gpt-4.1', upstreamModel: 'openai:gpt-4.1' },
  ]);
});

test('a target a route lists twice is tried once', () => {
  assert.deepEqual(names('r', new FakeRoutingView({ a: {} }, { r: ['a/m', 'a/m', 'a/n'] })), ['a/m', 'a/n']);
});

test('an unknown name gives an empty plan', () => {
  for (const wanted of ['nope', '', '/', 'openai/', 'waybill/', 'nobody/gpt-4.1']) {
    assert.deepEqual(makePlan(ask(wanted), threeEndpoints()), {
      plan: { requestedModel: wanted, kind: 'model', strategy: 'none', targets: [], excluded: [] }, targets: [], coolingDown: [], unfit: [],
    });
  }
});

test('disabled and missing endpoints are left out with the reason', () => {
  const view = new FakeRoutingView({ off: { enabled: false, models: ['m'] }, on: { models: ['m'] } }, { r: ['off/m', 'gone/m', 'on/m'] });
  const { plan, coolingDown } = makePlan(ask('r'), view);
  assert.deepEqual(plan.targets.map(({ target }) => target), ['on/m']);
  assert.deepEqual(plan.excluded, [
    { target: 'off/m', reason: 'the endpoint is disabled' },
    { target: 'gone/m', reason: 'there is no endpoint named "gone"' },
  ]);
  assert.deepEqual(coolingDown, []);
  assert.deepEqual(makePlan(ask('m'), view).plan.excluded, [{ target: 'off/m', reason: 'the endpoint is disabled' }]);
});

test('a target is left out only for a capability that is known to be missing', () => {
  const table: [Partial<Requirements>, ModelFacts, string | undefined][] = [
    [{ tools: true }, {}, undefined],
    [{ tools: true }, { tools: true }, undefined],
    [{ tools: true }, { tools: false }, 'cannot call tools, and the request has some'],
    [{ tools: false }, { tools: false }, undefined],
    [{ images: true }, { images: false }, 'cannot read images, and the request has some'],
    [{ documents: true }, { documents: false }, 'cannot read documents, and the request has some'],
    [{ documents: true }, { images: false }, undefined],
    [{ jsonSchema: true }, { jsonSchema: false }, 'cannot answer by a JSON schema, and the request demands one'],
    [{ estimatedInputTokens: 20_000 }, { contextWindow: 8192 }, 'context window of 8,192 tokens is too small for about 20,000'],
    [{ estimatedInputTokens: 8192 }, { contextWindow: 8192 }, 'context window of 8,192 tokens is too small for about 8,192'],
    [{ estimatedInputTokens: 8191 }, { contextWindow: 8192 }, undefined],
    [{ estimatedInputTokens: 20_000 }, {}, undefined],
    [{ maxOutputTokens: 16_000 }, { maxOutputTokens: 8192 }, undefined],
    [{ maxOutputTokens: 8192 }, { maxOutputTokens: 8192 }, undefined],
    [{ maxOutputTokens: 8192 }, {}, undefined],
  ];
  for (const [requirements, facts, reason] of table) {
    const view = new FakeRoutingView({ a: {} });
    view.factsByTarget.set('a/m', facts);
    const { plan } = makePlan(ask('a/m', { ...plainRequirements, ...requirements }), view);
    assert.deepEqual(plan.excluded, reason === undefined ? [] : [{ target: 'a/m', reason }]);
    assert.equal(plan.targets.length, reason === undefined ? 1 : 0);
  }
});

test('targets that only cool down are left out and listed by the end of their cooldown', () => {
  const view = new FakeRoutingView({ a: {}, b: {}, c: {}, d: {} }, { r: ['a/m', 'b/m', 'c/m', 'd/m'] });
  view.admissions.set('a/m', { admitted: false, reason: 'breaker open', retryAt: now + 60_000 });
  view.admissions.set('b/m', { admitted: false, reason: 'rate-limited', retryAt: now + 5000 });
  view.blockedKeys.set('c', { reason: 'every key is cooling', retryAt: now + 30_000 });
  view.blockedKeys.set('d', { reason: 'every key was rejected' });
  const { plan, coolingDown } = makePlan(ask('r'), view);
  assert.deepEqual(plan.targets, []);
  assert.deepEqual(plan.excluded.map(({ reason }) => reason), ['breaker open', 'rate-limited', 'every key is cooling', 'every key was rejected']);
  assert.deepEqual(coolingDown.map(({ target, retryAt }) => [target.target, retryAt - now]), [['b/m', 5000], ['c/m', 30_000], ['a/m', 60_000]]);
});

test('when endpoint and keys both cool down the later of them counts', () => {
  for (const [endpointMs, keysMs, reason] of [[60_000, 5000, 'breaker open'], [5000, 60_000, 'keys cooling']] as const) {
    const view = new FakeRoutingView({ a: {} });
    view.admissions.set('a/m', { admitted: false, reason: 'breaker open', retryAt: now + endpointMs });
    view.blockedKeys.set('a', { reason: 'keys cooling', retryAt: now + keysMs });
    const { plan, coolingDown } = makePlan(ask('a/m'), view);
    assert.deepEqual([plan.excluded[0]?.reason, coolingDown[0]?.retryAt], [reason, now + 60_000]);
  }
});

test('a target that cools down and cannot serve the request is not waited for', () => {
  const view = new FakeRoutingView({ a: {} });
  view.admissions.set('a/m', { admitted: false, reason: 'breaker open', retryAt: now + 1 });
  view.factsByTarget.set('a/m', { tools: false });
  const { plan, coolingDown } = makePlan(ask('a/m', { ...plainRequirements, tools: true }), view);
  assert.deepEqual(coolingDown, []);
  assert.equal(plan.excluded[0]?.reason, 'cannot call tools, and the request has some');
});

test('after a prompt that was too long only larger or unknown context windows remain', () => {
  const view = new FakeRoutingView({ a: {}, b: {}, c: {}, d: {}, e: {} }, { r: ['a/m', 'b/m', 'c/m', 'd/m', 'e/m'] });
  for (const [target, contextWindow] of [['a/m', 128_000], ['b/m', 128_000], ['c/m', 1_000_000], ['d/m', 8192]] as const) view.factsByTarget.set(target, { contextWindow });
  const { targets } = makePlan(ask('r'), view).plan;
  const remaining = (failed: string): string[] => {
    const failedTarget = targets.find(({ target }) => target === failed);
    assert.ok(failedTarget !== undefined);
    return nextLargerContext(targets, failedTarget, view.table).map(({ target }) => target);
  };
  assert.deepEqual(remaining('a/m'), ['c/m', 'e/m']);
  assert.deepEqual(remaining('c/m'), ['e/m']);
  assert.deepEqual(remaining('e/m'), ['a/m', 'b/m', 'c/m', 'd/m']);
});

test('a paused endpoint is left out with its reason, and no time is worth waiting for', () => {
  const view = threeEndpoints();
  view.pausedReasons.set('openai', 'it is paused until 18:05');
  const { plan, coolingDown } = makePlan(ask('auto'), view);
  assert.deepEqual(plan.excluded, [{ target: 'openai/gpt-4.1', reason: 'it is paused until 18:05' }]);
  assert.deepEqual(coolingDown, []);
  assert.deepEqual(makePlan(ask('openai/gpt-4.1'), view).plan.targets, []);
});
