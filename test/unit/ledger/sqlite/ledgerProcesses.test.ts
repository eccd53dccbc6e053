import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { silentLog } from '../../../../server/base/log.ts';
import { openLedger } from '../../../../server/ledger/sqlite/sqliteLedger.ts';
import type { Ledger } from '../../../../server/ledger/ports.ts';
import { learnt } from '../reads.ts';

const root = mkdtempSync(join(tmpdir(), 'waybill-ledger-'));
const script = fileURLToPath(new URL('./fixtures/ledgerChild.ts', import.meta.url));
const children: ChildProcess[] = [];
after(() => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(root, { recursive: true, force: true });
});

function start(...args: string[]): ChildProcess & { stdout: NodeJS.ReadableStream } {
  const child = spawn(process.execPath, [script, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  return child;
}

/** Collects what a child prints until the condition holds or it ends. */
async function output(child: { stdout: NodeJS.ReadableStream }, enough: (text: string) => boolean, then: () => void): Promise<string> {
  let text = '';
  let done = false;
  for await (const chunk of child.stdout) {
    text += String(chunk);
    if (!done && enough(text)) {
      done = true;
      then();
    }
  }
  return text;
}

function open(dataDir: string, said: string[] = []): Ledger {
  return openLedger({ dataDir, clock: { now: () => Date.now() }, log: { ...silentLog, warn: (message) => { said.push(message); } }, instanceId: 'parent' });
}

describe('processes and the ledger', () => {
  it('a killed process loses nothing it handed in more than 50 ms before', async () => {
    const folder = join(root, 'kill');
    const child = start(folder, 'victim', 'endless');
    const text = await output(child, (so) => so.split('\n').length > 150, () => { child.kill('SIGKILL'); });
    const handedIn = text.trimEnd().split('\n').map((line) => line.split(' ')).map(([id = '', at]) => ({ id, at: Number(at) }));
    const lastSign = handedIn.at(-1)?.at ?? 0;
    const mustBeThere = handedIn.filter(({ at }) => at < lastSign - 50);
    assert.ok(mustBeThere.length > 50);
    const ledger = open(folder);
    for (const { id } of mustBeThere) assert.equal((await ledger.receipt(id))?.outcome, 'ok', id);
    const readable = await ledger.recent(10_000);
    assert.equal((await ledger.spend({ from: 0, to: Date.now() * 2 })).totals.microUsd, readable.length * 7);
    ledger.shutdown();
  });

  it('an exchange that a killed process left open is marked as interrupted, its usage kept and its cost an estimate', async () => {
    const folder = join(root, 'hang');
    const child = start(folder, 'victim', 'hang');
    const ended = once(child, 'exit');
    await output(child, (so) => so.includes('open'), () => { child.kill('SIGKILL'); });
    await ended;
    const said: string[] = [];
    const ledger = open(folder, said);
    const receipt = await ledger.receipt('hanging');
    assert.equal(receipt?.outcome, 'interrupted');
    assert.deepEqual(receipt?.attempts.map(({ outcome, cost }) => [outcome, cost.microUsd, cost.certainty]), [['failed', 11, 'exact'], ['interrupted', 90, 'estimated']]);
    assert.deepEqual(receipt?.attempts[1]?.usage, { inputTokens: 500, outputTokens: 20 });
    assert.equal(receipt?.cost.microUsd, 101);
    assert.equal(receipt?.cost.certainty, 'estimated');
    const { totals } = await ledger.spend({ from: 0, to: Date.now() * 2 });
    assert.deepEqual([totals.microUsd, totals.estimatedMicroUsd, totals.exchanges], [101, 90, 1]);
    assert.equal(ledger.revision(), 1);
    assert.deepEqual(said, ['1 exchange was left open by a server process that ended; marked as interrupted.']);
    ledger.shutdown();
  });

  // The size limit of a shell stands in for a full disk.
  if (process.platform !== 'win32') it('a full disk is reported once, and what cannot be written stays readable', async () => {
    const folder = join(root, 'full');
    const child = spawn('/bin/sh', ['-c', 'ulimit -f 800; exec "$0" "$@"', process.execPath, script, folder, 'full', 'fill'], { stdio: ['ignore', 'pipe', 'inherit'] });
    children.push(child);
    const report = JSON.parse(await output(child, () => false, () => undefined)) as { errors: string[]; committed: number; lastIsReadable: boolean };
    assert.equal(report.errors.length, 1);
    assert.match(report.errors[0] ?? '', /cannot be written; the latest exchanges are kept in memory and tried again/);
    assert.equal(report.lastIsReadable, true);
    const ledger = open(folder);
    assert.ok(report.committed > 0);
    assert.equal((await ledger.recent(100_000)).length, report.committed);
    ledger.shutdown();
  });

  it('two processes that write at once lose nothing', async () => {
    const folder = join(root, 'two');
    const watcher = open(folder);
    const ends = ['one', 'two'].map((name) => once(start(folder, name, 'count', '400'), 'exit'));
    for (const end of ends) assert.deepEqual(await end, [0, null]);
    const ids = new Set((await watcher.recent(10_000)).map((line) => line.id));
    assert.equal(ids.size, 800);
    assert.equal(learnt(watcher).attempts.length, 800);
    assert.equal(watcher.revision(), 800);
    const { totals } = await watcher.spend({ from: 0, to: Date.now() * 2 });
    assert.deepEqual([totals.microUsd, totals.exchanges], [5_600, 800]);
    watcher.shutdown();
  });
});
