import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseTargetName, targetName } from '../../../server/api/targetName.ts';

test('the name of a target is taken apart into what it was made of', () => {
  for (const [endpoint, model] of [['openai', 'gpt-4.1'], ['openrouter', 'anthropic/claude-opus-5.5'], ['a', '/b'], ['a', 'b/']] as const) {
    assert.deepEqual(parseTargetName(targetName(endpoint, model)), { endpoint, model });
  }
});

test('a text without both parts is no target', () => {
  for (const text of ['', '/', 'model', '/model', 'endpoint/']) assert.equal(parseTargetName(text), undefined, text);
});
