import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import type { Cost, PriceUsed } from '../../../server/api/receipt.ts';
import { silentLog } from '../../../server/base/log.ts';
import type { Provider } from '../../../server/catalog/provider.ts';
import { priceLibraryVersion } from '../../../server/pricing/priceLibrary.ts';
import { createPricer } from '../../../server/pricing/pricing.ts';
import type { PriceRequest } from '../../../server/pricing/pricing.ts';

const pricer = createPricer({ log: silentLog });
await pricer.ready();

const friday = Date.UTC(2026, 10, 20, 12);
const library = `genai-prices ${priceLibraryVersion}`;

function provider(pricesId: string | undefined, overrides: Partial<Provider> = {}): Provider {
  return {
    id: pricesId ?? 'openai-compatible', name: 'A provider', protocol: 'openai-chat', baseUrls: {}, auth: 'bearer', keyRequired: true,
    probe: { method: 'GET', path: '/models', provesKey: true }, dialect: {}, ...(pricesId === undefined ? {} : { pricesId }), ...overrides,
  };
}

function ask(pricesId: string | undefined, model: string, usage: PriceRequest['usage'], overrides: Partial<PriceRequest> = {}): PriceRequest {
  return { usage, usageEstimated: false, model, upstreamModel: model, endpointName: 'e', provider: provider(pricesId), at: friday, status: 200, generated: true, ...overrides };
}

function money(cost: Cost): [number | undefined, string, string | undefined] {
  return [cost.microUsd, cost.certainty, cost.priceSource];
}

