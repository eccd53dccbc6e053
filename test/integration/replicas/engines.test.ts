import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { endedWithTests } from '../../support/childProcesses.ts';
import { missingEngine } from '../../support/engines/engines.ts';
import { exitOf, until } from '../support/serverProcess.ts';
import { temporaryFolder } from '../support/temporaryFolder.ts';
import { Replicas } from './replicas.ts';

const script = path.join(import.meta.dirname, '..', '..', '..', 'scripts', 'engines.mjs');
const startWithinMs = 120_000;

describe('npm run engines', () => {
  it('brings up what a replica shares and a Prometheus that reads it, and ends them with their folders', { skip: missingEngine('redis', 'postgres', 'prometheus') }, async (context) => {
    const { folder, remove } = temporaryFolder();
    context.after(remove);
    // Engines run as another user where this process is root.
    chmodSync(folder, 0o711);
    const engines = endedWithTests(spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'pipe'], env: { PATH: process.env['PATH'], TMPDIR: folder } }));
    let [stdout, stderr] = ['', ''];
    engines.stdout.setEncoding('utf8').on('data', (text: string) => { stdout += text; });
    engines.stderr.setEncoding('utf8').on('data', (text: string) => { stderr += text; });
    await until('it says how to end them', () => stdout.includes('Ctrl-C') || engines.exitCode !== null, startWithinMs);
    const shown = (start: string): string => stdout.split('\n').find(line => line.startsWith(start))?.slice(start.length).split(' ')[0] ?? assert.fail(`${stdout}\n${stderr}`);
    const prometheus = shown('# Prometheus: ');

    const replicas = new Replicas(folder, {
      endpoints: {}, routes: {}, monitoring: { metrics: {} }, state: { redis: { url: '${REDIS_URL}', commandTimeoutMs: 1000 } }, ledger: { postgres: '${DATABASE_URL}' },
    }, { REDIS_URL: shown('REDIS_URL='), DATABASE_URL: shown('DATABASE_URL=') });
    const replica = await replicas.start();
    await until('it uses both', async () => {
      const lines = (await (await fetch(`${replica.url}/metrics`)).text()).split('\n');
      return lines.includes('waybill_shared_store_up 1') && lines.includes('waybill_shared_ledger_up 1');
    }, startWithinMs);
    const { data } = await (await fetch(`${prometheus}/api/v1/rules`)).json() as { data: { groups: unknown[] } };
    assert.ok(data.groups.length > 0, 'Prometheus has the rules of alerts');
    await replica.stop();

    engines.kill('SIGINT');
    assert.equal(await exitOf(engines), 0, stderr);
    await assert.rejects(fetch(`${prometheus}/-/ready`));
    assert.deepEqual([stderr, readdirSync(folder).filter(name => /^waybill-(?:redis|postgres|prometheus)-/.test(name))], ['', []]);
  });

  it('says what is not installed and how it is installed', { skip: process.platform === 'win32' }, () => {
    const { status, stderr } = spawnSync(process.execPath, [script, 'redis'], { encoding: 'utf8', env: { PATH: '' } });
    assert.equal(status, 1);
    assert.match(stderr, /Not installed: redis-server\. Install with: apt-get install redis-server/);
  });
});
