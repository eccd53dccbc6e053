import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import type { Attempt } from '../../../../server/api/receipt.ts';
import type { SpendFilter } from '../../../../server/api/reports/dashboard.ts';
import type { SavingsReport, SavingsSums } from '../../../../server/api/reports/savings.ts';
import { savingsMarkdown, savingsVerdict } from '../../../../server/api/reports/savingsText.ts';
import { SavingsReporter } from '../../../../server/router/savings/savingsReporter.ts';
import { seededRandom } from '../../support/seededRandom.ts';
import { at, configOf, ReportBench } from './reportBench.ts';

const config = configOf({
  anthropic: { provider: 'anthropic', keys: ['${A}'], models: { 'claude-sonnet-4.5': {}, 'claude-haiku-4.5': {} } },
  openai: { provider: 'openai', keys: ['${O}'], models: { 'gpt-4.1': {}, 'gpt-4.1-mini': {} } },
  cheap: { provider: 'openai-compatible', baseUrl: 'https://cheap.example.com/v1', keys: ['${C}'], models: { 'gpt-4.1': { prices: { inputPerMTok: 1, outputPerMTok: 4, cacheReadPerMTok: 0.25, cacheWritePerMTok: 1, cacheWrite1hPerMTok: 1 } }, mystery: {} } },
  plan: { provider: 'anthropic', keys: ['${A}'], models: { 'claude-sonnet-4.5': {} }, billing: 'subscription' },
}, { coding: { targets: ['anthropic/claude-sonnet-4.5', 'openai/gpt-4.1'] } });

async function report(bench: ReportBench, baseline: string, days: [number, number] = [1, 30]): Promise<SavingsReport> {
  const day = (of: number): string => `2026-11-${String(of).padStart(2, '0')}`;
  const result = await new SavingsReporter(bench.options).report({ baseline, fromDay: day(days[0]), toDay: day(days[1]) });
  return 'report' in result ? result.report : assert.fail(result.problem);
}

const money = ({ requests, spentMicroUsd, baselineMicroUsd, savedMicroUsd, uncounted }: SavingsSums): number[] => [requests, spentMicroUsd, baselineMicroUsd, savedMicroUsd, uncounted];
const onCheap = (usage: Attempt['usage']): Partial<Attempt> => ({ endpoint: 'cheap', model: 'gpt-4.1', usage });

