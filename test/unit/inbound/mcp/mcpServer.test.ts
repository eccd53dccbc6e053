import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Receipt } from '../../../../server/api/receipt.ts';
import { McpServer, protocolVersions } from '../../../../server/inbound/mcp/mcpServer.ts';
import type { LiveSource, McpSource, ToolResult } from '../../../../server/inbound/mcp/mcpTools.ts';
import { InMemoryLedger } from '../../ledger/inMemoryLedger.ts';
import { aReceipt, anAttempt, exact, noon } from '../../ledger/receipts.ts';
import { emptyStatus, endpoint } from '../../client/fakes.ts';

interface Response { id?: string | number | null; result?: Record<string, unknown> & Partial<ToolResult>; error?: { code: number; message: string } }

function serverOver(receipts: Receipt[], live?: LiveSource, changes: Partial<McpSource> = {}): { server: McpServer; failures: unknown[]; ask(message: unknown): Promise<Response | undefined>; call(name: string, given?: object): Promise<ToolResult> } {
  const ledger = new InMemoryLedger();
  for (const receipt of receipts) ledger.close(receipt);
  const failures: unknown[] = [];
  const source: McpSource = { now: () => noon + 10_000, spend: range => ledger.spend(range), find: ({ filter, limit, after }) => ledger.find(filter, limit, after), receipt: id => ledger.receipt(id), live, ...changes };
  const server = new McpServer({ source, version: '1.2.3', failed: error => failures.push(error) });
  const ask = async (message: unknown): Promise<Response | undefined> => {
    const { text } = await server.answer(typeof message === 'string' ? message : JSON.stringify(message));
    return text === undefined ? undefined : JSON.parse(text) as Response;
  };
  return {
    server, failures, ask,
    async call(name, given = {}) {
      const answer = await ask({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: given } });
      assert.ok(answer?.result?.content !== undefined, JSON.stringify(answer));
      return answer.result as unknown as ToolResult;
    },
  };
}
const textOf = ({ content }: ToolResult): string => content.map(({ text }) => text).join('\n');

describe('the protocol between an agent and Waybill', () => {
  const { ask } = serverOver([]);
  const request = (method: string, params?: object) => ({ jsonrpc: '2.0', id: 'a', method, ...(params === undefined ? {} : { params }) });

  it('agrees on a revision that both speak, and offers its latest where the client asks for another', async () => {
    for (const version of protocolVersions) assert.equal((await ask(request('initialize', { protocolVersion: version, capabilities: {}, clientInfo: { name: 'x', version: '1' } })))?.result?.['protocolVersion'], version);
    const answer = await ask(request('initialize', { protocolVersion: '2030-01-01' }));
    assert.equal(answer?.result?.['protocolVersion'], protocolVersions[0]);
    assert.deepEqual(answer?.result?.['capabilities'], { tools: { listChanged: false } });
    assert.equal((await ask(request('initialize', {})))?.error?.code, -32602);
  });

  it('answers pings, and nothing to notifications and responses', async () => {
    assert.deepEqual(await ask(request('ping')), { jsonrpc: '2.0', id: 'a', result: {} });
    assert.equal(await ask({ jsonrpc: '2.0', method: 'notifications/initialized' }), undefined);
    assert.equal(await ask({ jsonrpc: '2.0', id: 5, result: {} }), undefined);
  });

  it('lists tools that only read, each with a schema that refuses unknown arguments', async () => {
    const tools = (await ask(request('tools/list')))?.result?.['tools'] as { name: string; inputSchema: { type: string; additionalProperties: boolean }; annotations: { readOnlyHint: boolean } }[];
    assert.deepEqual(tools.map(({ name }) => name), ['waybill_spend', 'waybill_health', 'waybill_remaining', 'waybill_why', 'waybill_suggest']);
    for (const { inputSchema, annotations } of tools) assert.deepEqual([inputSchema.type, inputSchema.additionalProperties, annotations.readOnlyHint], ['object', false, true]);
  });

  it('has the error of JSON-RPC for what is none of its messages', async () => {
    const cases: [unknown, number, unknown][] = [
      ['{', -32700, null], [[request('ping')], -32600, null], [{ id: 1, method: 'ping' }, -32600, null], [{ jsonrpc: '2.0', id: null, method: 'ping' }, -32600, null], [{ jsonrpc: '2.0', id: 1 }, -32600, 1],
      [request('resources/list'), -32601, 'a'], [request('tools/call', {}), -32602, 'a'], [request('tools/call', { name: 'waybill_spend', arguments: [] }), -32602, 'a'], [request('tools/call', { name: 'toString' }), -32602, 'a'],
    ];
    for (const [message, code, id] of cases) {
      const answer = await ask(message);
      assert.deepEqual([answer?.error?.code, answer?.id], [code, id], JSON.stringify(message));
    }
  });

  it('gives no response to a request that was cancelled, and says nothing of an error of its own but that there was one', async () => {
    let release: (() => void) | undefined;
    const held = serverOver([], undefined, { spend: () => new Promise((_, reject) => { release = () => reject(new Error('secret path')); }) });
    const call = { jsonrpc: '2.0', id: 7, method: 'tools/call', params: { name: 'waybill_spend' } };
    const failing = held.ask(call);
    release?.();
    const answer = await failing;
    assert.deepEqual([answer?.error?.code, held.failures.length], [-32603, 1]);
    assert.doesNotMatch(JSON.stringify(answer), /secret/);
    const report = await new InMemoryLedger().spend({ from: 0, to: 1 });
    const slow = serverOver([], undefined, { spend: () => new Promise(resolve => { release = () => resolve(report); }) });
    const cancelled = slow.ask(call);
    await slow.ask({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 7 } });
    release?.();
    assert.equal(await cancelled, undefined);
  });
});

