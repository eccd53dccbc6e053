import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { findProvider, providers } from '../../../server/catalog/providers.ts';
import { resolveConfig } from '../../../server/config/resolve.ts';
import { supportedProtocols } from '../../../server/protocols/registry.ts';
import type { ShadowConfig } from '../../../server/config/config.ts';

function shadowOf(shadow: unknown, targets = ['openai/gpt-4.1']): { shadow: ShadowConfig | undefined; said: string[]; paths: (string | undefined)[]; serves: boolean } {
  const endpoints = { openai: { provider: 'openai' }, claude: { provider: 'anthropic' } };
  const { config, problems } = resolveConfig({ endpoints, routes: { coding: { targets, shadow }, cheap: { targets: ['claude/small'] } } }, { catalog: { providers, findProvider }, supportedProtocols, source: 'file' });
  const route = config.routes.get('coding');
  return { shadow: route?.shadow, said: problems.map(({ message }) => message), paths: problems.map(({ path }) => path), serves: route !== undefined };
}

describe('the shadow of a route', () => {
  test('has every default', () => {
    const { shadow, said } = shadowOf({ target: 'claude/claude-sonnet-5' });
    assert.deepEqual(said, []);
    assert.deepEqual(shadow, {
      target: { endpoint: 'claude', model: 'claude-sonnet-5' }, share: 10, sameTargetShare: 20, draw: 'conversation', budgetMicroUsd: 1_000_000, atOnce: 2, timeoutMs: 120_000, maxBodyBytes: 524_288,
      exceptWorkspaces: new Set(), minRequests: 40, agreement: 0.8, latencyRatio: 2, costRatio: undefined,
    });
  });

  test('takes what is written, and one of several targets of the route', () => {
    const { shadow } = shadowOf({ target: 'claude/a', share: 0.5, sameTargetShare: 0, draw: 'request', budgetUsd: 0, exceptWorkspaces: ['Shop'], costRatio: 0.5 }, ['openai/gpt-4.1', 'claude/a']);
    assert.deepEqual([shadow?.share, shadow?.sameTargetShare, shadow?.draw, shadow?.budgetMicroUsd, shadow?.exceptWorkspaces, shadow?.costRatio], [0.5, 0, 'request', 0, new Set(['shop']), 0.5]);
  });

  const wrong: readonly (readonly [title: string, shadow: unknown, said: RegExp, path: string])[] = [
    ['no target', {}, /^The shadow of route "coding" is left out: /, 'routes.coding.shadow.target'],
    ['the only target of the route itself', { target: 'openai/gpt-4.1' }, /target "openai\/gpt-4\.1" is the route's own; a shadow tries another one\.$/, 'routes.coding.shadow.target'],
    ['a route', { target: 'cheap' }, /target "cheap" cannot be used: it is a route; write the target of a shadow as endpoint\/model\.$/, 'routes.coding.shadow.target'],
    ['an endpoint that does not exist', { target: 'clude/m' }, /target "clude\/m" cannot be used: there is no endpoint "clude"; did you mean "claude"\?$/, 'routes.coding.shadow.target'],
    ['no share', { target: 'claude/a', share: 0 }, /must be a number from 0\.1 to 100\.$/, 'routes.coding.shadow.share'],
    ['an agreement in per cent', { target: 'claude/a', agreement: 80 }, /must be a number from 0\.001 to 0\.999\.$/, 'routes.coding.shadow.agreement'],
    ['an unknown field', { target: 'claude/a', budget: 1 }, /there is no field "budget"/, 'routes.coding.shadow.budget'],
    ['text', 'claude/a', /^The shadow of route "coding" is left out: /, 'routes.coding.shadow'],
  ];
  for (const [title, shadow, said, path] of wrong) test(`with ${title} is left out with one sentence, and the route serves without it`, () => {
    const result = shadowOf(shadow);
    assert.equal(result.shadow, undefined);
    assert.equal(result.serves, true);
    assert.equal(result.said.length, 1, result.said.join('\n'));
    assert.match(result.said[0] ?? '', said);
    assert.equal(result.paths[0], path);
  });
});
