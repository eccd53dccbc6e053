import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  cleanKey, endpointSettingsOf, failedTestChoices, foreignVendor, keyProblem, keyWarning, neighbourStep, orderedModels, routeOffer, stepNumber, stepsFor, suggestedName,
} from '../../../../client/commands/addProviderSteps.ts';
import { providerOffers } from '../../../../server/catalog/offers.ts';

const openai = { id: 'openai', name: 'OpenAI', baseUrl: 'https://api.openai.com/v1', keyRequired: true, keyHint: 'sk-…', keyPattern: '^sk-' };
const compatible = { id: 'openai-compatible', name: 'OpenAI-compatible', keyRequired: false };
const regional = { id: 'moon', name: 'Moon', keyRequired: true, regions: [{ id: 'cn', name: 'China', baseUrl: 'https://cn' }, { id: 'int', name: 'International', baseUrl: 'https://int' }] };

describe('the steps of Add Provider', () => {
  it('ask for an address only where none is known, and for a region where there is a choice', () => {
    assert.deepEqual(stepsFor(openai), ['provider', 'name', 'key']);
    assert.deepEqual(stepsFor(compatible), ['provider', 'baseUrl', 'name', 'key']);
    assert.deepEqual(stepsFor(regional), ['provider', 'region', 'name', 'key']);
  });

  it('are numbered, and lead forwards and back', () => {
    assert.deepEqual(stepNumber('name', compatible), { step: 3, totalSteps: 4 });
    assert.equal(neighbourStep('provider', compatible, 1), 'baseUrl');
    assert.equal(neighbourStep('name', openai, -1), 'provider');
    assert.equal(neighbourStep('key', openai, 1), undefined);
    assert.equal(neighbourStep('provider', undefined, -1), undefined);
  });

  it('suggest a name that is not taken', () => {
    assert.equal(suggestedName(openai, undefined, []), 'openai');
    assert.equal(suggestedName(openai, undefined, ['openai']), 'openai-2');
    assert.equal(suggestedName(openai, undefined, ['OpenAI']), 'openai-2');
    assert.equal(suggestedName(regional, 'cn', []), 'moon-cn');
  });

  it('write only what is not the provider\'s default', () => {
    assert.deepEqual(endpointSettingsOf({ offer: openai, name: 'openai', key: 'sk-x' }), { provider: 'openai' });
    assert.deepEqual(endpointSettingsOf({ offer: compatible, baseUrl: 'http://127.0.0.1:8080/v1/' }), { provider: 'openai-compatible', baseUrl: 'http://127.0.0.1:8080/v1' });
    assert.deepEqual(endpointSettingsOf({ offer: compatible, baseUrl: 'api.example.com/v1' }), { provider: 'openai-compatible', baseUrl: 'https://api.example.com/v1' });
    assert.deepEqual(endpointSettingsOf({ offer: regional, region: 'int' }), { provider: 'moon', region: 'int' });
  });

  it('fit every provider of the catalog', () => {
    for (const offer of providerOffers()) {
      const steps = stepsFor(offer);
      assert.ok(steps.length >= 3 && steps.length <= 4, offer.id);
      assert.match(suggestedName(offer, offer.regions?.[0]?.id, []), /^[A-Za-z0-9][A-Za-z0-9._-]*$/);
      if (offer.keyPattern !== undefined) assert.doesNotThrow(() => new RegExp(offer.keyPattern ?? ''), offer.id);
    }
  });
});

describe('a pasted key', () => {
  it('is freed from what people copy along with it', () => {
    const cases: Record<string, string> = {
      '  sk-abc \n': 'sk-abc', '"sk-abc"': 'sk-abc', "'sk-abc'": 'sk-abc', 'Bearer sk-abc': 'sk-abc',
      'OPENAI_API_KEY=sk-abcdefgh': 'sk-abcdefgh', 'export ANTHROPIC_API_KEY="sk-ant-1234567"': 'sk-ant-1234567',
      'ABCDEFGH==': 'ABCDEFGH==', 'sk-a=b=c': 'sk-a=b=c',
    };
    for (const [pasted, key] of Object.entries(cases)) assert.equal(cleanKey(pasted), key, pasted);
  });

  it('is refused only when it cannot be one', () => {
    assert.match(keyProblem('', openai) ?? '', /needs a key/);
    assert.equal(keyProblem('', compatible), undefined);
    assert.match(keyProblem('sk-a b', openai) ?? '', /spaces/);
    assert.match(keyProblem('sk-ключ', openai) ?? '', /plain characters/);
    assert.equal(keyProblem('anything', openai), undefined);
  });

  it('of an unusual shape gets a remark and may be used', () => {
    assert.match(keyWarning('abc', openai) ?? '', /usually look like "sk-…": press Enter/);
    assert.equal(keyWarning('sk-abc', openai), undefined);
    assert.equal(keyWarning('abc', compatible), undefined);
    assert.equal(keyWarning('abc', { name: 'X', keyPattern: '(' }), undefined);
  });
});

