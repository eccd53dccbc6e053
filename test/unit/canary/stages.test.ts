import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { CanaryArm } from '../../../server/api/canary.ts';
import { advanced, paused, promoted, rolledBack, started, type Acted } from '../../../server/canary/advance.ts';
import { placeOf } from '../../../server/base/statistics/placeOf.ts';
import { armOf, shareOf } from '../../../server/canary/assignment.ts';
import { judge, overall } from '../../../server/canary/gates.ts';
import type { Observation } from '../../../server/canary/observation.ts';
import { observed, priced } from '../../../server/canary/observe.ts';
import { reportOf } from '../../../server/canary/report.ts';
import { fromStored, newRollout, storedForm, type Rollout } from '../../../server/canary/rollout.ts';
import type { CanaryConfig } from '../../../server/config/config.ts';
import { seededRandom } from '../support/seededRandom.ts';
import { defaults, simulated, usualLatency } from './simulatedTraffic.ts';

const byTime: CanaryConfig = { ...defaults, advance: 'time', stageMs: 1000 };
const start = (): Rollout => newRollout('run', 'new/m', 0);

function good(arm: CanaryArm, ms = 1000): Observation {
  return { arm, failed: false, answered: true, firstTokenMs: ms, totalMs: ms * 2 };
}

/** The same canary after so many good requests of each arm. */
function served(rollout: Rollout, baseline: number, canary: number, rules = byTime): Rollout {
  let next = rollout;
  for (let index = 0; index < baseline; index++) next = observed(next, good('baseline'), rules, 0);
  for (let index = 0; index < canary; index++) next = observed(next, good('canary'), rules, 0);
  return next;
}

function done(acted: Acted): Rollout {
  if ('refused' in acted) throw new Error(acted.refused);
  return acted.rollout;
}

describe('the stages of a canary', () => {
  it('end by time, by requests, or only by hand', () => {
    const enough = served(start(), 30, 30);
    assert.equal(advanced(enough, byTime, 999), enough);
    assert.equal(advanced(enough, byTime, 1000).stage, 1);
    assert.equal(advanced(enough, { ...defaults, stageRequests: 60 }, 0).stage, 1);
    assert.equal(advanced(enough, { ...defaults, stageRequests: 61 }, 0), enough);
    assert.equal(advanced(enough, { ...byTime, advance: 'manual' }, 1e9), enough);
  });

  it('never end on missing data of either arm', () => {
    for (const [baseline, canary] of [[0, 0], [1000, 19], [19, 1000]] as const) {
      const rollout = served(start(), baseline, canary);
      assert.equal(advanced(rollout, byTime, 1e9), rollout);
      assert.equal(overall(judge(rollout, byTime)), 'no-data');
    }
  });

  it('need nothing of the baseline at 100 %, and end in a promotion', () => {
    const last: Rollout = { ...served(start(), 30, 30), stage: 4, stageRequests: { baseline: 0, canary: 0 } };
    assert.deepEqual(advanced(served(last, 0, 20), byTime, 1000).phase, { kind: 'promoted', at: 1000 });
  });

  it('pause where the figures are inconclusive for three times their length, and say why', () => {
    let rollout = served(start(), 60, 30);
    for (let index = 0; index < 2; index++) rollout = observed(rollout, { arm: 'canary', failed: true, answered: false, takenOver: 'answered' }, byTime, 0);
    assert.equal(rollout.phase.kind, 'running');
    assert.equal(advanced(rollout, byTime, 2999).phase.kind, 'running');
    const stopped = advanced(rollout, byTime, 3000);
    assert.deepEqual([stopped.phase.kind, stopped.stage], ['paused', 0]);
    assert.match(stopped.phase.kind === 'paused' ? stopped.phase.why : '', /^Paused, because the error rate is inconclusive: 2 of 32 requests failed at the canary, 0 of 60 requests at the baseline\./);
    assert.equal(shareOf(stopped, byTime), 5, 'the share stays');
    const late = observed(stopped, good('canary'), byTime, 5000);
    assert.equal(late.arms.canary.requests, 33, 'the gates still watch');
  });

  it('that end by requests do not pause while the canary is looked at more closely: a broken one is rolled back at every draw', () => {
    const rules: CanaryConfig = { ...defaults, stages: [60, 100], stageRequests: 20, minRequests: 5 };
    const random = seededRandom(7);
    for (let run = 0; run < 200; run++) {
      let rollout: Rollout = newRollout(`run ${String(run)}`, 'new/m', 0);
      for (let request = 0; rollout.phase.kind === 'running'; request++) {
        assert.ok(request < 1000);
        const { arm } = armOf(rollout, rules, undefined, random) ?? { arm: 'baseline' };
        rollout = advanced(observed(rollout, arm === 'canary' ? { arm, failed: true, answered: false, takenOver: 'answered' } : good(arm), rules, 0), rules, 0);
      }
      assert.equal(rollout.phase.kind, 'rolled-back', JSON.stringify(rollout.phase));
    }
  });

  it('survive a clock that is set back', () => {
    assert.equal(advanced(served({ ...start(), stageSince: 5000 }, 30, 30), byTime, 0).stage, 0);
  });
});

