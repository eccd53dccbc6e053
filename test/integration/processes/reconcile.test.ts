import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { BillReport } from '../../../server/api/bill.ts';
import type { Receipt, RequestSummary, SpendReport } from '../../../server/api/receipt.ts';
import { featuresOf } from '../../../server/api/reports/features.ts';
import type { MigrationReport } from '../../../server/api/reports/migration.ts';
import type { SavingsReport } from '../../../server/api/reports/savings.ts';
import { anthropicAdminKey, openAiAdminKey, serveCostApis, type CostApi } from '../../unit/router/bills/costApiSimulators.ts';
import { callerHeaders } from '../support/callerProtocols.ts';
import { rawRequest, type RawAnswer } from '../support/rawClient.ts';
import { exitOf, startServer, writeConfig, type ServerProcess } from '../support/serverProcess.ts';
import { temporaryFolder } from '../support/temporaryFolder.ts';

const { folder, remove } = temporaryFolder();
const dataDir = path.join(folder, 'data');
const today = new Date().toISOString().slice(0, 10);
let provider: CostApi;
let server: ServerProcess;

const answer = { id: 'c', object: 'chat.completion', created: 1, choices: [{ index: 0, message: { role: 'assistant', content: 'Hi' }, finish_reason: 'stop' }], usage: { prompt_tokens: 1000, completion_tokens: 500, total_tokens: 1500 } };

before(async () => {
  let asked = 0;
  provider = await serveCostApis([
    { at: `${today}T00:00:00Z`, model: 'gpt-4.1-2025-04-14', item: 'gpt-4.1-2025-04-14, input', usd: '0.0185', requests: 3, input: 3000, output: 1500 },
  ], { other: (method, where) => {
    if (method !== 'POST' || where !== '/v1/chat/completions') return undefined;
    asked += 1;
    return { ...answer, model: 'gpt-4.1', ...(asked === 2 ? { service_tier: 'contract' } : {}) };
  } });
  const configFile = path.join(folder, 'waybill.yaml');
  const models = { 'gpt-4.1': {} };
  writeConfig(configFile, {
    openai: { provider: 'openai', baseUrl: `${provider.origin}/v1`, keys: ['${OPENAI_KEY}'], models, probe: { enabled: false } },
    plan: { provider: 'openai', baseUrl: `${provider.origin}/v1`, keys: ['${OPENAI_KEY}'], models, billing: 'subscription', probe: { enabled: false } },
  });
  server = await startServer({ configFile, dataDir, environment: { OPENAI_KEY: 'sk-simulated-0123456789abcdef' } });
});
after(async () => {
  server.child.kill('SIGTERM');
  await exitOf(server.child);
  await provider.close();
  remove();
});

function post(where: string, body: unknown): Promise<RawAnswer> {
  return rawRequest({ url: server.url + where, headers: callerHeaders('openai-chat', server.token), body: JSON.stringify(body) });
}

async function get(where: string): Promise<unknown> {
  return JSON.parse((await rawRequest({ url: server.url + where, method: 'GET', headers: callerHeaders('openai-chat', server.token) })).text);
}

