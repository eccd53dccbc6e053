import assert from 'node:assert/strict';
import { closeSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, openSync, readdirSync, rmSync, statSync, utimesSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, describe, it } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { silentLog, type Log } from '../../../../server/base/log.ts';
import { LedgerUnavailableError } from '../../../../server/ledger/ledgerUnavailable.ts';
import type { Ledger } from '../../../../server/ledger/ports.ts';
import { openLedger, type LedgerOptions } from '../../../../server/ledger/sqlite/sqliteLedger.ts';
import { aReceipt, anAttempt, exact, noon, running } from '../receipts.ts';

const root = mkdtempSync(join(tmpdir(), 'waybill-damage-'));
const opened: Ledger[] = [];
after(() => {
  for (const ledger of opened) ledger.shutdown();
  rmSync(root, { recursive: true, force: true });
});
let folders = 0;
const always = { from: 0, to: noon * 2 };
const pageBytes = 4_096;

function newFolder(): string {
  folders += 1;
  const folder = join(root, String(folders));
  mkdirSync(folder);
  return folder;
}

function open(dataDir: string, options: Partial<LedgerOptions> = {}): Ledger {
  const ledger = openLedger({ dataDir, clock: { now: () => noon }, log: silentLog, instanceId: 'a', isAlive: () => true, ...options });
  opened.push(ledger);
  return ledger;
}

function listening(): { log: Log; said: string[] } {
  const said: string[] = [];
  const say = (message: string): void => { said.push(message); };
  return { said, log: { ...silentLog, info: say, warn: say, error: say } };
}

/** A ledger of so many exchanges, each of which costs 3 micro-dollars, closed. @returns its folder */
function ledgerOf(count: number): string {
  const folder = newFolder();
  const ledger = open(folder);
  for (let index = 0; index < count; index += 1) {
    ledger.close(aReceipt(`x-${index}`, { startedAt: noon + index, attempts: [anAttempt({ startedAt: noon + index, cost: exact(3) })] }));
  }
  ledger.publishProbe({ endpoint: 'openai', at: noon, ok: true, kind: 'probe' });
  ledger.publishNote({ endpoint: 'openai', keyFingerprint: 'k', kind: 'state', at: noon, state: 'ok' });
  ledger.shutdown();
  return folder;
}

/** Writes over a page (counted from 0) of a ledger. */
function breakPage(folder: string, page: number, content: Buffer): void {
  const file = openSync(join(folder, 'ledger.db'), 'r+');
  writeSync(file, content, 0, content.length, page * pageBytes);
  closeSync(file);
}

function pagesOf(folder: string): number {
  return statSync(join(folder, 'ledger.db')).size / pageBytes;
}

/** A page of bytes that look like nothing, the same ones each time. */
function noise(seed: number): Buffer {
  const bytes = Buffer.alloc(pageBytes);
  let state = seed * 2_654_435_761 + 1;
  for (let index = 0; index < bytes.length; index += 1) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    bytes[index] = state >>> 16;
  }
  return bytes;
}

async function eventually(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 400; tries += 1) {
    if (await holds()) return;
    await wait(25);
  }
  assert.fail(`This did not happen: ${what}`);
}

/** The sum over the receipts that can be read is the sum of spend. */
async function assertSumsAgree(ledger: Ledger, message: string): Promise<number> {
  const lines = await ledger.recent(100_000);
  const microUsd = lines.reduce((sum, { cost }) => sum + (cost.microUsd ?? 0), 0);
  const { totals } = await ledger.spend(always);
  assert.equal(totals.microUsd, microUsd, message);
  assert.equal(totals.exchanges, lines.length, message);
  return lines.length;
}

