import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import path from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import { dearestSpendRequest, spendDashboardRequest } from '../../../server/api/reports/dashboard.ts';
import {
  catalogRequest, getStatusRequest, probeRequest, receiptRequest, recentRequestsRequest, spendRequest, testEndpointRequest,
  type CatalogResult, type ReceiptResult, type RequestsResult, type SpendResult, type TestEndpointResult,
} from '../../../server/api/messages.ts';
import type { StatusSnapshot } from '../../../server/api/status.ts';
import { startSandboxProvider, type SandboxProvider } from '../../../server/sandbox/sandboxProvider.ts';
import { EditorClient, textOf, type EditorTransport } from '../support/editorClient.ts';
import { sandboxEndpoint } from '../support/sandboxPair.ts';
import { exitOf, isAlive, serverEntry, until } from '../support/serverProcess.ts';
import { temporaryFolder } from '../support/temporaryFolder.ts';
import { askServer } from '../support/typedMessages.ts';

const { folder, remove } = temporaryFolder();
const goodKey = 'sandbox-good-key-1234';
let a: SandboxProvider;
let b: SandboxProvider;
let serial = 0;
const open: EditorClient[] = [];

async function editor(transport: EditorTransport = 'node-ipc', dataDir?: string): Promise<EditorClient> {
  const client = new EditorClient(transport);
  open.push(client);
  serial += 1;
  await client.initialize(dataDir ?? path.join(folder, `data-${serial}`));
  return client;
}

/** Two endpoints and a route over both; `a` wants a key. */
function settings(): Parameters<EditorClient['configure']>[0] {
  return {
    endpoints: { a: sandboxEndpoint(a), b: sandboxEndpoint(b) }, routes: { auto: { targets: ['a/m', 'b/m'] } },
    keys: { a: [{ id: 'k1', label: 'work', secret: goodKey }] },
  };
}

before(async () => {
  a = await startSandboxProvider({ protocol: 'openai-chat', name: 'a', keys: [goodKey] });
  b = await startSandboxProvider({ protocol: 'anthropic-messages', name: 'b' });
});
afterEach(async () => {
  for (const client of open.splice(0)) {
    client.kill();
    await exitOf(client.child);
  }
  for (const one of [a, b]) {
    one.script({ type: 'answer' });
    await one.revive();
  }
});
after(async () => {
  await Promise.all([a.close(), b.close()]);
  remove();
});

for (const transport of ['stdio', 'node-ipc'] as const) {
  describe(`the language server over ${transport}`, () => {
    it('starts, takes its configuration, chats, and ends on shutdown', async () => {
      const client = await editor(transport);
      assert.deepEqual(await client.configure(settings()), { problems: [] });
      const turn = client.chat('auto', 'say 20 words');
      const result = await turn.result;
      assert.equal(result.outcome, 'ok');
      assert.equal(result.target, 'a/m');
      assert.equal(result.usage.outputTokens, 20);
      assert.equal(textOf(turn.events).trim().split(' ').length, 20);
      assert.deepEqual(turn.events.filter(event => event.type === 'finish').map(event => event.reason), ['end']);
      assert.equal(await client.end(), 0);
      assert.deepEqual(client.log.filter(line => /error|exception/i.test(line)), []);
    });

    it('fails over without a restart of the answer, and shows the dead endpoint in the state it sends', async () => {
      const client = await editor(transport);
      await client.configure(settings());
      a.die();
      const turn = client.chat('auto', 'say 5 words');
      const result = await turn.result;
      assert.equal(result.target, 'b/m');
      assert.equal(result.attempts, 2);
      assert.ok(turn.events.every(event => event.type !== 'restart'));
      await until('a snapshot shows the dead endpoint', () => client.snapshots.at(-1)?.endpoints.find(endpoint => endpoint.name === 'a')?.state === 'down');
      const offered = client.snapshots.at(-1)?.offered.find(one => one.requestedModel === 'auto');
      assert.equal(offered?.state, 'degraded');
    });

    it('ends when the editor is killed', async () => {
      const script = transport === 'stdio'
        ? `const child = require('node:child_process').spawn(process.execPath, [${JSON.stringify(serverEntry)}, '--stdio'], { stdio: ['pipe', 'pipe', 'ignore'] });`
        : `const child = require('node:child_process').spawn(process.execPath, [${JSON.stringify(serverEntry)}, '--node-ipc'], { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });`;
      const parent = spawn(process.execPath, ['-e', `${script} console.log(child.pid); setInterval(() => {}, 1000);`], { stdio: ['ignore', 'pipe', 'inherit'] });
      let line = '';
      parent.stdout.setEncoding('utf8').on('data', (text: string) => (line += text));
      await until('the server has a process', () => line.includes('\n'));
      const pid = Number(line);
      parent.kill('SIGKILL');
      await exitOf(parent);
      await until('the server has ended', () => !isAlive(pid));
    });
  });
}

