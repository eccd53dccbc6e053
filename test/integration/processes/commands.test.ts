import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, describe, it } from 'node:test';
import { startSandboxProvider, type SandboxProvider } from '../../../server/sandbox/sandboxProvider.ts';
import { callerHeaders, callerPath, requestBody } from '../support/callerProtocols.ts';
import { rawRequest } from '../support/rawClient.ts';
import { sandboxEndpoint } from '../support/sandboxPair.ts';
import { exitOf, serverEntry, spawnServer, startServer, writeConfig, type ServerProcess } from '../support/serverProcess.ts';
import { temporaryFolder } from '../support/temporaryFolder.ts';
import { endedWithTests } from '../../support/childProcesses.ts';

const { folder, remove } = temporaryFolder();
const dataDir = path.join(folder, 'data');
const configFile = path.join(folder, 'waybill.yaml');
let provider: SandboxProvider;
let server: ServerProcess;

async function command(...args: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const { child, written } = spawnServer(args);
  const closed = new Promise(resolve => child.once('close', resolve));
  const code = await exitOf(child);
  await closed;
  return { code, ...written };
}

function ask(prompt: string): Promise<unknown> {
  return rawRequest({ url: server.url + callerPath['openai-chat'], headers: callerHeaders('openai-chat', server.token), body: JSON.stringify(requestBody('openai-chat', { model: 'auto', prompt, stream: false })) });
}

before(async () => {
  provider = await startSandboxProvider({ protocol: 'openai-chat', name: 'a' });
  writeConfig(configFile, { a: sandboxEndpoint(provider) }, { auto: { targets: ['a/m'] } });
  server = await startServer({ configFile, dataDir });
  for (let turn = 0; turn < 3; turn++) await ask(`the secret prompt ${turn}`);
});
after(async () => {
  await server.stop();
  await provider.close();
  remove();
});

describe('commands at a running server', () => {
  it('status shows endpoints, routes and the version, and says by its exit code whether something can serve', async () => {
    const shown = await command('status', '--data', dataDir);
    assert.equal(shown.code, 0, shown.stderr);
    assert.match(shown.stdout, /^Waybill \S+ at http:\/\/127\.0\.0\.1:\d+: serves, 0 running, /);
    assert.match(shown.stdout, /\na +healthy/);
    assert.match(shown.stdout, /\nauto +healthy +a\/m\n/);
    assert.ok(!shown.stdout.includes('\x1b'), 'colours where no terminal is');
    const { version, endpoints } = JSON.parse((await command('status', '--data', dataDir, '--json')).stdout) as { version: string; endpoints: unknown[] };
    assert.ok(version !== '' && endpoints.length === 1);
  });

  it('a drill is started, shown and ended, and a wrong one is refused in one sentence', async () => {
    const started = await command('drill', 'start', 'a', 'down', '--for', '1m', '--data', dataDir, '--json');
    assert.equal(started.code, 0, started.stderr);
    const { started: drill } = JSON.parse(started.stdout) as { started: { id: string; fault: string } };
    assert.equal(drill.fault, 'down');
    await ask('met');
    const shown = await command('drill', 'status', '--data', dataDir);
    assert.match(shown.stdout, /^down at a until [^\n]+\n1 request met it, 0 answered, 1 failed\.\nauto: /);
    assert.match((await command('drill', 'stop', drill.id, '--data', dataDir)).stdout, /^Ended down at a: 1 request met it/);
    assert.match((await command('drill', 'stop', '--data', dataDir)).stdout, /^No drill runs\.$/m);
    const wrong = await command('drill', 'start', 'nowhere', 'down', '--data', dataDir);
    assert.deepEqual([wrong.code, wrong.stdout, wrong.stderr.trim().split('\n').length], [1, '', 1]);
  });

  it('spend adds up by any field, and export has a line for each request and no prompt', async () => {
    const spend = JSON.parse((await command('spend', '--by', 'endpoint', '--json', '--data', dataDir)).stdout) as { totals: { microUsd: number; attempts: number }; rows: { name: string; microUsd: number }[] };
    assert.ok(spend.totals.attempts >= 3);
    assert.equal(spend.rows.reduce((sum, row) => sum + row.microUsd, 0), spend.totals.microUsd);
    const csv = await command('export', '--data', dataDir);
    assert.equal(csv.code, 0, csv.stderr);
    const [head = '', ...lines] = csv.stdout.trimEnd().split('\r\n');
    assert.match(head, /^started_at,request_id,wanted,/);
    assert.equal(lines.filter(line => line.includes(',auto,a/m,ok,')).length, 3);
    assert.ok(!csv.stdout.includes('secret prompt'));
    const file = path.join(folder, 'requests.jsonl');
    assert.equal((await command('export', '--format', 'jsonl', '--where', 'outcome=ok', '--output', file, '--data', dataDir)).code, 0);
    const rows = readFileSync(file, 'utf8').trimEnd().split('\n').map(line => JSON.parse(line) as { outcome: string; cost_micro_usd: number | null });
    assert.deepEqual(rows.map(row => row.outcome), ['ok', 'ok', 'ok']);
    assert.deepEqual(readdirSync(folder).filter(name => name.endsWith('.part')), []);
  });

  it('a reader that closes the pipe ends a command well', async () => {
    const child = endedWithTests(spawn(process.execPath, [serverEntry, 'export', '--data', dataDir], { stdio: ['ignore', 'pipe', 'pipe'], env: { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '' } }));
    let errors = '';
    child.stderr.on('data', (text: Buffer) => { errors += text.toString(); });
    child.stdout.destroy();
    assert.equal(await exitOf(child), 0);
    assert.equal(errors, '');
  });
});