describe('a ledger with one damaged page', () => {
  const count = 60;
  const sound = ledgerOf(count);
  const kinds = { 'of zeros': () => Buffer.alloc(pageBytes), 'of noise': noise, 'half of noise': (page: number) => noise(page).subarray(0, pageBytes / 2) };
  for (const [kind, content] of Object.entries(kinds)) {
    it(`${kind}, whichever it is, starts, records, and loses what stood on it`, async () => {
      const pages = pagesOf(sound);
      const kept: number[] = [];
      for (let page = 0; page < pages; page += 1) {
        const folder = newFolder();
        copyFileSync(join(sound, 'ledger.db'), join(folder, 'ledger.db'));
        breakPage(folder, page, content(page));
        const { log, said } = listening();
        const ledger = open(folder, { log });
        ledger.close(aReceipt('new', { attempts: [anAttempt({ cost: exact(7) })] }));
        ledger.publishProbe({ endpoint: 'openai', at: noon + 1, ok: true, kind: 'probe' });
        ledger.flush();
        assert.equal((await ledger.receipt('new'))?.cost.microUsd, 7, `page ${page}: ${said.join('\n')}`);
        kept.push(await assertSumsAgree(ledger, `page ${page}`) - 1);
        ledger.poll();
        (await ledger.notes());
        assert.ok((await ledger.recentHealth(0)).length > 0, `page ${page}`);
        ledger.shutdown();
        assert.ok(said.length <= 2, said.join('\n'));
        const again = open(folder, { instanceId: 'b' });
        assert.equal((await again.receipt('new'))?.cost.microUsd, 7, `page ${page}, next start`);
        await assertSumsAgree(again, `page ${page}, next start`);
        again.close(aReceipt('newer'));
        again.shutdown();
      }
      // The schema, and the pages that lead to all others of the two tables, cost everything; no other page does.
      assert.ok(kept.filter((exchanges) => exchanges < count / 2).length <= 3, kept.join(' '));
    });
  }
});

describe('a ledger that is damaged while peers use it', () => {
  it('is repaired by one, and the other goes on with the new file; the records of both are there, once', async () => {
    const folder = ledgerOf(400);
    const first = open(folder, { instanceId: 'a' });
    const { log, said } = listening();
    const second = open(folder, { instanceId: 'b', log });
    second.open(running(aReceipt('long', { attempts: [anAttempt({ cost: exact(2) })] })));
    second.flush();
    for (let page = 25; page < pagesOf(folder); page += 7) breakPage(folder, page, noise(page));
    for (let index = 0; index < 30; index += 1) {
      first.close(aReceipt(`a-${index}`, { attempts: [anAttempt({ cost: exact(5) })] }));
      second.close(aReceipt(`b-${index}`, { attempts: [anAttempt({ cost: exact(11) })] }));
      first.flush();
      second.flush();
      await assert.doesNotReject(first.spend(always));
      second.poll();
      await wait(5);
    }
    second.close(aReceipt('long', { attempts: [anAttempt({ cost: exact(4) })] }));
    await eventually('both peers write one file', async () => {
      second.poll();
      second.flush();
      return (await second.receipt('long'))?.outcome === 'ok' && (await first.receipt('long'))?.outcome === 'ok';
    });
    assert.ok(readdirSync(folder).some((file) => file.includes('.damaged-')), said.join('\n'));
    for (const ledger of [first, second]) {
      const lines = (await ledger.recent(10_000)).map(({ id }) => id);
      for (let index = 0; index < 30; index += 1) {
        assert.equal(lines.filter((id) => id === `a-${index}`).length, 1, `a-${index}`);
        assert.equal(lines.filter((id) => id === `b-${index}`).length, 1, `b-${index}`);
      }
      assert.ok(lines.filter((id) => id.startsWith('x-')).length > 100);
      await assertSumsAgree(ledger, 'afterwards');
    }
    assert.ok(!existsSync(join(folder, 'ledger.db.mending')));
    first.shutdown();
    second.shutdown();
  });

  it('that is removed is created again by all of them', async () => {
    const folder = ledgerOf(3);
    const first = open(folder, { instanceId: 'a' });
    const second = open(folder, { instanceId: 'b' });
    rmSync(join(folder, 'ledger.db'));
    first.close(aReceipt('a'));
    first.flush();
    second.close(aReceipt('b'));
    await eventually('both peers write one file', async () => {
      second.poll();
      return (await first.receipt('b')) !== undefined && (await second.receipt('a')) !== undefined;
    });
    first.shutdown();
    second.shutdown();
  });

  it('keeps the cost of attempts whose exchange was lost', async () => {
    const folder = ledgerOf(60);
    const database = new DatabaseSync(join(folder, 'ledger.db'));
    const lost = Number(database.prepare(`SELECT pageno FROM dbstat WHERE name = 'exchanges' AND pagetype = 'leaf' ORDER BY pageno LIMIT 1`).get()?.['pageno']);
    database.close();
    breakPage(folder, lost - 1, Buffer.alloc(pageBytes));
    const ledger = open(folder);
    ledger.close(aReceipt('new', { attempts: [anAttempt({ cost: exact(7) })] }));
    const { totals, byTool } = await ledger.spend(always);
    assert.deepEqual([totals.microUsd, totals.exchanges], [60 * 3 + 7, 61]);
    assert.ok(byTool.some(({ name }) => name === '(lost)'));
    assert.equal(ledger.revision(), 61);
    ledger.shutdown();
  });

  it('is repaired by the next process when one crashes during the repair', async () => {
    const folder = ledgerOf(3);
    const mark = join(folder, 'ledger.db.mending');
    closeSync(openSync(mark, 'w'));
    utimesSync(mark, 1, 1);
    breakPage(folder, 1, Buffer.alloc(pageBytes));
    const ledger = open(folder);
    ledger.close(aReceipt('new'));
    await eventually('the record is written', async () => (await ledger.receipt('new'))?.outcome === 'ok');
    assert.ok(!existsSync(mark));
    ledger.shutdown();
  });
});

