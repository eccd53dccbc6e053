import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scanObject } from '../../../../../server/base/objectScan.ts';
import { countTokens } from '../../../../../server/inbound/http/routes/countTokens.ts';
import { mediaTypes, readRequestFacts } from '../../../../../server/inbound/http/request/requirements.ts';

async function counted(protocol: 'anthropic-messages' | 'openai-responses' | 'gemini', said: string | undefined): Promise<unknown> {
  const bytes = Buffer.from(JSON.stringify({ model: 'm', words: 'x'.repeat(374) }));
  const scan = scanObject(bytes, mediaTypes);
  assert.ok(scan !== undefined);
  const facts = readRequestFacts(protocol, bytes, scan);
  assert.ok(facts !== undefined);
  return countTokens({ countTokens: () => Promise.resolve(said) }, protocol, facts, { bytes, scan }, {});
}

test("a provider's count is passed on as it came", async () => {
  assert.deepEqual(await counted('anthropic-messages', '{"input_tokens":7,"more":1}'), { input_tokens: 7, more: 1 });
  assert.deepEqual(await counted('gemini', '{"totalTokens":7}'), { totalTokens: 7 });
});

test('what is no count is replaced by an estimate', async () => {
  for (const said of [undefined, '', '[]', '{}', '{"input_tokens":-1}', '{"input_tokens":1e300}', '{"input_tokens":"7"}', '{"input_tokens":1.5}', '{"totalTokens":7}']) {
    assert.deepEqual(await counted('anthropic-messages', said), { input_tokens: 100 }, said);
    assert.deepEqual(await counted('openai-responses', said), { object: 'response.input_tokens', input_tokens: 100 }, said);
  }
  assert.deepEqual(await counted('gemini', '{"input_tokens":7}'), { totalTokens: 100 });
});
