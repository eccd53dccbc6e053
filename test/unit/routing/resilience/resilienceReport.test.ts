import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { LossOutcome, RouteResilience, RunningDrill } from '../../../../server/api/drill.ts';
import { drilledRoutes } from '../../../../server/routing/resilience/drilledRoutes.ts';
import { resilienceOf } from '../../../../server/routing/resilience/resilienceReport.ts';
import type { KnownKey, ResilienceView } from '../../../../server/routing/resilience/whatIfView.ts';
import { FakeRoutingView, now } from '../routingFixture.ts';

const key = (id: string, changes: Partial<KnownKey> = {}): KnownKey => ({ id, name: `${id} …1234`, usable: true, rejected: false, ...changes });

/** A routing view of plain tables, with keys, problems and drills. Every endpoint has one working key unless a test sets others. */
class FakeResilienceView extends FakeRoutingView implements ResilienceView {
  readonly keysByEndpoint = new Map<string, KnownKey[]>();
  readonly troubles = new Map<string, string>();
  readonly running: RunningDrill[] = [];
  keys(endpoint: string): readonly KnownKey[] { return this.keysByEndpoint.get(endpoint) ?? [key('k1')]; }
  trouble(endpoint: string): string | undefined { return this.troubles.get(endpoint); }
  drills(): readonly RunningDrill[] { return this.running; }
}

function route(view: ResilienceView, name = 'auto'): RouteResilience {
  const found = resilienceOf(view).find(one => one.name === name);
  assert.ok(found !== undefined, `${name} is in the report`);
  return found;
}
const results = (survival: RouteResilience): string[] => survival.losses.map(loss => `${loss.kind} ${loss.name}: ${loss.result}`);
const loss = (survival: RouteResilience, kind: LossOutcome['kind'], name: string): LossOutcome => {
  const found = survival.losses.find(one => one.kind === kind && one.name === name);
  assert.ok(found !== undefined, `the loss of the ${kind} ${name} is listed`);
  return found;
};
const twoOfAll = (): FakeResilienceView => new FakeResilienceView({ a: { models: ['m'] }, b: { models: ['n'] } }, { auto: ['a/m', 'b/n'] });