describe('commands without a server', () => {
  it('check says file, line, column and what was meant, and ends with 1 where something is wrong', async () => {
    const file = path.join(folder, 'wrong.yaml');
    writeFileSync(file, 'endpoints:\n  a: { provider: openai, keys: ["${NOT_SET_ANYWHERE}"] }\nroutes:\n  auto: { targets: [a/m], stratgy: priority }\n');
    const shown = await command('check', file);
    assert.equal(shown.code, 1);
    assert.match(shown.stdout, /wrong\.yaml:2:33: .*NOT_SET_ANYWHERE is not set/);
    assert.match(shown.stdout, /wrong\.yaml:4:27: .*"stratgy"; did you mean "strategy"\?/);
    const found = JSON.parse((await command('check', file, '--json')).stdout) as { line: number; column: number; environment?: true }[];
    assert.ok(found.some(one => one.line === 2 && one.column === 33 && one.environment === true));
    assert.equal((await command('check', configFile)).code, 0);
    assert.equal((await command('check', path.join(folder, 'none.yaml'))).code, 1);
  });

  it('spend reads the ledger of a folder, and commands that need a server end with 3', async () => {
    const own = path.join(folder, 'other');
    const other = await startServer({ configFile, dataDir: own });
    await rawRequest({ url: other.url + callerPath['openai-chat'], headers: callerHeaders('openai-chat', other.token), body: JSON.stringify(requestBody('openai-chat', { model: 'auto', prompt: 'x', stream: false })) });
    await other.stop();
    assert.match((await command('spend', '--data', own, '--by', 'day')).stdout, /: 1 request\n/);
    assert.equal((await command('export', '--data', own)).stdout.trimEnd().split('\r\n').length, 2);
    for (const words of [['status'], ['drill', 'status'], ['endpoint', 'status'], ['savings']]) {
      const { code, stderr } = await command(...words, '--data', own);
      assert.deepEqual([code, stderr.trim().split('\n').length], [3, 1], words.join(' '));
    }
    assert.equal((await command('spend', '--data', path.join(folder, 'nothing'))).code, 3);
    assert.equal((await command('sped')).code, 2);
    const file = new DatabaseSync(path.join(own, 'ledger.db'));
    file.exec('PRAGMA user_version = 999');
    file.close();
    for (const name of ['spend', 'export']) {
      const { code, stdout, stderr } = await command(name, '--data', own);
      assert.deepEqual([code, stdout, stderr.trim().split('\n').length], [1, '', 1]);
      assert.match(stderr, /The ledger .* was written by a newer Waybill \(format 999, this one knows \d+\): update Waybill in this window\.$/m);
    }
  });
});
