import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { findProvider, providers } from '../../../server/catalog/providers.ts';
import type { Config } from '../../../server/config/config.ts';
import { resolveConfig } from '../../../server/config/resolve.ts';

function resolved(route: object, caps?: unknown, before?: Config): { config: Config; problems: string[]; money: (true | undefined)[] } {
  const endpoint = { provider: 'openai-compatible', baseUrl: 'https://a.example.com/v1' };
  const { config, problems } = resolveConfig({ endpoints: { a: endpoint, b: endpoint }, routes: { auto: { targets: ['a/m'], ...route }, other: { targets: ['b/m'] } }, caps }, { catalog: { providers, findProvider }, supportedProtocols: ['openai-chat'], source: 'settings', before });
  return { config, problems: problems.map(({ message }) => message), money: problems.map(({ money }) => money) };
}

describe('caps in the configuration', () => {
  it('are those of a route and those of everything', () => {
    const { config, problems } = resolved({ caps: { turnUsd: 0.5, requestUsd: 0.1 } }, { sessionUsd: 5, whenReached: 'ask', unpriced: 'allow' });
    assert.deepEqual(problems, []);
    assert.deepEqual(config.routes.get('auto')?.caps, { limits: [{ scope: 'request', microUsd: 100_000 }, { scope: 'turn', microUsd: 500_000 }], whenReached: 'stop' });
    assert.deepEqual(config.caps, { limits: [{ scope: 'session', microUsd: 5_000_000 }], whenReached: 'ask', unpriced: 'allow' });
  });

  it('without a sum cap nothing, and that is said', () => {
    const { config, problems } = resolved({ caps: { whenReached: 'degrade' } }, {});
    assert.deepEqual([config.routes.get('auto')?.caps, config.caps], [undefined, undefined]);
    assert.deepEqual(problems, [
      'The caps of route "auto": they have no sum of money, so they cap nothing; set one of requestUsd, turnUsd, conversationUsd, sessionUsd, or remove them.',
      'The caps of everything: they have no sum of money, so they cap nothing; set one of requestUsd, turnUsd, conversationUsd, sessionUsd, or remove them.',
    ]);
    assert.deepEqual(resolved({}, null).problems, []);
  });

  it('with a mistake leave the caps from before in use, and say so, of everything and of a route', () => {
    const { config: before } = resolved({ caps: { turnUsd: 2, whenReached: 'ask' } }, { sessionUsd: 5 });
    const { config, problems } = resolved({ caps: { turnUsd: 'two' } }, { sesionUsd: 20, turnUsd: 1 }, before);
    assert.deepEqual([config.routes.get('auto')?.caps, config.caps], [before.routes.get('auto')?.caps, before.caps]);
    assert.match(problems[0] ?? '', /^The caps of route "auto": "turnUsd" must be a number of US dollars from 0\.0001 to 1000000\. Until that is corrected, those from before hold \(\$2 for a turn\)\.$/);
    assert.match(problems[1] ?? '', /^The caps of everything: there is no field "sesionUsd"; did you mean "sessionUsd"\? Until that is corrected, those from before hold \(\$5 for a session\)\.$/);
    // Corrected ones hold, and caps that are taken out are gone.
    assert.deepEqual(resolved({}, { sessionUsd: 20 }, before).config.caps?.limits, [{ scope: 'session', microUsd: 20_000_000 }]);
    assert.deepEqual([resolved({}, undefined, before).config.caps, resolved({}, undefined, before).config.routes.get('auto')?.caps], [undefined, undefined]);
  });

  const limitsOf = (caps: unknown): unknown => resolved({}, caps).config.caps;
  it('with a mistake and none before cap by what can be read of them, in its strictest sense', () => {
    assert.deepEqual(limitsOf({ turnUsd: 'much', sessionUsd: 5, whenReached: 'degrade' }), { limits: [{ scope: 'session', microUsd: 5_000_000 }], whenReached: 'degrade' });
    assert.deepEqual(limitsOf({ turnUSD: 2, whenReached: 'stopp', unpriced: 'yes' }), { limits: [{ scope: 'turn', microUsd: 2_000_000 }], whenReached: 'stop' });
    assert.deepEqual(limitsOf({ turnUsd: '$1.50', sesionUsd: '20 USD' }), { limits: [{ scope: 'turn', microUsd: 1_500_000 }, { scope: 'session', microUsd: 20_000_000 }], whenReached: 'stop' });
    assert.deepEqual(limitsOf({ turnUsd: 2, TurnUsd: 1 }), { limits: [{ scope: 'turn', microUsd: 1_000_000 }], whenReached: 'stop' });
    assert.deepEqual(limitsOf({ turnUsd: 0 }), { limits: [{ scope: 'turn', microUsd: 0 }], whenReached: 'stop' });
    assert.match(resolved({}, { turnUsd: '1' }).problems[0] ?? '', /Until that is corrected, only what can be read of them holds \(\$1 for a turn\)\.$/);
  });

  it('with a mistake are said in the same words when they are read again', () => {
    const caps = { turnUsd: '$1', sessionUsd: 5 };
    const first = resolved({}, caps);
    assert.deepEqual(resolved({}, caps, first.config), first);
  });

  it('of which nothing can be read cap nothing, which is said first', () => {
    for (const caps of [5, [], 'all', { turnUsd: 'much', weekUsd: 1 }, { turnUsd: -1 }, { turnUsd: null }]) {
      const { config, problems, money } = resolved({ targets: ['a/m', 'nowhere/m'] }, caps);
      assert.equal(config.caps, undefined, JSON.stringify(caps));
      assert.match(problems[0] ?? '', /^The caps of everything: .* Until that is corrected, nothing of them can be read, so nothing is capped\.$/);
      assert.deepEqual([money[0], money.at(-1)], [true, undefined]);
      assert.ok(config.routes.has('auto'));
    }
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
