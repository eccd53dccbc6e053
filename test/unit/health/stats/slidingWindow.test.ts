import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createUptime } from '../../../../server/health/stats/uptime.ts';
import { createSlidingWindow, windowMs } from '../../../../server/health/stats/slidingWindow.ts';

test('an empty window knows nothing, which is not zero', () => {
  const summary = createSlidingWindow().summary(0);
  assert.equal(summary.errorRate, undefined);
  assert.equal(summary.firstToken, undefined);
  assert.equal(summary.total, undefined);
});

test('percentiles are those of the answers, whatever order they came in', () => {
  const window = createSlidingWindow();
  for (let index = 0; index < 100; index += 1) {
    const value = ((index * 37) % 100) + 1;
    window.add(1000 + index, true, value, value * 10);
  }
  window.add(1200, false, undefined, undefined);
  const summary = window.summary(2000);
  assert.deepEqual(summary.firstToken, { p50: 50, p95: 95, p99: 99 });
  assert.deepEqual(summary.total, { p50: 500, p95: 950, p99: 990 });
  assert.equal(summary.errorRate, 1 / 101);
});

test('plain answers without a first token have a total only', () => {
  const window = createSlidingWindow();
  window.add(0, true, undefined, 42);
  assert.deepEqual(window.summary(1), { outcomes: 1, failures: 0, errorRate: 0, firstToken: undefined, total: { p50: 42, p95: 42, p99: 42 } });
});

test('outcomes leave the window after ten minutes, also when nothing new comes', () => {
  const window = createSlidingWindow();
  window.add(0, false, undefined, undefined);
  window.add(60_000, true, 5, 9);
  assert.equal(window.summary(windowMs - 1).errorRate, 0.5);
  assert.equal(window.summary(windowMs).errorRate, 0);
  assert.equal(window.succeededLately(windowMs), true);
  assert.equal(window.summary(windowMs + 60_000).errorRate, undefined);
  assert.equal(window.succeededLately(windowMs + 60_000), false);
});

test('of more than 512 outcomes the latest 512 count', () => {
  const window = createSlidingWindow();
  for (let index = 0; index < 512; index += 1) window.add(index, false, undefined, undefined);
  for (let index = 0; index < 512; index += 1) window.add(1000 + index, true, 1, 1);
  assert.deepEqual([window.summary(2000).outcomes, window.summary(2000).failures], [512, 0]);
});

test('uptime is the share of watched time not down, and unknown before anything was watched', () => {
  const uptime = createUptime(0);
  assert.equal(uptime.share(1000), undefined);
  uptime.mark(false, 1000);
  assert.equal(uptime.share(1000), 1);
  uptime.mark(true, 2000);
  uptime.mark(true, 2500);
  assert.equal(uptime.share(3000), 0.5);
  uptime.mark(false, 3000);
  assert.equal(uptime.share(5000), 0.75);
});

test('what was seen before the start is not watched time', () => {
  const uptime = createUptime(10_000);
  uptime.mark(true, 1000);
  assert.equal(uptime.share(10_000), 0);
  uptime.mark(false, 11_000);
  assert.equal(uptime.share(12_000), 0.5);
});

test('time in which the state was unknown counts neither way', () => {
  const uptime = createUptime(0);
  uptime.mark(false, 0);
  uptime.mark(undefined, 1000);
  assert.equal(uptime.share(9000), 1);
  uptime.mark(true, 9000);
  assert.equal(uptime.share(10_000), 0.5);
});

test('a time that is skipped takes what was marked in it along', () => {
  const uptime = createUptime(0);
  uptime.mark(false, 0);
  uptime.mark(true, 5000);
  uptime.skip(4000, 8000);
  assert.equal(uptime.share(8000), 1);
  const asleep = createUptime(0);
  asleep.mark(true, 0);
  asleep.skip(1000, 100_000);
  asleep.mark(false, 101_000);
  assert.equal(asleep.share(103_000), 0.5, 'down for a second before and a second after, up for two');
});

test('failures that are taken back leave the sliding window, successes stay', () => {
  const window = createSlidingWindow();
  window.add(1000, false, undefined, undefined);
  window.add(2000, true, 5, 9);
  window.add(3000, false, undefined, undefined);
  window.forgive(2500);
  const { outcomes, failures, total } = window.summary(4000);
  assert.deepEqual([outcomes, failures, total?.p50], [2, 1, 9]);
});

test('a copy of a window put back holds what it held', () => {
  const window = createSlidingWindow();
  for (let index = 0; index < 600; index += 1) window.add(1000 + index, index % 3 === 0, index, index * 2);
  const summary = window.summary(5000);
  const before = window.snapshot();
  for (let index = 0; index < 300; index += 1) window.add(3000, false, undefined, undefined);
  assert.notDeepEqual(window.summary(5000), summary);
  window.restore(before);
  assert.deepEqual(window.summary(5000), summary);
  for (let index = 0; index < 300; index += 1) window.add(3000, false, undefined, undefined);
  window.restore(before);
  assert.deepEqual(window.summary(5000), summary, 'the copy was not written to');
});
