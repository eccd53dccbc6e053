import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { TokenCheck } from '../../../../../server/inbound/http/auth/access.ts';
import { callerOf } from '../../../../../server/inbound/http/request/callerOf.ts';
import { ToolTokens } from '../../../../../server/inbound/http/auth/toolTokens.ts';

const shared = 'waybill-the-shared-token';
let folder: string;
beforeEach(() => { folder = mkdtempSync(path.join(tmpdir(), 'waybill-tokens-')); });
afterEach(() => { rmSync(folder, { recursive: true, force: true }); });

/** Makes the folder look as if nothing had happened in it for a while, so that what was read of it counts as settled. */
function settle(): void {
  const longAgo = new Date(Date.now() - 60_000);
  utimesSync(path.join(folder, 'tokens'), longAgo, longAgo);
}

describe('tokens of tools', () => {
  it('are made once for each tool, and differ', () => {
    const tools = new ToolTokens(folder);
    const codex = tools.connect('codex');
    assert.match(codex, /^waybill-[\w-]{32}$/);
    assert.equal(tools.connect('codex'), codex);
    assert.notEqual(tools.connect('claude-code'), codex);
    assert.deepEqual(tools.names(), ['claude-code', 'codex']);
  });

  it('name the tool of a request; the shared token names none, and any other is refused', () => {
    const tools = new ToolTokens(folder);
    const check = new TokenCheck(shared, tools);
    const codex = tools.connect('codex');
    assert.ok(check.ownerOf(shared));
    assert.equal(check.ownerOf(shared)?.tool, undefined);
    assert.equal(check.ownerOf(codex)?.tool, 'codex');
    for (const wrong of [undefined, '', 'x', `${codex}x`, codex.slice(0, -1), codex.replace(/.$/, '!'), `${shared} `]) assert.equal(check.ownerOf(wrong), undefined, wrong);
  });

  it('are valid or revoked at every peer as soon as one has made or revoked them', () => {
    const here = new ToolTokens(folder);
    const there = new ToolTokens(folder);
    const elsewhere = new TokenCheck(shared, there);
    assert.deepEqual(there.names(), []);
    const token = here.connect('aider');
    assert.equal(elsewhere.ownerOf(token)?.tool, 'aider');
    settle();
    assert.equal(elsewhere.ownerOf(token)?.tool, 'aider');
    here.disconnect('aider');
    assert.equal(elsewhere.ownerOf(token), undefined);
    assert.notEqual(there.connect('aider'), token);
  });

  it('are in files that only their owner can read', () => {
    if (process.platform === 'win32') return;
    new ToolTokens(folder).connect('codex');
    assert.equal(statSync(path.join(folder, 'tokens')).mode & 0o777, 0o700);
    assert.equal(statSync(path.join(folder, 'tokens', 'codex')).mode & 0o777, 0o600);
    assert.deepEqual(readdirSync(path.join(folder, 'tokens')), ['codex'], 'nothing is left beside it');
  });

  it('survive a server that ends', () => {
    const token = new ToolTokens(folder).connect('codex');
    assert.equal(new TokenCheck(shared, new ToolTokens(folder)).ownerOf(token)?.tool, 'codex');
    assert.equal(readFileSync(path.join(folder, 'tokens', 'codex'), 'utf8'), `${token}\n`);
  });

  it('take no name that leads out of the folder or is no name', () => {
    const tools = new ToolTokens(folder);
    for (const name of ['../token', 'a/b', '', '.hidden', 'Claude Code', 'x'.repeat(64), 'a.']) {
      assert.throws(() => tools.connect(name), /A tool cannot be named/);
      tools.disconnect(name);
    }
    assert.deepEqual(tools.names(), []);
  });

  it('ignore files that hold no token, and a folder that is none', () => {
    const tools = new ToolTokens(folder);
    tools.connect('codex');
    writeFileSync(path.join(folder, 'tokens', 'empty'), '');
    writeFileSync(path.join(folder, 'tokens', '.leftover'), 'waybill-half-written-token');
    assert.deepEqual(new ToolTokens(folder).names(), ['codex']);
    rmSync(path.join(folder, 'tokens'), { recursive: true });
    writeFileSync(path.join(folder, 'tokens'), 'a file');
    assert.deepEqual(new ToolTokens(folder).names(), []);
  });
});

describe('callerOf', () => {
  it('believes the token before any header', () => {
    const headers = { 'user-agent': 'claude-cli/2.1 (external)', 'x-waybill-tool': 'mine' };
    assert.equal(callerOf(headers, 'codex').tool, 'codex');
    assert.equal(callerOf(headers).tool, 'mine');
    assert.equal(callerOf({ 'user-agent': headers['user-agent'] }).tool, 'claude-code');
  });

  it('knows each agent, and its conversation where it names one, by the headers it really sends', () => {
    assert.deepEqual(
      [
        { 'user-agent': 'claude-cli/2.1.329 (external, sdk-cli)', 'x-claude-code-session-id': 'b6485ed9' },
        { 'user-agent': 'codex_exec/0.169.0 (Debian 12.0.0; x86_64) unknown (codex_exec; 0.169.0)', 'session-id': '01a1fc37', 'thread-id': '01a1fc37' },
        { 'user-agent': 'GeminiCLI-tui/0.61.0/waybill/auto (linux; x64; terminal)' },
        { 'user-agent': 'opencode/1.18.33 ai-sdk/provider-utils/4.0.23 runtime/bun/1.3.14', 'x-session-affinity': 'ses_e03c', 'x-session-id': 'ses_e03c' },
      ].map(headers => callerOf(headers)).map(({ tool, conversation }) => [tool, conversation]),
      [['claude-code', 'b6485ed9'], ['codex', '01a1fc37'], ['gemini-cli', undefined], ['opencode', 'ses_e03c']],
    );
  });
});
