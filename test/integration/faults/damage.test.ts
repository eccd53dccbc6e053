import assert from 'node:assert/strict';
import { closeSync, openSync, readFileSync, readdirSync, statSync, writeFileSync, writeSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { after, before, describe, it } from 'node:test';
import type { RequestSummary, SpendReport } from '../../../server/api/receipt.ts';
import { startSandboxProvider, type SandboxProvider } from '../../../server/sandbox/sandboxProvider.ts';
import { callerHeaders, callerPath, requestBody } from '../support/callerProtocols.ts';
import { rawRequest, type RawAnswer } from '../support/rawClient.ts';
import { sandboxEndpoint } from '../support/sandboxPair.ts';
import { exitOf, killAll, spawnServer, startServer, until, writeConfig, type ServerProcess } from '../support/serverProcess.ts';
import { temporaryFolder } from '../support/temporaryFolder.ts';

let provider: SandboxProvider;
const { folder, remove } = temporaryFolder();
const children: ServerProcess['child'][] = [];
let serial = 0;

function places(): { configFile: string; dataDir: string } {
  serial += 1;
  const configFile = path.join(folder, `waybill-${serial}.yaml`);
  writeConfig(configFile, { a: sandboxEndpoint(provider) }, { auto: { targets: ['a/m'] } });
  return { configFile, dataDir: path.join(folder, `data-${serial}`) };
}

async function serve(own: { configFile: string; dataDir: string }): Promise<ServerProcess> {
  const server = await startServer(own);
  children.push(server.child);
  return server;
}

function ask({ url, token }: Pick<ServerProcess, 'url' | 'token'>): Promise<RawAnswer> {
  return rawRequest({
    url: url + callerPath['openai-chat'], headers: callerHeaders('openai-chat', token),
    body: JSON.stringify(requestBody('openai-chat', { model: 'auto', prompt: 'hello', stream: false })),
  });
}

async function exchangesOf(server: ServerProcess): Promise<RequestSummary[]> {
  return await server.get('/waybill/exchanges?limit=1000') as RequestSummary[];
}

before(async () => {
  provider = await startSandboxProvider({ protocol: 'openai-chat', name: 'a' });
});
after(async () => {
  await killAll(children);
  await provider.close();
  remove();
});

describe('a server', () => {
  it('goes on serving when its starter closes standard output and standard error while it has much to log', async () => {
    const { configFile, dataDir } = places();
    const { child, written } = spawnServer(['serve', '--config', configFile, '--port', '0', '--data', dataDir, '--json']);
    children.push(child);
    await until('it announces itself', () => written.stdout.includes('\n'));
    const { url, tokenFile } = JSON.parse(written.stdout) as { url: string; tokenFile: string };
    const token = readFileSync(tokenFile, 'utf8').trim();
    child.stdout?.destroy();
    child.stderr?.destroy();
    for (let round = 0; round < 5; round += 1) {
      writeFileSync(configFile, `endpoints: [${'x'.repeat(round)}\n`);
      await sleep(200);
      assert.equal((await ask({ url, token })).status, 200, `round ${round}`);
    }
    assert.equal(child.exitCode, null);
    child.kill('SIGTERM');
    assert.equal(await exitOf(child), 0);
  });

  it('serves, records and reports sums while pages of its ledger are damaged; so does its peer', async () => {
    const own = places();
    const first = await serve(own);
    const second = await serve(own);
    for (let count = 0; count < 20; count += 1) for (const server of [first, second]) assert.equal((await ask(server)).status, 200);
    await until('all is written', async () => (await exchangesOf(first)).length === 40);
    const file = path.join(own.dataDir, 'ledger.db');
    const checkpoint = new DatabaseSync(file);
    checkpoint.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    checkpoint.close();
    // Behind the list of tables, the content of every second page is lost.
    const descriptor = openSync(file, 'r+');
    for (let page = 21; page < statSync(file).size / 4096; page += 2) writeSync(descriptor, Buffer.alloc(4096, 0xa5), 0, 4096, page * 4096);
    closeSync(descriptor);
    for (let count = 0; count < 20; count += 1) {
      for (const server of [first, second]) assert.equal((await ask(server)).status, 200);
      await sleep(20);
    }
    await until('both list the exchanges of both', async () => {
      const [one, two] = await Promise.all([exchangesOf(first), exchangesOf(second)]);
      return one.length >= 40 && one.length === two.length;
    });
    const [spend, other] = await Promise.all([first, second].map(server => server.get('/waybill/spend'))) as [SpendReport, SpendReport];
    assert.deepEqual(spend.totals, other.totals);
    assert.ok(readdirSync(own.dataDir).some(name => name.includes('.damaged-')), first.written.stderr + second.written.stderr);
    for (const server of [first, second]) assert.equal(server.child.exitCode, null, server.written.stderr);
    assert.match(first.written.stderr + second.written.stderr, /was damaged: \d+ exchanges were saved/);
    assert.deepEqual(await Promise.all([first.stop(), second.stop()]), [0, 0]);
    const again = await serve(own);
    assert.equal((await ask(again)).status, 200);
    assert.equal(((await again.get('/waybill/spend')) as SpendReport).totals.exchanges, spend.totals.exchanges + 1);
    assert.equal(await again.stop(), 0);
  });

  it('starts and serves while another program holds its ledger, says so, and ends in time with a message on what is lost', async () => {
    const own = places();
    assert.equal(await (await serve(own)).stop(), 0);
    const lock = new DatabaseSync(path.join(own.dataDir, 'ledger.db'));
    lock.exec('BEGIN IMMEDIATE');
    try {
      const server = await serve(own);
      assert.equal((await ask(server)).status, 200);
      assert.match(server.written.stderr, /is locked by another program; requests are served, and their records are kept until it is free/);
      const startedAt = performance.now();
      assert.equal(await server.stop(), 0);
      assert.ok(performance.now() - startedAt < 6_000);
      assert.match(server.written.stderr, /1 exchanges? could not be written to the ledger/);
    } finally {
      lock.close();
    }
  });

  it('that is killed in the first second of an exchange leaves its attempt as one of unknown cost', async () => {
    const own = places();
    const server = await serve(own);
    provider.script({ type: 'stall', after: 0 });
    const answer = ask(server).catch(() => undefined);
    await until('the exchange has a row with its attempt', async () => (await exchangesOf(server)).some(({ attempts }) => attempts === 1));
    server.child.kill('SIGKILL');
    await Promise.all([exitOf(server.child), answer]);
    provider.script({ type: 'answer' });
    const again = await serve(own);
    const [cut] = await exchangesOf(again);
    assert.equal(cut?.outcome, 'interrupted');
    assert.equal(((await again.get('/waybill/spend')) as SpendReport).totals.unknownAttempts, 1);
    assert.equal(await again.stop(), 0);
  });
});
