import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { faultNames } from '../../chaos/faults.ts';
import { HealthLog } from '../../chaos/healthLog.ts';
import { faultChanges, type Change } from '../../chaos/schedule.ts';

function minutes(seed: number, count: number): Change[] {
  const changes: Change[] = [];
  for (const change of faultChanges(seed, 4)) {
    if (change.atMs > count * 60_000) break;
    changes.push(change);
  }
  return changes;
}

describe('the schedule of faults', () => {
  it('is the same for a seed, another for another, and in the order of time', () => {
    assert.deepEqual(minutes(3, 1), minutes(3, 1));
    assert.notDeepEqual(minutes(3, 1), minutes(4, 1));
    const changes = minutes(3, 2);
    assert.deepEqual(changes, [...changes].sort((one, other) => one.atMs - other.atMs));
  });

  it('has every fault within minutes, most of the time a healthy provider, and moments without one', () => {
    const changes = minutes(11, 5);
    assert.deepEqual([...new Set(changes.map(change => change.fault.name))].sort(), [...faultNames].sort());
    const wellNow = new Set<number>();
    const lasted = new Map<number, number>();
    changes.forEach((change, index) => {
      if (change.fault.name === 'healthy') wellNow.add(change.provider);
      else wellNow.delete(change.provider);
      const untilMs = changes[index + 1]?.atMs ?? change.atMs;
      lasted.set(wellNow.size, (lasted.get(wellNow.size) ?? 0) + untilMs - change.atMs);
    });
    const all = [...lasted.values()].reduce((sum, ms) => sum + ms, 0);
    assert.ok((lasted.get(0) ?? 0) > all * 0.005, 'no moment had all providers down');
    assert.ok((lasted.get(0) ?? 0) + (lasted.get(1) ?? 0) < all * 0.4, 'healthy providers were rare');
  });
});

describe('the log of healthy providers', () => {
  it('counts a provider as unhealthy within a wait it asked for, and while its process was away', () => {
    const log = new HealthLog();
    log.well('a', 100);
    log.ill('a', 200);
    log.away('a', 500);
    log.well('a', 300);
    log.missing(600, 700);
    log.ill('a', 900);
    log.well('b', 950);
    assert.deepEqual(log.take(1000), [
      { provider: 'a', from: 100, to: 200 }, { provider: 'a', from: 500, to: 600 }, { provider: 'a', from: 700, to: 900 }, { provider: 'b', from: 950, to: 1000 },
    ]);
    assert.deepEqual(log.take(1100), [{ provider: 'b', from: 1000, to: 1100 }]);
  });
});
