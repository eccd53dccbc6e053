import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { parse } from 'yaml';
import type { Attempt } from '../../../../server/api/receipt.ts';
import { featureBit, featuresOf, requestFeatures } from '../../../../server/api/reports/features.ts';
import type { MigrationReport } from '../../../../server/api/reports/migration.ts';
import { migrationMarkdown, migrationVerdict } from '../../../../server/api/reports/migrationText.ts';
import { MigrationReporter } from '../../../../server/router/migration/migrationReporter.ts';
import { seededRandom } from '../../support/seededRandom.ts';
import { at, configOf, ReportBench } from './reportBench.ts';

const endpoints = {
  anthropic: { provider: 'anthropic', keys: ['${A}'], models: { 'claude-sonnet-4.5': {} } },
  openai: { provider: 'openai', keys: ['${O}'], models: { 'gpt-4.1': {} } },
  local: { provider: 'ollama', models: { llama: {} } },
};
const config = configOf(endpoints, { coding: { targets: ['openai/gpt-4.1'] } });

async function migrate(bench: ReportBench, to: string, of?: string): Promise<MigrationReport> {
  const result = await new MigrationReporter(bench.options).report({ to, of, fromDay: '2026-11-01', toDay: '2026-11-30' });
  return 'report' in result ? result.report : assert.fail(result.problem);
}

const onGpt = (usage: Attempt['usage']): Partial<Attempt> => ({ endpoint: 'openai', model: 'gpt-4.1', usage });

