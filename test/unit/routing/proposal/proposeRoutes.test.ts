import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { silentLog } from '../../../../server/base/log.ts';
import { findProvider, providers } from '../../../../server/catalog/providers.ts';
import { resolveConfig } from '../../../../server/config/resolve.ts';
import { createPricer } from '../../../../server/pricing/pricing.ts';
import { supportedProtocols } from '../../../../server/protocols/registry.ts';
import { RouteProposer } from '../../../../server/router/proposals/routeProposer.ts';
import { systemClock } from '../../../../server/base/clock.ts';

const proposer = new RouteProposer({ pricer: createPricer({ log: silentLog }), clock: { ...systemClock, now: () => Date.UTC(2026, 10, 27) } });

/** The routes over endpoints that are named by their provider and list these models. */
async function proposed(listed: Readonly<Record<string, readonly string[]>>): Promise<Record<string, string[]>> {
  const { config } = resolveConfig({ endpoints: Object.fromEntries(Object.keys(listed).map(name => [name, { provider: name }])), routes: {} }, { catalog: { providers, findProvider }, supportedProtocols, source: 'settings' });
  const routes = await proposer.propose(Object.entries(listed).map(([name, models]) => ({ endpoint: config.endpoints.get(name) ?? assert.fail(name), models })));
  return Object.fromEntries(routes.map(({ name, targets }) => [name, targets.map(({ target }) => target)]));
}

describe('routes that are proposed', () => {
  it('have the dearest, the small and the cheapest model of each provider', async () => {
    assert.deepEqual(await proposed({
      openai: ['gpt-4o', 'text-embedding-3-large', 'gpt-6-astra', 'gpt-6.1-sol', 'gpt-6-luna', 'gpt-5.4-mini'],
      anthropic: ['claude-opus-4-1', 'claude-haiku-5-5', 'claude-sonnet-5-5', 'claude-opus-5-5'],
    }), {
      best: ['openai/gpt-6-astra', 'anthropic/claude-opus-5-5'],
      fast: ['openai/gpt-6-luna', 'anthropic/claude-haiku-5-5'],
      cheap: ['openai/gpt-6-luna', 'anthropic/claude-haiku-5-5'],
    });
  });

  it('back the first model up with the same one at a relay', async () => {
    const { best } = await proposed({ openrouter: ['openai/gpt-6-astra', 'anthropic/claude-opus-5.5'], anthropic: ['claude-opus-5-5'] });
    assert.deepEqual(best, ['anthropic/claude-opus-5-5', 'openrouter/anthropic/claude-opus-5.5']);
  });

  it('name local models apart, and leave out what answers no chat', async () => {
    assert.deepEqual(await proposed({ ollama: ['nomic-embed-text', 'qwen3:8b'], anthropic: ['claude-haiku-5-5'] }), {
      best: ['anthropic/claude-haiku-5-5'], fast: ['anthropic/claude-haiku-5-5'], cheap: ['anthropic/claude-haiku-5-5'], local: ['ollama/qwen3:8b'],
    });
  });

  it('are none where nothing is known of the models', async () => {
    assert.deepEqual(await proposed({ openai: ['something-new'] }), {});
    assert.deepEqual(await proposed({}), {});
  });
});
