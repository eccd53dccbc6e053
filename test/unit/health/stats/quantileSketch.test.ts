import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { QuantileSketch } from '../../../../server/health/stats/quantileSketch.ts';
import { seededRandom } from '../../support/seededRandom.ts';

const hour = 3_600_000;
const make = (outcomes = 1_000): QuantileSketch => new QuantileSketch({ lowest: 1, window: outcomes, halfLifeMs: hour });

function near(actual: number | undefined, expected: number, share = 0.05): void {
  assert.ok(actual !== undefined && Math.abs(actual / expected - 1) <= share, `${actual} is not near ${expected}`);
}

describe('a sketch of a distribution', () => {
  it('is empty at first', () => {
    assert.equal(make().quantile(0.5), undefined);
    assert.equal(make().held, 0);
    assert.equal(make().shareUpTo(100), 0);
  });

  it('gives quantiles to within a few percent, over four orders of magnitude', () => {
    const sketch = make(100_000);
    for (let value = 1; value <= 10_000; value += 1) sketch.add(value, 0);
    for (const share of [0.01, 0.1, 0.5, 0.9, 0.95, 0.99, 1]) near(sketch.quantile(share), 10_000 * share, 0.07);
    near(sketch.shareUpTo(2_500), 0.25, 0.1);
  });

  it('follows a change once the sliding window is full of it', () => {
    const sketch = make(100);
    for (let index = 0; index < 500; index += 1) sketch.add(50, 0);
    for (let index = 0; index < 30; index += 1) sketch.add(5_000, 0);
    near(sketch.quantile(0.5), 50, 0.1);
    near(sketch.quantile(0.9), 5_000, 0.1);
    for (let index = 0; index < 500; index += 1) sketch.add(5_000, 0);
    near(sketch.quantile(0.02), 5_000, 0.1);
  });

  it('counts half of what is one half-life old', () => {
    const sketch = make(1_000_000);
    for (let index = 0; index < 100; index += 1) sketch.add(10, 0);
    sketch.add(1_000, hour);
    near(sketch.held, 51);
    sketch.add(1_000, 41 * hour);
    near(sketch.held, 1);
    near(sketch.quantile(0.5), 1_000, 0.1);
  });

  it('accepts late entries and a clock that was set back', () => {
    const sketch = make();
    sketch.add(10, 5 * hour);
    for (let index = 0; index < 20; index += 1) sketch.add(10, 0);
    near(sketch.held, 21, 0.02);
  });

  it('stays accurate when the weights of all entries would exceed the range of a number', () => {
    const sketch = make(100);
    const random = seededRandom(7);
    for (let index = 0; index < 50_000; index += 1) sketch.add(100 + 100 * random(), index * 1_000);
    assert.ok(Number.isFinite(sketch.held));
    near(sketch.held, 100, 0.05);
    near(sketch.quantile(0.5), 150, 0.1);
  });

  it('counts values beyond its range at the ends of the range', () => {
    const sketch = make();
    for (const value of [0, 0.2, -5, 1e12]) sketch.add(value, 0);
    near(sketch.quantile(0.5), 1, 0.1);
    assert.ok((sketch.quantile(1) ?? 0) > 1e6);
  });
});