describe('a canary with most of the traffic that fails more than once', () => {
  const rules: CanaryConfig = { ...byTime, stages: [50, 100] };
  const failing: Observation = { arm: 'canary', failed: true, answered: false, takenOver: 'answered' };
  const suspected = (): Rollout => observed(observed({ ...served(start(), 30, 30), stage: 1 }, failing, rules, 0), failing, rules, 0);

  it('gets a small share until that is explained, and says so', () => {
    const rollout = suspected();
    assert.equal(shareOf(rollout, rules), 5);
    assert.match(armOf(rollout, rules, undefined, () => 0.5)?.why ?? '', /the 95 % of the baseline, stage 2 of 2, while failures of the canary are compared$/);
    const report = reportOf({ route: 'best', rules, rollout, targetsChanged: false, baselineTargets: ['old/m'], canaryTargets: ['new/m'], draining: 0 });
    assert.equal(report.share, 5);
    assert.match(report.message, /^Stage 2 of 2, 100 % \(5 % while its failures are compared\)/);
    assert.equal(advanced(rollout, rules, 1000).phase.kind, 'running', 'nothing is promoted meanwhile');
  });

  it('gets its share back once it answers again', () => {
    assert.equal(shareOf(served(suspected(), 100, 20), rules), 100);
  });

  it('is not held back by failures that both arms share', () => {
    let rollout: Rollout = { ...served(start(), 30, 30), stage: 1 };
    for (let index = 0; index < 20; index++) rollout = observed(rollout, { ...failing, takenOver: 'failed' }, rules, 0);
    assert.equal(shareOf(rollout, rules), 100);
  });

  it('is judged by the share at which the arm was drawn', () => {
    let rollout = suspected();
    for (let index = 0; index < 4; index++) rollout = observed(observed(rollout, good('baseline'), rules, 0), { ...failing, share: 100 }, rules, 0);
    assert.equal(rollout.phase.kind, 'running');
  });

  it('goes on from a state of an earlier version', () => {
    const { closerLook: _, traffic: { baseline, canary }, ...rest } = start();
    const old = fromStored(JSON.stringify({ ...rest, traffic: { baseline, canary } }));
    assert.ok(old !== undefined);
    assert.equal(observed(old, failing, rules, 0).closerLook?.failures, 1);
  });
});

describe('a person', () => {
  it('starts, pauses, goes on, promotes and rolls back', () => {
    const running = done(started(undefined, 'a', 'new/m', 1));
    assert.ok('refused' in started(running, 'b', 'new/m', 2));
    const stopped = done(paused(running, 2));
    assert.ok('refused' in paused(stopped, 3));
    assert.equal(done(started(stopped, 'b', 'new/m', 3)).id, 'a');
    const second = done(promoted(stopped, defaults, 4));
    assert.deepEqual([second.phase.kind, second.stage], ['running', 1]);
    let last = second;
    for (let index = 0; index < 4; index++) last = done(promoted(last, defaults, 5));
    assert.equal(last.phase.kind, 'promoted');
    assert.ok('refused' in promoted(last, defaults, 6));
    const report = reportOf({ route: 'best', rules: defaults, rollout: last, targetsChanged: false, baselineTargets: ['old/m'], canaryTargets: ['new/m'], draining: 0 });
    assert.match(report.message, /To finish, give the route "targets": \["new\/m"\] and remove its "canary"\.$/);
    const back = done(rolledBack(last, 7));
    assert.equal(shareOf(back, defaults), 0);
    assert.ok('refused' in rolledBack(back, 8));
    assert.equal(done(started(back, 'c', 'new/m', 9)).id, 'c', 'a new start is a new run');
    assert.equal(done(started(running, 'd', 'other/m', 9)).id, 'd', 'other targets inherit nothing');
    for (const refused of [promoted(undefined, defaults, 1), paused(undefined, 1), rolledBack(undefined, 1)]) assert.ok('refused' in refused);
  });
});

