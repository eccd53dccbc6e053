import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { RefreshThrottle } from '../../../../../client/views/shared/refreshThrottle.ts';

const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

test('a burst of changes is shown at once and once more at its end', async () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  let runs = 0;
  const throttle = new RefreshThrottle(async () => {
    runs += 1;
  }, 1000);
  for (let change = 0; change < 5; change += 1) throttle.request();
  await settle();
  assert.equal(runs, 1);
  throttle.request();
  mock.timers.tick(999);
  await settle();
  assert.equal(runs, 1);
  mock.timers.tick(1);
  await settle();
  assert.equal(runs, 2);
  mock.timers.tick(1000);
  await settle();
  assert.equal(runs, 2);
  throttle.dispose();
  mock.timers.reset();
});

test('two refreshes never run at the same time, and none after disposal', async () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  const waiting: (() => void)[] = [];
  let runs = 0;
  const throttle = new RefreshThrottle(() => {
    runs += 1;
    return new Promise<void>((resolve) => waiting.push(resolve));
  }, 10);
  throttle.request();
  throttle.request();
  mock.timers.tick(1000);
  await settle();
  assert.equal(runs, 1);
  waiting[0]?.();
  await settle();
  mock.timers.tick(10);
  await settle();
  assert.equal(runs, 1 + 1);
  throttle.request();
  throttle.dispose();
  waiting[1]?.();
  await settle();
  mock.timers.tick(1000);
  await settle();
  assert.equal(runs, 2);
  mock.timers.reset();
});