describe('prices from the library, worked by hand', () => {
  const cases: { what: string; request: PriceRequest; microUsd: number }[] = [
    {
      what: 'gpt-4.1: 10,000 fresh at $2, 90,000 cached at $0.50, 1,000 out at $8 = 20,000 + 45,000 + 8,000',
      request: ask('openai', 'gpt-4.1', { inputTokens: 10_000, cacheReadTokens: 90_000, outputTokens: 1_000 }), microUsd: 73_000,
    },
    {
      what: 'gpt-5.6-terra: 1,000 fresh at $2, 500 read at $0.20, 200 written at $2.50, 100 out at $12 = 2,000 + 100 + 500 + 1,200',
      request: ask('openai', 'gpt-5.6-terra', { inputTokens: 1_000, cacheReadTokens: 500, cacheWriteTokens: 200, outputTokens: 100, reasoningTokens: 60 }), microUsd: 3_800,
    },
    {
      what: 'gpt-5.6-terra above 272,000 in all: 10,000 at $4, 270,000 read at $0.40, 100 out at $18 = 40,000 + 108,000 + 1,800',
      request: ask('openai', 'gpt-5.6-terra', { inputTokens: 10_000, cacheReadTokens: 270_000, outputTokens: 100 }), microUsd: 149_800,
    },
    {
      what: 'claude-sonnet-4-5: 1,000 at $3, 2,000 read at $0.30, 400 written at $3.75, 100 for an hour at $6, 50 out at $15 = 3,000 + 600 + 1,500 + 600 + 750',
      request: ask('anthropic', 'claude-sonnet-4-5', { inputTokens: 1_000, cacheReadTokens: 2_000, cacheWriteTokens: 400, cacheWrite1hTokens: 100, outputTokens: 50 }), microUsd: 6_450,
    },
    {
      what: 'claude-sonnet-4-5 above 200,000 in all: 1,000 at $6, 200,000 read at $0.60, 50 out at $22.50 = 6,000 + 120,000 + 1,125',
      request: ask('anthropic', 'claude-sonnet-4-5-20250929', { inputTokens: 1_000, cacheReadTokens: 200_000, outputTokens: 50 }), microUsd: 127_125,
    },
    {
      what: 'claude-sonnet-4-6 has no long tier: 300,000 at $3, 100 out at $15 = 900,000 + 1,500',
      request: ask('anthropic', 'claude-sonnet-4-6', { inputTokens: 300_000, outputTokens: 100 }), microUsd: 901_500,
    },
    {
      what: 'gemini-2.5-pro at exactly 200,000: 200,000 at $1.25, 10 out at $10 = 250,000 + 100',
      request: ask('google', 'gemini-2.5-pro', { inputTokens: 200_000, outputTokens: 10 }), microUsd: 250_100,
    },
    {
      what: 'gemini-2.5-pro above 200,000: 100,001 at $2.50, 100,000 read at $0.25, 10 out at $15 = 250,002.5 + 25,000 + 150, half up',
      request: ask('google', 'gemini-2.5-pro', { inputTokens: 100_001, cacheReadTokens: 100_000, outputTokens: 10 }), microUsd: 275_153,
    },
    {
      what: 'kimi-k3: 7 at $3, 3 read at $0.30, 1 out at $15 = 21 + 0.9 + 15, half up',
      request: ask('moonshotai', 'kimi-k3', { inputTokens: 7, cacheReadTokens: 3, outputTokens: 1 }), microUsd: 37,
    },
  ];
  for (const { what, request, microUsd } of cases) {
    it(what, () => {
      assert.deepEqual(money(pricer.priceAttempt(request)), [microUsd, 'exact', library]);
    });
  }

  it('says at which price, with the tier chosen', () => {
    assert.deepEqual(pricer.priceAttempt(ask('google', 'gemini-2.5-pro', { inputTokens: 300_000, outputTokens: 1 })).priceUsed,
      { inputPerMTok: 2.5, outputPerMTok: 15, cacheReadPerMTok: 0.25 });
  });

  it('finds a model under the provider\'s spelling and under the canonical one', () => {
    const usage = { inputTokens: 1_000, outputTokens: 0 };
    for (const [upstreamModel, model] of [['claude-sonnet-4-5', 'claude-sonnet-4.5'], ['claude-sonnet-4.5', 'claude-sonnet-4.5'], ['my-deployment', 'claude-sonnet-4.5']] as const) {
      assert.deepEqual(money(pricer.priceAttempt(ask('anthropic', model, usage, { upstreamModel }))), [3_000, 'exact', library]);
    }
  });

  it('calls it an estimate when a newer model merely begins like a known one', () => {
    assert.equal(pricer.priceAttempt(ask('anthropic', 'claude-sonnet-5-9', { inputTokens: 1, outputTokens: 1 })).certainty, 'estimated');
    assert.equal(pricer.priceAttempt(ask('anthropic', 'claude-sonnet-5', { inputTokens: 1, outputTokens: 1 })).certainty, 'exact');
    assert.equal(pricer.priceAttempt(ask('anthropic', 'claude-opus-4-8-20260801', { inputTokens: 1, outputTokens: 1 })).certainty, 'exact');
  });

  it('is the version its source names', () => {
    const manifest = JSON.parse(readFileSync(new URL('../../../node_modules/@pydantic/genai-prices/package.json', import.meta.url), 'utf8')) as { version: string };
    assert.equal(manifest.version, priceLibraryVersion);
  });
});

