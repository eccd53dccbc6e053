import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { findProvider, providers } from '../../../server/catalog/providers.ts';
import type { Config } from '../../../server/config/config.ts';
import { resolveConfig } from '../../../server/config/resolve.ts';

function resolved(route: object, caps?: unknown): { config: Config; problems: string[] } {
  const endpoint = { provider: 'openai-compatible', baseUrl: 'https://a.example.com/v1' };
  const { config, problems } = resolveConfig({ endpoints: { a: endpoint, b: endpoint }, routes: { auto: { targets: ['a/m'], ...route }, other: { targets: ['b/m'] } }, caps }, { catalog: { providers, findProvider }, supportedProtocols: ['openai-chat'], source: 'settings' });
  return { config, problems: problems.map(({ message }) => message) };
}

describe('caps in the configuration', () => {
  it('are those of a route and those of everything', () => {
    const { config, problems } = resolved({ caps: { turnUsd: 0.5, requestUsd: 0.1 } }, { sessionUsd: 5, whenReached: 'ask', unpriced: 'allow' });
    assert.deepEqual(problems, []);
    assert.deepEqual(config.routes.get('auto')?.caps, { limits: [{ scope: 'request', microUsd: 100_000 }, { scope: 'turn', microUsd: 500_000 }], whenReached: 'stop' });
    assert.deepEqual(config.caps, { limits: [{ scope: 'session', microUsd: 5_000_000 }], whenReached: 'ask', unpriced: 'allow' });
  });

  it('without a sum cap nothing', () => {
    const { config, problems } = resolved({ caps: { whenReached: 'degrade' } }, {});
    assert.deepEqual([config.routes.get('auto')?.caps, config.caps, problems], [undefined, undefined, []]);
  });

  it('that are wrong are said in one sentence, and cost the route or themselves', () => {
    const wrongRoute = resolved({ caps: { turnUsd: 0 } });
    assert.match(wrongRoute.problems[0] ?? '', /^Route "auto" is left out: "caps\.turnUsd" must be a number of US dollars from 0\.0001 to 1000000/);
    const wrongAll = resolved({}, { turnUsd: 'much', weekUsd: 1 });
    assert.equal(wrongAll.config.caps, undefined);
    assert.match(wrongAll.problems[0] ?? '', /^The caps of everything are left out: /);
    assert.ok(wrongAll.config.routes.has('auto'));
  });

  it('a last resort is single targets beside those of the route, for some kinds', () => {
    const { config, problems } = resolved({ lastResort: { targets: ['b/big', 'a/m', 'other'], kinds: ['high-quality'] } });
    assert.deepEqual(config.routes.get('auto')?.lastResort, { targets: [{ endpoint: 'b', model: 'big' }], kinds: new Set(['high-quality']) });
    assert.equal(problems.length, 2);
    assert.match(problems[0] ?? '', /it is one of the route's own, which serve all kinds\.$/);
    assert.match(problems[1] ?? '', /it is a route; write each target of a last resort as endpoint\/model\.$/);
    assert.match(resolved({ lastResort: { targets: ['b/big'], kinds: [] } }).problems[0] ?? '', /its last resort has no kinds/);
  });
});