describe('the tools of Waybill for agents', () => {
  const failed = anAttempt({ outcome: 'failed', failureClass: 'rate-limit', status: 429, message: 'The provider said: "my secret prompt" is too much.', usage: {}, cost: { microUsd: 0, certainty: 'exact' } });
  const receipts = [
    aReceipt('x-1', { attempts: [failed, anAttempt({ number: 2, endpoint: 'relay', cost: exact(4_000) })] }),
    aReceipt('x-2', { startedAt: noon + 1, caller: { tool: 'codex' }, outcome: 'failed', failureClass: 'rate-limit', message: 'Nothing could answer "my secret prompt".', attempts: [failed] }),
    aReceipt('x-3', { startedAt: noon + 2, caller: { tool: 'codex' }, attempts: [anAttempt({ startedAt: noon + 2, cost: { certainty: 'unknown' } })] }),
  ];
  const planFor = (name: string): Receipt['plan'] => ({ ...aReceipt('').plan, requestedModel: name, targets: name === 'down' ? [] : [{ target: `north/${name}`, endpoint: 'north', model: name, upstreamModel: name }] });
  const prices: Record<string, number | null> = { dear: 90_000, cheap: 1_200, free: null };
  const offer = (name: string, kind: 'route' | 'model') => ({ id: name, requestedModel: name, kind, name, targets: [], state: 'healthy' as const, condition: { kind: 'healthy' as const }, detail: 'via north', maxInputTokens: 1, maxOutputTokens: 1, imageInput: false, toolCalling: true, thinking: false });
  const shown = emptyStatus({ at: noon, endpoints: [endpoint('north', { condition: { kind: 'rate-limited', until: noon + 60_000 } })], offered: [offer('dear', 'route'), offer('free', 'model'), offer('cheap', 'model'), offer('down', 'model')], todayMicroUsd: 5_000, todayUnknown: 1, budgets: [{ name: 'daily', period: 'day', per: 'everything', key: 'daily', limitMicroUsd: 5_000_000, spentMicroUsd: 3_000_000, reservedMicroUsd: 0, leftMicroUsd: 2_000_000, unknown: 1, share: 0.6, state: 'ok', isHard: true, from: noon, resetsAt: noon + 3_600_000 }] });
  const live: LiveSource = {
    status: () => shown, statusOfReplicas: () => Promise.resolve(shown),
    tryRoute: ({ requestedModel }) => ({ plan: { ...planFor(requestedModel), caps: [{ scope: 'session', limitMicroUsd: 2_000_000, leftMicroUsd: 2_000_000 }] }, expectedMicroUsd: [prices[requestedModel] ?? null] }),
  };

  it('say what was spent, with what is unknown, by what was asked for', async () => {
    const result = await serverOver(receipts).call('waybill_spend', { by: 'tool' });
    assert.match(textOf(result), /^Spend today: \$0\.004\+ for 3 requests, of which 1 attempt of unknown cost is in no sum\.\n- claude-code: \$0\.004, 1 request\n- codex: unknown, 2 requests$/);
    assert.deepEqual((result.structuredContent as { total: object }).total, { cost: '$0.004+', microUsd: 4_000, estimatedMicroUsd: 0, attemptsOfUnknownCost: 1, attemptsPartlyUnpriced: 0, requests: 3 });
  });

  it('say why the last request, the last failed one and one by its id went where they went, without a word of a prompt', async () => {
    const { call } = serverOver(receipts);
    assert.match(textOf(await call('waybill_why')), /^Request x-3 of codex /);
    const failure = await call('waybill_why', { failed: true });
    assert.match(textOf(failure), /^Request x-2 of codex for auto, .*: failed \(rate limited\)/);
    const first = textOf(await call('waybill_why', { request: 'x-1' }));
    assert.match(first, /\n1\. openai\/gpt-4\.1: rate limited \(429\), 900 ms, cost \$0\.00\n2\. relay\/gpt-4\.1: ok \(200\), 900 ms, cost \$0\.004$/);
    assert.match(textOf(await call('waybill_why', { tool: 'claude-code' })), /^Request x-1 /);
    for (const given of [{ failed: true }, { request: 'x-1' }, { request: 'x-2' }]) assert.doesNotMatch(JSON.stringify(await call('waybill_why', given)), /secret prompt|wxyz/);
  });

  it('say that another key of an endpoint was used, and nothing by which a person knows it', async () => {
    const [refused, second] = [anAttempt({ outcome: 'failed', failureClass: 'rate-limit', keyId: 'k-1', keyLabel: 'payroll', keyLast4: 'wxyz' }), anAttempt({ number: 2, keyId: 'k-2', keyLabel: 'research', keyLast4: '9f3c' })];
    const { call } = serverOver([aReceipt('x-1', { attempts: [refused, second] }), aReceipt('x-2', { attempts: [refused, { ...second, keyLabel: undefined }] })]);
    for (const request of ['x-1', 'x-2']) {
      const why = JSON.stringify(await call('waybill_why', { request }));
      assert.match(why, /so another one was used/);
      assert.doesNotMatch(why, /payroll|research|wxyz|9f3c/);
    }
  });

  it('say how providers are, and what money is left', async () => {
    const { call } = serverOver(receipts, live);
    assert.match(textOf(await call('waybill_health')), /^Endpoints:\n- north \(OpenAI\): rate-limited/);
    assert.match(textOf(await call('waybill_remaining')), /^Spent today: \$0\.005\+\.\n- Budget daily \(day, stops requests\): at most \$2\.00 left of \$5\.00, until 2026-11-20T13:00:00\.000Z\nCaps by route:\n- dear: \$2\.00 for each session, over all routes$/);
  });

  it('say what all replicas spent where they share a ledger, and that it is a part where that is away', async () => {
    const all = emptyStatus({ at: noon, todayMicroUsd: 70_000, todayScope: { replicas: 'all', count: 2 } });
    const ofAll = { ...live, statusOfReplicas: () => Promise.resolve(all) };
    assert.match(textOf(await serverOver(receipts, ofAll).call('waybill_remaining')), /^Spent today: \$0\.07\.$/m);
    const message = 'These are the sums of this replica alone: PostgreSQL at db:5432 does not answer.';
    const ofOne = { ...live, statusOfReplicas: () => Promise.resolve({ ...shown, todayScope: { replicas: 'own' as const, message } }) };
    assert.match(textOf(await serverOver(receipts, ofOne).call('waybill_remaining')), new RegExp(`^Spent today: \\$0\\.005\\+\\.\n${message}\n`));
  });

  it('suggest what can answer, the cheapest first, and judge the kind of work', async () => {
    const result = await serverOver(receipts, live).call('waybill_suggest', { task: 'Translate this sentence into French' });
    assert.match(textOf(result), /^This looks like low-cost work/);
    assert.deepEqual((result.structuredContent as { options: { name: string; expectedCost: string }[] }).options.map(({ name, expectedCost }) => [name, expectedCost]), [['cheap', '~$0.0012'], ['dear', '~$0.09'], ['free', 'unknown']]);
    assert.doesNotMatch(JSON.stringify(result), /French/);
  });

  it('plan many offers in portions, between which others are served, and no more once the caller is gone', async () => {
    let planned = 0;
    const many: LiveSource = {
      statusOfReplicas: () => assert.fail('It is not asked.'), status: () => emptyStatus({ at: noon, offered: Array.from({ length: 500 }, (_, index) => offer(`m-${String(index)}`, 'model')) }),
      tryRoute: ({ requestedModel }) => {
        planned += 1;
        return { plan: planFor(requestedModel), expectedMicroUsd: [null] };
      },
    };
    const { ask, call } = serverOver([], many);
    const suggested = call('waybill_suggest', { task: 'x' });
    const before = await new Promise<number>(resolve => setImmediate(() => resolve(planned)));
    assert.ok(before < 100, String(before));
    await suggested;
    assert.equal(planned, 500);
    planned = 0;
    const cancelled = ask({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'waybill_suggest', arguments: { task: 'x' } } });
    await ask({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 1 } });
    assert.equal(await cancelled, undefined);
    assert.ok(planned < 100, String(planned));
  });

  it('tell the model what is wrong with a call, so that it can correct itself', async () => {
    const { call } = serverOver(receipts);
    const cases: [string, object, RegExp][] = [
      ['waybill_spend', { range: 'ever' }, /Give range as one of today/], ['waybill_spend', { sinse: 1 }, /takes no "sinse"/], ['waybill_why', { request: 'x-9' }, /no request of that id/], ['waybill_why', { tool: 'nobody' }, /no such request/],
      ['waybill_why', { failed: 'yes' }, /true or false/], ['waybill_health', {}, /No Waybill can be asked now/],
    ];
    for (const [name, given, words] of cases) {
      const result = await call(name, given);
      assert.equal(result.isError, true);
      assert.match(textOf(result), words);
    }
    assert.match(textOf(await serverOver([], live).call('waybill_suggest', {})), /Give task/);
    // The tools are a file of their own, so that an error of the server is of another copy of its class.
    const copied = Object.assign(new Error('with the words of a provider'), { storedMessage: 'The ledger is locked; ask again.' });
    assert.equal(textOf(await serverOver([], undefined, { spend: () => Promise.reject(copied) }).call('waybill_spend')), 'The ledger is locked; ask again.');
    assert.match(textOf(await serverOver([], live).call('waybill_suggest', { task: 'x', outputTokens: -1 })), /Give outputTokens as a whole number/);
  });
});
