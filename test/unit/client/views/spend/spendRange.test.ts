import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { chartSlots, lastMonthRange, nextMidnight, spendRange } from '../../../../../client/views/spend/spendRange.ts';

before(() => {
  // A zone that changes its clocks: 1 November 2026 has 25 hours there, 8 March 23.
  process.env.TZ = 'America/New_York';
});

const at = (text: string): number => new Date(text).getTime();

test('today goes from local midnight to the next, even on a day of 25 hours', () => {
  assert.deepEqual(spendRange('today', at('2026-11-20T15:30:00')), { from: at('2026-11-20T00:00:00'), to: at('2026-11-21T00:00:00') });
  const longDay = spendRange('today', at('2026-11-01T12:00:00'));
  assert.equal(longDay.to - longDay.from, 25 * 3_600_000);
});

test('seven days are today and the six before, across a change of clocks and of the year', () => {
  assert.deepEqual(spendRange('week', at('2026-03-10T00:00:00')), { from: at('2026-03-04T00:00:00'), to: at('2026-03-11T00:00:00') });
  assert.deepEqual(spendRange('week', at('2027-01-03T23:59:59')), { from: at('2026-12-28T00:00:00'), to: at('2027-01-04T00:00:00') });
});

test('a month begins on its first', () => {
  assert.deepEqual(spendRange('month', at('2026-11-20T15:30:00')), { from: at('2026-11-01T00:00:00'), to: at('2026-11-21T00:00:00') });
  assert.deepEqual(spendRange('month', at('2026-12-31T23:59:59')), { from: at('2026-12-01T00:00:00'), to: at('2027-01-01T00:00:00') });
});

test('last month is a whole month, also from January', () => {
  assert.deepEqual(lastMonthRange(at('2027-01-15T12:00:00')), { from: at('2026-12-01T00:00:00'), to: at('2027-01-01T00:00:00') });
});

test('the next midnight is in the future even at midnight', () => {
  assert.equal(nextMidnight(at('2026-11-20T00:00:00')), at('2026-11-21T00:00:00'));
});

test('the chart has room for a week or for the whole month', () => {
  assert.equal(chartSlots('today', at('2026-11-20T00:00:00')), 7);
  assert.equal(chartSlots('week', at('2026-11-20T00:00:00')), 7);
  assert.equal(chartSlots('month', at('2026-11-20T00:00:00')), 30);
  assert.equal(chartSlots('month', at('2028-02-01T00:00:00')), 29);
});
