import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { periodOf } from '../../../../server/limits/budgets/period.ts';

const hour = 3_600_000;
const module = fileURLToPath(new URL('../../../../server/limits/budgets/period.ts', import.meta.url));

/** The hours of a period in a time zone, which a process has for its life. */
function hoursIn(zone: string, period: string, at: string): { day: string; hours: number; from: string } {
  const script = `import { periodOf } from ${JSON.stringify(module)}; const { day, from, to } = periodOf(${JSON.stringify(period)}, Date.parse(${JSON.stringify(at)})); console.log(JSON.stringify({ day, hours: (to - from) / ${String(hour)}, from: new Date(from).toISOString() }));`;
  return JSON.parse(execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8', env: { ...process.env, TZ: zone, NODE_OPTIONS: '' } })) as { day: string; hours: number; from: string };
}

describe('the period of a budget', () => {
  it('is a local day of 23 or 25 hours where clocks change', () => {
    assert.deepEqual(hoursIn('Europe/Berlin', 'day', '2026-03-29T12:00:00Z'), { day: '2026-03-29', hours: 23, from: '2026-03-28T23:00:00.000Z' });
    assert.deepEqual(hoursIn('Europe/Berlin', 'day', '2026-10-25T12:00:00Z'), { day: '2026-10-25', hours: 25, from: '2026-10-24T22:00:00.000Z' });
    assert.deepEqual(hoursIn('Asia/Ho_Chi_Minh', 'day', '2026-11-27T17:30:00Z'), { day: '2026-11-28', hours: 24, from: '2026-11-27T17:00:00.000Z' });
  });

  it('is a month from its first local midnight', () => {
    assert.deepEqual(hoursIn('America/New_York', 'month', '2026-12-01T03:00:00Z'), { day: '2026-11-01', hours: 30 * 24 + 1, from: '2026-11-01T04:00:00.000Z' });
  });

  it('is a week from Monday, also on a Sunday', () => {
    assert.equal(hoursIn('Europe/Berlin', 'week', '2026-11-29T12:00:00Z').day, '2026-11-23');
    assert.equal(hoursIn('Europe/Berlin', 'week', '2026-11-23T12:00:00Z').day, '2026-11-23');
  });

  it('follows the one before without a gap', () => {
    for (const period of ['day', 'week', 'month'] as const) {
      let at = new Date(2026, 0, 1).getTime();
      for (let count = 0; count < 60; count += 1) {
        const { from, to } = periodOf(period, at);
        assert.ok(from <= at && at < to);
        assert.equal(periodOf(period, to - 1).from, from);
        assert.equal(periodOf(period, to).from, to);
        at = to;
      }
    }
  });
});
