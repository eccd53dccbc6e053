import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import type { BillLine, BillReport, ReconcileParams, ReconcileResult } from '../../../../server/api/bill.ts';
import type { Cost } from '../../../../server/api/receipt.ts';
import { SecretRegister } from '../../../../server/base/secrets/redact.ts';
import { providers, findProvider } from '../../../../server/catalog/providers.ts';
import { resolveConfig } from '../../../../server/config/resolve.ts';
import type { Config } from '../../../../server/config/config.ts';
import { BillReconciler } from '../../../../server/router/bills/billReconciler.ts';
import { Transport } from '../../../../server/upstream/transport.ts';
import { protocolNames } from '../../../../server/api/conversation.ts';
import { InMemoryLedger } from '../../ledger/inMemoryLedger.ts';
import { aReceipt, anAttempt } from '../../ledger/receipts.ts';
import { anthropicAdminKey, openAiAdminKey, openRouterKey, serveCostApis, type CostApi, type SimulatedCost } from './costApiSimulators.ts';

const now = Date.UTC(2026, 10, 25, 12);
const days = { fromDay: '2026-11-18', toDay: '2026-11-22' } as const;

/** A ledger with requests of one model, and what reconciling it with a simulated provider gives. */
class Bench {
  readonly ledger = new InMemoryLedger();
  readonly register = new SecretRegister();
  readonly transport = new Transport();
  #requests = 0;
  readonly #config: Config;

  constructor(endpoints: Record<string, object>) {
    const { config, problems } = resolveConfig({ endpoints, routes: {} }, { source: 'file', catalog: { providers, findProvider }, supportedProtocols: protocolNames });
    assert.deepEqual(problems, []);
    this.#config = config;
  }

  add(at: string, model: string, cost: Partial<Cost> & { microUsd?: number }, more: { input?: number; output?: number; endpoint?: string; totalMs?: number } = {}): string {
    this.#requests += 1;
    const id = `wb_${this.#requests}`;
    const startedAt = Date.parse(at);
    this.ledger.close(aReceipt(id, { startedAt, attempts: [anAttempt({
      startedAt, endpoint: more.endpoint ?? 'main', model, upstreamModel: model, totalMs: more.totalMs ?? 900, usage: { inputTokens: more.input ?? 1000, outputTokens: more.output ?? 100 },
      cost: { certainty: 'exact', priceSource: 'genai-prices 0.1.8', ...cost },
    })] }));
    return id;
  }

  reconcile(params: Partial<ReconcileParams> & Pick<ReconcileParams, 'source'>): Promise<ReconcileResult> {
    const config = this.#config;
    return new BillReconciler({
      current: { config } as never, register: this.register, transport: this.transport, clock: { now: () => now } as never,
      bill: (range, endpoints, offsetMs) => this.ledger.bill(range, endpoints, offsetMs),
    }).reconcile({ endpoint: 'main', ...days, ...params });
  }

  async report(params: Partial<ReconcileParams> & Pick<ReconcileParams, 'source'>): Promise<BillReport> {
    const result = await this.reconcile(params);
    return 'report' in result ? result.report : assert.fail(result.problem);
  }

  async problem(params: Partial<ReconcileParams> & Pick<ReconcileParams, 'source'>): Promise<string> {
    const result = await this.reconcile(params);
    return 'problem' in result ? result.problem : assert.fail('it was read');
  }
}

const served: CostApi[] = [];
async function serve(...args: Parameters<typeof serveCostApis>): Promise<CostApi> {
  const api = await serveCostApis(...args);
  served.push(api);
  return api;
}
after(async () => { for (const api of served) await api.close(); });

function lineOf({ lines }: BillReport, day: string, model: string): BillLine {
  return lines.find(line => line.day === day && line.model === model) ?? assert.fail(`no line of ${model} on ${day}`);
}

function kinds(line: BillLine): string[] {
  return line.reasons.map(({ kind }) => kind);
}

const openAiCosts: SimulatedCost[] = [
  { at: '2026-11-18T00:00:00Z', model: 'gpt-4.1-2025-04-14', item: 'gpt-4.1-2025-04-14, input', usd: '0.002', requests: 1, input: 1000, output: 100 },
  { at: '2026-11-18T23:59:59Z', model: 'gpt-4.1-2025-04-14', item: 'gpt-4.1-2025-04-14, output', usd: '0.0008' },
  { at: '2026-11-19T12:00:00Z', model: 'gpt-4.1-2025-04-14', item: 'gpt-4.1-2025-04-14, input', usd: '0.0084', requests: 3, input: 3000, output: 300 },
  { at: '2026-11-20T12:00:00Z', model: 'gpt-5-mini', item: 'gpt-5-mini, input', usd: '0.5', requests: 7, input: 9000, output: 900 },
  { at: '2026-11-20T12:00:00Z', item: 'web search tool calls', usd: '0.03' },
  { at: '2026-11-21T12:00:00Z', model: 'gpt-4.1-2025-04-14', item: 'gpt-4.1-2025-04-14, input', usd: '0.00504', requests: 1, input: 1000, output: 100 },
];

