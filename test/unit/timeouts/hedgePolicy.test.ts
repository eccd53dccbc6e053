import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createHedgePolicy, type HedgePolicy } from '../../../server/timeouts/hedgePolicy.ts';

const learnt = { dailyCapMicroUsd: 1_000_000 };
const nothingSpent = (): number => 0;

function request(policy: HedgePolicy, times: number, route = 'auto'): void {
  for (let time = 0; time < times; time += 1) policy.requested(route);
}

function granted(policy: HedgePolicy, asked: number, route = 'auto'): number {
  let count = 0;
  while (policy.mayHedge(route, learnt, nothingSpent, asked)) count += 1;
  return count;
}

describe('permission to ask a second target', () => {
  it('is given for the first stalls of a new route', () => {
    const policy = createHedgePolicy();
    policy.requested('auto');
    assert.equal(granted(policy, 1), 2);
  });

  it('is given for no more than six in a hundred requests, however many are late', () => {
    const policy = createHedgePolicy();
    let second = 0;
    for (let index = 0; index < 2_000; index += 1) {
      policy.requested('auto');
      if (policy.mayHedge('auto', learnt, nothingSpent, index % 3)) second += 1;
    }
    assert.ok(second <= 120 && second >= 100, `${second} of 2000`);
  });

  it('does not accumulate without bound while nothing is late', () => {
    const policy = createHedgePolicy();
    request(policy, 10_000);
    assert.ok(granted(policy, 1) <= 10);
  });

  it('is kept for those that wait longest when little is left', () => {
    const policy = createHedgePolicy();
    request(policy, 1_000);
    const early = granted(policy, 0);
    const late = granted(policy, 1);
    assert.ok(early >= 1 && late >= 4, `${early} early, ${late} late`);
  });

  it('is counted for each route by itself', () => {
    const policy = createHedgePolicy();
    request(policy, 1_000);
    granted(policy, 1);
    request(policy, 1, 'other');
    assert.equal(granted(policy, 1, 'other'), 2);
  });

  it('ends when the cap of the day is spent', () => {
    const policy = createHedgePolicy();
    request(policy, 1_000);
    const config = { dailyCapMicroUsd: 5_000 };
    assert.equal(policy.mayHedge('auto', config, () => 4_999, 1), true);
    assert.equal(policy.mayHedge('auto', config, () => 5_000, 1), false);
    assert.equal(policy.mayHedge('auto', { dailyCapMicroUsd: 0 }, nothingSpent, 1), false);
  });

  it('is bounded only by the cap where the user configured the moment', () => {
    const policy = createHedgePolicy();
    const config = { afterMs: 200, dailyCapMicroUsd: 5_000 };
    for (let index = 0; index < 100; index += 1) assert.equal(policy.mayHedge('auto', config, nothingSpent, 0), true);
    assert.equal(policy.mayHedge('auto', config, () => 5_000, 0), false);
  });

  it('does not read the spend when it is refused anyway', () => {
    const policy = createHedgePolicy();
    granted(policy, 1);
    assert.equal(policy.mayHedge('auto', learnt, () => assert.fail('the spend is not needed'), 1), false);
  });

  it('stays bounded in memory with any number of routes', () => {
    const policy = createHedgePolicy();
    for (let index = 0; index < 5_000; index += 1) policy.requested(`route-${index}`);
    policy.requested('auto');
    assert.equal(granted(policy, 1), 2);
  });
});