describe('money in the headless server', () => {
  it('names what has no price and what a plan covers, in sums of spend', async () => {
    for (const model of ['openai/gpt-4.1', 'openai/gpt-4.1', 'plan/gpt-4.1']) assert.equal((await post('/v1/chat/completions', { model, messages: [{ role: 'user', content: 'hello' }] })).status, 200);
    const { totals, byEndpoint, byDay } = await get('/waybill/spend?range=today') as SpendReport;
    const expected = { microUsd: 12_000, unpricedAttempts: 1, unpriced: ['service tier contract'], coveredAttempts: 1 };
    for (const sum of [totals, byDay[0]]) assert.deepEqual({ microUsd: sum?.microUsd, unpricedAttempts: sum?.unpricedAttempts, unpriced: sum?.unpriced, coveredAttempts: sum?.coveredAttempts }, expected);
    assert.deepEqual(byEndpoint.map(({ name, microUsd, coveredAttempts }) => [name, microUsd, coveredAttempts]), [['openai', 12_000, undefined], ['plan', 0, 1]]);
  });

  it('says what was saved against a baseline, and what moving would mean, in figures and as Markdown', async () => {
    const { totals, byTool, uncounted } = await get('/waybill/savings?baseline=openai&days=1') as SavingsReport;
    // Of three requests one has a part without a price; one cost $0.006 at OpenAI itself, and one is covered by a plan.
    assert.deepEqual([totals.requests, totals.spentMicroUsd, totals.baselineMicroUsd, totals.savedMicroUsd, totals.covered, totals.uncounted], [2, 6_000, 12_000, 6_000, 1, 1]);
    assert.equal(byTool.reduce((sum, tool) => sum + tool.savedMicroUsd, 0), 6_000);
    assert.match(uncounted[0]?.reason ?? '', /service tier contract/);
    const move = await get('/waybill/migration?to=anthropic/claude-sonnet-4.5&days=1') as MigrationReport;
    // 1,000 at $3 and 500 at $15 for each of two requests.
    assert.deepEqual([move.requests, move.totals.requests, move.totals.spentMicroUsd, move.totals.microUsd], [3, 2, 6_000, 21_000]);
    for (const where of ['/waybill/savings?format=markdown', '/waybill/migration?to=mistral&format=markdown']) {
      const { status, text, headers } = await rawRequest({ url: server.url + where, method: 'GET', headers: callerHeaders('openai-chat', server.token) });
      assert.deepEqual([status, headers['content-type']], [200, 'text/markdown; charset=utf-8']);
      assert.match(text, /^# (?:Savings against|Migration report)/);
    }
    for (const [where, words] of [['/waybill/savings?baseline=nothing', /neither an endpoint/], ['/waybill/savings?days=x', /Give days=30/], ['/waybill/migration', /Give where to move/]] as const) {
      const { status, text } = await rawRequest({ url: server.url + where, method: 'GET', headers: callerHeaders('openai-chat', server.token) });
      assert.equal(status, 400);
      assert.match(text, words);
    }
  });

  it('compares the ledger with the cost API and with a file', async () => {
    const days = { endpoint: 'openai', fromDay: today, toDay: today };
    const asked = await post('/waybill/reconcile', { ...days, adminKey: openAiAdminKey });
    assert.equal(asked.status, 200, asked.text);
    const { lines } = JSON.parse(asked.text) as BillReport;
    assert.match(lines[0]?.reasons[1]?.text ?? '', /cost nothing by the settings \(subscription\)/);
    assert.deepEqual(lines.map(line => [line.model, line.oursMicroUsd, line.theirsMicroUsd, line.ourRequests, line.reasons.map(({ kind }) => kind)]), [['gpt-4.1', 12_000, 18_500, 3, ['unpriced', 'price']]]);
    const read = await post('/waybill/reconcile', { ...days, file: `date,model,cost\n${today},gpt-4.1,0.012\n` });
    assert.equal((JSON.parse(read.text) as BillReport).totals.differenceMicroUsd, 0);
  });

  it('refuses in one sentence, with a status a script can see', async () => {
    const days = { endpoint: 'openai', fromDay: today, toDay: today };
    for (const [body, sentence] of [
      [{}, /Send JSON like/], [{ ...days, adminKey: anthropicAdminKey }, /so it was not sent/], [{ ...days, file: 'date,model\n1,2\n' }, /no column that is known to hold the cost/],
    ] as const) {
      const { status, text } = await post('/waybill/reconcile', body);
      assert.equal(status, 400);
      assert.match(text, sentence);
    }
    assert.equal((await rawRequest({ url: `${server.url}/waybill/reconcile`, headers: { 'content-type': 'application/json' }, body: '{}' })).status, 401);
  });

  it('keeps no admin key in its data folder or its log', () => {
    for (const name of readdirSync(dataDir, { recursive: true, withFileTypes: true })) {
      if (name.isFile()) assert.ok(!readFileSync(path.join(name.parentPath, name.name), 'latin1').includes(openAiAdminKey), name.name);
    }
    assert.ok(!`${server.written.stdout}${server.written.stderr}`.includes(openAiAdminKey));
  });

  it('records what a request uses and the branch that it came from', async () => {
    const tool = { type: 'function', function: { name: 'f', parameters: { type: 'object', properties: {} } } };
    const body = JSON.stringify({ model: 'plan/gpt-4.1', seed: 1, tools: [tool], messages: [{ role: 'user', content: 'hello' }] });
    await rawRequest({ url: `${server.url}/v1/chat/completions`, headers: { ...callerHeaders('openai-chat', server.token), 'x-waybill-branch': 'fix/it' }, body });
    const [latest] = await get('/waybill/exchanges?limit=1') as RequestSummary[];
    const receipt = await get(`/waybill/exchanges/${latest?.id ?? ''}`) as Receipt;
    assert.equal(receipt.caller.branch, 'fix/it');
    assert.deepEqual(featuresOf(receipt.features ?? 0), ['tools', 'seed']);
  });
});
