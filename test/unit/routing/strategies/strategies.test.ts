import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { routeStrategies } from '../../../../server/api/settings.ts';
import { routeSchema } from '../../../../server/config/schema.ts';
import { strategies } from '../../../../server/routing/strategies/strategies.ts';
import type { Choice } from '../../../../server/routing/strategies/strategy.ts';
import { seededRandom } from '../../support/seededRandom.ts';
import { ask, FakeRoutingView } from '../routingFixture.ts';

const names = Array.from({ length: 9 }, (_, index) => `e${index}`);
const view = new FakeRoutingView(Object.fromEntries(names.map(name => [name, { models: ['m'] }])));
const choices: Choice[] = view.table.targetsOfModel('m').map((first, index) => ({ name: first.name, weight: 1 + index, first }));

describe('every strategy of the table', () => {
  for (const [name, strategy] of Object.entries(strategies)) {
    it(`${name} returns each choice once, says why the first comes first, and changes none of its arguments`, () => {
      const random = seededRandom(7);
      for (let count = 2; count <= choices.length; count += 1) {
        const given: readonly Choice[] = Object.freeze(choices.slice(0, count));
        const { order, why } = strategy(given, { route: 'r', request: ask('r'), signals: view.signals, random });
        assert.deepEqual(new Set(order), new Set(given));
        assert.equal(order.length, given.length);
        assert.match(why, /^[a-z-]+: [^.]{10,}$/);
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
  assert.equal(strategies.priority(choices, { route: 'r', request: ask('r'), signals: view.signals, random: () => 0 }).order, choices);
});