describe('the gates of times and cost', () => {
  const slower = (factor: number) => (random: () => number): number => usualLatency(random) * factor;

  it('roll back a canary whose 99th percentile is far above the baseline\'s', () => {
    const { rollout } = simulated({ baselineFails: () => 0, canaryFails: () => 0, canaryLatency: slower(8) }, { seed: 1, requests: 4000, measured: true });
    assert.equal(rollout.phase.kind, 'rolled-back');
    assert.match(rollout.phase.kind === 'rolled-back' ? rollout.phase.why : '', /wait for the first token longer than .*, and the baseline's do not\./);
  });

  it('are not fooled where both arms become slow together', () => {
    let rollout = start();
    const random = seededRandom(5);
    for (let index = 0; index < 2000; index++) rollout = observed(rollout, good(random() < 0.3 ? 'canary' : 'baseline', usualLatency(random) * (index % 400 > 300 ? 20 : 1)), { ...defaults, stages: [30, 100] }, 0);
    assert.equal(rollout.phase.kind, 'running');
  });

  it('obey limits in milliseconds', () => {
    const rules: CanaryConfig = { ...byTime, stages: [50, 100], gates: { ...byTime.gates, p99FirstTokenMs: 500, p99TotalMs: 100_000, p99Ratio: undefined } };
    let rollout = start();
    for (let index = 0; index < 60 && rollout.phase.kind === 'running'; index++) rollout = observed(observed(rollout, good('baseline', 300), rules, 0), good('canary', 900), rules, 0);
    assert.match(rollout.phase.kind === 'rolled-back' ? rollout.phase.why : '', /longer than 500 ms/);
  });

  it('judge the cost for 1,000 tokens where a limit is set, and never without a price', () => {
    const rules: CanaryConfig = { ...byTime, gates: { ...byTime.gates, costRatio: 1.5 } };
    let rollout = served(start(), 30, 30, rules);
    assert.equal(judge(rollout, rules).find(({ gate }) => gate === 'cost per 1,000 tokens')?.state, 'no-data');
    assert.equal(advanced(rollout, rules, 1e9), rollout, 'an unknown price promotes nothing');
    for (let index = 0; index < 60; index++) {
      rollout = priced(rollout, { arm: 'baseline', microUsd: 1000 + index, tokens: 1000 }, rules, 0);
      rollout = priced(rollout, { arm: 'canary', microUsd: 3000 + index, tokens: 1000 }, rules, 0);
    }
    assert.match(rollout.phase.kind === 'rolled-back' ? rollout.phase.why : '', /1,000 tokens cost 2\.9\d times as much at the canary as at the baseline, above the limit of 1\.5\./);
  });
});

describe('the arm of a request', () => {
  it('is the same for every request of a conversation, and stays with the canary while the share grows', () => {
    const stages = defaults.stages.map((_share, stage): Rollout => ({ ...start(), stage }));
    for (let index = 0; index < 500; index++) {
      const arms = stages.map(rollout => armOf(rollout, defaults, `conversation ${String(index)}`, () => 1)?.arm);
      assert.deepEqual([...arms].sort(), arms, 'baseline first, then canary for good');
    }
  });

  it('follows the share within one per cent', () => {
    for (const [stage, share] of defaults.stages.entries()) {
      let count = 0;
      for (let index = 0; index < 20_000; index++) if (placeOf(`run:${String(index)}`) * 100 < share) count += 1;
      assert.ok(Math.abs(count / 200 - share) < 1, `stage ${String(stage)}: ${String(count / 200)}`);
    }
  });

  it('is drawn request by request where there is no conversation', () => {
    assert.equal(armOf(start(), defaults, undefined, () => 0.01)?.arm, 'canary');
    assert.match(armOf(start(), defaults, undefined, () => 0.99)?.why ?? '', /^the request, which names no conversation, was drawn for the 95 % of the baseline, stage 1 of 5$/);
  });
});

describe('the stored form and the report', () => {
  it('come back as they were; anything else counts as none', () => {
    const rollout = served(start(), 25, 25);
    assert.deepEqual(fromStored(storedForm(rollout)), rollout);
    for (const text of ['', '{', 'null', '1', '{}', '{"version":1}', storedForm({ ...rollout, version: 2 as 1 }), storedForm({ ...rollout, arms: {} as Rollout['arms'] })]) assert.equal(fromStored(text), undefined, text);
  });

  it('show both arms side by side with their bounds', () => {
    const rollout = served(start(), 25, 25);
    const report = reportOf({ route: 'coding', rules: byTime, rollout, targetsChanged: false, baselineTargets: ['old/m'], canaryTargets: ['new/m'], draining: 0 });
    assert.deepEqual([report.phase, report.stage, report.share, report.verdict, report.message], ['running', 1, 5, 'pass', 'Stage 1 of 5, 5 %: every gate passes.']);
    assert.deepEqual(report.canary.errorRate, { value: 0, low: 0, high: 0.1332 });
    assert.ok((report.baseline.p99TotalMs?.value ?? 0) > 1900);
  });
});
