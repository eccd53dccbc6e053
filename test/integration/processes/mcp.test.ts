import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, it } from 'node:test';
import { endedWithTests } from '../../support/childProcesses.ts';
import { exitOf, serverEntry, startServer, writeConfig, type ServerProcess } from '../support/serverProcess.ts';

interface Answer { id: number; result?: { content?: { text: string }[]; isError?: boolean; tools?: unknown[]; protocolVersion?: string }; error?: { code: number } }

/** An agent that talks to `server.js mcp` over its standard input and output. */
class Agent {
  readonly child: ReturnType<typeof spawn>;
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  #ids = 0;
  stderr = '';

  constructor(data: string) {
    this.child = endedWithTests(spawn(process.execPath, [serverEntry, 'mcp', '--data', data], { stdio: ['pipe', 'pipe', 'pipe'], env: { PATH: process.env['PATH'] ?? '' } }));
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.stderr += text));
    if (this.child.stdout === null) throw new Error('no output');
    createInterface({ input: this.child.stdout }).on('line', line => {
      // Every line is a message: anything else would break the agent.
      const answer = JSON.parse(line) as Answer;
      this.#waiting.get(answer.id)?.(answer);
    });
  }

  ask(method: string, params: object = {}): Promise<Answer> {
    const id = ++this.#ids;
    return new Promise(resolve => {
      this.#waiting.set(id, resolve);
      this.child.stdin?.write(`${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`);
    });
  }

  async text(name: string, given: object = {}): Promise<string> {
    const { result } = await this.ask('tools/call', { name, arguments: given });
    return result?.content?.map(({ text }) => text).join('\n') ?? '';
  }
}

describe('the tools for agents', () => {
  let root: string;
  let data: string;
  let server: ServerProcess;
  const configFile = () => path.join(root, 'waybill.yaml');

  before(async () => {
    root = mkdtempSync(path.join(tmpdir(), 'waybill-mcp-'));
    data = path.join(root, 'data');
    writeConfig(configFile(), { north: { provider: 'openai-compatible', baseUrl: 'http://127.0.0.1:9/v1', probe: { enabled: false }, models: { m: { prices: { inputPerMTok: 1, outputPerMTok: 2 } } } } }, { auto: { targets: ['north/m'] } });
    server = await startServer({ configFile: configFile(), dataDir: data });
  });
  after(() => { rmSync(root, { recursive: true, force: true }); });

  const post = (body: unknown, headers: Record<string, string> = {}): Promise<Response> => fetch(`${server.url}/mcp`, {
    method: 'POST', headers: { authorization: `Bearer ${server.token}`, 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...headers }, body: JSON.stringify(body),
  });

  it('are served at the local endpoint, under its rules', async () => {
    const list = await post({ jsonrpc: '2.0', id: 1, method: 'tools/list' }, { 'mcp-protocol-version': '2025-06-18' });
    assert.deepEqual([list.status, list.headers.get('content-type')], [200, 'application/json; charset=utf-8']);
    assert.equal((await list.json() as Answer).result?.tools?.length, 5);
    assert.equal((await post({ jsonrpc: '2.0', method: 'notifications/initialized' })).status, 202);
    assert.equal((await post({ jsonrpc: '2.0', id: 1, method: 'ping' }, { 'mcp-protocol-version': '1999-01-01' })).status, 400);
    assert.equal((await post([])).status, 400);
    assert.equal((await post({ jsonrpc: '2.0', id: 1, method: 'ping' }, { authorization: 'Bearer wrong' })).status, 401);
    assert.equal((await post({ jsonrpc: '2.0', id: 1, method: 'ping' }, { origin: 'https://evil.example' })).status, 403);
    assert.equal((await fetch(`${server.url}/mcp`, { headers: { authorization: `Bearer ${server.token}` } })).status, 405);
  });

  it('over standard input and output ask the running server, and the ledger once none runs', async () => {
    await fetch(`${server.url}/v1/chat/completions`, { method: 'POST', headers: { authorization: `Bearer ${server.token}`, 'x-waybill-tool': 'aider' }, body: JSON.stringify({ model: 'auto', messages: [{ role: 'user', content: 'my secret prompt' }] }) });
    const agent = new Agent(data);
    assert.equal((await agent.ask('initialize', { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'test', version: '1' } })).result?.protocolVersion, '2025-06-18');
    assert.match(await agent.text('waybill_health'), /- north \(.*\): /);
    assert.match(await agent.text('waybill_why', { failed: true }), /of aider for auto.*failed/);
    assert.match(await agent.text('waybill_suggest', { task: 'Summarise this page' }), /low-cost work/);
    await server.stop();
    assert.match(await agent.text('waybill_health'), /No Waybill can be asked now/);
    const why = await agent.text('waybill_why', { failed: true });
    assert.match(why, /of aider for auto.*failed/);
    assert.doesNotMatch(why, /secret prompt/);
    assert.match(await agent.text('waybill_spend', { by: 'tool' }), /^Spend today: .* for 1 request/);
    agent.child.stdin?.end();
    assert.equal(await exitOf(agent.child), 0, 'it ends with its input');
    assert.equal(agent.stderr, '');
  });
});
