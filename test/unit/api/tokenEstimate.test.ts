import assert from 'node:assert/strict';
import { test } from 'node:test';
import { charactersPerToken, textTokens, tokensPerImage } from '../../../server/api/tokenEstimate.ts';
import { promptTokens, tokenBuckets, usageBuckets } from '../../../server/api/usage.ts';

test('a lower bound never exceeds a likely one, nor that a cautious one', () => {
  for (const length of [0, 1, 3, 4, 5, 17, 1_000, 123_457]) {
    assert.ok(textTokens(length, 'lower') <= textTokens(length, 'likely'));
    assert.ok(textTokens(length, 'likely') <= textTokens(length, 'cautious'));
  }
  assert.ok(tokensPerImage.lower <= tokensPerImage.likely && tokensPerImage.likely <= tokensPerImage.cautious);
});

test('the figures that callers see and caps use do not change', () => {
  assert.deepEqual(charactersPerToken, { lower: 5, likely: 4, cautious: 3.6 });
  assert.deepEqual(tokensPerImage, { lower: 250, likely: 1_200, cautious: 1_500 });
  assert.deepEqual([textTokens(11, 'lower'), textTokens(11, 'likely'), textTokens(11, 'cautious')], [3, 3, 4]);
});

test('a prompt has the tokens of all its buckets, and an unknown number where none is reported', () => {
  assert.equal(promptTokens({ inputTokens: 1, cacheReadTokens: 20, cacheWriteTokens: 300, cacheWrite1hTokens: 4_000, outputTokens: 50_000, reasoningTokens: 6 }), 4_321);
  assert.equal(promptTokens({ cacheWrite1hTokens: 7 }), 7);
  assert.equal(promptTokens({ outputTokens: 7 }), undefined);
  assert.deepEqual(usageBuckets.filter((bucket) => !tokenBuckets.includes(bucket)), ['reportedCostMicroUsd']);
});
