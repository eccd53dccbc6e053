import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { CanaryStatus } from '../../../../../server/api/canary.ts';
import { clockText, type Condition } from '../../../../../server/api/condition.ts';
import type { StatusSnapshot } from '../../../../../server/api/status.ts';
import type { Routes } from '../../../../../client/settings/settingsEdits.ts';
import { droppedTargets } from '../../../../../client/views/routes/droppedTargets.ts';
import { routeLines, type RouteLine } from '../../../../../client/views/routes/routesTreeModel.ts';
import { emptyStatus } from '../../fakes.ts';

const now = 10_000_000;

function statusOf(conditions: Readonly<Record<string, Condition>>, changes: Partial<StatusSnapshot> = {}): StatusSnapshot {
  return emptyStatus({ targets: Object.fromEntries(Object.entries(conditions).map(([target, condition]) => [target, { condition, contextWindow: 128_000, pricing: '$3 in / $15 out per 1M' }])), ...changes });
}

const healthy: Condition = { kind: 'healthy' };
const limited: Condition = { kind: 'rate-limited', until: now + 90_000 };

function lines(routes: Routes, status: StatusSnapshot | undefined): Record<string, RouteLine> {
  const all = (found: readonly RouteLine[]): RouteLine[] => found.flatMap(line => [line, ...all(line.children)]);
  return Object.fromEntries(all(routeLines(routes, status, now)).map(line => [line.id, line]));
}

describe('the lines of the Routes view', () => {
  it('say of each target whether it can answer now, and why not', () => {
    const found = lines({ best: { targets: ['a/m', 'b/m'] } }, statusOf({ 'a/m': limited, 'b/m': healthy }));
    assert.equal(found['best']?.description, '1/2 up');
    assert.match(found['best']?.tooltip ?? '', /Requests go to b\/m now\./);
    assert.equal(found['best:target:a/m']?.description, `rate-limited, back at ${clockText(now + 90_000, now, 'up')}`);
    assert.deepEqual([found['best:target:b/m']?.description, found['best:target:b/m']?.icon], ['', 'pass']);
    assert.equal(found['best:target:b/m']?.tooltip, 'b/m: healthy\nContext window: 128K tokens\n$3 in / $15 out per 1M');
    assert.match(found['best:target:a/m']?.spoken ?? '', /^1\. a\/m, rate-limited/);
  });

  it('show which targets wait behind the others', () => {
    const found = lines({ best: { targets: ['a/m', 'b/m', 'c/m'], strategy: 'weighted', tiers: { 'b/m': 'backup', 'c/m': 'last-resort' } } }, statusOf({ 'a/m': healthy, 'b/m': healthy, 'c/m': healthy }));
    assert.deepEqual(['a', 'b', 'c'].map(name => found[`best:target:${name}/m`]?.description.split(' · ')[0]), ['33.3 %', 'backup', 'last resort']);
    assert.match(found['best:target:b/m']?.spoken ?? '', /, backup, 33\.3 %$/);
  });

  it('show the strategy, and the share of each target where weights count', () => {
    const found = lines({ best: { targets: ['a/m', 'b/m', 'c/m'], strategy: 'weighted', weights: { 'a/m': 2 } } }, statusOf({ 'a/m': healthy, 'b/m': healthy, 'c/m': healthy }));
    assert.equal(found['best']?.description, 'by weight');
    assert.deepEqual(['a', 'b', 'c'].map(name => found[`best:target:${name}/m`]?.description), ['50 %', '25 %', '25 %']);
    assert.deepEqual(['a', 'b', 'c'].map(name => found[`best:target:${name}/m`]?.context), ['target.first.weighed', 'target.middle.weighed', 'target.last.weighed']);
    assert.equal(lines({ lone: { targets: ['a/m'] } }, statusOf({ 'a/m': healthy }))['lone:target:a/m']?.context, 'target.first.only');
  });

  it('count the targets of routes within the route, each once, also in a circle', () => {
    const routes: Routes = { outer: { targets: ['a/m', 'inner'] }, inner: { targets: ['a/m', 'b/m', 'outer'] } };
    const found = lines(routes, statusOf({ 'a/m': healthy, 'b/m': { kind: 'down', why: 'network error' } }));
    assert.equal(found['outer']?.description, '1/2 up');
    assert.equal(found['outer:target:inner']?.description, 'route · 1/2 up');
  });

  it('show the canary with its stage, its targets, roles, kinds and every policy that is set', () => {
    const canary: CanaryStatus = { route: 'best', phase: 'running', stage: 1, stages: [5, 100], share: 5, verdict: 'no-data', message: 'Stage 1 of 2, 5 %: not enough data.' };
    const routes: Routes = { best: { targets: ['a/m'], canary: { targets: ['c/m'] }, byRole: { subagent: 'b/m' }, byKind: { 'low-cost': 'cheap' }, timeouts: { idleMs: 2000 } }, cheap: { targets: ['b/m'] } };
    const found = lines(routes, statusOf({ 'a/m': healthy, 'b/m': healthy, 'c/m': limited }, { canaries: [canary] }));
    assert.equal(found['best']?.description, 'canary 5 %');
    assert.deepEqual([found['best:canary']?.description, found['best:canary']?.context], ['not enough data · stage 1 of 2, 5 %', 'canary.running']);
    assert.match(found['best:canary:c/m']?.description ?? '', /^rate-limited/);
    assert.equal(found['best:byRole:subagent']?.description, '→ b/m');
    assert.equal(found['best:byKind:low-cost']?.description, '→ cheap · route · 1/1 up');
    assert.deepEqual([found['best:policy:timeouts']?.description, found['best:policy:timeouts']?.policy], ['Silence: 2 s', 'timeouts']);
    assert.equal(found['best:policy:hedge'], undefined, 'what is not set has no line');
    const waiting = lines(routes, statusOf({ 'a/m': healthy }, { canaries: [{ ...canary, phase: 'none' }] }));
    assert.deepEqual([waiting['best:canary']?.description, waiting['best:canary']?.context], ['not started', 'canary.none']);
  });

  it('say why the server leaves an entry out', () => {
    const message = 'Route "best": target "nope/m" is left out: there is no endpoint "nope".';
    const found = lines({ best: { targets: ['a/m', 'nope/m'] } }, statusOf({ 'a/m': healthy }, { problems: [{ message, path: 'routes.best.targets.1' }] }));
    assert.deepEqual([found['best:target:nope/m']?.description, found['best:target:nope/m']?.tooltip], ['left out', message]);
  });

  it('show an entry that the server has not read yet as neither up nor down', () => {
    const found = lines({ best: { targets: ['a/m', 'new/m'] }, fresh: { targets: ['new/m'] } }, statusOf({ 'a/m': healthy }));
    assert.deepEqual([found['best']?.description, found['best']?.color, found['fresh']?.description, found['fresh']?.color], ['', undefined, '', undefined]);
    assert.deepEqual([found['fresh:target:new/m']?.description, found['fresh:target:new/m']?.icon, found['fresh:target:new/m']?.color], ['not in use yet', 'circle-outline', undefined]);
  });

  it('stand before the server has said anything, and whatever a person wrote', () => {
    assert.equal(lines({ best: { targets: ['a/m'] } }, undefined)['best:target:a/m']?.description, '');
    const odd = { one: {}, two: { targets: 'a/m', strategy: 'nonsense', weights: 7, byRole: 'x', canary: 3, timeouts: null, hedge: [] }, three: { targets: [1, 'a/m'], strategy: 'weighted', weights: { 'a/m': 'x' } } } as unknown as Routes;
    for (const status of [undefined, emptyStatus(), statusOf({ 'a/m': healthy })]) assert.equal(routeLines(odd, status, now).length, 3);
  });
});

