import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { testedSentence } from '../../../server/router/testedSentence.ts';

describe('the sentence about a tested endpoint', () => {
  const tested = { name: 'north', keys: 1, proved: true, latencyMs: 240.4, models: 34 };
  for (const [what, changes, sentence] of [
    ['a proved key', {}, 'north accepts the key and lists 34 models (240 ms).'],
    ['several keys', { keys: 2 }, 'north accepts its 2 keys and lists 34 models (240 ms).'],
    ['another address than was given', { baseUrl: 'https://a/v1' }, 'north accepts the key at https://a/v1 and lists 34 models (240 ms).'],
    ['a key that was not proved', { proved: false, models: 1 }, 'north answers and lists 1 model (240 ms); whether the key is good shows with the first request.'],
    ['no key', { proved: false, keys: 0, models: 0, latencyMs: undefined }, 'north answers.'],
  ] as const) it(`describes ${what}`, () => { assert.equal(testedSentence({ ...tested, ...changes }), sentence); });
});