describe('prices the library lacks', () => {
  const usage = { inputTokens: 1_000_000, outputTokens: 0 };
  const monday = Date.UTC(2026, 10, 16);
  const saturday = Date.UTC(2026, 10, 21);
  const hour = 3_600_000;
  const cases: [what: string, request: PriceRequest, microUsd: number, certainty: string][] = [
    ['deepseek-flash off peak', ask('deepseek', 'deepseek-flash', usage, { at: monday + 4 * hour }), 150_000, 'exact'],
    ['deepseek-flash at the first moment of the peak', ask('deepseek', 'deepseek-flash', usage, { at: monday + hour }), 300_000, 'exact'],
    ['deepseek-flash at the last moment of the peak', ask('deepseek', 'deepseek-flash', usage, { at: monday + 10 * hour - 1 }), 300_000, 'exact'],
    ['deepseek-flash at a weekend', ask('deepseek', 'deepseek-flash', usage, { at: saturday + 2 * hour }), 150_000, 'exact'],
    ['deepseek-flash at a peak hour in the week of a holiday', ask('deepseek', 'deepseek-flash', usage, { at: Date.UTC(2026, 9, 5, 2) }), 300_000, 'estimated'],
    ['deepseek-v4-flash, billed as flash', ask('deepseek', 'deepseek-v4-flash', usage, { at: monday }), 150_000, 'exact'],
    ['deepseek-v4-pro off peak', ask('deepseek', 'deepseek-v4-pro', usage, { at: monday }), 660_000, 'exact'],
    ['deepseek-v4-pro at peak', ask('deepseek', 'deepseek-v4-pro', usage, { at: monday + 2 * hour }), 1_320_000, 'exact'],
    ['claude-haiku-5-5 at 100,000', ask('anthropic', 'claude-haiku-5.5', { inputTokens: 100_000, outputTokens: 1_000 }), 10_500, 'exact'],
    ['claude-haiku-5-5 above 100,000', ask('anthropic', 'claude-haiku-5-5', { inputTokens: 100, cacheReadTokens: 100_000, cacheWrite1hTokens: 10, outputTokens: 1_000 }), 7_560, 'exact'],
    ['claude-sonnet-5-5 reading its cache before 7 October', ask('anthropic', 'claude-sonnet-5-5', { inputTokens: 0, cacheReadTokens: 1_000, outputTokens: 0 }, { at: Date.UTC(2026, 9, 7) - 1 }), 200, 'exact'],
    ['claude-sonnet-5-5 reading its cache since', ask('anthropic', 'claude-sonnet-5-5', { inputTokens: 0, cacheReadTokens: 1_000, outputTokens: 0 }, { at: Date.UTC(2026, 9, 7) }), 100, 'exact'],
    ['gemini-4-argon in November', ask('google', 'gemini-4-argon', usage), 2_000_000, 'exact'],
    ['gemini-4-argon in December', ask('google', 'gemini-4-argon', usage, { at: Date.UTC(2026, 11, 1) }), 4_000_000, 'exact'],
    ['gpt-6.1-sol above 272,000', ask('openai', 'gpt-6.1-sol', usage), 4_000_000, 'exact'],
    ['gpt-6.1-terra writing a long-lived cache', ask('openai', 'gpt-6.1-terra', { inputTokens: 0, cacheWrite1hTokens: 1_000, outputTokens: 0 }), 2_500, 'exact'],
    ['grok-4.7 at 200,000', ask('x-ai', 'grok-4.7', { inputTokens: 200_000, outputTokens: 0 }), 800_000, 'exact'],
  ];
  for (const [what, request, microUsd, certainty] of cases) {
    it(what, () => {
      const cost = pricer.priceAttempt(request);
      assert.deepEqual([cost.microUsd, cost.certainty], [microUsd, certainty]);
      assert.match(cost.priceSource ?? '', /^waybill table \([DS] 2026-/);
    });
  }
});

describe('which price counts', () => {
  const usage = { inputTokens: 1_000, outputTokens: 100 };
  const configPrices = { inputPerMTok: 0.42, outputPerMTok: 0.84 };

  it('what the provider itself reported, before anything else', () => {
    assert.deepEqual(pricer.priceAttempt(ask('openai', 'gpt-4.1', { ...usage, reportedCostMicroUsd: 12 }, { configPrices })),
      { microUsd: 12, certainty: 'exact', priceSource: 'provider' });
  });

  it('the user\'s own price before the tables', () => {
    // 1,000 x 0.42 + 100 x 0.84 = 504
    assert.deepEqual(pricer.priceAttempt(ask('openai', 'gpt-4.1', usage, { configPrices })),
      { microUsd: 504, certainty: 'exact', priceSource: 'config', priceUsed: configPrices });
  });

  it('a cache bucket without a configured price is charged as input and called an estimate', () => {
    const cost = pricer.priceAttempt(ask('openai', 'gpt-4.1', { ...usage, cacheReadTokens: 1_000 }, { configPrices }));
    assert.deepEqual(money(cost), [924, 'estimated', 'config']);
  });

  it('nothing for a server on the user\'s own machine', () => {
    const local = provider(undefined, { local: true });
    assert.deepEqual(pricer.priceAttempt(ask(undefined, 'llama', usage, { provider: local })), { microUsd: 0, certainty: 'exact', priceSource: 'local' });
  });

  it('only configured prices for the sandbox', () => {
    const sandbox = provider('openai', { id: 'sandbox' });
    assert.deepEqual(pricer.priceAttempt(ask('openai', 'gpt-4.1', usage, { provider: sandbox })), { certainty: 'unknown' });
    assert.deepEqual(money(pricer.priceAttempt(ask('openai', 'gpt-4.1', usage, { provider: sandbox, configPrices }))), [504, 'exact', 'sandbox']);
  });

  it('is unknown, without a figure, where no source has it', () => {
    assert.deepEqual(pricer.priceAttempt(ask(undefined, 'gpt-4.1', usage)), { certainty: 'unknown' });
    assert.deepEqual(pricer.priceAttempt(ask('openai', 'no-such-model', usage)), { certainty: 'unknown' });
  });

  it('does not need the library for what the user configured, and says unknown before it is loaded', async () => {
    const slow = createPricer({ log: silentLog });
    assert.equal(slow.isReady, false);
    assert.equal(slow.priceAttempt(ask('openai', 'gpt-4.1', usage, { configPrices })).microUsd, 504);
    assert.deepEqual(slow.priceAttempt(ask('openai', 'gpt-4.1', usage)), { certainty: 'unknown' });
    await slow.ready();
    assert.equal(slow.isReady, true);
    assert.equal(slow.priceAttempt(ask('openai', 'gpt-4.1', usage)).microUsd, 2_800);
  });

  it('goes on without the library when it cannot be loaded, and says so once', async () => {
    const errors: string[] = [];
    const broken = createPricer({ log: { ...silentLog, error: (message) => { errors.push(message); } }, load: () => Promise.reject(new Error('gone')) });
    await broken.ready();
    await broken.ready();
    assert.deepEqual(broken.priceAttempt(ask('openai', 'gpt-4.1', usage)), { certainty: 'unknown' });
    assert.equal(errors.length, 1);
  });
});

describe('attempts whose usage is not fully known', () => {
  const nothing = { usage: {}, generated: false };
  const cases: [what: string, overrides: Partial<PriceRequest>, expected: Cost][] = [
    ['a refused connection cost nothing', { ...nothing, status: undefined, failureClass: 'network', neverSent: true }, { microUsd: 0, certainty: 'exact' }],
    ['a request that was sent and reset has unknown cost', { ...nothing, status: undefined, failureClass: 'network' }, { certainty: 'unknown' }],
    ['a request that was sent and cancelled has unknown cost', { ...nothing, status: undefined, failureClass: 'cancelled' }, { certainty: 'unknown' }],
    ['a refusal by the provider cost nothing', { ...nothing, status: 529, failureClass: 'overloaded' }, { microUsd: 0, certainty: 'exact' }],
    ['a request without an answer in time has unknown cost', { ...nothing, status: undefined, failureClass: 'timeout' }, { certainty: 'unknown' }],
    ['an accepted request that brought nothing has unknown cost', { ...nothing, status: 200, failureClass: 'timeout' }, { certainty: 'unknown' }],
    ['output of unknown size has unknown cost', { usage: {}, generated: true }, { certainty: 'unknown' }],
  ];
  for (const [what, overrides, expected] of cases) {
    it(what, () => { assert.deepEqual(pricer.priceAttempt(ask('openai', 'gpt-4.1', {}, overrides)), expected); });
  }

  it('a missing prompt or output count, or estimated counts, make an estimate', () => {
    assert.deepEqual(money(pricer.priceAttempt(ask('openai', 'gpt-4.1', { outputTokens: 100 }))), [800, 'estimated', library]);
    assert.deepEqual(money(pricer.priceAttempt(ask('openai', 'gpt-4.1', { inputTokens: 100 }))), [200, 'estimated', library]);
    assert.deepEqual(money(pricer.priceAttempt(ask('openai', 'gpt-4.1', { inputTokens: 100, outputTokens: 1 }, { usageEstimated: true }))), [208, 'estimated', library]);
  });

  it('counts above the limit have unknown cost, and a reported cost above the limit is not used', () => {
    for (const inputTokens of [Number.MAX_SAFE_INTEGER, 18446744073709551615]) {
      assert.deepEqual(pricer.priceAttempt(ask('openai', 'gpt-4.1', { inputTokens, outputTokens: 1 })), { certainty: 'unknown' });
    }
    assert.deepEqual(money(pricer.priceAttempt(ask('openai', 'gpt-4.1', { inputTokens: 100, outputTokens: 1, reportedCostMicroUsd: 1e18 }))), [208, 'exact', library]);
  });

  for (const odd of [Infinity, -Infinity, NaN, 1e300, -1, 100_001, null, 'word', {}, []]) {
    it(`a price of ${String(odd)} (${typeof odd}) counts as not given, whoever gives it`, () => {
      const usage = { inputTokens: 100, outputTokens: 1 };
      const prices = { inputPerMTok: odd, outputPerMTok: 1 } as unknown as PriceUsed;
      assert.deepEqual(money(pricer.priceAttempt(ask('openai', 'gpt-4.1', usage, { listedPrices: prices }))), [208, 'exact', library]);
      assert.deepEqual(money(pricer.priceAttempt(ask('openai', 'gpt-4.1', usage, { configPrices: prices }))), [208, 'exact', library]);
      assert.deepEqual(pricer.priceAttempt(ask(undefined, 'm', usage, { listedPrices: prices })), { certainty: 'unknown' });
      const cached = { inputPerMTok: 1, outputPerMTok: 1, cacheReadPerMTok: odd, perRequestUsd: odd } as unknown as PriceUsed;
      assert.deepEqual(pricer.priceAttempt(ask(undefined, 'm', usage, { listedPrices: cached })),
        { microUsd: 101, certainty: 'estimated', priceSource: 'provider list', priceUsed: { inputPerMTok: 1, outputPerMTok: 1 } });
    });
  }

  it('the highest accepted prices of the largest accepted counts make a cost the ledger can keep, or none', () => {
    const most = 1_000_000_000;
    const usage = { inputTokens: most, cacheReadTokens: most, cacheWriteTokens: most, cacheWrite1hTokens: most, outputTokens: most, reasoningTokens: most };
    const listedPrices = { inputPerMTok: 100_000, outputPerMTok: 100_000, reasoningPerMTok: 100_000, perRequestUsd: 1_000 };
    assert.deepEqual(pricer.priceAttempt(ask(undefined, 'm', usage, { listedPrices })), { certainty: 'unknown' });
  });

  for (const odd of [Infinity, NaN, -1, 1e300]) {
    it(`a count of ${odd} makes no cost`, () => {
      assert.deepEqual(pricer.priceAttempt(ask('openai', 'gpt-4.1', { inputTokens: odd, outputTokens: 1 })), { certainty: 'unknown' });
    });
  }

  it("the cost that a provider reports is an estimate where its figures contradict each other", () => {
    const usage = { inputTokens: 100, cacheReadTokens: 5_000, outputTokens: 1, reportedCostMicroUsd: 7 };
    assert.deepEqual(money(pricer.priceAttempt(ask('openai', 'gpt-4.1', usage, { usageEstimated: true, contradictory: true }))), [7, 'estimated', 'provider']);
    assert.deepEqual(money(pricer.priceAttempt(ask('openai', 'gpt-4.1', usage, { usageEstimated: true }))), [7, 'exact', 'provider']);
  });

  it('rounds half up once for the whole attempt, exactly, also where floating point would not', () => {
    const configPrices = { inputPerMTok: 0.1, outputPerMTok: 0.2, cacheReadPerMTok: 0.005 };
    // 3 x 0.1 + 1 x 0.2 = 0.5 exactly, though not in floating point.
    assert.equal(pricer.priceAttempt(ask('openai', 'm', { inputTokens: 3, outputTokens: 1 }, { configPrices })).microUsd, 1);
    assert.equal(pricer.priceAttempt(ask('openai', 'm', { inputTokens: 2, outputTokens: 1 }, { configPrices })).microUsd, 0);
    // 123,456,789,012 x 0.005 = 617,283,945.06
    assert.equal(pricer.priceAttempt(ask('openai', 'm', { inputTokens: 0, cacheReadTokens: 123_456_789_012, outputTokens: 0 }, { configPrices })).microUsd, 617_283_945);
  });
});
