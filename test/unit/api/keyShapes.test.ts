import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { foreignKeyVendor, keyShapes, vendorOfKey } from '../../../server/api/keyShapes.ts';
import { providers } from '../../../server/catalog/providers.ts';

const long = 'Ab3dEf6hIj9kLm2nOp5qRs8tUv1wXy4z';

describe('key shapes', () => {
  const cases: readonly [key: string, label: string | undefined, certain?: boolean][] = [
    [`sk-ant-api03-${long}`, 'Anthropic', true],
    [`sk-or-v1-${long}`, 'OpenRouter', true],
    [`sk-proj-${long}`, 'OpenAI', true],
    [`sk-svcacct-${long}`, 'OpenAI', true],
    [`sk-${long.slice(0, 20)}T3BlbkFJ${long.slice(0, 20)}`, 'OpenAI', true],
    [`AIza${long}abc`, 'Google', true],
    [`AQ.${long}`, 'Google', true],
    [`gsk_${long}`, 'Groq', true],
    [`ABSK${'a1B2'.repeat(16)}`, 'AWS', true],
    [`AKIAIOSFODNN7EXAMPLE:${'a1B2'.repeat(10)}`, 'AWS', true],
    ['{"AccessKeyId":"ASIA1","SecretAccessKey":"s"}', 'AWS', true],
    [`xai-${long}`, 'xAI', true],
    ['hf_AbcDefGhiJklMnoPqrStuVwxYz', 'Hugging Face', true],
    [`pplx-${long}`, 'Perplexity', true],
    [`nvapi-${long}`, 'NVIDIA', true],
    [`csk-${long}`, 'Cerebras', true],
    [`tgp_v1_${long}`, 'Together AI', true],
    [`fw_${long}`, 'Fireworks AI', true],
    [`waybill-${long}`, 'Waybill', true],
    [`sk-sp-${long}`, 'Alibaba Coding Plan', true],
    ['0123456789abcdef0123456789abcdef.AbCdEfGhIjKlMnOp', 'Z.ai', false],
    ['{"type":"service_account","project_id":"p"}', 'Google Cloud', true],
    ['sk-0123456789abcdef0123456789abcdef', 'DeepSeek', false],
    [`sk-${long}${long.slice(0, 16)}`, 'Moonshot Kimi', false],
    ['0123456789abcdef0123456789abcdef', 'Azure OpenAI', false],
    ['sk-something-else', undefined],
    ['one, two', undefined],
    ['', undefined],
  ];
  for (const [key, label, certain] of cases) it(`${key.slice(0, 16)}… is ${label === undefined ? 'of no known vendor' : `a key of ${label}`}`, () => {
    const vendor = vendorOfKey(key);
    assert.equal(vendor?.label, label);
    assert.equal(vendor?.certain, certain);
    assert.deepEqual(vendorOfKey(`  ${key}\n`), vendor, 'white space of a paste');
  });

  it('names providers that the catalog has', () => {
    const known = new Set(providers.map(provider => provider.id));
    for (const shape of keyShapes) for (const id of shape.providers) assert.ok(known.has(id), id);
  });

  it('agrees with the patterns of the catalog: a certain key of a provider fits its pattern', () => {
    for (const [key, , certain] of cases) {
      const vendor = vendorOfKey(key);
      if (certain !== true || vendor === undefined) continue;
      for (const provider of providers) {
        if (provider.keyPattern === undefined || !vendor.providers.includes(provider.id)) continue;
        assert.match(key, new RegExp(provider.keyPattern), `${vendor.label} at ${provider.id}`);
      }
    }
  });

  it('says whose key it is only where it is certainly not the provider\'s', () => {
    assert.equal(foreignKeyVendor(`sk-ant-api03-${long}`, 'openai'), 'Anthropic');
    assert.equal(foreignKeyVendor(`sk-or-v1-${long}`, 'deepseek'), 'OpenRouter');
    assert.equal(foreignKeyVendor(`AIza${long}`, 'openai'), 'Google');
    assert.equal(foreignKeyVendor(`AIza${long}`, 'vertex'), undefined, 'both providers of Google take it');
    assert.equal(foreignKeyVendor(`sk-ant-api03-${long}`, 'anthropic'), undefined);
    assert.equal(foreignKeyVendor('sk-0123456789abcdef0123456789abcdef', 'openai'), undefined, 'several vendors have this shape');
    assert.equal(foreignKeyVendor(`sk-ant-api03-${long}`, 'openai-compatible'), undefined, 'a relay takes any key');
    assert.equal(foreignKeyVendor('anything', 'openai'), undefined);
  });
});