describe('a migration report', () => {
  before(() => new ReportBench(config).pricer.ready());

  it('shows the arithmetic, worked by hand', async () => {
    const bench = new ReportBench(config);
    bench.add(at(2), [onGpt({ inputTokens: 9_000, cacheReadTokens: 90_000, outputTokens: 900 })], { route: 'coding' });
    bench.add(at(3), [onGpt({ inputTokens: 9_000, cacheReadTokens: 0, outputTokens: 900 })], { route: 'coding' });
    const { lines, totals, used } = await migrate(bench, 'anthropic/claude-sonnet-4.5');
    assert.deepEqual(used.map(({ target, requests, usage, spentMicroUsd }) => [target, requests, usage, spentMicroUsd]), [
      // 18,000 at $2, 90,000 at $0.50, 1,800 at $8.
      ['openai/gpt-4.1', 2, { inputTokens: 18_000, cacheReadTokens: 90_000, outputTokens: 1_800 }, 95_400],
    ]);
    assert.deepEqual(lines.map(({ from, to, requests, items, feesMicroUsd, microUsd, estimated }) => ({ from, to, requests, items, feesMicroUsd, microUsd, estimated })), [{
      from: 'openai/gpt-4.1', to: 'anthropic/claude-sonnet-4.5', requests: 2, feesMicroUsd: 0, microUsd: 108_000, estimated: true,
      items: [
        { what: 'fresh input', tokens: 18_000, perMTok: 3, microUsd: 54_000 },
        { what: 'read from cache', tokens: 90_000, perMTok: 0.3, microUsd: 27_000 },
        { what: 'output', tokens: 1_800, perMTok: 15, microUsd: 27_000 },
      ],
    }]);
    // Seven ninths and nine sevenths of the tokens.
    assert.deepEqual([totals.spentMicroUsd, totals.microUsd, totals.lowMicroUsd], [95_400, 108_000, 84_000]);
    assert.ok(Math.abs(totals.highMicroUsd - 108_000 * 9 / 7) < 30);
  });

  it('moves nothing that simulated providers answered', async () => {
    const bench = new ReportBench(config);
    bench.add(at(2), [{ ...onGpt({ inputTokens: 9_000, outputTokens: 900 }), cost: { microUsd: 0, certainty: 'exact', priceSource: 'simulated' } }]);
    const { lines, uncounted } = await migrate(bench, 'anthropic/claude-sonnet-4.5');
    assert.deepEqual([lines, uncounted.map(({ reason, requests }) => [reason, requests])], [[], [['simulated providers answered them', 1]]]);
  });

  it('has one line for each price: a long prompt costs more', async () => {
    const bench = new ReportBench(configOf({ ...endpoints, claude: { provider: 'anthropic', keys: ['${A}'], models: { 'claude-haiku-5.5': {} } } }));
    bench.add(at(2), [onGpt({ inputTokens: 50_000, cacheReadTokens: 0, outputTokens: 0 })]);
    bench.add(at(2), [onGpt({ inputTokens: 150_000, cacheReadTokens: 0, outputTokens: 0 })]);
    const { lines } = await migrate(bench, 'claude/claude-haiku-5.5');
    assert.deepEqual(lines.map(({ requests, items }) => [requests, items[0]?.perMTok, items[0]?.microUsd]), [[1, 0.5, 75_000], [1, 0.1, 5_000]]);
  });

  it('says what the other side lacks of what was used, and what is not known', async () => {
    const bench = new ReportBench(config);
    const features = (...names: (typeof requestFeatures)[number][]): number => names.reduce((bits, name) => bits | featureBit(name), 0);
    bench.add(at(2), [onGpt({ inputTokens: 300_000, cacheReadTokens: 0, outputTokens: 900 })], { features: features('tools', 'images', 'seed', 'hostedTools') });
    bench.add(at(2), [onGpt({ inputTokens: 10, outputTokens: 1 })], { features: features('tools', 'providerState') });
    bench.add(at(2), [onGpt({ inputTokens: 10, outputTokens: 1 })], { features: undefined });
    const report = await migrate(bench, 'deepseek/deepseek-v3.2');
    const state = Object.fromEntries(report.features.map(({ feature, state: there, requests }) => [feature, [there, requests]]));
    assert.deepEqual(state['tools'], ['there', 2]);
    assert.deepEqual(state['images'], ['missing', 1]);
    assert.deepEqual(state['tools that the provider runs'], ['missing', 1]);
    assert.deepEqual(state['conversations or caches that the provider keeps'], ['missing', 1]);
    assert.deepEqual(state['prompts of up to 300,000 tokens'], ['missing', undefined]);
    assert.equal(state['reasoning'], undefined);
    assert.equal(report.featuresUnknown, 1);
    assert.match(migrationVerdict(report), /Missing there: images, tools that the provider runs/);
    const claude = await migrate(bench, 'anthropic/claude-sonnet-4.5');
    assert.deepEqual(claude.features.find(({ feature }) => feature === 'a seed')?.state, 'missing');
  });

  it('gives the way there in stages, whose settings are valid as they stand', async () => {
    const bench = new ReportBench(config);
    for (let index = 0; index < 3_000; index += 1) bench.add(at(1 + index % 28, index), [onGpt({ inputTokens: 10, cacheReadTokens: 0, outputTokens: 1 })], { route: 'coding' });
    for (const to of ['anthropic/claude-sonnet-4.5', 'mistral/mistral-large-2512', 'local']) {
      const { steps } = await migrate(bench, to);
      if (to === 'local') {
        // It serves none of what is used.
        assert.deepEqual(steps, []);
        continue;
      }
      const yaml = steps.flatMap(({ code = [] }) => code.filter(({ language }) => language === 'yaml').map(({ text }) => parse(text) as { endpoints?: Record<string, object>; routes?: Record<string, object> }));
      const added = yaml.find(one => one.endpoints !== undefined)?.endpoints ?? {};
      for (const { routes } of yaml) if (routes !== undefined) configOf({ ...endpoints, ...added }, routes);
      assert.ok(yaml.some(({ routes }) => (routes?.['coding'] as { canary?: object } | undefined)?.canary !== undefined), to);
      assert.ok(steps.some(({ code = [] }) => code.some(({ text }) => text.includes('waybill canary start coding'))));
    }
    assert.equal((await migrate(bench, 'mistral/mistral-large-2512')).steps[0]?.title, 'Add Mistral');
  });

  it('looks at one endpoint alone, where that is asked for', async () => {
    const bench = new ReportBench(config);
    bench.add(at(2), [onGpt({ inputTokens: 10, outputTokens: 1 })]);
    bench.add(at(2), [{ endpoint: 'anthropic', model: 'claude-sonnet-4.5', usage: { inputTokens: 10, outputTokens: 1 } }]);
    assert.deepEqual((await migrate(bench, 'anthropic/claude-sonnet-4.5', 'openai')).used.map(({ target }) => target), ['openai/gpt-4.1']);
    assert.equal((await migrate(bench, 'anthropic/claude-sonnet-4.5')).used.length, 2);
  });

  it('is about the requests that pass a filter', async () => {
    const bench = new ReportBench(config);
    bench.add(at(2), [onGpt({ inputTokens: 1_000, outputTokens: 10 })], { route: 'coding' });
    bench.add(at(3), [onGpt({ inputTokens: 2_000, outputTokens: 10 })]);
    const result = await new MigrationReporter(bench.options).report({ to: 'anthropic/claude-sonnet-4.5', fromDay: '2026-11-01', toDay: '2026-11-30', filter: { route: 'coding' } });
    const { requests, used } = 'report' in result ? result.report : assert.fail(result.problem);
    assert.deepEqual([requests, used.map(({ usage }) => usage.inputTokens)], [1, [1_000]]);
  });

  it('refuses what means nothing in one sentence, and is short for an empty ledger', async () => {
    const bench = new ReportBench(config);
    const problem = async (to: string, of?: string): Promise<string> => {
      const result = await new MigrationReporter(bench.options).report({ to, of, fromDay: '2026-11-01', toDay: '2026-11-30' });
      return 'problem' in result ? result.problem : assert.fail('it was accepted');
    };
    assert.match(await problem(''), /^Give where to move: an endpoint, a provider, a model, or endpoint\/model\.$/);
    assert.match(await problem('first'), /^Give where to move/);
    assert.match(await problem('nothing'), /^"nothing" is neither an endpoint, a provider nor a model that an endpoint serves: give an endpoint, a provider, a model, or endpoint\/model, such as /);
    assert.match(await problem('antropic'), /did you mean "anthropic"\? Accepted are an endpoint/);
    assert.match(await problem('openai', 'gone'), /There is no endpoint "gone": leave it out, or give one of anthropic, openai, local/);
    assert.match(migrationMarkdown(await migrate(bench, 'openai')), /No request ended in these days/);
  });

  it('has lines, items and reasons that add up', async () => {
    for (let seed = 1; seed <= 20; seed += 1) {
      const random = seededRandom(seed);
      const bench = new ReportBench(config);
      for (let index = 0; index < 40; index += 1) {
        bench.add(at(1 + index % 25), [
          { ...(random() < 0.5 ? { endpoint: 'openai', model: 'gpt-4.1' } : random() < 0.5 ? { endpoint: 'anthropic', model: 'claude-sonnet-4.5' } : { endpoint: 'local', model: 'llama' }), usage: { inputTokens: Math.floor(random() * 3e5), cacheReadTokens: Math.floor(random() * 1e5), outputTokens: Math.floor(random() * 1e4) }, ...(random() < 0.1 ? { cost: { certainty: 'unknown' } as const } : {}) },
        ], random() < 0.1 ? { outcome: 'failed' } : {});
      }
      for (const to of ['openai', 'anthropic/claude-sonnet-4.5', 'deepseek', 'gemini/gemini-2.5-pro']) {
        const report = await migrate(bench, to);
        const { lines, totals, uncounted, requests, unanswered, used } = report;
        assert.equal(requests, 40);
        assert.equal(used.reduce((sum, target) => sum + target.requests, 0), requests - unanswered);
        assert.equal(totals.requests + uncounted.reduce((sum, one) => sum + one.requests, 0), requests - unanswered);
        assert.equal(lines.reduce((sum, line) => sum + line.microUsd, 0), totals.microUsd);
        for (const { items, feesMicroUsd, microUsd, lowMicroUsd, highMicroUsd } of lines) {
          assert.equal(items.reduce((sum, item) => sum + item.microUsd, feesMicroUsd), microUsd);
          for (const { tokens, perMTok, microUsd: part } of items) assert.ok(Math.abs(tokens * perMTok - part) <= 0.51);
          assert.ok(lowMicroUsd <= microUsd && microUsd <= highMicroUsd);
        }
        assert.doesNotMatch(migrationMarkdown(report), /NaN|undefined/);
      }
    }
  });
});

describe('features of requests', () => {
  it('are bits that give the same features back', () => {
    assert.deepEqual(featuresOf(0), []);
    assert.deepEqual(featuresOf(featureBit('images') | featureBit('seed')), ['images', 'seed']);
    assert.equal(new Set(requestFeatures.map(featureBit)).size, requestFeatures.length);
  });
});