describe('reconciling a bill', () => {
  it('compares OpenAI\'s days in UTC, over all pages, and says which requests explain what differs', async () => {
    const api = await serve(openAiCosts, { daysAPage: 2 });
    const bench = new Bench({ main: { provider: 'openai', baseUrl: `${api.origin}/v1`, keys: [] } });
    bench.add('2026-11-18T00:00:00.000Z', 'gpt-4.1', { microUsd: 2_800 });
    bench.add('2026-11-17T23:59:59.000Z', 'gpt-4.1', { microUsd: 999_999 });
    bench.add('2026-11-19T08:00:00Z', 'gpt-4.1', { microUsd: 2_800 });
    const unknown = bench.add('2026-11-19T09:00:00Z', 'gpt-4.1', { certainty: 'unknown' }, { input: 1000 });
    const inPart = bench.add('2026-11-20T09:00:00Z', 'gpt-4.1', { microUsd: 2_800, certainty: 'estimated', unpriced: ['shell'] });
    bench.add('2026-11-21T09:00:00Z', 'gpt-4.1', { microUsd: 2_800 });
    const report = await bench.report({ source: { kind: 'api', adminKey: openAiAdminKey } });

    assert.equal(report.source, 'the cost API of OpenAI');
    const exact = lineOf(report, '2026-11-18', 'gpt-4.1');
    assert.deepEqual([exact.oursMicroUsd, exact.theirsMicroUsd, exact.differenceMicroUsd, exact.reasons], [2_800, 2_800, 0, []]);
    const outside = lineOf(report, '2026-11-19', 'gpt-4.1');
    assert.deepEqual([outside.differenceMicroUsd, outside.theirRequests, outside.ourRequests, kinds(outside)], [5_600, 3, 2, ['unknown-cost', 'outside']]);
    assert.deepEqual(outside.reasons[0]?.exchanges, [unknown]);
    assert.match(outside.reasons[1]?.text ?? '', /^1 request did not go through Waybill/);
    const elsewhere = lineOf(report, '2026-11-20', 'gpt-5-mini');
    assert.deepEqual([elsewhere.oursMicroUsd, elsewhere.theirsMicroUsd, kinds(elsewhere)], [0, 500_000, ['outside']]);
    assert.deepEqual(kinds(lineOf(report, '2026-11-20', 'web search tool calls')), ['apart']);
    const notBilled = lineOf(report, '2026-11-20', 'gpt-4.1');
    assert.deepEqual([kinds(notBilled), notBilled.reasons[0]?.exchanges], [['unpriced', 'not-billed'], [inPart]]);
    const dearer = lineOf(report, '2026-11-21', 'gpt-4.1');
    assert.deepEqual(kinds(dearer), ['price']);
    assert.match(dearer.reasons[0]?.text ?? '', /1\.80 times as much, the price that Waybill used \(genai-prices 0\.1\.8\)/);
    assert.deepEqual(report.totals, { oursMicroUsd: 11_200, oursEstimated: 1, oursUnknown: 2, theirsMicroUsd: 546_240, differenceMicroUsd: 535_040 });
    assert.equal(api.seen.filter(({ path }) => path.startsWith('/v1/organization/costs')).length, 3, 'three pages of two days');
    assert.ok(api.seen.every(({ headers }) => headers.authorization === `Bearer ${openAiAdminKey}`));
  });

  it('reads Anthropic\'s cents to the micro-dollar, over all pages', async () => {
    const api = await serve([
      { at: '2026-11-18T12:00:00Z', model: 'claude-sonnet-4-6', item: 'Claude Sonnet 4.6 Usage - Input Tokens', usd: '0.0105001', requests: 1, input: 1000, output: 500 },
      { at: '2026-11-21T12:00:00Z', item: 'Web Search Usage', usd: '0.03' },
      { at: '2026-11-22T12:00:00Z', model: 'claude-opus-5-5', item: 'Claude Opus 5.5 Usage - Input Tokens', usd: '1.234567891', input: 10, output: 10 },
    ], { daysAPage: 1 });
    const bench = new Bench({ main: { provider: 'anthropic', baseUrl: api.origin, keys: [] } });
    bench.add('2026-11-18T12:00:00Z', 'claude-sonnet-4-6', { microUsd: 10_500 }, { input: 1000, output: 500 });
    bench.add('2026-11-22T12:00:00Z', 'claude-opus-5-5', { microUsd: 240 }, { input: 10, output: 10 });
    const report = await bench.report({ source: { kind: 'api', adminKey: anthropicAdminKey } });
    assert.deepEqual([lineOf(report, '2026-11-18', 'claude-sonnet-4-6').theirsMicroUsd, lineOf(report, '2026-11-18', 'claude-sonnet-4-6').reasons], [10_500, []]);
    assert.equal(lineOf(report, '2026-11-21', 'Web Search Usage').theirsMicroUsd, 30_000);
    assert.deepEqual([lineOf(report, '2026-11-22', 'claude-opus-5-5').theirsMicroUsd, kinds(lineOf(report, '2026-11-22', 'claude-opus-5-5'))], [1_234_568, ['price']]);
    assert.equal(api.seen.length, 10, 'five days of two lists, one a page');
    assert.ok(api.seen.every(({ headers }) => headers['x-api-key'] === anthropicAdminKey && headers.authorization === undefined));
  });

  it('reads OpenRouter\'s activity, by its names of models', async () => {
    const api = await serve([{ at: '2026-11-19T00:00:00Z', model: 'openai/gpt-5', item: '', usd: '0.00625', requests: 1, input: 1000, output: 500 }], { now });
    const bench = new Bench({ main: { provider: 'openrouter', baseUrl: `${api.origin}/api/v1`, keys: [] } });
    bench.add('2026-11-19T10:00:00Z', 'openai/gpt-5', { microUsd: 6_250 }, { input: 1000, output: 500 });
    const report = await bench.report({ source: { kind: 'api', adminKey: openRouterKey } });
    assert.deepEqual(report.lines.map(({ model, differenceMicroUsd, reasons }) => [model, differenceMicroUsd, reasons]), [['openai/gpt-5', 0, []]]);
  });

  const keys: readonly (readonly [string, string, string, RegExp])[] = [
    ['openai', 'a wrong admin key', 'sk-admin-wrong-key-0123', /^OpenAI does not accept this key: .*platform\.openai\.com/],
    ['openai', 'one that may not read costs', 'sk-admin-limited-0123', /^OpenAI does not let this key read costs/],
    ['anthropic', 'a wrong admin key', 'sk-ant-admin01-wrong-0123', /^Anthropic does not accept this key/],
    ['anthropic', 'one of another role', 'sk-ant-admin01-other-0123', /^Anthropic does not let this key read costs/],
    ['openrouter', 'a key for requests', 'sk-or-v1-requests-0123456', /^OpenRouter does not let this key read costs: give a management key/],
  ];
  for (const [provider, what, adminKey, sentence] of keys) {
    it(`says in one sentence what ${provider} refuses: ${what}`, async () => {
      const api = await serve([]);
      const bench = new Bench({ main: { provider, baseUrl: api.origin, keys: [] } });
      const problem = await bench.problem({ source: { kind: 'api', adminKey } });
      assert.match(problem, sentence);
      assert.ok(!problem.includes(adminKey));
      assert.equal(bench.register.redact(`it is ${adminKey}`), 'it is [secret]', 'logs never show it');
    });
  }

  it('sends no key that is for requests, and none to a host that is not the provider\'s', async () => {
    const api = await serve([]);
    const bench = new Bench({ main: { provider: 'openai', baseUrl: `${api.origin}/v1`, keys: [] }, relay: { provider: 'openai', baseUrl: 'https://relay.example.com/v1', keys: [] }, near: { provider: 'openai', baseUrl: 'https://api.openai.com.example.com/v1', keys: [] } });
    assert.match(await bench.problem({ source: { kind: 'api', adminKey: 'sk-proj-0123456789' } }), /^This is not an admin key .* so it was not sent/);
    for (const endpoint of ['relay', 'near']) assert.match(await bench.problem({ endpoint, source: { kind: 'api', adminKey: openAiAdminKey } }), /the admin key was not sent/);
    assert.match(await bench.problem({ source: { kind: 'api', adminKey: 'sk-admin-\r\nx: y' } }), /^Give an admin key/);
    assert.deepEqual(api.seen, []);
  });

  it('says what to do when the provider is busy, or answers what is no report', async () => {
    for (const [status, body, sentence] of [
      [429, {}, /asked too often: try again in a minute/], [503, {}, /cannot give its costs now \(503\)/], [400, {}, /refuses to give its costs \(400\)/],
      [200, { data: [{ start_time: 'x', results: [] }] }, /cannot read: export a CSV/], [200, { data: [], has_more: true, next_page: null }, /cannot read/],
      [200, { data: [], has_more: true, next_page: 'page_1' }, /the same page again and again/],
    ] as const) {
      const api = await serve([], { fail: () => ({ status, body }) });
      const bench = new Bench({ main: { provider: 'openai', baseUrl: api.origin, keys: [] } });
      assert.match(await bench.problem({ source: { kind: 'api', adminKey: openAiAdminKey } }), sentence);
    }
  });

  it('counts endpoints of one account together, and others not', async () => {
    const bench = new Bench({ main: { provider: 'openai', keys: [] }, europe: { provider: 'openai', baseUrl: 'https://eu.api.openai.com/v1', keys: [] }, relay: { provider: 'openai', baseUrl: 'https://relay.example.com/v1', keys: [] } });
    for (const endpoint of ['main', 'europe', 'relay']) bench.add('2026-11-19T10:00:00Z', 'gpt-4.1', { microUsd: 2_800 }, { endpoint });
    const report = await bench.report({ source: { kind: 'file', text: 'date,model,cost\n2026-11-19,gpt-4.1,0.0056\n' } });
    assert.deepEqual([report.endpoints, report.totals.differenceMicroUsd], [['main', 'europe'], 0]);
  });

  it('takes days of another time zone, and says so where the borders differ', async () => {
    const bench = new Bench({ main: { provider: 'deepseek', keys: [] } });
    bench.add('2026-11-19T20:00:00Z', 'deepseek-flash', { microUsd: 50_000 });
    bench.add('2026-11-20T20:00:00Z', 'deepseek-flash', { microUsd: 70_000 });
    const crossing = bench.add('2026-11-19T23:59:59.500Z', 'deepseek-flash', { microUsd: 1_000 });
    const text = 'date;model;cost\r\n2026-11-20;deepseek-flash;0.051\r\n2026-11-21;deepseek-flash;0.07\r\n';
    const beijing = await bench.report({ utcOffset: '+08:00', source: { kind: 'file', text } });
    assert.deepEqual([beijing.lines.map(line => line.differenceMicroUsd), beijing.utcOffset], [[0, 0], '+08:00']);
    const halves = await bench.report({ source: { kind: 'file', text: 'date;model;cost\n2026-11-19;deepseek-flash;0.05\n2026-11-20;deepseek-flash;0.071\n' } });
    assert.deepEqual(halves.lines.map(line => [line.day, line.differenceMicroUsd, kinds(line)]), [['2026-11-20', 1_000, ['border']], ['2026-11-19', -1_000, ['border']]]);
    assert.deepEqual(lineOf(halves, '2026-11-19', 'deepseek-flash').reasons[0]?.exchanges, [crossing]);
  });

  it('knows a model by the name that a console shows', async () => {
    const bench = new Bench({ main: { provider: 'anthropic', keys: [] } });
    bench.add('2026-11-19T10:00:00Z', 'claude-sonnet-4-6', { microUsd: 2_800 });
    const report = await bench.report({ source: { kind: 'file', text: 'usage_date_utc,model,cost_usd\n2026-11-19,Claude Sonnet 4.6,0.0028\n' } });
    assert.deepEqual(report.lines.map(line => [line.model, line.reasons]), [['claude-sonnet-4-6', []]]);
  });

  it('says that a day which is not over is not complete', async () => {
    const bench = new Bench({ main: { provider: 'openai', keys: [] } });
    bench.add('2026-11-25T10:00:00Z', 'gpt-4.1', { microUsd: 2_800 });
    const report = await bench.report({ fromDay: '2026-11-25', toDay: '2026-11-25', source: { kind: 'file', text: 'date,model,cost\n2026-11-24,gpt-4.1,1\n' } });
    assert.deepEqual(report.lines.map(kinds), [['incomplete']]);
  });

  it('says what is wrong with what it was asked', async () => {
    const bench = new Bench({ main: { provider: 'mistral', keys: [] } });
    const file = { kind: 'file', text: 'date,model,cost\n2026-11-19,a,1\n' } as const;
    for (const [params, sentence] of [
      [{ endpoint: 'other', source: file }, /^There is no endpoint "other": choose one of main\.$/], [{ fromDay: '2026-11-31', source: file }, /^Give the first and the last day/],
      [{ fromDay: '2026-11-23', source: file }, /the earlier one first/], [{ fromDay: '2026-01-01', source: file }, /at most 92 days/], [{ utcOffset: 'CET', source: file }, /^Give the time zone/],
      [{ source: { kind: 'api', adminKey: 'x'.repeat(20) } }, /^Mistral.* has no cost API/], [{ source: { kind: 'file', text: ' ' } }, /^The file is empty/],
    ] as const) assert.match(await bench.problem(params), sentence);
  });
});
