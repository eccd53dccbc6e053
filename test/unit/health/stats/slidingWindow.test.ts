import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createUptime } from '../../../../server/health/stats/uptime.ts';
import { createSlidingWindow, windowMs } from '../../../../server/health/stats/slidingWindow.ts';

test('the figures of an empty sliding window are unknown, not zero', () => {
  const summary = createSlidingWindow().summary(0);
  assert.equal(summary.errorRate, undefined);
  assert.equal(summary.firstToken, undefined);
  assert.equal(summary.total, undefined);
});

test('percentiles are those of the answers, in whatever order these arrive', () => {
  const slidingWindow = createSlidingWindow();
  for (let index = 0; index < 100; index += 1) {
    const value = ((index * 37) % 100) + 1;
    slidingWindow.add(1000 + index, true, value, value * 10);
  }
  slidingWindow.add(1200, false, undefined, undefined);
  const summary = slidingWindow.summary(2000);
  assert.deepEqual(summary.firstToken, { p50: 50, p95: 95, p99: 99 });
  assert.deepEqual(summary.total, { p50: 500, p95: 950, p99: 990 });
  assert.equal(summary.errorRate, 1 / 101);
});

test('plain answers without a first token have a total only', () => {
  const slidingWindow = createSlidingWindow();
  slidingWindow.add(0, true, undefined, 42);
  assert.deepEqual(slidingWindow.summary(1), { outcomes: 1, failures: 0, errorRate: 0, firstToken: undefined, total: { p50: 42, p95: 42, p99: 42 } });
});

test('outcomes leave the sliding window after ten minutes, also without new ones', () => {
  const slidingWindow = createSlidingWindow();
  slidingWindow.add(0, false, undefined, undefined);
  slidingWindow.add(60_000, true, 5, 9);
  assert.equal(slidingWindow.summary(windowMs - 1).errorRate, 0.5);
  assert.equal(slidingWindow.summary(windowMs).errorRate, 0);
  assert.equal(slidingWindow.succeededLately(windowMs), true);
  assert.equal(slidingWindow.summary(windowMs + 60_000).errorRate, undefined);
  assert.equal(slidingWindow.succeededLately(windowMs + 60_000), false);
});

test('of more than 512 outcomes the latest 512 count', () => {
  const slidingWindow = createSlidingWindow();
  for (let index = 0; index < 512; index += 1) slidingWindow.add(index, false, undefined, undefined);
  for (let index = 0; index < 512; index += 1) slidingWindow.add(1000 + index, true, 1, 1);
  assert.deepEqual([slidingWindow.summary(2000).outcomes, slidingWindow.summary(2000).failures], [512, 0]);
});

test('uptime is the share of observed time that is not down, and unknown before the first observation', () => {
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

test('time before the start is not observed time', () => {
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

test('skipped time is left out together with its marks', () => {
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
  const slidingWindow = createSlidingWindow();
  slidingWindow.add(1000, false, undefined, undefined);
  slidingWindow.add(2000, true, 5, 9);
  slidingWindow.add(3000, false, undefined, undefined);
  slidingWindow.forgive(2500);
  const { outcomes, failures, total } = slidingWindow.summary(4000);
  assert.deepEqual([outcomes, failures, total?.p50], [2, 1, 9]);
});

test('a restored snapshot holds the outcomes of its sliding window', () => {
  const slidingWindow = createSlidingWindow();
  for (let index = 0; index < 600; index += 1) slidingWindow.add(1000 + index, index % 3 === 0, index, index * 2);
  const summary = slidingWindow.summary(5000);
  const before = slidingWindow.snapshot();
  for (let index = 0; index < 300; index += 1) slidingWindow.add(3000, false, undefined, undefined);
  assert.notDeepEqual(slidingWindow.summary(5000), summary);
  slidingWindow.restore(before);
  assert.deepEqual(slidingWindow.summary(5000), summary);
  for (let index = 0; index < 300; index += 1) slidingWindow.add(3000, false, undefined, undefined);
  slidingWindow.restore(before);
  assert.deepEqual(slidingWindow.summary(5000), summary, 'the copy was not written to');
});