describe('a target that is dragged', () => {
  const routes: Routes = { best: { targets: ['a/m', 'b/m', 'c/m'], strategy: 'weighted', weights: { 'c/m': 3 } }, other: { targets: ['d/m'] }, outer: { targets: ['best'] } };
  const drop = (dragged: object, onto: Pick<RouteLine, 'route' | 'target'>, name = onto.route): readonly string[] | undefined => droppedTargets(routes, JSON.stringify(dragged), onto)[name]?.targets;

  it('takes the place of the one it is dropped on, and goes to the end on any other line of its route', () => {
    assert.deepEqual(drop({ route: 'best', target: 'c/m' }, { route: 'best', target: 'a/m' }), ['c/m', 'a/m', 'b/m']);
    assert.deepEqual(drop({ route: 'best', target: 'a/m' }, { route: 'best', target: 'b/m' }), ['b/m', 'a/m', 'c/m']);
    assert.deepEqual(drop({ route: 'best', target: 'a/m' }, { route: 'best' }), ['b/m', 'c/m', 'a/m']);
    assert.deepEqual(droppedTargets(routes, '{"route":"best","target":"c/m"}', { route: 'best', target: 'a/m' })['best']?.weights, { 'c/m': 3 });
  });

  it('is added to another route, and stays in its own', () => {
    assert.deepEqual(drop({ route: 'best', target: 'a/m' }, { route: 'other', target: 'd/m' }), ['a/m', 'd/m']);
    assert.deepEqual(drop({ route: 'best', target: 'a/m' }, { route: 'other' }, 'best'), ['a/m', 'b/m', 'c/m']);
    assert.deepEqual(drop({ target: 'e/m' }, { route: 'other' }), ['d/m', 'e/m']);
  });

  it('changes nothing where it is already, where it would lead in a circle, and where it is nothing of ours', () => {
    assert.equal(droppedTargets(routes, '{"route":"best","target":"a/m"}', { route: 'best', target: 'a/m' }), routes);
    assert.equal(droppedTargets(routes, '{"target":"d/m"}', { route: 'other' }), routes);
    assert.equal(droppedTargets(routes, '{"route":"outer","target":"best"}', { route: 'best' }), routes);
    for (const text of ['', 'x', '[]', 'null', '{"target":1}']) assert.equal(droppedTargets(routes, text, { route: 'best' }), routes);
    assert.equal(droppedTargets(routes, '{"target":"e/m"}', { route: 'gone' }), routes);
  });
});
