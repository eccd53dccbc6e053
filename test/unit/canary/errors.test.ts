import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { defaults as rules, simulated, wasRolledBack, type Providers, type Traffic } from './simulatedTraffic.ts';

/** Share of seeded runs that were rolled back. */
function rolledBack(runs: number, providers: Providers, traffic: Omit<Traffic, 'seed'>): number {
  let count = 0;
  for (let seed = 1; seed <= runs; seed++) if (wasRolledBack(simulated(providers, { ...traffic, seed }))) count += 1;
  return count / runs;
}

/** Requests that the canary got before it was rolled back, ascending; Infinity where it was not. */
function detection(runs: number, providers: Providers, traffic: Omit<Traffic, 'seed'>): number[] {
  const counts: number[] = [];
  for (let seed = 1; seed <= runs; seed++) {
    const run = simulated(providers, { ...traffic, seed });
    counts.push(wasRolledBack(run) ? run.toCanary : Infinity);
  }
  return counts.sort((a, b) => a - b);
}

function both(rate: (request: number) => number): Providers {
  return { baselineFails: rate, canaryFails: rate };
}

const inOutage = (request: number): boolean => request % 300 >= 240;
const runs = 1000;
/** Stages that need no times to go on. */
const untimed = { ...rules, gates: { ...rules.gates, p99Ratio: undefined } };

describe('without a difference, fewer than one run in a hundred is rolled back', () => {
  it('when both arms fail one request in a hundred, times measured', () => {
    assert.ok(rolledBack(runs, both(() => 0.01), { requests: 600 }) < 0.01);
    assert.equal(rolledBack(60, both(() => 0.01), { requests: 600, measured: true }), 0);
  });

  it('when both arms suffer an outage together', () => {
    assert.ok(rolledBack(runs, both(request => (inOutage(request) ? 1 : 0.01)), { requests: 600 }) < 0.01);
  });

  it('when an outage of both fails half of the requests', () => {
    assert.ok(rolledBack(runs, both(request => (inOutage(request) ? 0.5 : 0.01)), { requests: 600 }) < 0.01);
  });

  it('when an outage of both falls on one long conversation after the other', () => {
    assert.ok(rolledBack(runs, both(request => (inOutage(request) ? 0.5 : 0.01)), { requests: 600, conversationLength: 20 }) < 0.01);
    assert.ok(rolledBack(300, both(request => (inOutage(request) ? 1 : 0)), { requests: 600, conversationLength: 40, atOnce: 2 }) < 0.01);
  });

  it('where the canary has half of the traffic or all of it', () => {
    for (const share of [50, 100]) {
      const whole = { requests: 600, rules: atShare(share) };
      assert.ok(rolledBack(runs, both(() => 0.01), { ...whole, requests: 400 }) < 0.01, `${String(share)} %, well`);
      assert.ok(rolledBack(runs, both(request => (inOutage(request) ? 0.5 : 0.01)), whole) < 0.01, `${String(share)} %, half an outage`);
      assert.ok(rolledBack(300, both(request => (inOutage(request) ? 0.2 : 0.01)), whole) < 0.01, `${String(share)} %, a fifth`);
      assert.ok(rolledBack(300, both(request => (inOutage(request) ? 1 : 0.01)), whole) < 0.01, `${String(share)} %, an outage`);
      assert.ok(rolledBack(300, both(request => (inOutage(request) ? 0.5 : 0.01)), { ...whole, conversationLength: 20 }) < 0.01, `${String(share)} %, long conversations`);
    }
  });

  it('through all stages, with one failure in fifty', () => {
    assert.ok(rolledBack(400, both(() => 0.02), { requests: 1600, rules: untimed }) < 0.01);
  });

  it('when both are bad all the time', () => {
    assert.ok(rolledBack(runs, both(() => 0.2), { requests: 400 }) < 0.01);
  });
});

describe('a canary that fails', () => {
  it('all requests is rolled back within 10 of them, at each share', () => {
    for (const share of [5, 15, 30, 50, 100]) {
      const counts = detection(100, { baselineFails: () => 0, canaryFails: () => 1 }, { requests: 2000, rules: atShare(share) });
      assert.ok((counts.at(-1) ?? Infinity) <= 10, `${String(share)} %: ${String(counts.at(-1))}`);
    }
  });

  it('a fifth of the requests is rolled back within 50 of them, through the usual stages', () => {
    for (const baseline of [0, 0.01]) {
      const counts = detection(300, { baselineFails: () => baseline, canaryFails: () => 0.2 }, { requests: 4000 });
      assert.ok((counts[Math.floor(counts.length * 0.95)] ?? Infinity) <= 50, `${String(baseline)}: ${String(counts[Math.floor(counts.length * 0.95)])}`);
    }
  });

  it('a fifth of the requests is rolled back within 50 of them in nine runs of ten, where it has half of the traffic or all of it', () => {
    for (const share of [50, 100]) for (const baseline of [0, 0.01]) {
      const counts = detection(400, { baselineFails: () => baseline, canaryFails: () => 0.2 }, { requests: 4000, rules: atShare(share) });
      assert.ok((counts[Math.floor(counts.length * 0.9) - 1] ?? Infinity) <= 50, `${String(share)} %, ${String(baseline)}: ${String(counts[Math.floor(counts.length * 0.9) - 1])}`);
      assert.ok((counts.at(-1) ?? Infinity) < 200, 'each run ends in a roll-back');
    }
  });

  it('a fifth of the requests from some stage on, after it was as well as the baseline, is rolled back within 50 of them in nine runs of ten', () => {
    for (const from of [1, 2, 3, 4]) {
      const counts: number[] = [];
      for (let seed = 1; seed <= 300; seed++) {
        const run = simulated({ baselineFails: () => 0.01, canaryFails: (_request, stage) => (stage >= from ? 0.2 : 0.01) }, { seed, requests: 5000, rules: untimed });
        // One that was rolled back before says nothing about this.
        if (run.toCanaryAt[from] !== 0) counts.push(wasRolledBack(run) ? run.toCanaryAt.slice(from).reduce((sum, count) => sum + count, 0) : Infinity);
      }
      const found = counts.filter(count => count <= 50).length / counts.length;
      assert.ok(found >= 0.9, `from stage ${String(from + 1)}: ${String(found)}`);
    }
  });

  it('a fifth of the requests after it was well in all earlier stages is rolled back too', () => {
    const counts = detection(200, { baselineFails: () => 0, canaryFails: request => (request > 1000 ? 0.2 : 0) }, { requests: 6000, rules: { ...untimed, stages: [5, 15, 30, 100], stageRequests: 300, advance: 'requests' } });
    const before = 300 * 0.5 + 100;
    assert.ok((counts[180] ?? Infinity) < before + 50 + 40, String(counts[180]));
  });

  it('only after it was well for long is rolled back too', () => {
    const counts = detection(100, { baselineFails: () => 0.01, canaryFails: request => (request > 450 ? 0.5 : 0.01) }, { requests: 4000 });
    assert.ok((counts[95] ?? Infinity) < 150, String(counts[95]));
  });

  it('less than the baseline is never rolled back', () => {
    assert.equal(rolledBack(200, { baselineFails: () => 0.2, canaryFails: () => 0.01 }, { requests: 500 }), 0);
  });
});

function atShare(share: number): Traffic['rules'] & object {
  return { ...rules, stages: share === 100 ? [100] : [share, 100], advance: 'manual' };
}
