import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { EndpointSettings } from '../../../server/api/settings.ts';
import { findProvider, providers } from '../../../server/catalog/providers.ts';
import { resolveConfig } from '../../../server/config/resolve.ts';
import { foreignKeyMessage, withoutForeignKeys } from '../../../server/keys/foreignKeys.ts';
import { supportedProtocols } from '../../../server/protocols/registry.ts';
import { createTestRouter } from '../router/createTestRouter.ts';

const anthropicKey = `sk-ant-api03-${'Ab3dEf6hIj9kL'.repeat(3)}`;
const openAiKey = `sk-proj-${'Ab3dEf6hIj9kL'.repeat(3)}`;
const googleKey = `AIza${'Ab3dEf6hIj9kL'.repeat(3)}`.slice(0, 39);
const routerKey = `sk-or-v1-${'0123456789abcdef'.repeat(4)}`;

function configOf(endpoints: Record<string, EndpointSettings>): ReturnType<typeof resolveConfig> {
  const resolved = resolveConfig({ endpoints, routes: {} }, { catalog: { providers, findProvider }, supportedProtocols, source: 'settings' });
  assert.deepEqual(resolved.problems, []);
  return resolved;
}

const cases: readonly [what: string, settings: EndpointSettings, secret: string, vendor: string | undefined][] = [
  ['Anthropic\'s key at OpenAI', { provider: 'openai' }, anthropicKey, 'Anthropic'],
  ['OpenRouter\'s key at DeepSeek', { provider: 'deepseek' }, routerKey, 'OpenRouter'],
  ['OpenAI\'s key at Anthropic', { provider: 'anthropic' }, openAiKey, 'OpenAI'],
  ['Google\'s key at OpenAI', { provider: 'openai' }, googleKey, 'Google'],
  ['a key of a vendor without an entry', { provider: 'openai' }, `pplx-${'a1B2'.repeat(8)}`, 'Perplexity'],
  ['a compatible endpoint at a vendor\'s address', { provider: 'openai-compatible', baseUrl: 'https://api.openai.com/v1' }, anthropicKey, 'Anthropic'],
  ['another address of the same vendor', { provider: 'moonshot', region: 'cn' }, anthropicKey, 'Anthropic'],
  ['a resource of Azure', { provider: 'azure', baseUrl: 'https://mine.openai.azure.com/openai/v1' }, openAiKey, 'OpenAI'],
  ['Anthropic\'s key at Amazon Bedrock', { provider: 'bedrock', region: 'eu-central-2' }, anthropicKey, 'Anthropic'],
  ['an access key of AWS at OpenAI', { provider: 'openai' }, `AKIAIOSFODNN7EXAMPLE:${'a1B2'.repeat(10)}`, 'AWS'],
  ['an API key of Bedrock at its compatible address', { provider: 'openai-compatible', baseUrl: 'https://bedrock-runtime.us-west-2.amazonaws.com/openai/v1' }, `ABSK${'a1B2'.repeat(16)}`, undefined],
  ['a relay of the user\'s that stands at AWS', { provider: 'anthropic', baseUrl: 'https://abc123.execute-api.us-east-1.amazonaws.com' }, anthropicKey, undefined],
  ['the right key', { provider: 'anthropic' }, anthropicKey, undefined],
  ['the right key at a vendor\'s address', { provider: 'openai-compatible', baseUrl: 'https://api.groq.com/openai/v1' }, `gsk_${'a1B2'.repeat(8)}`, undefined],
  ['one key for both providers of Google', { provider: 'gemini' }, googleKey, undefined],
  ['a relay of the user\'s', { provider: 'openai', baseUrl: 'https://relay.example.test/v1' }, anthropicKey, undefined],
  ['a compatible server', { provider: 'openai-compatible', baseUrl: 'http://127.0.0.1:8000/v1' }, openAiKey, undefined],
  ['a shape that several vendors have', { provider: 'openai' }, 'sk-0123456789abcdef0123456789abcdef', undefined],
];

describe('a key of another vendor', () => {
  for (const [what, settings, secret, vendor] of cases) {
    it(`${vendor === undefined ? 'is none' : 'is kept back'}: ${what}`, () => {
      const { config } = configOf({ it: settings });
      const endpoint = config.endpoints.get('it');
      assert.ok(endpoint !== undefined);
      const message = foreignKeyMessage(endpoint, { label: 'work', secret });
      if (vendor === undefined) assert.equal(message, undefined);
      else assert.match(message ?? '', new RegExp(`^Endpoint "it": the key "work" looks like a key of ${vendor} and is not sent to .+; replace it with a key of .+\\.$`));
    });
  }

  it('is a problem of the configuration, and the other keys of the endpoint stay', () => {
    const { config } = configOf({ it: { provider: 'openai' }, other: { provider: 'anthropic' } });
    const foreign = { id: 'a', label: 'a', secret: anthropicKey };
    const right = { id: 'b', label: 'b', secret: openAiKey };
    const { ring, problems } = withoutForeignKeys(config, new Map([['it', [foreign, right]], ['other', [foreign]]]));
    assert.deepEqual([...ring], [['it', [right]], ['other', [foreign]]]);
    assert.deepEqual(problems.map(problem => problem.path), ['endpoints.it.keys']);
    assert.ok(!JSON.stringify(problems).includes(anthropicKey));
  });

  it('is used for nothing by a server that is given one, and a test of it sends nothing', async t => {
    const { router, keys, transport, services, endpointTester } = createTestRouter();
    try {
      const { config } = configOf({ it: { provider: 'openai', probe: { enabled: false } } });
      const key = { id: 'a', label: 'work', secret: anthropicKey };
      router.configure(config, new Map([['it', [key]]]), []);
      assert.deepEqual(keys.all('it'), []);
      assert.match(router.status({ state: 'off' }).problems[0]?.message ?? '', /looks like a key of Anthropic/);
      const endpoint = config.endpoints.get('it');
      assert.ok(endpoint !== undefined);
      t.mock.method(transport, 'dispatch', () => { throw new Error('Something was sent.'); });
      const tested = await endpointTester.testWith(endpoint, [key]);
      assert.equal(tested.ok, false);
      assert.match(tested.message, /is not sent to OpenAI/);
      assert.equal(services.redact(`of ${anthropicKey}`), 'of [secret]', 'it is a secret all the same');
    } finally {
      await router.shutdown();
    }
  });
});