describe('savings, worked by hand', () => {
  before(() => new ReportBench(config).pricer.ready());

  it('compares the same model elsewhere exactly', async () => {
    const bench = new ReportBench(config);
    // 10,000 at $1 + 1,000 at $4 = 14,000; at OpenAI 10,000 at $2 + 1,000 at $8 = 28,000.
    bench.add(at(10), [onCheap({ inputTokens: 10_000, cacheReadTokens: 0, outputTokens: 1_000 })]);
    const { totals, byModel } = await report(bench, 'openai');
    assert.deepEqual(money(totals), [1, 14_000, 28_000, 14_000, 0]);
    assert.deepEqual([totals.estimated, totals.savedLowMicroUsd, totals.savedHighMicroUsd], [0, 14_000, 14_000]);
    assert.deepEqual(byModel.map(({ name }) => name), ['gpt-4.1']);
  });

  it('compares the requests that pass a filter, and the others keep their conversations warm', async () => {
    const bench = new ReportBench(config);
    const usage = { inputTokens: 10_000, cacheReadTokens: 0, outputTokens: 1_000 };
    bench.add(at(10), [onCheap(usage)], { caller: { tool: 'codex', branch: 'fix' } });
    bench.add(at(10, 1), [onCheap(usage), { endpoint: 'openai', model: 'gpt-4.1', role: 'hedge', usage, outcome: 'cancelled' }], { caller: { tool: 'aider' } });
    const of = async (filter: SpendFilter): Promise<string> => {
      const result = await new SavingsReporter(bench.options).report({ baseline: 'openai', fromDay: '2026-11-01', toDay: '2026-11-30', filter });
      return 'report' in result ? `${result.report.totals.requests} for ${result.report.totals.spentMicroUsd}` : assert.fail(result.problem);
    };
    assert.equal(await of({}), '2 for 56000');
    assert.equal(await of({ tool: 'codex' }), '1 for 14000');
    assert.equal(await of({ notRecorded: ['branch'] }), '1 for 42000');
    assert.equal(await of({ tool: 'no such' }), '0 for 0');
  });

  it('counts nothing that simulated providers answered', async () => {
    const bench = new ReportBench(config);
    bench.add(at(10), [{ ...onCheap({ inputTokens: 10_000, outputTokens: 1_000 }), cost: { microUsd: 0, certainty: 'exact', priceSource: 'simulated' } }]);
    const { totals } = await report(bench, 'openai');
    assert.deepEqual(money(totals), [0, 0, 0, 0, 1]);
  });

  it('marks a comparison with another model as an estimate, with bounds of its tokenizer', async () => {
    const bench = new ReportBench(config);
    bench.add(at(10), [onCheap({ inputTokens: 9_000, outputTokens: 900 })]);
    const { totals, best } = await report(bench, 'anthropic/claude-sonnet-4.5');
    // 9,000 at $3 + 900 at $15 = 40,500; seven ninths of the tokens cost 31,500, nine sevenths (11,571 and 1,157) 52,068.
    assert.deepEqual(money(totals), [1, 12_600, 40_500, 27_900, 0]);
    assert.deepEqual([totals.estimated, totals.savedLowMicroUsd + 12_600, totals.savedHighMicroUsd + 12_600], [1, 31_500, 52_068]);
    assert.deepEqual(best.map(({ target, baseline, estimated }) => [target, baseline, estimated]), [['cheap/gpt-4.1', 'anthropic/claude-sonnet-4.5', true]]);
  });

  it('knows models with one tokenizer, whose figure is an estimate without bounds', async () => {
    const bench = new ReportBench(config);
    bench.add(at(10), [onCheap({ inputTokens: 10_000, outputTokens: 1_000 })]);
    const { totals } = await report(bench, 'openai/gpt-4.1-mini');
    // 10,000 at $0.40 + 1,000 at $1.60 = 5,600.
    assert.deepEqual([...money(totals), totals.savedLowMicroUsd, totals.savedHighMicroUsd, totals.estimated], [1, 14_000, 5_600, -8_400, 0, -8_400, -8_400, 1]);
  });

  it('counts failed and second attempts as spent, and shows days on which that was a loss', async () => {
    const bench = new ReportBench(config);
    bench.add(at(10), [
      { endpoint: 'anthropic', model: 'claude-sonnet-4.5', outcome: 'failed', usage: { inputTokens: 10_000, outputTokens: 0 } },
      { ...onCheap({ inputTokens: 10_000, outputTokens: 1_000 }), outcome: 'cancelled' },
      { endpoint: 'openai', model: 'gpt-4.1', role: 'hedge', usage: { inputTokens: 10_000, cacheReadTokens: 0, outputTokens: 1_000 } },
    ]);
    bench.add(at(11), [onCheap({ inputTokens: 10_000, outputTokens: 1_000 })]);
    const { totals, days } = await report(bench, 'openai/gpt-4.1');
    // The first: 30,000 failed + 14,000 beaten + 28,000 answer, against the same answer of 28,000.
    assert.deepEqual([totals.overheads.failedMicroUsd, totals.overheads.secondMicroUsd], [30_000, 14_000]);
    assert.deepEqual(days.filter(({ requests }) => requests > 0).map(day => [day.day, day.savedMicroUsd]), [['2026-11-10', -44_000], ['2026-11-11', 14_000]]);
    assert.equal(days.length, 30);
  });

  it('counts a request without an answer as spent, against nothing', async () => {
    const bench = new ReportBench(config);
    bench.add(at(10), [{ ...onCheap({ inputTokens: 10_000, outputTokens: 0 }), outcome: 'failed' }], { outcome: 'failed' });
    const { totals } = await report(bench, 'openai');
    assert.deepEqual([...money(totals), totals.unanswered], [1, 10_000, 0, -10_000, 0, 1]);
  });

  it('counts an answer from the response cache as saved, with what it had cost, and not as unanswered', async () => {
    const bench = new ReportBench(config);
    bench.add(at(10), [onCheap({ inputTokens: 10_000, cacheReadTokens: 0, outputTokens: 1_000 })], { route: 'coding', cache: { state: 'miss' } });
    for (const state of ['hit', 'shared'] as const) bench.add(at(10, 1), [], { route: 'coding', target: 'cheap/gpt-4.1', cache: { state, of: 'wb_1', savedMicroUsd: 14_000 } });
    const made = await report(bench, 'cheap/gpt-4.1');
    assert.deepEqual([...money(made.totals), made.totals.unanswered, made.totals.fromCache, made.totals.fromCacheMicroUsd, made.totals.estimated], [3, 14_000, 42_000, 28_000, 0, 0, 2, 28_000, 2]);
    assert.deepEqual(made.byModel.map(({ name, requests }) => [name, requests]), [['gpt-4.1', 3]]);
    assert.deepEqual(made.best.map(({ target, savedMicroUsd }) => [target, savedMicroUsd]), [['cheap/gpt-4.1', 14_000], ['cheap/gpt-4.1', 14_000]]);
    assert.match(savingsMarkdown(made), /of it by 2 answers from a response cache \| ~\$0\.028/);
    assert.match(savingsMarkdown(made), /2 requests were answered from a response cache at no cost/);
  });

  it('has no figure for a kept answer whose cost is not known, keeps what failed before it, and takes a shared call that failed for unanswered', async () => {
    const bench = new ReportBench(config);
    bench.add(at(10), [], { target: 'cheap/mystery', cache: { state: 'hit' } });
    bench.add(at(10), [{ ...onCheap({ inputTokens: 10_000, outputTokens: 0 }), outcome: 'failed' }], { target: 'openai/gpt-4.1', cache: { state: 'hit', savedMicroUsd: 28_000, savedEstimated: true } });
    bench.add(at(10), [], { outcome: 'failed', target: undefined, cache: { state: 'shared' } });
    bench.add(at(10), [], { outcome: 'cancelled', target: 'cheap/gpt-4.1', cache: { state: 'hit' } });
    const { totals, uncounted } = await report(bench, 'openai');
    assert.deepEqual([...money(totals), totals.unanswered, totals.fromCache, totals.overheads.failedMicroUsd], [2, 10_000, 28_000, 18_000, 2, 1, 1, 10_000]);
    assert.deepEqual(uncounted.map(({ reason, requests }) => [reason, requests]), [['the response cache answered, and what its answer had cost is not known', 2]]);
  });

  it('takes an answer that its caller gave up, and one that was resumed, as one answer', async () => {
    const bench = new ReportBench(config);
    bench.add(at(10), [{ ...onCheap({ inputTokens: 10_000, outputTokens: 500 }), outcome: 'cancelled' }], { outcome: 'cancelled' });
    bench.add(at(10, 10), [
      { ...onCheap({ inputTokens: 10_000, outputTokens: 400 }), outcome: 'failed' },
      { ...onCheap({ inputTokens: 10_400, outputTokens: 600 }), role: 'resume' },
    ]);
    const { best } = await report(bench, 'openai/gpt-4.1');
    // Given up: 20,000 + 500 at $8 = 24,000, paid 12,000. Resumed: one prompt and 1,000 at $8 = 28,000, paid 11,600 + 12,800.
    assert.deepEqual(best.map(({ spentMicroUsd, baselineMicroUsd }) => [spentMicroUsd, baselineMicroUsd]), [[12_000, 24_000], [24_400, 28_000]]);
  });

  it('has no figure where a price is not known on either side, and says why', async () => {
    const bench = new ReportBench(config);
    bench.add(at(10), [{ endpoint: 'cheap', model: 'mystery', usage: { inputTokens: 10, outputTokens: 1 } }]);
    bench.add(at(10), [onCheap({ inputTokens: 10_000, outputTokens: 1_000 }), { ...onCheap({}), outcome: 'failed', cost: { certainty: 'unknown' } }]);
    bench.add(at(10), [{ ...onCheap({ inputTokens: 10_000, outputTokens: 1_000 }), cost: { microUsd: 14_000, certainty: 'estimated', unpriced: ['web search'] } }]);
    bench.add(at(10), [{ endpoint: 'anthropic', model: 'claude-haiku-4.5', usage: { inputTokens: 10, outputTokens: 1 } }]);
    const { totals, uncounted } = await report(bench, 'cheap/mystery');
    assert.deepEqual([totals.requests, totals.uncounted, totals.spentMicroUsd], [0, 4, 0]);
    assert.deepEqual(uncounted.map(({ reason, requests }) => [requests, reason]), [
      [1, 'a part of what they cost has no known price (web search)'], [1, 'cheap/mystery has no known price for them'], [1, 'what cheap/gpt-4.1 charged for them is not known'], [1, 'what cheap/mystery charged for them is not known'],
    ]);
    assert.deepEqual((await report(bench, 'openai')).uncounted.map(({ reason }) => reason).filter(reason => reason.includes('serve')), ['endpoint "openai" does not serve claude-haiku-4.5', 'endpoint "openai" does not serve mystery']);
  });

  it('has no figure where more than tokens was charged, unless the baseline is the very same place', async () => {
    const bench = new ReportBench(config);
    const searched = { endpoint: 'openai', model: 'gpt-4.1', usage: { inputTokens: 1_000, cacheReadTokens: 0, outputTokens: 0 }, cost: { microUsd: 12_000, certainty: 'exact', priceSource: 'x', priceUsed: { inputPerMTok: 2, outputPerMTok: 8 } } } as const;
    bench.add(at(10), [searched]);
    assert.match((await report(bench, 'cheap')).uncounted[0]?.reason ?? '', /hosted tools/);
    assert.deepEqual(money((await report(bench, 'openai')).totals), [1, 12_000, 12_000, 0, 0]);
  });

  it('compares with the first target of the route as it is listed', async () => {
    const bench = new ReportBench(config);
    bench.add(at(10), [{ endpoint: 'openai', model: 'gpt-4.1', usage: { inputTokens: 1_000, cacheReadTokens: 0, outputTokens: 100 } }], { route: 'coding' });
    bench.add(at(10), [{ endpoint: 'openai', model: 'gpt-4.1', usage: { inputTokens: 1_000, cacheReadTokens: 0, outputTokens: 100 } }], { route: 'gone' });
    const { totals, uncounted, byRoute } = await report(bench, 'first');
    // 3,000 + 1,500 against 2,000 + 800.
    assert.deepEqual(money(totals), [1, 2_800, 4_500, 1_700, 1]);
    assert.equal(uncounted[0]?.reason, 'the route "gone" is not configured any more');
    assert.deepEqual(byRoute.map(({ name, requests }) => [name, requests]), [['coding', 1], ['gone', 0]]);
  });

  it('takes the price of that time', async () => {
    const bench = new ReportBench(configOf({ a: { provider: 'anthropic', keys: ['${A}'], models: { 'claude-sonnet-5.5': {} } }, b: { provider: 'openai-compatible', baseUrl: 'https://b.example.com/v1', models: { 'claude-sonnet-5.5': { prices: { inputPerMTok: 1, outputPerMTok: 1 } } } } }));
    const october = new Date(2026, 9, 5, 12).getTime();
    for (const day of [october, at(5)]) bench.add(day, [{ endpoint: 'b', model: 'claude-sonnet-5.5', usage: { inputTokens: 0, cacheReadTokens: 1_000_000, outputTokens: 0 } }]);
    const result = await new SavingsReporter(bench.options).report({ baseline: 'a', fromDay: '2026-10-01', toDay: '2026-11-30' });
    // The price of reading a cache was halved on October 7.
    assert.deepEqual('report' in result ? result.report.days.filter(({ requests }) => requests > 0).map(({ baselineMicroUsd }) => baselineMicroUsd) : result, [200_000, 100_000]);
  });

  it('says that a plan covered a request, whose fee is in no figure', async () => {
    const bench = new ReportBench(config);
    bench.add(at(10), [{ endpoint: 'plan', model: 'claude-sonnet-4.5', usage: { inputTokens: 1_000, cacheReadTokens: 0, outputTokens: 100 } }]);
    const made = await report(bench, 'anthropic');
    assert.deepEqual([...money(made.totals), made.totals.covered], [1, 0, 4_500, 4_500, 0, 1]);
    assert.match(savingsMarkdown(made), /covered by a plan or a free tier; the fee of a plan is in no figure/);
  });

  it('counts a cache that a change of target left as lost, because the baseline would have kept it', async () => {
    const bench = new ReportBench(config);
    const caller = { tool: 'claude-code', conversation: 'c' };
    const turn = (minutes: number, endpoint: string, usage: Attempt['usage']): unknown => bench.add(at(10, minutes), [{ endpoint, model: 'gpt-4.1', usage }], { caller, route: 'coding' });
    turn(0, 'openai', { inputTokens: 100_000, cacheReadTokens: 0, outputTokens: 0 });
    turn(1, 'cheap', { inputTokens: 110_000, cacheReadTokens: 0, outputTokens: 0 });
    const { totals, days } = await report(bench, 'openai/gpt-4.1');
    // The baseline reads 100,000 for 50,000 and the rest for 20,000; read anew, they would cost it 220,000.
    assert.deepEqual(money(totals), [2, 310_000, 270_000, -40_000, 0]);
    assert.deepEqual([totals.savedLowMicroUsd, totals.savedHighMicroUsd, totals.overheads.rewritesMicroUsd, totals.estimated], [-40_000, 110_000, 75_000, 1]);
    assert.equal(days.find(({ day }) => day === '2026-11-10')?.savedMicroUsd, -40_000);
    turn(20, 'openai', { inputTokens: 120_000, cacheReadTokens: 0, outputTokens: 0 });
    // After twenty minutes no cache is warm.
    assert.equal((await report(bench, 'openai/gpt-4.1')).totals.savedMicroUsd, -40_000);
  });
});

