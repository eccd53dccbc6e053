import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { findProvider, providers } from '../../../server/catalog/providers.ts';
import { membersOf, type Config } from '../../../server/config/config.ts';
import { resolveConfig } from '../../../server/config/resolve.ts';

const endpoints = { a: { provider: 'openai' }, b: { provider: 'openai' }, c: { provider: 'openai' } };

function resolve(routes: unknown): { config: Config; said: string[] } {
  const { config, problems } = resolveConfig({ endpoints, routes }, { catalog: { providers, findProvider }, supportedProtocols: ['openai-chat'], source: 'settings' });
  return { config, said: problems.map(({ message }) => message) };
}

const targetsOf = (config: Config, route: string): string[] | undefined => config.routes.get(route)?.targets.map(({ endpoint, model }) => `${endpoint}/${model}`);

describe('a route within a route', () => {
  it('leads to its targets, each of which stands once', () => {
    const { config, said } = resolve({ outer: { targets: ['a/m', 'inner', 'c/m'] }, inner: { targets: ['b/m', 'a/m'], strategy: 'round-robin' } });
    assert.deepEqual(said, []);
    assert.deepEqual(targetsOf(config, 'outer'), ['a/m', 'b/m', 'c/m']);
    const outer = config.routes.get('outer') ?? assert.fail();
    assert.deepEqual(membersOf(outer).map(({ target, route }) => route ?? target?.endpoint), ['a', 'inner', 'c']);
    assert.equal(config.routes.get('inner')?.members, undefined);
  });

  const wrong: Record<string, { routes: Record<string, unknown>; left: Record<string, string[] | undefined>; says: string[] }> = {
    'that is itself': {
      routes: { r: { targets: ['a/m', 'r'] } }, left: { r: ['a/m'] },
      says: ['Route "r": target "r" is left out: the routes would lead in a circle (r > r).'],
    },
    'that leads back over two others': {
      routes: { r: { targets: ['s', 'a/m'] }, s: { targets: ['t', 'b/m'] }, t: { targets: ['r', 'c/m'] } }, left: { r: ['c/m', 'b/m', 'a/m'], s: ['c/m', 'b/m'], t: ['c/m'] },
      says: ['Route "t": target "r" is left out: the routes would lead in a circle (r > s > t > r).'],
    },
    'with nothing beside the circle': {
      routes: { r: { targets: ['s'] }, s: { targets: ['r'] } }, left: { r: undefined, s: undefined },
      says: [
        'Route "s": target "r" is left out: the routes would lead in a circle (r > s > r).', 'Route "s" is left out: none of its targets can be used.',
        'Route "r": target "s" is left out: route "s" leads to no target.', 'Route "r" is left out: none of its targets can be used.',
      ],
    },
    'that has a problem of its own': {
      routes: { r: { targets: ['a/m', 'broken'] }, broken: { targets: [] } }, left: { r: ['a/m'], broken: undefined },
      says: ['Route "broken" is left out: it has no targets.', 'Route "r": target "broken" is left out: route "broken" leads to no target.'],
    },
    'that does not exist': {
      routes: { r: { targets: ['a/m', 'iner'] }, inner: { targets: ['b/m'] } }, left: { r: ['a/m'], inner: ['b/m'] },
      says: ['Route "r": target "iner" is left out: there is no route "iner"; did you mean "inner"?'],
    },
    'that is listed twice': {
      routes: { r: { targets: ['inner', 'inner'] }, inner: { targets: ['b/m'] } }, left: { r: ['b/m'], inner: ['b/m'] },
      says: ['Route "r": target "inner" is listed twice; the second is ignored.'],
    },
  };
  for (const [title, { routes, left, says }] of Object.entries(wrong)) {
    it(`${title} costs that entry alone`, () => {
      const { config, said } = resolve(routes);
      assert.deepEqual(said, says);
      for (const [name, targets] of Object.entries(left)) assert.deepEqual(targetsOf(config, name), targets, name);
    });
  }
});

describe('the weights of a route', () => {
  it('are those of its entries, 1 where none is given', () => {
    const { config, said } = resolve({ r: { targets: ['a/m', 'inner', 'b/m'], strategy: 'weighted', weights: { 'a/m': 2.5, inner: 3 } }, inner: { targets: ['c/m'] } });
    assert.deepEqual(said, []);
    assert.deepEqual(membersOf(config.routes.get('r') ?? assert.fail()).map(({ weight }) => weight), [2.5, 3, 1]);
  });

  for (const weight of [0, -1, 'much', null, 2e6]) {
    it(`have to be positive numbers: ${JSON.stringify(weight)}`, () => {
      assert.deepEqual(resolve({ r: { targets: ['a/m'], strategy: 'weighted', weights: { 'a/m': weight } } }).said, ['Route "r" is left out: "weights.a/m" must be a number above 0, at most 1000000.']);
    });
  }

  it('that nothing uses are reported', () => {
    assert.deepEqual(resolve({ r: { targets: ['a/gpt-5', 'b/gpt-5'], strategy: 'weighted', weights: { 'a/gpt-6': 2 } } }).said,
      ['Route "r": the weight of "a/gpt-6" is not used: no target of the route is written like this; did you mean "a/gpt-5"?']);
    assert.deepEqual(resolve({ r: { targets: ['a/m', 'b/m'], weights: { 'a/m': 2 } } }).said,
      ['Route "r": its weights are not used by the strategy "priority"; set "strategy" to "weighted".']);
  });
});