describe('the survival report', () => {
  it('shows that two endpoints with two models and a key each survive every single loss', () => {
    const survival = route(twoOfAll());
    assert.equal(survival.verdict, 'survives');
    assert.deepEqual(survival.gaps, []);
    assert.deepEqual(results(survival), [
      'endpoint a: survives', 'endpoint b: survives', 'key a: k1 …1234: survives', 'key b: k1 …1234: survives', 'model m: survives', 'model n: survives',
    ]);
    assert.equal(loss(survival, 'endpoint', 'a').takenOverBy, 'b/n');
    assert.equal(loss(survival, 'endpoint', 'b').takenOverBy, 'a/m');
  });

  it('names a route with one target once, with every loss that stops it', () => {
    const survival = route(new FakeResilienceView({ a: { models: ['m'] }, b: { models: ['n'] } }, { auto: ['a/m'] }));
    assert.equal(survival.verdict, 'gaps');
    assert.deepEqual(results(survival), ['endpoint a: stops', 'key a: k1 …1234: stops', 'model m: stops']);
    assert.deepEqual(survival.gaps.map(({ problem, action, fix }) => ({ problem, action, fix })), [{
      problem: 'Route "auto" has one target only, "a/m": it stops when the endpoint, its only key or the model is lost.',
      action: 'Add a target with another model at another endpoint.', fix: 'edit-route',
    }]);
  });

  it('asks for a second provider first when there is only one endpoint', () => {
    assert.equal(route(new FakeResilienceView({ a: { models: ['m'] } }, { auto: ['a/m'] })).gaps[0]?.fix, 'add-provider');
  });

  it('says that all targets are at one endpoint, or are one model', () => {
    const oneEndpoint = route(new FakeResilienceView({ a: { models: ['m', 'n'] }, b: {} }, { auto: ['a/m', 'a/n'] }));
    assert.deepEqual(oneEndpoint.gaps.map(gap => [gap.problem, gap.action]), [
      ['All targets of route "auto" are at one endpoint: it stops when "a" or its only key is lost.', 'Add a target at another endpoint.'],
    ]);
    assert.equal(loss(oneEndpoint, 'model', 'm').result, 'survives');
    const oneModel = route(new FakeResilienceView({ a: { models: ['m'] }, b: { models: ['m'] } }, { auto: ['a/m', 'b/m'] }));
    assert.deepEqual(oneModel.gaps.map(gap => [gap.problem, gap.action]), [
      ['Every target of route "auto" is the model "m": it stops when the model is lost.', 'Add a target with another model.'],
    ]);
  });

  it('does not count it as a gap that a model requested by name is one model', () => {
    const survival = route(new FakeResilienceView({ a: { models: ['m'] }, b: { models: ['m'] } }), 'm');
    assert.equal(survival.kind, 'model');
    assert.equal(survival.verdict, 'survives');
    assert.ok(survival.losses.every(one => one.kind !== 'model'));
  });

  it('leaves out models that one endpoint serves, and models of disabled endpoints', () => {
    const view = new FakeResilienceView({ a: { models: ['m', 'only'] }, b: { models: ['m'], enabled: false } }, {});
    assert.deepEqual(resilienceOf(view), []);
  });

  it('survives the loss of one of two keys, and names the endpoint with only one', () => {
    const view = new FakeResilienceView({ a: { models: ['m', 'n'] } }, { auto: ['a/m', 'a/n'] });
    view.keysByEndpoint.set('a', [key('k1'), key('k2')]);
    const survival = route(view);
    assert.equal(loss(survival, 'key', 'a: k1 …1234').result, 'survives');
    assert.doesNotMatch(survival.gaps[0]?.problem ?? '', /only key/);
  });

  it('sees that two endpoints are accounts of one provider', () => {
    const view = twoOfAll();
    for (const [name, endpoint] of view.config.endpoints) {
      view.config.endpoints.set(name, { ...endpoint, provider: { ...endpoint.provider, id: 'openai', name: 'OpenAI', baseUrls: { 'openai-chat': 'https://api.openai.com/v1' } } });
    }
    const survival = route(view);
    assert.equal(loss(survival, 'provider', 'OpenAI').result, 'stops');
    assert.deepEqual(survival.gaps.map(({ problem, action, fix }) => ({ problem, action, fix })), [{ problem: 'All targets of route "auto" are of one provider, OpenAI: an outage of it stops them all.', action: 'Add a target of another provider.', fix: 'add-provider' }]);
  });

  it('counts a fallback that is down or cools down as a gap now', () => {
    const down = twoOfAll();
    down.troubles.set('b', 'b refused the connection');
    const survival = route(down);
    assert.equal(survival.verdict, 'gaps');
    assert.deepEqual(loss(survival, 'endpoint', 'a'), { kind: 'endpoint', name: 'a', result: 'not-now', takenOverBy: 'b/n', note: 'b/n: b refused the connection.' });
    assert.deepEqual(survival.gaps.map(gap => [gap.problem, gap.fix, gap.endpoint]), [['"b/n" cannot serve now: b refused the connection.', 'check-health', 'b']]);
    const coolingDown = twoOfAll();
    coolingDown.admissions.set('b/n', { admitted: false, reason: 'its breaker is open for another 12 s', retryAt: now + 12_000 });
    assert.equal(loss(route(coolingDown), 'endpoint', 'a').result, 'not-now');
    const nothing = twoOfAll();
    nothing.troubles.set('a', 'x');
    nothing.troubles.set('b', 'y');
    assert.equal(route(nothing).verdict, 'stopped');
  });

  it('leads the user to the missing or rejected key, and to the disabled or removed endpoint', () => {
    const missing = twoOfAll();
    missing.keysByEndpoint.set('b', []);
    const survival = route(missing);
    assert.equal(loss(survival, 'endpoint', 'a').result, 'stops');
    assert.deepEqual(survival.gaps.map(gap => [gap.problem, gap.fix]), [
      ['Route "auto" has one target only, "a/m": it stops when the endpoint, its only key or the model is lost.', 'edit-route'],
      ['"b/n" cannot serve: no key is stored for it.', 'add-key'],
    ]);
    const rejected = twoOfAll();
    rejected.keysByEndpoint.set('b', [key('k1', { usable: false, rejected: true })]);
    rejected.blockedKeys.set('b', { reason: 'the provider rejected every key' });
    assert.deepEqual(route(rejected).gaps.map(gap => [gap.problem, gap.fix]), [['"b/n" cannot serve now: the provider rejected every key.', 'replace-key']]);
    const off = new FakeResilienceView({ a: { models: ['m'] }, b: { models: ['n'], enabled: false } }, { auto: ['a/m', 'b/n', 'c/x'] });
    assert.deepEqual(route(off).gaps.slice(1).map(gap => gap.fix), ['enable', 'edit-route']);
  });

  it('advises by the missing capability of a fallback, whatever the names in the sentence are', () => {
    const view = new FakeResilienceView({ a: { models: ['m'] }, 'tools-and-images': { models: ['n'] } }, { auto: ['a/m', 'tools-and-images/n'] });
    view.factsByTarget.set('a/m', { contextWindow: 1_000_000 });
    view.factsByTarget.set('tools-and-images/n', { contextWindow: 131_072 });
    assert.deepEqual(route(view).gaps.map(gap => gap.action), ['Add a target with as large a context window.']);
    view.factsByTarget.set('a/m', { images: true });
    view.factsByTarget.set('tools-and-images/n', { images: false });
    assert.deepEqual(route(view).gaps.map(gap => gap.action), ['Add a target that can read images.']);
  });

  it('names the capabilities of the usual target that a fallback lacks', () => {
    const noTools = twoOfAll();
    noTools.factsByTarget.set('b/n', { tools: false });
    const survival = route(noTools);
    assert.equal(loss(survival, 'endpoint', 'a').result, 'weaker');
    assert.equal(loss(survival, 'endpoint', 'a').note, 'b/n cannot call tools: agents stop.');
    assert.equal(loss(survival, 'endpoint', 'b').result, 'survives');
    assert.equal(survival.gaps.length, 1, 'the same shortcoming is named once');
    assert.equal(survival.gaps[0]?.action, 'Add a target that can call tools.');
    const smaller = twoOfAll();
    smaller.factsByTarget.set('a/m', { contextWindow: 1_000_000 });
    smaller.factsByTarget.set('b/n', { contextWindow: 131_072 });
    assert.equal(loss(route(smaller), 'endpoint', 'a').note, 'b/n has a smaller context window (128k instead of 1M).');
    const nearly = twoOfAll();
    nearly.factsByTarget.set('a/m', { contextWindow: 200_000 });
    nearly.factsByTarget.set('b/n', { contextWindow: 180_000 });
    assert.equal(route(nearly).verdict, 'survives');
    const tiny = twoOfAll();
    tiny.factsByTarget.set('b/n', { contextWindow: 8192 });
    assert.equal(loss(route(tiny), 'endpoint', 'a').note, 'b/n has too small a context window for an agent (8k): agents stop.');
  });

  it('counts a third target that has what the second lacks', () => {
    const view = new FakeResilienceView({ a: { models: ['m'] }, b: { models: ['n'] }, c: { models: ['o'] } }, { auto: ['a/m', 'b/n', 'c/o'] });
    view.troubles.set('b', 'b is down');
    const survival = route(view);
    assert.equal(loss(survival, 'endpoint', 'a').result, 'survives');
    assert.equal(loss(survival, 'endpoint', 'a').takenOverBy, 'c/o');
  });

  it('rates a drilled endpoint as without the drill', () => {
    const view = twoOfAll();
    view.troubles.set('b', 'Fire drill: b refused the connection');
    view.running.push({ id: 'd1', endpoint: 'b', fault: 'down', startedAt: now, until: now + 1000 });
    assert.equal(route(view).verdict, 'survives');
  });
});

