import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { ToolConnector } from '../../../client/connect/toolConnector.ts';
import type { Finding } from '../../../server/api/toolDoctor.ts';
import { ToolTokens } from '../../../server/inbound/http/auth/toolTokens.ts';
import { exitOf, spawnServer, startServer, writeConfig, type ServerProcess } from '../support/serverProcess.ts';

describe('the doctor on the command line', () => {
  let root: string;
  let home: string;
  let data: string;
  let server: ServerProcess;

  before(async () => {
    root = mkdtempSync(path.join(tmpdir(), 'waybill-doctor-'));
    [home, data] = [path.join(root, 'home'), path.join(root, 'data')];
    mkdirSync(home);
    const configFile = path.join(root, 'waybill.yaml');
    writeConfig(configFile, { north: { provider: 'openai-compatible', baseUrl: 'http://127.0.0.1:9/v1', probe: { enabled: false }, models: { m: { contextWindow: 100_000, maxOutputTokens: 10_000 } } } }, { auto: { targets: ['north/m'] } });
    server = await startServer({ configFile, dataDir: data });
  });
  after(async () => {
    await server.stop();
    rmSync(root, { recursive: true, force: true });
  });

  async function doctor(...args: string[]): Promise<{ code: number | null; findings: Finding[]; text: string }> {
    const { child, written } = spawnServer(['doctor', '--data', data, ...args], { HOME: home, USERPROFILE: home, PATH: '' });
    const code = await exitOf(child);
    assert.equal(written.stderr, '');
    return { code, text: written.stdout, findings: args.includes('--json') ? JSON.parse(written.stdout) as Finding[] : [] };
  }

  const port = (): string => new URL(server.url).port;
  const claudeFile = (): string => path.join(home, '.claude', 'settings.json');

  it('finds no tool where none is connected', async () => {
    const { code, text } = await doctor('--port', port());
    assert.equal(code, 0);
    assert.match(text, /^No tool is connected from /);
  });

  it('finds a connection well, sees what breaks it, and mends that with --fix', async () => {
    const connector = new ToolConnector({ home, environment: {} }, data);
    const wanted = { url: server.url, model: { requestedModel: 'auto' }, at: 1 };
    await connector.connect('claude-code', { ...wanted, token: new ToolTokens(data).connect('claude-code') }, await connector.previewConnect('claude-code', wanted));
    // The name was typed: what the route can do is found out now.
    const first = await doctor('--port', port(), '--json');
    assert.deepEqual([first.code, first.findings.filter(one => one.severity !== 'note').map(one => one.kind)], [1, ['window']]);
    const fixed = await doctor('--port', port(), '--fix');
    assert.equal(fixed.code, 0, fixed.text);
    assert.match(fixed.text, /claude-code: Claude Code reaches Waybill at http:\/\/127\.0\.0\.1:\d+ with its own settings\.\n/);
    assert.match(readFileSync(claudeFile(), 'utf8'), /"CLAUDE_CODE_MAX_CONTEXT_TOKENS": "100000"/);

    new ToolTokens(data).disconnect('claude-code');
    writeFileSync(claudeFile(), readFileSync(claudeFile(), 'utf8').replace('"ANTHROPIC_MODEL": "auto"', '"ANTHROPIC_MODEL": "opus"').replace('{\n', '{\n  // mine\n'));
    const broken = await doctor('claude-code', '--port', port());
    assert.equal(broken.code, 1);
    assert.match(broken.text, /claude-code: error: Waybill does not take the token in ~.*\n/);
    assert.match(broken.text, /claude-code: warning: ANTHROPIC_MODEL in ~.* is no longer as Waybill wrote it/);
    assert.equal((await doctor('--port', port(), '--fix')).code, 0);
    assert.match(readFileSync(claudeFile(), 'utf8'), /\/\/ mine\n[\s\S]*"ANTHROPIC_MODEL": "auto"/);
  });

  it('sends no token to a program that holds the port, and says so', async () => {
    const seen: string[] = [];
    const stranger = createServer((request, response) => {
      seen.push(JSON.stringify(request.headers));
      response.end('{}');
    });
    await new Promise<void>(resolve => stranger.listen(0, '127.0.0.1', resolve));
    const held = String((stranger.address() as AddressInfo).port);
    const { code, text } = await doctor('--port', held, '--fix');
    stranger.closeAllConnections();
    stranger.close();
    assert.equal(code, 1);
    assert.match(text, new RegExp(`Port ${held} is held by another program, or by a Waybill of another data folder; without --port`));
    assert.ok(seen.length > 0 && seen.every(headers => !headers.includes('waybill-')), seen.join('\n'));
  });

  it('refuses words that it does not know', async () => {
    const { child, written } = spawnServer(['doctor', '--nonsense']);
    assert.equal(await exitOf(child), 2);
    assert.match(written.stderr, /"--nonsense" is not known\./);
  });
});