describe('the verdict on savings', () => {
  it('begins with what is in no sum, and names what has no price', async () => {
    const bench = new ReportBench(config);
    bench.add(at(10), [{ endpoint: 'cheap', model: 'gpt-4.1', usage: { inputTokens: 1_000_000, cacheReadTokens: 0, outputTokens: 0 } }]);
    const priced = savingsVerdict(await report(bench, 'openai/gpt-4.1'));
    assert.match(priced, /^Saved /);
    bench.add(at(10, 1), [{ endpoint: 'cheap', model: 'mystery', usage: { inputTokens: 1_000_000, cacheReadTokens: 0, outputTokens: 0 } }]);
    const verdict = savingsVerdict(await report(bench, 'openai/gpt-4.1'));
    assert.equal(verdict, `Only 1 of 2 requests can be compared, and the whole may be more or less: 1 is in no sum, because what cheap/mystery charged for them is not known. ${priced}`);
    for (const minute of [2, 3]) bench.add(at(10, minute), [{ endpoint: 'cheap', model: 'riddle', usage: { inputTokens: 1, cacheReadTokens: 0, outputTokens: 0 } }]);
    assert.match(savingsVerdict(await report(bench, 'openai/gpt-4.1')), /because what cheap\/riddle charged for them is not known \(2\), and what cheap\/mystery charged for them is not known \(1\)\. Saved/);
  });

  it('says why where nothing can be compared', async () => {
    const bench = new ReportBench(config);
    bench.add(at(10), [{ endpoint: 'cheap', model: 'mystery', usage: { inputTokens: 1, cacheReadTokens: 0, outputTokens: 0 } }]);
    assert.equal(savingsVerdict(await report(bench, 'openai/gpt-4.1')), 'None of 1 request has a figure, because what cheap/mystery charged for them is not known.');
  });
});