describe('a key of another vendor', () => {
  const anthropicKey = 'sk-ant-api03-0123456789abcdef';
  const offerOf = (id: string) => providerOffers().find(offer => offer.id === id) ?? assert.fail(id);

  it('is noticed, though the usual pattern of the provider fits it', () => {
    for (const id of ['openai', 'deepseek', 'moonshot', 'openrouter', 'gemini', 'azure']) {
      assert.deepEqual(foreignVendor(anthropicKey, offerOf(id), false), { prefix: 'sk-ant-', label: 'Anthropic', providers: ['anthropic'], certain: true }, id);
    }
    assert.equal(foreignVendor('sk-or-v1-0123456789', offerOf('openai'), false)?.label, 'OpenRouter');
    assert.equal(foreignVendor(anthropicKey, offerOf('anthropic'), false), undefined);
    assert.equal(foreignVendor('sk-proj-0123456789', offerOf('openai'), false), undefined);
  });

  it('is only a guess where several vendors have such keys', () => {
    assert.equal(foreignVendor(`sk-${'0a'.repeat(16)}`, offerOf('openai'), false)?.certain, false);
    assert.equal(foreignVendor(`sk-${'0a'.repeat(16)}`, offerOf('deepseek'), false), undefined);
    assert.equal(foreignVendor('a-key-of-no-known-shape', offerOf('openai'), false), undefined);
  });

  it('is accepted for servers of the user\'s own choice, and at custom addresses', () => {
    for (const id of ['openai-compatible', 'anthropic-compatible', 'ollama']) assert.equal(foreignVendor(anthropicKey, offerOf(id), false), undefined, id);
    assert.equal(foreignVendor(anthropicKey, offerOf('openai'), true), undefined);
  });
});

describe('after the provider was added', () => {
  it('the first one gets a route, later ones back a route up', () => {
    assert.deepEqual(routeOffer({}), { kind: 'first', route: 'default' });
    assert.deepEqual(routeOffer({ a: { targets: [] }, b: { targets: [] } }), { kind: 'fallback', routes: ['a', 'b'] });
  });

  it('the model that the route already asks others for comes first, and what is not for chat last', () => {
    const models = ['text-embedding-3-large', 'gpt-4.1', 'claude-sonnet-4-5-20250929', 'gpt-4o-mini-tts'];
    assert.deepEqual(orderedModels(models, { targets: ['claude/claude-sonnet-4.5'] }), ['claude-sonnet-4-5-20250929', 'gpt-4.1', 'text-embedding-3-large', 'gpt-4o-mini-tts']);
    assert.deepEqual(orderedModels(['anthropic/claude-sonnet-4.5', 'a'], { targets: ['claude/claude-sonnet-4-5'] })[0], 'anthropic/claude-sonnet-4.5');
    assert.deepEqual(orderedModels(['b', 'a'], undefined), ['b', 'a']);
  });
});

describe('after a failed test', () => {
  const values = (failureClass: 'auth' | 'network' | undefined, hasBaseUrl: boolean) => failedTestChoices({ failureClass }, hasBaseUrl).map(choice => choice.value);
  it('what is most likely wrong comes first, and saving is always possible', () => {
    assert.deepEqual(values('auth', true), ['key', 'save']);
    assert.deepEqual(values('network', true), ['baseUrl', 'again', 'key', 'save']);
    assert.deepEqual(values('network', false), ['again', 'key', 'save']);
    assert.deepEqual(values(undefined, false), ['again', 'key', 'save']);
  });
});
