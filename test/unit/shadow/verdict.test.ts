import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ShadowVerdict } from '../../../server/api/shadow.ts';
import type { ShadowConfig } from '../../../server/config/config.ts';
import { shadowReportOf } from '../../../server/shadow/shadowReport.ts';
import { fromStored, newRun, spentOn, storedForm, withOwn, withSkip, withSpend, withTrial, type ShadowRun } from '../../../server/shadow/shadowRun.ts';
import { seededRandom } from '../support/seededRandom.ts';

const rules: ShadowConfig = {
  target: { endpoint: 'new', model: 'm' }, share: 10, sameTargetShare: 20, draw: 'conversation', budgetMicroUsd: 1_000_000, atOnce: 2, timeoutMs: 120_000, maxBodyBytes: 1024,
  exceptWorkspaces: new Set(), minRequests: 40, agreement: 0.8, latencyRatio: 2, costRatio: undefined,
};

/** How a target behaves in a simulation. @property agreement the usual likeness of its answers to the caller's */
interface Behaviour { agreement: number; fails?: number; slowness?: number; cost?: number }

/** So many mirrored requests, of which every fourth is repeated at the route's own target. */
function simulated(count: number, seed: number, tried: Behaviour, own: Behaviour = { agreement: 0.8 }): ShadowRun {
  const random = seededRandom(seed);
  const near = (middle: number): number => Math.min(1, Math.max(0, middle + (random() - 0.5) * 0.4));
  const log = (middle: number): number => middle * Math.exp((random() - 0.5) * 0.8);
  let run = newRun('run', 'new/m', 0, undefined);
  for (let index = 0; index < count; index++) {
    run = withOwn(run, true);
    const callers = { firstToken: log(400), total: log(4000), cost: log(1000), length: log(500) };
    for (const [arm, { agreement, fails = 0, slowness = 1, cost = 1 }] of [['shadow', tried], ...(index % 4 === 0 ? [['repeat', own]] : [])] as ['shadow' | 'repeat', Behaviour][]) {
      const answered = random() >= fails;
      const match = near(agreement);
      run = withTrial(run, answered ? {
        arm, answered, own: callers, measured: { firstToken: log(400 * slowness), total: log(4000 * slowness), cost: log(1000 * cost), length: log(500) },
        likeness: { match, text: match, stop: 1 },
      } : { arm, answered });
    }
  }
  return run;
}

function reportOf(run: ShadowRun, given: Partial<ShadowConfig> = {}): ReturnType<typeof shadowReportOf> {
  return shadowReportOf({ route: 'coding', target: 'new/m', rules: { ...rules, ...given }, run, targetChanged: false, spentMicroUsd: 0 });
}

function verdicts(count: number, tried: Behaviour, given: Partial<ShadowConfig> = {}): Record<ShadowVerdict, number> {
  const found: Record<ShadowVerdict, number> = { 'ready': 0, 'needs tuning': 0, 'not enough data': 0 };
  for (let seed = 1; seed <= 100; seed++) found[reportOf(simulated(count, seed, tried), given).verdict] += 1;
  return found;
}

describe('the verdict on a shadow', () => {
  it('is ready where it is as good as the route\'s own target, whose own answers vary too', () => {
    const { ready, 'needs tuning': tuning } = verdicts(200, { agreement: 0.8 });
    assert.ok(ready >= 90 && tuning === 0, JSON.stringify({ ready, tuning }));
  });

  it('is that it needs tuning where it agrees far less, fails, or is slow, and says which', () => {
    for (const [tried, why] of [[{ agreement: 0.3 }, /^Needs tuning: the answers are 0\.\d+/], [{ agreement: 0.8, fails: 0.3 }, /^Needs tuning: the shadow answers 0\.\d+/], [{ agreement: 0.8, slowness: 4 }, /^Needs tuning: the first token takes/]] as const) {
      const found = verdicts(200, tried);
      assert.ok(found['needs tuning'] >= 98 && found.ready === 0, JSON.stringify(found));
      assert.match(reportOf(simulated(200, 1, tried)).message, why);
    }
  });

  it('judges the cost only where a limit is set', () => {
    assert.equal(verdicts(200, { agreement: 0.8, cost: 3 })['needs tuning'], 0);
    assert.ok(verdicts(200, { agreement: 0.8, cost: 3 }, { costRatio: 1.5 })['needs tuning'] >= 98);
    assert.ok(verdicts(200, { agreement: 0.8, cost: 0.5 }, { costRatio: 1 }).ready >= 90);
  });

  it('is not enough data before there are enough pairs of both, and where the figures do not say it clearly', () => {
    assert.deepEqual(verdicts(39, { agreement: 0.2 }), { 'ready': 0, 'needs tuning': 0, 'not enough data': 100 });
    assert.match(reportOf(simulated(20, 1, { agreement: 0.8 })).message, /^Not enough data: 20 of at least 40 pairs of answers were compared, and 5 of at least 8 /);
    const edge = verdicts(100, { agreement: 0.64 });
    assert.ok(edge['not enough data'] >= 80, JSON.stringify(edge));
    assert.equal(reportOf(newRun('run', 'new/m', 0, undefined)).verdict, 'not enough data');
  });
});

describe('the state of a shadow', () => {
  it('is the same after it was stored, holds figures only, and counts as not started where the text is another one', () => {
    const run = withSkip(withSpend(simulated(50, 7, { agreement: 0.7 }), 1000, 25), 'secret');
    assert.deepEqual(fromStored(storedForm(run)), run);
    for (const text of ['', '{}', 'no JSON', storedForm(run).replace('"version":1', '"version":2'), storedForm(run).replace('"sent"', '"other"'), storedForm(run).replace(/"mean":[^,]+/, '"mean":"x"')]) assert.equal(fromStored(text), undefined);
  });

  it('counts the money of a day until the next one, also over a new start', () => {
    const spent = withSpend(withSpend(newRun('a', 'new/m', 0, undefined), 1000, 20), 1000, 5);
    assert.equal(spentOn(newRun('b', 'other/m', 0, spent), 1000), 25);
    assert.equal(spentOn(spent, 2000), 0);
    assert.equal(spentOn(withSpend(withSpend(spent, 2000, 1), 1000, 50), 2000), 1, 'what is reported late of an earlier day is not taken from today');
  });
});