describe('the target that answers while a drill runs', () => {
  const drill = (fault: RunningDrill['fault'], changes: Partial<RunningDrill> = {}): RunningDrill => ({ id: 'd1', endpoint: 'a', fault, startedAt: now, until: now + 60_000, ...changes });
  function seen(view: FakeResilienceView, ...running: RunningDrill[]): [string, string | undefined, string][] {
    view.running.push(...running);
    return drilledRoutes(view).map(one => [one.effect, one.answeredBy, one.note]);
  }

  it('is not listed without a drill', () => assert.deepEqual(drilledRoutes(twoOfAll()), []));

  it('is the next target when the first fails by the drill', () => {
    for (const fault of ['down', 'rate-limit', 'dead-key'] as const) assert.deepEqual(seen(twoOfAll(), drill(fault)), [['taken-over', 'b/n', 'b/n answers after a/m failed by the drill.']]);
  });

  it('is the next target at once when the first already cools down', () => {
    const view = twoOfAll();
    view.admissions.set('a/m', { admitted: false, reason: 'its breaker is open', retryAt: now + 1000 });
    assert.deepEqual(seen(view, drill('down')), [['taken-over', 'b/n', 'b/n answers at once: a/m is not tried for now.']]);
  });

  it('is the usual target when the drill concerns another endpoint, model or key', () => {
    assert.deepEqual(seen(twoOfAll(), drill('down', { endpoint: 'b' })), [['unaffected', 'a/m', 'a/m answers as usual.']]);
    assert.equal(seen(twoOfAll(), drill('down', { model: 'other' }))[0]?.[0], 'unaffected');
    const twoKeys = twoOfAll();
    twoKeys.keysByEndpoint.set('a', [key('k1', { usable: false, rejected: true }), key('k2')]);
    assert.equal(seen(twoKeys, drill('dead-key', { keyId: 'k1' }))[0]?.[0], 'unaffected');
  });

  it('is none when no target is left', () => {
    const single = new FakeResilienceView({ a: { models: ['m'] } }, { auto: ['a/m'] });
    assert.deepEqual(seen(single, drill('down')), [['lost', undefined, 'Nothing answers: no target is left.']]);
    assert.equal(seen(twoOfAll(), drill('down'), drill('down', { id: 'd2', endpoint: 'b' }))[0]?.[0], 'lost');
  });

  it('has a note on the effect of slow and cut answers', () => {
    assert.deepEqual(seen(twoOfAll(), drill('slow', { slowMs: 2500 }))[0]?.slice(0, 2), ['slow', 'a/m']);
    assert.match(seen(twoOfAll(), drill('slow', { slowMs: 2500 }))[0]?.[2] ?? '', /2\.5 s later than usual/);
    assert.deepEqual(seen(twoOfAll(), drill('cut'))[0]?.slice(0, 2), ['broken', 'b/n']);
    const resuming = twoOfAll();
    const configured = resuming.config.routes.get('auto');
    assert.ok(configured !== undefined);
    resuming.config.routes.set('auto', { ...configured, afterCommit: 'resume' });
    assert.deepEqual(seen(resuming, drill('cut')), [['taken-over', 'b/n', 'a/m breaks off in mid-answer, and b/n goes on from there.']]);
  });
});