describe('a large ledger that is damaged', () => {
  it('is repaired in portions: the process serves meanwhile, and its new records are kept', async () => {
    const count = 14_000;
    const folder = ledgerOf(count);
    assert.ok(statSync(join(folder, 'ledger.db')).size > 8_000_000);
    const database = new DatabaseSync(join(folder, 'ledger.db'));
    const [leaf] = database.prepare(`SELECT pageno FROM dbstat WHERE name = 'attempts' AND pagetype = 'leaf' ORDER BY pageno LIMIT 1 OFFSET 20`).all();
    database.close();
    breakPage(folder, Number(leaf?.['pageno']) - 1, noise(1));
    const { log, said } = listening();
    const ledger = open(folder, { log });
    ledger.close(aReceipt('before'));
    await assert.rejects(async () => {
      for (let tries = 0; tries < 5; tries += 1) await ledger.spend(always);
    }, (error) => error instanceof LedgerUnavailableError && /is damaged and being repaired; try again in a moment/.test(error.message));
    ledger.close(aReceipt('meanwhile', { attempts: [anAttempt({ cost: exact(3) })] }));
    assert.equal((await ledger.receipt('meanwhile'))?.cost.microUsd, 3);
    let turns = 0;
    while (!ledger.isOpen) {
      turns += 1;
      await new Promise((resolve) => { setImmediate(resolve); });
      if (turns > 10_000) assert.fail('it is never mended');
    }
    assert.ok(turns > 10, `the loop came round ${turns} times`);
    await eventually('what came meanwhile is written', async () => (await ledger.receipt('meanwhile'))?.outcome === 'ok' && (await ledger.recent(1)).length === 1);
    const kept = await assertSumsAgree(ledger, 'afterwards');
    assert.ok(kept > count - 5, String(kept));
    assert.equal(said.filter((line) => /was damaged: \d+ exchanges were saved/.test(line)).length, 1);
    ledger.shutdown();
  });
});

