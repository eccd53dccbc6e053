import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chartGeometry, roundCeiling } from '../../../../../client/views/spend/spendChartModel.ts';

const day = (microUsd: number, estimatedMicroUsd = 0) => ({ microUsd, estimatedMicroUsd });

test('the ceiling is a round sum that no day is above', () => {
  const cases: [number, number][] = [[0, 100], [42, 100], [100, 100], [101, 200], [201, 500], [501, 1_000], [1_370_000, 2_000_000], [5_000_000, 5_000_000], [5_000_001, 10_000_000]];
  for (const [microUsd, ceiling] of cases) assert.equal(roundCeiling(microUsd), ceiling, String(microUsd));
});

test('bars stand in equal columns, do not touch and stay inside', () => {
  const { bars } = chartGeometry([day(1), day(2), day(3)], 7);
  assert.equal(bars.length, 3);
  for (const [index, bar] of bars.entries()) {
    assert.ok(bar.left >= index / 7 && bar.left + bar.width <= (index + 1) / 7);
    assert.ok(bar.width > 0.09);
  }
});

test('height is the share of the ceiling, a day without spend has none, and a tiny one can still be seen', () => {
  const { ceilingMicroUsd, bars } = chartGeometry([day(0), day(1), day(500_000), day(1_000_000)], 4);
  assert.equal(ceilingMicroUsd, 1_000_000);
  assert.deepEqual(bars.map(({ height }) => height), [0, 0.025, 0.5, 1]);
});

test('the estimated part is a part of the bar', () => {
  const { bars } = chartGeometry([day(1_000_000, 250_000), day(500_000, 500_000), day(500_000, 900_000)], 3);
  assert.deepEqual(bars.map(({ estimatedHeight }) => estimatedHeight), [0.25, 0.5, 0.5]);
});

test('more days than slots make narrower columns', () => {
  const { bars } = chartGeometry(Array.from({ length: 10 }, () => day(1)), 7);
  const last = bars.at(-1);
  assert.ok(last !== undefined && last.left + last.width <= 1);
});

test('no days make an empty chart', () => {
  assert.deepEqual(chartGeometry([], 7), { ceilingMicroUsd: 100, bars: [] });
});
