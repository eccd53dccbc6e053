/** What real agents do at an address that is not their vendor's, before and after they are connected; `node --test test/agents/foreignAddress.test.ts`. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { ToolConnector } from '../../client/connect/toolConnector.ts';
import type { ConnectedModel } from '../../client/connect/tool.ts';
import { agents } from './agents.ts';
import { installAgents } from './install.mjs';

interface Asked { path: string; headers: IncomingHttpHeaders; body: { max_tokens?: number; tools?: unknown[]; thinking?: unknown; output_config?: unknown; reasoning_effort?: unknown } }
interface Seen { asked: Asked[]; output: string }

const model: ConnectedModel = {
  requestedModel: 'auto', targets: ['north/m'], toolCalling: true, imageInput: true,
  lasting: { contextWindow: 200_000, maxInputTokens: 168_000, maxOutputTokens: 24_000, thinking: true },
};
const answer = (type: string, fields: object): string => `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`;
/** A whole answer of the Messages protocol; agents of other protocols get a refusal, which ends them. */
const said = [
  answer('message_start', { message: { id: 'm', type: 'message', role: 'assistant', model: 'auto', content: [], stop_reason: null, usage: { input_tokens: 1, output_tokens: 1 } } }),
  answer('content_block_start', { index: 0, content_block: { type: 'text', text: '' } }), answer('content_block_delta', { index: 0, delta: { type: 'text_delta', text: 'done' } }),
  answer('content_block_stop', { index: 0 }), answer('message_delta', { delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 1 } }), answer('message_stop', {}),
].join('');

describe('an agent at an address that is not its vendor\'s', () => {
  let root: string;
  let modules: string;
  before(() => {
    ({ modules } = installAgents());
    root = mkdtempSync(path.join(tmpdir(), 'waybill-foreign-'));
  });
  after(() => { rmSync(root, { recursive: true, force: true }); });

  /** @param change changes the connected tool's file, so that it is as it would be without a setting */
  async function run(id: string, to: ConnectedModel, change: (home: string) => void = () => undefined): Promise<Seen> {
    const agent = agents.find(one => one.id === id) ?? assert.fail();
    const asked: Asked[] = [];
    const server = createServer((request, response) => {
      const pieces: Buffer[] = [];
      request.on('data', (piece: Buffer) => pieces.push(piece));
      request.on('end', () => {
        const text = Buffer.concat(pieces).toString('utf8');
        if (request.method === 'POST' && text.startsWith('{')) asked.push({ path: request.url ?? '', headers: request.headers, body: JSON.parse(text) as Asked['body'] });
        if (request.url?.startsWith('/v1/messages?') === true) response.writeHead(200, { 'content-type': 'text/event-stream' }).end(said);
        else response.writeHead(400, { 'content-type': 'application/json' }).end('{"error":{"message":"no","code":400,"status":"INVALID_ARGUMENT"}}');
      });
    });
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
    const home = mkdtempSync(path.join(root, 'home-'));
    const folder = path.join(home, 'project');
    mkdirSync(folder);
    for (const [name, content] of Object.entries(agent.files ?? {})) {
      mkdirSync(path.dirname(path.join(home, name)), { recursive: true });
      writeFileSync(path.join(home, name), content);
    }
    const connector = new ToolConnector({ home, environment: {} }, path.join(home, 'records'));
    const wanted = { url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`, model: to, at: 1 };
    await connector.connect(id, { ...wanted, token: 'waybill-0123456789abcdef0123' }, await connector.previewConnect(id, wanted));
    change(home);
    const program = path.join(modules, agent.program);
    const [command, args] = agent.script ? [process.execPath, [program, ...agent.args]] : [program, [...agent.args]];
    const child = spawn(command, args, {
      cwd: folder, stdio: ['ignore', 'pipe', 'pipe'], timeout: 30_000, killSignal: 'SIGKILL',
      env: { PATH: process.env.PATH ?? '', LANG: 'C.UTF-8', TERM: 'dumb', HOME: home, USERPROFILE: home, HTTPS_PROXY: 'http://127.0.0.1:9', NO_PROXY: '127.0.0.1', ...agent.environment },
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (output += text));
    await new Promise(resolve => child.once('close', resolve));
    server.closeAllConnections();
    server.close();
    assert.ok(asked.length > 0, output);
    return { asked, output };
  }

  const claudeFile = (home: string): string => path.join(home, '.claude', 'settings.json');
  const withoutVariables = (...names: string[]) => (home: string): void => {
    const settings = JSON.parse(readFileSync(claudeFile(home), 'utf8')) as { env: Record<string, string> };
    for (const name of names) delete settings.env[name];
    writeFileSync(claudeFile(home), JSON.stringify(settings));
  };

  test('Claude Code assumes a window of a million tokens for a route, and knows the true one once it is connected', async () => {
    assert.match((await run('claude-code', model, withoutVariables('CLAUDE_CODE_MAX_CONTEXT_TOKENS'))).output, /assumes a context window of 1m tokens/);
    const { output, asked } = await run('claude-code', model);
    assert.doesNotMatch(output, /assumes a context window/);
    assert.equal(asked.at(-1)?.body.max_tokens, 24_000);
  });

  test('Claude Code does not say what kind of request it sends, and does once it is connected', async () => {
    const [before] = (await run('claude-code', model, withoutVariables('CLAUDE_CODE_GATEWAY_HINT_HEADERS'))).asked;
    assert.equal(before?.headers['x-claude-code-request-class'], undefined);
    assert.equal((await run('claude-code', model)).asked.at(-1)?.headers['x-claude-code-request-class'], 'main');
  });

  test('Claude Code asks for thinking and effort whatever the model, and not of one that is known not to think', async () => {
    const [thinking] = (await run('claude-code', model)).asked;
    assert.ok(thinking?.body.thinking !== undefined && thinking.body.output_config !== undefined);
    const [plain] = (await run('claude-code', { ...model, lasting: { maxInputTokens: 168_000, ...model.lasting, thinking: false } })).asked;
    assert.deepEqual([plain?.body.thinking, plain?.body.output_config], [undefined, undefined]);
  });

  test('Claude Code keeps tool search once it is connected', async () => {
    const { asked } = await run('claude-code', model);
    assert.ok(asked.some(({ body, headers }) => JSON.stringify(body.tools).includes('"defer_loading":true') && /advanced-tool-use/.test(String(headers['anthropic-beta']))));
  });

  test('Codex offers web search for its vendor to run, and asks Responses, at any address', async () => {
    const { asked, output } = await run('codex', model);
    assert.equal(asked[0]?.path, '/v1/responses');
    assert.ok(JSON.stringify(asked[0].body.tools).includes('"web_search"'));
    assert.match(output, /Model metadata for `auto` not found/);
  });

  test('OpenCode bounds an answer by the limit that it was told', async () => {
    assert.ok((await run('opencode', model)).asked.every(({ body }) => body.max_tokens === 24_000));
  });

  test('Gemini CLI asks for the route by its name, also where it is called auto', async () => {
    assert.match((await run('gemini-cli', model)).asked[0]?.path ?? '', /^\/v1beta\/models\/waybill\/auto:streamGenerateContent/);
  });
});
