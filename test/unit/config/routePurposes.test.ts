import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as catalog from '../../../server/catalog/providers.ts';
import type { RouteConfig } from '../../../server/config/config.ts';
import { resolveConfig } from '../../../server/config/resolve.ts';

function resolve(routes: Record<string, unknown>, endpoints: Record<string, unknown> = {}): { routes: ReadonlyMap<string, RouteConfig>; said: string[]; paths: string[] } {
  const { config, problems } = resolveConfig(
    { endpoints: { a: { provider: 'openai' }, b: { provider: 'openai' }, ...endpoints }, routes },
    { catalog, supportedProtocols: ['openai-chat'], source: 'file' },
  );
  return { routes: config.routes, said: problems.map(({ message }) => message), paths: problems.map(({ path }) => path ?? '') };
}

const cheap = { targets: ['b/small'] };

describe('where a route sends roles and kinds of work', () => {
  it('is another route, also one that is written later, or a target', () => {
    const { routes, said } = resolve({ coding: { targets: ['a/large'], byRole: { compaction: 'cheap' }, byKind: { 'low-cost': 'cheap', 'high-quality': 'a/huge' } }, cheap });
    assert.deepEqual(said, []);
    assert.deepEqual(routes.get('coding')?.purposes, {
      byRole: { compaction: { route: 'cheap' } }, byKind: { 'low-cost': { route: 'cheap' }, 'high-quality': { target: { endpoint: 'a', model: 'huge' } } },
    });
    assert.equal(routes.get('cheap')?.purposes, undefined);
  });

  const wrong: [what: string, settings: Record<string, unknown>, said: string, path: string][] = [
    ['a route that does not exist', { byKind: { 'low-cost': 'cheep' } }, 'Route "coding": "byKind.low-cost" is left out: there is no route "cheep"; did you mean "cheap"?', 'byKind.low-cost'],
    ['a name like none', { byKind: { balanced: 'gpt' } }, 'Route "coding": "byKind.balanced" is left out: there is no route "gpt"; write the name of a route, or a target as endpoint/model.', 'byKind.balanced'],
    ['an endpoint that does not exist', { byRole: { inline: 'c/small' } }, 'Route "coding": "byRole.inline" is left out: there is no endpoint "c"; did you mean "a"?', 'byRole.inline'],
    ['an endpoint with a problem', { byRole: { inline: 'bad/small' } }, 'Route "coding": "byRole.inline" is left out: endpoint "bad" has a problem of its own.', 'byRole.inline'],
    ['the route itself', { byKind: { balanced: 'coding' } }, 'Route "coding": "byKind.balanced" is left out: it names the route itself; leave it out, and the targets of the route are used.', 'byKind.balanced'],
  ];
  for (const [what, settings, sentence, path] of wrong) {
    it(`is not ${what}, and the rest of the route works`, () => {
      const { routes, said, paths } = resolve({ coding: { targets: ['a/large'], ...settings }, cheap }, what.includes('problem') ? { bad: { provider: 'zzz' } } : {});
      assert.deepEqual([said.at(-1), paths.at(-1)], [sentence, `routes.coding.${path}`]);
      assert.deepEqual(routes.get('coding')?.targets, [{ endpoint: 'a', model: 'large' }]);
      assert.equal(routes.get('coding')?.purposes, undefined);
    });
  }

  it('has no other roles and kinds', () => {
    const { routes, said } = resolve({ coding: { targets: ['a/large'], byRole: { sub: 'cheap' }, byKind: { lowcost: 'cheap' } }, cheap });
    assert.equal(routes.has('coding'), false);
    assert.match(said.join(' '), /there is no field "byRole\.sub"/);
    assert.match(said.join(' '), /there is no field "byKind\.lowcost"; did you mean "low-cost"\?/);
  });

  it('does not lead in a circle', () => {
    const { routes, said } = resolve({
      one: { targets: ['a/1'], byKind: { 'low-cost': 'two' } }, two: { targets: ['a/2'], byRole: { main: 'three' } }, three: { targets: ['a/3'], byKind: { balanced: 'one' } },
    });
    assert.deepEqual(said, ['Route "one": "byKind.low-cost" is left out: route "two" leads back to this route.']);
    assert.deepEqual(routes.get('three')?.purposes?.byKind, { balanced: { route: 'one' } });
    assert.equal(routes.get('one')?.purposes, undefined, 'nothing is left that a purpose is needed for');
  });
});
