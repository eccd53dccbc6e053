import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fuzzTargets } from '../../fuzz/targets.ts';
import { runFuzz } from '../../fuzz/fuzzRun.ts';

const count = 15;

test('random requests of four protocols and of the editor are refused by no strict simulator, and nothing is changed in silence', async () => {
  for (const seed of [1, 2]) {
    const { requests, findings } = await runFuzz({ count, seed });
    assert.equal(requests, count * fuzzTargets.length);
    assert.deepEqual(findings.map(({ kind, target, model, caller, words }) => `${kind}, ${caller} to ${target} (${model}), seed ${seed}: ${words}`), []);
  }
});
