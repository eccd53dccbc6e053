import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { EndpointSettings } from '../../../server/api/settings.ts';
import { findProvider, providers } from '../../../server/catalog/providers.ts';
import { resolveConfig } from '../../../server/config/resolve.ts';
import { supportedProtocols } from '../../../server/protocols/registry.ts';

function resolved(settings: Partial<EndpointSettings>): ReturnType<typeof resolveConfig> {
  return resolveConfig({ endpoints: { work: { provider: 'azure', baseUrl: 'https://mine.openai.azure.com', ...settings } }, routes: {} }, { catalog: { providers, findProvider }, supportedProtocols, source: 'settings' });
}

describe('an endpoint at Azure with a login', () => {
  it('needs no key, and one without a login does', () => {
    const { config, problems } = resolved({ entra: true, tenant: 'contoso.onmicrosoft.com' });
    const endpoint = config.endpoints.get('work');
    assert.deepEqual([problems, endpoint?.provider.auth, endpoint?.provider.keyRequired, endpoint?.tenant], [[], 'entra', false, 'contoso.onmicrosoft.com']);
    const keyed = resolved({}).config.endpoints.get('work');
    assert.deepEqual([keyed?.provider.auth, keyed?.provider.keyRequired], ['api-key', true]);
  });

  it('is at hosts of Azure in each of its clouds, or private ones', () => {
    for (const baseUrl of ['https://mine.services.ai.azure.com/openai/v1', 'https://mine.openai.azure.us', 'https://mine.openai.azure.cn', 'http://127.0.0.1:8000']) assert.deepEqual(resolved({ entra: true, baseUrl }).problems, [], baseUrl);
    for (const baseUrl of ['https://relay.example.com', 'https://azure.com.example.com', 'https://xazure.com', 'https://mine.openai.azure.com.evil.example']) {
      assert.match(resolved({ entra: true, baseUrl }).problems[0]?.message ?? '', /must be an address of Azure/, baseUrl);
      assert.deepEqual(resolved({ baseUrl }).problems, [], baseUrl);
    }
  });

  it('names a tenant that is one, and no other provider has a login', () => {
    for (const tenant of ['a b', '-x', 'x/../y', 'x;y', '$(x)', '"x']) assert.equal(resolved({ entra: true, tenant }).problems.length, 1, tenant);
    assert.match(resolved({ tenant: 'contoso.com' }).problems[0]?.message ?? '', /"tenant" means nothing without "entra": true/);
    assert.match(resolved({ provider: 'openai', baseUrl: 'https://api.openai.com/v1', entra: true }).problems[0]?.message ?? '', /"entra" means nothing to provider "openai"/);
  });
});
