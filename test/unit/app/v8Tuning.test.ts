import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';

const tuning = pathToFileURL(path.resolve(import.meta.dirname, '../../../server/app/v8Tuning.ts')).href;

/** Runs a program in a process of its own, since flags of V8 hold for the whole process. @returns what it wrote, as JSON */
function run(program: string): Record<string, number> {
  const output = execFileSync(process.execPath, ['--disable-warning=ExperimentalWarning', '--input-type=module', '--eval', `
    import { getHeapSpaceStatistics } from 'node:v8';
    import { setTimeout as sleep } from 'node:timers/promises';
    import { HeapTuning } from ${JSON.stringify(tuning)};
    const young = () => getHeapSpaceStatistics().find(space => space.space_name === 'new_space').space_size / 1e6;
    /** Garbage of which some lives long enough for the young generation to grow. */
    let kept = [];
    const churn = rounds => { for (let i = 0; i < rounds; i++) { kept.push({ i, text: 'x'.repeat(10) + i, list: [i, i, i] }); if (kept.length > 60_000) kept = kept.slice(30_000); } };
    ${program}
  `], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  return JSON.parse(output) as Record<string, number>;
}

describe('the heap of a process', () => {
  it('gives back what its start left behind, once the process is quiet', () => {
    const { started = 0, quiet = 0, called = 0 } = run(`
      const answer = new Function('return 42');
      churn(600_000);
      const tuning = new HeapTuning();
      const started = young();
      const end = performance.now() + 20_000;
      while (young() >= started && performance.now() < end) await sleep(50);
      console.log(JSON.stringify({ started, quiet: young(), called: answer() }));
      tuning.dispose();
    `);
    assert.ok(started >= 8, `the young generation has grown to ${started} MB`);
    assert.ok(quiet <= started / 2, `${quiet} of ${started} MB are left`);
    assert.equal(called, 42);
  });

  it('does not grow its young generation beyond what is enough under load', () => {
    const { most = 0, untuned = 0 } = run(`
      const measure = async () => { let most = 0; for (let i = 0; i < 1000; i++) { churn(1000); most = Math.max(most, young()); await new Promise(resolve => setImmediate(resolve)); } return most; };
      const tuning = new HeapTuning();
      await sleep(600);
      const most = await measure();
      tuning.dispose();
      const { setFlagsFromString } = await import('node:v8');
      setFlagsFromString('--semi-space-growth-factor=2');
      const untuned = await measure();
      console.log(JSON.stringify({ most, untuned }));
    `);
    assert.ok(most < 34, `${most} MB`);
    assert.ok(untuned >= 2 * most, `${most} MB; without a bound it is ${untuned} MB`);
  });
});
