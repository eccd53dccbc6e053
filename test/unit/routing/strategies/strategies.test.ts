import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { routeStrategies } from '../../../../server/api/settings.ts';
import { routeSchema } from '../../../../server/config/schema.ts';
import { strategies } from '../../../../server/routing/strategies/strategies.ts';
import type { ResolvedTarget } from '../../../../server/routing/routeTable.ts';
import { seededRandom } from '../../support/seededRandom.ts';
import { ask, FakeRoutingView } from '../routingFixture.ts';

const names = Array.from({ length: 9 }, (_, index) => `e${index}`);
const view = new FakeRoutingView(Object.fromEntries(names.map(name => [name, { models: ['m'] }])));
const candidates = view.table.targetsOfModel('m');

describe('every strategy of the table', () => {
  for (const [name, strategy] of Object.entries(strategies)) {
    it(`${name} returns each candidate once and changes none of its arguments`, () => {
      const random = seededRandom(7);
      for (let count = 0; count <= candidates.length; count += 1) {
        const given: readonly ResolvedTarget[] = Object.freeze(candidates.slice(0, count));
        const ordered = strategy(given, ask('m'), view.signals, random);
        assert.deepEqual(new Set(ordered), new Set(given));
        assert.equal(ordered.length, given.length);
      }
    });
  }

  it('is a name that settings accept, and settings accept no other', () => {
    assert.deepEqual(Object.keys(strategies), Object.keys(routeStrategies));
    for (const strategy of Object.keys(strategies)) assert.ok(routeSchema.safeParse({ strategy, targets: ['a/m'] }).success, strategy);
    assert.ok(!routeSchema.safeParse({ strategy: 'pinned', targets: ['a/m'] }).success);
  });
});

it('priority keeps the order of the configuration', () => {
  assert.equal(strategies.priority(candidates, ask('m'), view.signals, () => 0), candidates);
});
