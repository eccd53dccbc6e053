import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { optionText, routeOptionNames, routeOptions } from '../../../../client/commands/routeOptions.ts';

const targets = ['openai/gpt-4.1', 'claude/claude-sonnet-4.6'];

describe('what a route does beside its targets', () => {
  for (const option of routeOptionNames) {
    it(`offers the default of ${option} first, and writes nothing for it`, () => {
      const [first] = routeOptions[option].values;
      assert.equal(first?.isOf({ targets }), true);
      for (const value of routeOptions[option].values) assert.deepEqual(first?.change(value.change({ targets })), { targets });
    });

    it(`shows for ${option} what was chosen, and one thing only`, () => {
      for (const value of routeOptions[option].values) {
        const settings = value.change({ targets });
        assert.equal(optionText(option, settings), value.label);
        assert.equal(routeOptions[option].values.filter(other => other.isOf(settings)).length, 1);
      }
    });
  }

  it('keeps a cap that the user wrote when hedging is switched', () => {
    const [byDefault, always] = routeOptions.hedge.values;
    const settings = { targets, hedge: { enabled: false, dailyCapUsd: 3 } };
    assert.deepEqual(always?.change(settings), { targets, hedge: { dailyCapUsd: 3, enabled: true } });
    assert.deepEqual(byDefault?.change(settings), { targets, hedge: { dailyCapUsd: 3 } });
  });
});