describe('the language server', () => {
  it('begins a broken answer anew in sight of the reader; half tool calls are void', async () => {
    const client = await editor();
    await client.configure(settings());
    a.script({ type: 'cut', after: 3, how: 'close' });
    const turn = client.chat('auto', 'tell me of the sea in some words, and of the ships on it');
    const result = await turn.result;
    assert.deepEqual([result.outcome, result.target], ['ok', 'b/m']);
    const restart = turn.events.findIndex(event => event.type === 'restart');
    assert.ok(restart > 0);
    const announced = turn.events[restart];
    assert.match(announced?.type === 'restart' ? announced.message : '', /^a broke .+ Starting again with b\/m\.$/);
  });

  it('sees nothing of a tool call that broke off before anything else was said: the next target makes it', async () => {
    const client = await editor();
    await client.configure(settings());
    a.script({ type: 'cut', after: 'tool-arguments', how: 'close' });
    const turn = client.chat('auto', 'call tool look_up {"place":"Rome on the Tiber, seen from a hill","day":3}', {
      tools: [{ name: 'look_up', parameters: { type: 'object', properties: { place: { type: 'string' }, day: { type: 'integer' } } } }],
    });
    const result = await turn.result;
    assert.deepEqual([result.outcome, result.target], ['ok', 'b/m']);
    assert.ok(turn.events.every(event => event.type !== 'restart'), 'nothing was seen, so nothing begins anew');
    const call = turn.events.map(event => (event.type === 'tool-call-arguments' ? event.text : '')).join('');
    assert.deepEqual(JSON.parse(call), { place: 'Rome on the Tiber, seen from a hill', day: 3 });
  });

  it('says in one sentence what to do next when no target can answer', async () => {
    const client = await editor();
    await client.configure({ ...settings(), routes: { auto: { targets: ['a/m'] } }, keys: { a: [{ id: 'k1', label: 'work', secret: 'sandbox-wrong-key-9999' }] } });
    const turn = client.chat('auto', 'hello');
    const result = await turn.result;
    assert.equal(result.outcome, 'failed');
    assert.equal(result.error?.failureClass, 'auth');
    assert.match(result.error?.message ?? '', /rejected key work …9999.*replace the key/);
    await until('the editor receives the notice', () => client.notices.length > 0);
    assert.deepEqual(client.notices.map(notice => [notice.kind, notice.endpoint]), [['key-rejected', 'a']]);
    assert.ok(!/\n\s+at /.test(result.error?.message ?? ''));
  });

  it('cancels a turn, stops the provider and keeps what it cost', async () => {
    const client = await editor();
    await client.configure(settings());
    a.script({ type: 'stall', after: 4 });
    const already = a.requests.length;
    const turn = client.chat('auto', 'say 30 words');
    await until('some words are here', () => textOf(turn.events) !== '');
    turn.cancel();
    const result = await turn.result;
    assert.equal(result.outcome, 'cancelled');
    await a.waitForRequest(one => one.number > already && one.closedEarlyAt !== undefined);
    const receipt: ReceiptResult = await askServer(client.connection, receiptRequest, { id: result.exchangeId });
    assert.equal(receipt?.outcome, 'cancelled');
    assert.ok((receipt?.usage.outputTokens ?? 0) > 0);
  });

  it('tries a key before it is stored', async () => {
    const client = await editor();
    await client.configure({ endpoints: {}, routes: {} });
    const wanted = { name: 'new', settings: { provider: 'sandbox', baseUrl: a.url } };
    const good: TestEndpointResult = await askServer(client.connection, testEndpointRequest, { ...wanted, secret: goodKey });
    assert.ok(good.ok, good.message);
    assert.match(JSON.stringify(good.models), /sandbox-chat/);
    const bad: TestEndpointResult = await askServer(client.connection, testEndpointRequest, { ...wanted, secret: 'sandbox-wrong-key-9999' });
    assert.equal(bad.ok, false);
    assert.equal(bad.failureClass, 'auth');
    assert.ok(!bad.message.includes('sandbox-wrong-key-9999'));
    const nowhere: TestEndpointResult = await askServer(client.connection, testEndpointRequest, { ...wanted, settings: { provider: 'sandbox', baseUrl: 'http://127.0.0.1:9/v1' }, secret: goodKey });
    assert.equal(nowhere.failureClass, 'network');
    const incomplete: TestEndpointResult = await askServer(client.connection, testEndpointRequest, { name: 'new', settings: { provider: 'sandbox' }, secret: goodKey });
    assert.equal(incomplete.ok, false);
    assert.match(incomplete.message, /baseUrl/);
  });

  it('reports spend, requests, receipts and the catalog; their sums agree', async () => {
    const client = await editor();
    await client.configure(settings());
    const results = [];
    for (let turn = 0; turn < 3; turn += 1) results.push(await client.chat('auto', `say ${turn + 4} words`).result);
    const requests: RequestsResult = await askServer(client.connection, recentRequestsRequest, { limit: 10 });
    assert.deepEqual(requests.map(request => request.id), results.map(result => result.exchangeId).reverse());
    const receipts: ReceiptResult[] = await Promise.all(requests.map(request => askServer(client.connection, receiptRequest, { id: request.id })));
    const spend: SpendResult = await askServer(client.connection, spendRequest, { range: { from: Date.now() - 3_600_000, to: Date.now() + 1000 } });
    assert.equal(spend.totals.exchanges, 3);
    assert.equal(spend.totals.microUsd, receipts.reduce((sum, receipt) => sum + (receipt?.cost.microUsd ?? 0), 0));
    assert.ok(spend.totals.microUsd > 0);
    assert.deepEqual(spend.byTool.map(group => group.name), ['vscode-chat']);
    const dashboard = await askServer(client.connection, spendDashboardRequest, { range: spend.range, filter: {}, rows: 'endpoint', columns: 'provider' });
    assert.deepEqual([dashboard.totals.microUsd, dashboard.totals.requests, dashboard.parts.map(({ name }) => name)], [spend.totals.microUsd, 3, ['answer']]);
    assert.deepEqual([dashboard.groups.rows.map(({ name }) => name), dashboard.cross?.columns], [spend.byEndpoint.map(({ name }) => name), ['sandbox']]);
    const dearest = await askServer(client.connection, dearestSpendRequest, { range: spend.range, filter: {}, limit: 2 });
    assert.deepEqual(dearest.requests.map(({ cost }) => cost.microUsd), receipts.map(receipt => receipt?.cost.microUsd ?? 0).sort((x, y) => y - x).slice(0, 2));
    assert.equal(await askServer(client.connection, receiptRequest, { id: 'wb_none' }), null);
    const catalog: CatalogResult = await askServer(client.connection, catalogRequest, {});
    assert.ok(['openai', 'anthropic', 'gemini', 'deepseek', 'holysheep', 'openai-compatible'].every(id => catalog.some(offer => offer.id === id)));
  });

  it('opens the local endpoint for other tools, says where, and closes it again', async () => {
    const client = await editor();
    await client.configure({ ...settings(), http: { enabled: true, port: 0 } });
    let status: StatusSnapshot = await askServer(client.connection, getStatusRequest, {});
    await until('it listens', async () => {
      status = await askServer(client.connection, getStatusRequest, {});
      return status.http.state === 'listening';
    });
    assert.equal((await fetch(`${status.http.url ?? ''}/health`)).status, 200);
    await client.configure({ ...settings(), http: { enabled: false, port: 0 } });
    await assert.rejects(fetch(`${status.http.url ?? ''}/health`));
  });

  it('finds out by a probe that an endpoint is down, and that it is back', async () => {
    const client = await editor();
    await client.configure(settings());
    const stateOf = async (): Promise<string | undefined> => {
      const { endpoints }: StatusSnapshot = await askServer(client.connection, getStatusRequest, {});
      return endpoints.find(endpoint => endpoint.name === 'a')?.state;
    };
    assert.equal(await stateOf(), 'unknown');
    a.die();
    await askServer(client.connection, probeRequest, { endpoint: 'a' });
    assert.equal(await stateOf(), 'down');
    await a.revive();
    await askServer(client.connection, probeRequest, { endpoint: 'a' });
    assert.equal(await stateOf(), 'healthy');
  });

  it('reports what is wrong with settings and serves the rest; a key in settings is not taken', async () => {
    const client = await editor();
    const { problems } = await client.configure({
      endpoints: { b: sandboxEndpoint(b), broken: { provider: 'no-such-provider' }, leaky: { ...sandboxEndpoint(b), keys: ['sk-in-the-settings-file'] } }, routes: { auto: { targets: ['b/m'] } },
    });
    assert.ok(problems.some(problem => problem.path === 'endpoints.broken.provider'));
    assert.ok(problems.some(problem => problem.message.includes('keys in settings are ignored')));
    assert.equal((await client.chat('auto', 'hello').result).outcome, 'ok');
  });

  it('two peers share one ledger, and one takes the port over from the other', async () => {
    const dataDir = path.join(folder, 'shared');
    const [one, other] = [await editor('node-ipc', dataDir), await editor('node-ipc', dataDir)];
    await one.configure({ ...settings(), http: { enabled: true, port: 0 } });
    const stateOf = async (client: EditorClient): Promise<StatusSnapshot['http']> => (await askServer(client.connection, getStatusRequest, {})).http;
    await until('the first server listens', async () => (await stateOf(one)).state === 'listening');
    const port = Number(new URL((await stateOf(one)).url ?? '').port);
    await other.configure({ ...settings(), http: { enabled: true, port } });
    await until('the second server sees that the port is held', async () => (await stateOf(other)).state === 'held-by-peer');
    const { exchangeId } = await one.chat('auto', 'say 7 words').result;
    await until('the second server has the receipt', async () => (await askServer(other.connection, receiptRequest, { id: exchangeId }))?.usage.outputTokens === 7);
    assert.equal(await one.end(), 0);
    await until('the second server has taken the port over', async () => (await stateOf(other)).state === 'listening');
    assert.equal((await fetch(`http://127.0.0.1:${port}/health`)).status, 200);
  });
});