describe('a baseline', () => {
  it('that means nothing is refused in one sentence with what can be given', async () => {
    const bench = new ReportBench(config);
    const problem = async (baseline: string, fromDay = '2026-11-01', toDay = '2026-11-30'): Promise<string> => {
      const result = await new SavingsReporter(bench.options).report({ baseline, fromDay, toDay });
      return 'problem' in result ? result.problem : assert.fail('it was accepted');
    };
    assert.match(await problem('nothing'), /"nothing" is neither an endpoint, a provider nor a model that an endpoint serves: give "first"/);
    assert.match(await problem('opnai'), /serves; did you mean "openai"\? Accepted are "first"/);
    assert.match(await problem('  '), /Give what to compare with/);
    assert.match(await problem('x'.repeat(5_000)), /Give what to compare with/);
    assert.match(await problem('first', '2026-11-31'), /like 2026-11-01/);
    assert.match(await problem('first', '2026-11-02', '2026-11-01'), /the earlier one first/);
    assert.match(await problem('first', '2026-01-01', '2026-12-31'), /at most 92 days/);
  });

  it('says when its endpoint does not list the model', async () => {
    const bench = new ReportBench(config);
    assert.equal((await report(bench, 'openai/gpt-4.1')).baseline, 'always openai/gpt-4.1');
    assert.equal((await report(bench, 'openai/nosuch')).baseline, 'always openai/nosuch, a model that endpoint "openai" does not list');
  });

  it('may be a provider without an endpoint, or a model of it, by its list prices', async () => {
    const bench = new ReportBench(config);
    bench.add(at(10), [{ endpoint: 'openai', model: 'gpt-4.1', usage: { inputTokens: 1_000, cacheReadTokens: 0, outputTokens: 100 } }]);
    const { totals, baseline } = await report(bench, 'deepseek/deepseek-v4-pro');
    assert.equal(baseline, 'always deepseek-v4-pro of DeepSeek, by its list prices');
    assert.equal(totals.requests, 1);
    assert.equal((await report(bench, 'mistral')).totals.uncounted, 1);
  });

  it('of an empty ledger is an empty report, with a sentence', async () => {
    const made = await report(new ReportBench(config), 'first');
    assert.equal(savingsVerdict(made), 'No request ended in these days.');
    assert.match(savingsMarkdown(made), /No request ended in these days/);
  });
});