describe('a ledger that is locked at the start', () => {
  for (const lock of ['BEGIN IMMEDIATE', 'PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE'] as const) {
    it(`by ${lock} is reported in one sentence, is waited for without blocking the process, and receives the kept records`, async () => {
      const folder = ledgerOf(3);
      const other = new DatabaseSync(join(folder, 'ledger.db'));
      other.exec(lock);
      const { log, said } = listening();
      const startedAt = performance.now();
      const ledger = open(folder, { log, instanceId: 'b' });
      assert.ok(performance.now() - startedAt < 3_000, 'the start waited for the lock');
      assert.match(said.join('\n'), /is locked by another program; requests are served, and their records are kept/);
      for (let index = 0; index < 10; index += 1) ledger.close(aReceipt(`kept-${index}`));
      let turns = 0;
      const ticking = setInterval(() => { turns += 1; }, 5);
      await wait(1_000);
      clearInterval(ticking);
      assert.ok(turns > 20, `the loop came round ${turns} times in a second`);
      assert.equal((await ledger.receipt('kept-1'))?.outcome, 'ok');
      if (!ledger.isOpen) await assert.rejects(ledger.spend(always), (error) => error instanceof LedgerUnavailableError && /locked by another program/.test(error.message));
      other.exec('ROLLBACK');
      other.close();
      await eventually('what was kept is written', async () => ledger.isOpen && (await ledger.recent(100)).length === 13);
      assert.match(said.at(-1) ?? '', /can be (used|written) again/);
      ledger.shutdown();
    });
  }

  it('and still is at the end reports what was not written', async () => {
    const folder = ledgerOf(3);
    const other = new DatabaseSync(join(folder, 'ledger.db'));
    other.exec('BEGIN IMMEDIATE');
    const { log, said } = listening();
    const ledger = open(folder, { log, instanceId: 'b' });
    ledger.close(aReceipt('kept'));
    const startedAt = performance.now();
    ledger.shutdown();
    assert.ok(performance.now() - startedAt < 5_000);
    assert.ok(said.some((line) => /^1 exchanges? could not be written to the ledger/.test(line)), said.join('\n'));
    other.close();
  });
});

describe('a row that cannot be read', () => {
  it('is left out by every reader, and no other row is', async () => {
    const folder = ledgerOf(5);
    const database = new DatabaseSync(join(folder, 'ledger.db'), { defensive: false });
    // Such values come from damage, or from another program.
    database.exec(`PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = replace(sql, ') STRICT', ')') WHERE type = 'table'; PRAGMA writable_schema = RESET`);
    database.exec(`UPDATE attempts SET total_ms = 'x' WHERE exchange_seq = 1; UPDATE attempts SET status = 9223372036854775807, price_used = '{' WHERE exchange_seq = 2;
      UPDATE exchanges SET plan = 'broken' WHERE seq = 2; UPDATE exchanges SET total_ms = 'x' WHERE seq = 3; UPDATE attempts SET cost_micro_usd = 'much' WHERE exchange_seq = 4;
      INSERT INTO health_events (instance, endpoint, at, ok, kind) VALUES ('z', 'openai', 9223372036854775807, 1, 'probe');
      INSERT INTO key_notes (instance, endpoint, key_mark, model, kind, at, remaining) VALUES ('z', 'openai', 'k', 'm', 'requests', 'x', 'y');
      UPDATE counters SET value = 9223372036854775807 WHERE name = 'finished'`);
    database.close();
    const { log, said } = listening();
    const ledger = open(folder, { log, instanceId: 'b' });
    assert.deepEqual((await ledger.recent(10)).map(({ id }) => id).sort(), ['x-0', 'x-1', 'x-3', 'x-4']);
    assert.deepEqual((await ledger.receipt('x-0'))?.cost, { certainty: 'unknown' });
    assert.equal((await ledger.receipt('x-1'))?.plan.requestedModel, 'auto');
    assert.equal((await ledger.receipt('x-1'))?.cost.microUsd, 3);
    assert.equal(await ledger.receipt('x-2'), undefined);
    assert.deepEqual((await ledger.receipt('x-3'))?.cost, { certainty: 'unknown' });
    assert.equal((await ledger.spend(always)).totals.microUsd, 12);
    assert.equal((await ledger.latestAttempts(10)).length, 4);
    assert.equal((await ledger.recentHealth(0)).length, 1);
    assert.equal((await ledger.notes()).length, 1);
    assert.doesNotThrow(() => { ledger.revision(); });
    assert.ok(said.length > 0 && said.length < 6, said.join('\n'));
    ledger.shutdown();
  });
});