describe('sums of savings', () => {
  it('agree: requests, days, routes, tools, workspaces, branches and models add up to the totals', async () => {
    for (let seed = 1; seed <= 30; seed += 1) {
      const random = seededRandom(seed);
      const one = <Value>(...of: Value[]): Value => of[Math.floor(random() * of.length)] as Value;
      const bench = new ReportBench(config);
      let spent = 0;
      for (let index = 0; index < 60; index += 1) {
        const attempts = Array.from({ length: 1 + Math.floor(random() * 3) }, (_, place): Partial<Attempt> => ({
          ...one({ endpoint: 'openai', model: 'gpt-4.1' }, { endpoint: 'cheap', model: 'gpt-4.1' }, { endpoint: 'anthropic', model: 'claude-haiku-4.5' }, { endpoint: 'plan', model: 'claude-sonnet-4.5' }, { endpoint: 'cheap', model: 'mystery' }),
          outcome: one('ok', 'failed', 'cancelled'), usageEstimated: random() < 0.2, ...(place > 0 && random() < 0.5 ? { role: one('hedge', 'resume', 'restart') } : {}),
          usage: { inputTokens: Math.floor(random() * 1e5), cacheReadTokens: Math.floor(random() * 1e5), ...(random() < 0.5 ? { cacheWriteTokens: Math.floor(random() * 1e4) } : {}), outputTokens: Math.floor(random() * 1e4) },
        }));
        const receipt = bench.add(at(1 + Math.floor(random() * 25), index), attempts, {
          outcome: one('ok', 'ok', 'ok', 'failed', 'cancelled'), ...(random() < 0.5 ? { route: one('coding', 'gone') } : {}),
          caller: { tool: one('a', 'b'), conversation: one('x', 'y'), ...(random() < 0.5 ? { workspace: one('w', 'v') } : {}), ...(random() < 0.5 ? { branch: one('main', 'fix') } : {}) },
        });
        if (receipt.attempts.every(({ cost }) => cost.microUsd !== undefined)) spent += receipt.cost.microUsd ?? 0;
      }
      for (const baseline of ['first', 'openai', 'anthropic/claude-sonnet-4.5', 'gpt-4.1']) {
        const made = await report(bench, baseline);
        const { totals } = made;
        assert.ok(totals.spentMicroUsd <= spent);
        assert.equal(totals.requests + totals.uncounted, 60);
        assert.equal(totals.savedMicroUsd, totals.baselineMicroUsd - totals.spentMicroUsd);
        assert.ok(totals.savedLowMicroUsd <= totals.savedMicroUsd && totals.savedMicroUsd <= totals.savedHighMicroUsd);
        assert.equal(made.uncounted.reduce((sum, { requests }) => sum + requests, 0), totals.uncounted);
        for (const groups of [made.days, made.byRoute, made.byTool, made.byWorkspace, made.byBranch, made.byModel]) {
          for (const field of ['requests', 'unanswered', 'estimated', 'covered', 'spentMicroUsd', 'baselineMicroUsd', 'savedMicroUsd', 'savedLowMicroUsd', 'savedHighMicroUsd', 'uncounted'] as const) {
            assert.equal(groups.reduce((sum, group) => sum + group[field], 0), totals[field], `${field} against ${baseline}`);
          }
        }
        for (const { savedMicroUsd, savedLowMicroUsd, savedHighMicroUsd, estimated, spentMicroUsd, baselineMicroUsd } of [...made.best, ...made.worst]) {
          assert.equal(savedMicroUsd, baselineMicroUsd - spentMicroUsd);
          assert.ok(savedLowMicroUsd <= savedMicroUsd && savedMicroUsd <= savedHighMicroUsd && (estimated || savedLowMicroUsd === savedHighMicroUsd));
        }
        assert.doesNotMatch(savingsMarkdown(made), /NaN|undefined/);
      }
    }
  });

  it('of the same target everywhere are nothing saved and nothing lost, to the micro-dollar', async () => {
    const bench = new ReportBench(config);
    const random = seededRandom(7);
    for (let index = 0; index < 50; index += 1) bench.add(at(3, index), [{ endpoint: 'openai', model: 'gpt-4.1', usage: { inputTokens: Math.floor(random() * 1e5), cacheReadTokens: Math.floor(random() * 1e5), outputTokens: Math.floor(random() * 1e4) } }]);
    const { totals, best, worst } = await report(bench, 'openai/gpt-4.1');
    assert.deepEqual([totals.savedMicroUsd, totals.savedLowMicroUsd, totals.savedHighMicroUsd, totals.estimated, best.length + worst.length], [0, 0, 0, 0, 0]);
  });
});
