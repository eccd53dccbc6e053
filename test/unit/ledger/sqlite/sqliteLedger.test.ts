import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as wait } from 'node:timers/promises';
import type { Attempt } from '../../../../server/api/receipt.ts';
import { Guard } from '../../../../server/base/guarded.ts';
import type { Log } from '../../../../server/base/log.ts';
import { silentLog } from '../../../../server/base/log.ts';
import { LedgerTooNewError } from '../../../../server/ledger/sqlite/ledgerErrors.ts';
import { SpendQueries } from '../../../../server/ledger/sqlite/spendQueries.ts';
import { openLedger } from '../../../../server/ledger/sqlite/sqliteLedger.ts';
import type { Ledger } from '../../../../server/ledger/ports.ts';
import type { LedgerOptions } from '../../../../server/ledger/sqlite/sqliteLedger.ts';
import { createVersionOneLedger } from './fixtures/versionOneLedger.ts';
import { learnt, polled, spendByEndpoint } from '../reads.ts';
import { aReceipt, anAttempt, exact, noon, running, tokens } from '../receipts.ts';

const root = mkdtempSync(join(tmpdir(), 'waybill-ledger-'));
after(() => { rmSync(root, { recursive: true, force: true }); });
let folders = 0;

function newFolder(): string {
  folders += 1;
  return join(root, String(folders));
}

function open(dataDir: string, instanceId: string, options: Partial<LedgerOptions> = {}): Ledger {
  return openLedger({ dataDir, clock: { now: () => noon }, log: silentLog, instanceId, isAlive: () => true, ...options });
}

/** A log that remembers the messages for a person. */
function listening(): { log: Log; said: string[] } {
  const said: string[] = [];
  return { said, log: { ...silentLog, info: (message) => { said.push(message); }, warn: (message) => { said.push(message); }, error: (message) => { said.push(message); } } };
}

function rowsIn(dataDir: string, sql: string): Record<string, unknown>[] {
  const database = new DatabaseSync(join(dataDir, 'ledger.db'), { readOnly: true });
  try {
    return database.prepare(sql).all();
  } finally {
    database.close();
  }
}

describe('the ledger file', () => {
  // Windows has no such modes: there the user's own folder protects it.
  if (process.platform !== 'win32') it('is readable by its owner only', async () => {
    const folder = newFolder();
    const ledger = open(folder, 'a');
    ledger.close(aReceipt('x-1'));
    ledger.flush();
    assert.equal(statSync(folder).mode & 0o777, 0o700);
    for (const file of readdirSync(folder)) assert.equal(statSync(join(folder, file)).mode & 0o777, 0o600, file);
    ledger.shutdown();
  });

  it('survives a restart', async () => {
    const folder = newFolder();
    const first = open(folder, 'a');
    const receipt = aReceipt('x-1');
    first.close(receipt);
    first.shutdown();
    first.shutdown();
    const second = open(folder, 'b');
    assert.deepEqual(await second.receipt('x-1'), receipt);
    assert.equal(second.revision(), 1);
    second.shutdown();
  });

  it('commits by itself a moment after something was handed in', async () => {
    const folder = newFolder();
    const ledger = open(folder, 'a');
    ledger.close(aReceipt('x-1'));
    for (let tries = 0; tries < 200 && rowsIn(folder, 'SELECT id FROM exchanges').length === 0; tries += 1) await wait(5);
    assert.deepEqual(rowsIn(folder, 'SELECT id FROM exchanges').map((row) => row['id']), ['x-1']);
    ledger.shutdown();
  });

  it('writes a short exchange once, and one that runs at the commit as open', async () => {
    const folder = newFolder();
    const ledger = open(folder, 'a');
    ledger.open(running(aReceipt('short')));
    ledger.close(aReceipt('short'));
    ledger.open(running(aReceipt('long')));
    ledger.flush();
    assert.deepEqual(rowsIn(folder, 'SELECT id, outcome FROM exchanges ORDER BY id').map((row) => [row['id'], row['outcome']]), [['long', 'open'], ['short', 'ok']]);
    ledger.close(aReceipt('long'));
    ledger.shutdown();
    assert.deepEqual(rowsIn(folder, 'SELECT outcome, count(*) AS n FROM exchanges').map((row) => [row['outcome'], row['n']]), [['ok', 2]]);
  });

  it('has of an exchange that just began what runs by then, so that one that is cut in its first second counts', async () => {
    const folder = newFolder();
    const ledger = open(folder, 'a');
    const begun = running(aReceipt('x-1', { attempts: [] }));
    ledger.open(begun, () => running(aReceipt('x-1', { attempts: [anAttempt({ cost: { certainty: 'unknown' } })] })));
    ledger.open(running(aReceipt('x-2')), () => { throw new Error('injected'); });
    ledger.flush();
    const other = open(folder, 'b', { isAlive: () => false });
    assert.deepEqual((await other.receipt('x-1'))?.attempts.map(({ outcome }) => outcome), ['interrupted']);
    assert.equal((await other.receipt('x-2'))?.outcome, 'interrupted');
    assert.equal((await other.spend({ from: 0, to: noon * 2 })).totals.unknownAttempts, 1);
    other.shutdown();
    ledger.shutdown();
  });

  it('leaves out what cannot be bound or made into JSON, whatever it is, and keeps the records around it', async () => {
    const folder = newFolder();
    const { log, said } = listening();
    const ledger = open(folder, 'a', { log });
    const circle: Record<string, unknown> = {};
    circle['self'] = circle;
    const poison: Record<string, object> = {
      'a text for a number': { totalMs: 'long' }, 'an object for a text': { message: circle }, 'a plan without end': { plan: circle }, 'a figure beyond SQLite': { startedAt: 1e300 },
      'no attempts': { attempts: undefined }, 'an attempt of the same number': { attempts: [anAttempt(), anAttempt({ target: undefined as never })] }, 'half a pair': { caller: { tool: '\ud800' } },
    };
    for (const [what, overrides] of Object.entries(poison)) {
      ledger.close(aReceipt(`before ${what}`));
      ledger.close({ ...aReceipt(what), ...overrides } as never);
      ledger.close(aReceipt(`after ${what}`));
    }
    ledger.publishProbe({ endpoint: circle as never, at: noon, ok: true, kind: 'probe' });
    ledger.publishNote({ endpoint: 'e', keyFingerprint: 1e300 as never, kind: 'state', at: 'x' as never, state: 'ok' });
    const kept = new Set((await ledger.recent(100)).map(({ id }) => id));
    for (const what of Object.keys(poison)) assert.ok(kept.has(`before ${what}`) && kept.has(`after ${what}`), what);
    assert.ok((await ledger.spend({ from: 0, to: noon * 2 })).totals.exchanges >= 14);
    assert.ok(said.length >= 5 && said.every((line) => /cannot be stored in the ledger and is left out/.test(line)), said.join('\n'));
    ledger.shutdown();
  });

  it('of version 1 is brought to the present with everything in it', async () => {
    const folder = newFolder();
    mkdirSync(folder, { recursive: true });
    createVersionOneLedger(join(folder, 'ledger.db'));
    const ledger = open(folder, 'a');
    const old = await ledger.receipt('old-1');
    assert.equal(old?.cost.microUsd, 280);
    assert.deepEqual(old?.usage, { inputTokens: 100, outputTokens: 10 });
    ledger.close(aReceipt('new', { attempts: [anAttempt({ cost: exact(20) })] }));
    assert.equal((await ledger.spend({ from: 0, to: noon + 1 })).totals.microUsd, 300);
    assert.equal(ledger.revision(), 3);
    ledger.shutdown();
  });

  it('of a version that kept the requested name under another key gives back a whole plan, without a route', async () => {
    const folder = newFolder();
    mkdirSync(folder, { recursive: true });
    createVersionOneLedger(join(folder, 'ledger.db'));
    const ledger = open(folder, 'a');
    const old = await ledger.receipt('old-1');
    assert.deepEqual([old?.plan.requestedModel, old?.plan.route, old?.plan.kind], ['auto', undefined, 'route']);
    ledger.shutdown();
  });

  it('keeps the route of an exchange in a column of its own, which models and pinned targets leave empty', async () => {
    const folder = newFolder();
    const ledger = open(folder, 'a');
    const { plan } = aReceipt('x');
    ledger.open(running(aReceipt('x-1', { plan: { ...plan, targets: [] } })));
    ledger.flush();
    ledger.close(aReceipt('x-1', { plan: { ...plan, requestedModel: 'waybill/auto', route: 'auto' } }));
    ledger.close(aReceipt('x-2', { plan: { ...plan, requestedModel: 'gpt-4.1', kind: 'model' } }));
    assert.equal((await ledger.receipt('x-1'))?.plan.route, 'auto');
    ledger.shutdown();
    assert.deepEqual(rowsIn(folder, 'SELECT id, route FROM exchanges ORDER BY id').map((row) => [row['id'], row['route']]), [['x-1', 'auto'], ['x-2', null]]);
  });

  it('has, after all migrations, the same tables whether it began at version 1 or today', async () => {
    const schema = (folder: string): unknown[] => rowsIn(folder, 'SELECT type, name, tbl_name FROM sqlite_schema ORDER BY type, name').map((row) => ({ ...row }));
    const oldFolder = newFolder();
    mkdirSync(oldFolder, { recursive: true });
    createVersionOneLedger(join(oldFolder, 'ledger.db'));
    open(oldFolder, 'a').shutdown();
    const newOne = newFolder();
    open(newOne, 'a').shutdown();
    assert.deepEqual(schema(oldFolder), schema(newOne));
  });

  it('of a newer version is refused with one sentence and left as it is', async () => {
    const folder = newFolder();
    open(folder, 'a').shutdown();
    const database = new DatabaseSync(join(folder, 'ledger.db'));
    database.exec('PRAGMA user_version = 99');
    database.close();
    assert.throws(() => open(folder, 'b'), (error) => error instanceof LedgerTooNewError && /newer Waybill .*update Waybill/.test(error.message));
    assert.equal(rowsIn(folder, 'PRAGMA user_version')[0]?.['user_version'], 99);
  });

  it('that is damaged is kept aside, said so, and a new one begun', async () => {
    const folder = newFolder();
    mkdirSync(folder, { recursive: true });
    const garbage = 'this is no database, whatever its name says. '.repeat(200);
    writeFileSync(join(folder, 'ledger.db'), garbage);
    const { log, said } = listening();
    const ledger = open(folder, 'a', { log });
    ledger.close(aReceipt('x-1'));
    assert.equal((await ledger.receipt('x-1'))?.id, 'x-1');
    ledger.shutdown();
    const aside = readdirSync(folder).find((file) => file.includes('.damaged-'));
    assert.ok(aside !== undefined);
    assert.equal(readFileSync(join(folder, aside), 'utf8'), garbage);
    assert.equal(said.length, 1);
    assert.match(said[0] ?? '', /cannot be read and was moved to .*; a new ledger was begun/);
  });

  it('keeps everything while a peer holds it, and writes it afterwards', async () => {
    const folder = newFolder();
    const { log, said } = listening();
    const ledger = open(folder, 'a', { log });
    const other = new DatabaseSync(join(folder, 'ledger.db'));
    other.exec('BEGIN IMMEDIATE');
    ledger.open(running(aReceipt('x-2')));
    ledger.close(aReceipt('x-1'));
    ledger.flush();
    assert.equal((await ledger.receipt('x-1'))?.outcome, 'ok');
    assert.equal(ledger.revision(), 1);
    await wait(40);
    ledger.close(aReceipt('x-2'));
    other.exec('ROLLBACK');
    other.close();
    for (let tries = 0; tries < 200 && rowsIn(folder, 'SELECT id FROM exchanges').length < 2; tries += 1) await wait(5);
    assert.deepEqual(rowsIn(folder, 'SELECT id FROM exchanges ORDER BY id').map((row) => row['id']), ['x-1', 'x-2']);
    assert.equal(ledger.revision(), 2);
    assert.deepEqual(said, []);
    ledger.shutdown();
  });

  it('keeps a record with an impossible figure, with that figure unknown', async () => {
    const folder = newFolder();
    const { log, said } = listening();
    const ledger = open(folder, 'a', { log });
    for (const [id, absurd] of [['x-1', Number.MAX_SAFE_INTEGER], ['x-2', 18446744073709551615], ['x-3', Number.NaN], ['x-4', -1]] as const) {
      ledger.close(aReceipt(id, { attempts: [anAttempt({ usage: { inputTokens: absurd, outputTokens: 2, reportedCostMicroUsd: absurd }, cost: exact(absurd) })] }));
    }
    ledger.flush();
    for (const id of ['x-1', 'x-2', 'x-3', 'x-4']) {
      const receipt = await ledger.receipt(id);
      assert.ok(!(receipt instanceof Promise));
      assert.deepEqual([receipt?.attempts[0]?.usage, receipt?.cost], [{ outputTokens: 2 }, { certainty: 'unknown' }]);
    }
    assert.deepEqual(said, []);
    ledger.shutdown();
  });

  it('reads a record whose plan, price or wait is damaged, without what is damaged', async () => {
    const folder = newFolder();
    const first = open(folder, 'a');
    for (const id of ['x-1', 'x-2']) first.close(aReceipt(id));
    first.shutdown();
    const database = new DatabaseSync(join(folder, 'ledger.db'));
    database.exec("UPDATE attempts SET price_used = '{\"inputPerMTok\":null,\"outputPerMTok\":1}', retry_after_ms = 9e999");
    database.exec("UPDATE exchanges SET plan = '{\"wanted\":' WHERE id = 'x-1'");
    database.close();
    const ledger = open(folder, 'b');
    const receipt = await ledger.receipt('x-1');
    assert.ok(!(receipt instanceof Promise));
    assert.deepEqual([receipt?.plan.targets, receipt?.attempts[0]?.cost.priceUsed, receipt?.attempts[0]?.retryAfterMs], [[], undefined, undefined]);
    assert.equal((await ledger.recentAttempts(noon - 60_000)).length, 2);
    ledger.shutdown();
  });

  it('reads a file in which an earlier version kept impossible figures', async () => {
    const folder = newFolder();
    const first = open(folder, 'a');
    for (let index = 0; index < 5; index += 1) first.close(aReceipt(`x-${index}`));
    first.shutdown();
    const database = new DatabaseSync(join(folder, 'ledger.db'));
    database.exec('UPDATE attempts SET input_tokens = 9223372036854775807, reported_micro_usd = 9007199254740993, cost_micro_usd = 9223372036854775807 WHERE exchange_seq <= 3');
    const slot = (level: number, width: number, endpoint: string, tool: string): void => {
      database.prepare(`INSERT INTO spend_slots VALUES (?, ?, ?, 'm', ?, '', 9223372036854775807, 0, 0, 1, 9223372036854775807, 0, 0, 0, 0, 0, 0, 0)`)
        .run(level, Math.floor(noon / width) - 1, endpoint, tool);
    };
    for (const tool of ['t', 'u']) {
      slot(0, 900_000, 'old', tool);
      slot(2, 900_000, 'old', tool);
    }
    database.close();
    const ledger = open(folder, 'b');
    assert.equal((await ledger.recentAttempts(noon - 60_000)).length, 5);
    const lines = await ledger.recent(9);
    assert.ok(Array.isArray(lines));
    assert.deepEqual(lines.map((line) => line.cost.certainty).sort(), ['exact', 'exact', 'unknown', 'unknown', 'unknown']);
    const range = { from: noon, to: noon + 900_000 };
    const report = await ledger.spend(range);
    assert.ok(!(report instanceof Promise));
    assert.deepEqual([report.totals.microUsd, report.totals.unknownAttempts, report.totals.usage.inputTokens], [5_600, 3, 2_000]);
    assert.deepEqual((await spendByEndpoint(ledger, range)).get('openai'), { microUsd: 5_600, estimated: false, unknown: 3 });
    const wide = await spendByEndpoint(ledger, { from: noon - 3_600_000, to: noon + 900_000 });
    assert.equal(wide.get('openai')?.microUsd, 5_600);
    assert.ok((wide.get('old')?.microUsd ?? 0) > 0);
    await assert.doesNotReject(ledger.spend({ from: noon - 3_600_000, to: noon + 900_000 }));
    ledger.shutdown();
  });

  it('leaves out only the one record that cannot be stored', async () => {
    const folder = newFolder();
    const { log, said } = listening();
    const ledger = open(folder, 'a', { log });
    ledger.close(aReceipt('x-1'));
    ledger.close(aReceipt('bad', { attempts: [anAttempt({ totalMs: Number.NaN })] }));
    ledger.close(aReceipt('x-2'));
    assert.deepEqual((await ledger.recent(9)).map((line) => line.id).sort(), ['x-1', 'x-2']);
    assert.equal(said.length, 1);
    assert.match(said[0] ?? '', /The exchange bad cannot be stored/);
    assert.equal(ledger.revision(), 2);
    ledger.shutdown();
  });

  it('forgets health events after 30 days and exchanges never', async () => {
    const folder = newFolder();
    const ledger = open(folder, 'a');
    const longAgo = noon - 31 * 86_400_000;
    ledger.publishProbe({ endpoint: 'openai', at: longAgo, ok: true, kind: 'probe' });
    ledger.publishProbe({ endpoint: 'openai', at: noon - 1, ok: true, kind: 'probe' });
    ledger.close(aReceipt('x-1', { startedAt: longAgo - 86_400_000_000 }));
    ledger.shutdown();
    const again = open(folder, 'b');
    const keepAlive = setInterval(() => undefined, 50);
    for (let tries = 0; tries < 100 && (await again.recentHealth(0)).length > 1; tries += 1) await wait(50);
    clearInterval(keepAlive);
    assert.deepEqual((await again.recentHealth(0)).map((event) => event.at), [noon - 1]);
    assert.equal((await again.receipt('x-1'))?.id, 'x-1');
    again.shutdown();
  });
});

describe('two peers on one ledger', () => {
  it('learn of each other what ended since they last asked, and nothing older', async () => {
    const folder = newFolder();
    const first = open(folder, 'a');
    first.close(aReceipt('before'));
    first.flush();
    const second = open(folder, 'b');
    assert.deepEqual(learnt(second), { attempts: [], health: [] });
    const failed = anAttempt({ outcome: 'failed', failureClass: 'overloaded', usage: {}, cost: { microUsd: 0, certainty: 'exact' } });
    const streaming = anAttempt({ number: 2, endpoint: 'claude', outcome: 'interrupted' });
    first.open(running(aReceipt('x-1', { attempts: [failed, streaming] })));
    first.publishProbe({ endpoint: 'claude', at: noon, ok: true, kind: 'probe', latencyMs: 3 });
    first.flush();
    second.close(aReceipt('own'));
    second.flush();
    assert.deepEqual(learnt(second), {
      attempts: [{ attempt: failed, endedAt: failed.startedAt + failed.totalMs, stream: true, beaten: false }],
      health: [{ endpoint: 'claude', at: noon, ok: true, kind: 'probe', latencyMs: 3 }],
    });
    const answered = { ...streaming, outcome: 'ok' } as const;
    first.close(aReceipt('x-1', { attempts: [failed, answered] }));
    first.flush();
    assert.deepEqual(learnt(second).attempts.map(({ attempt }) => attempt), [answered]);
    assert.deepEqual(learnt(second), { attempts: [], health: [] });
    assert.deepEqual(learnt(first).attempts.length, 1);
    assert.equal(first.revision(), second.revision());
    first.shutdown();
    second.shutdown();
  });

  it('do not take each other\'s running exchanges for abandoned', async () => {
    const folder = newFolder();
    const clock = { now: () => Date.now() };
    const first = openLedger({ dataDir: folder, clock, log: silentLog, instanceId: 'a' });
    first.open(running(aReceipt('x-1')));
    first.flush();
    const second = openLedger({ dataDir: folder, clock, log: silentLog, instanceId: 'b' });
    assert.equal((await second.receipt('x-1'))?.outcome, 'open');
    first.close(aReceipt('x-1'));
    first.flush();
    assert.equal((await second.receipt('x-1'))?.outcome, 'ok');
    first.shutdown();
    second.shutdown();
  });

  it('learn when an attempt that has ended gets another price, and only then', async () => {
    const folder = newFolder();
    const [mine, other] = [open(folder, 'a'), open(folder, 'b')];
    const before = (microUsd: number): Attempt => anAttempt({ outcome: 'failed', failureClass: 'server', cost: { certainty: 'estimated', microUsd } });
    const then = anAttempt({ number: 2, outcome: 'interrupted' });
    const written = (attempts: Attempt[], write: 'open' | 'progress'): void => { other[write](running(aReceipt('x-1', { attempts }))); other.flush(); };
    written([before(5), then], 'open');
    polled(mine);
    written([before(5), then], 'progress');
    assert.equal(polled(mine).repriced, false);
    written([before(7), then], 'progress');
    assert.equal(polled(mine).repriced, true);
    const done = aReceipt('x-1', { attempts: [{ ...before(7), cost: exact(6) }, { ...then, outcome: 'ok' }] });
    other.close(done);
    other.flush();
    assert.equal(polled(mine).repriced, true);
    assert.deepEqual(await mine.receipt('x-1'), done);
    other.close(aReceipt('x-2'));
    other.flush();
    assert.equal(polled(mine).repriced, false);
    mine.shutdown();
    other.shutdown();
  });

  it('see each other\'s spend', async () => {
    const folder = newFolder();
    const first = open(folder, 'a');
    const second = open(folder, 'b');
    first.close(aReceipt('x-1', { attempts: [anAttempt({ cost: exact(3) })] }));
    first.flush();
    second.close(aReceipt('x-2', { attempts: [anAttempt({ cost: exact(4) })] }));
    assert.equal((await second.spend({ from: noon, to: noon + 1 })).totals.microUsd, 7);
    assert.equal((await first.spend({ from: noon, to: noon + 1 })).totals.microUsd, 7);
    first.shutdown();
    second.shutdown();
  });
});

describe('the roll-up of spend', () => {
  it('gives the same answers before, in the middle of and after it is made, for any range', async () => {
    const folder = newFolder();
    const ledger = open(folder, 'a');
    const start = Date.UTC(2026, 9, 20, 7, 3);
    const step = 1_234_567;
    for (let index = 0; index < 3_500; index += 1) {
      const startedAt = start + ((index * 7_919) % 3_500) * step;
      ledger.close(aReceipt(`x-${index}`, { startedAt, caller: { tool: `t${index % 3}` }, attempts: [anAttempt({
        startedAt, endpoint: `e${index % 4}`, model: `m${index % 5}`, usage: tokens(index, 1),
        cost: index % 9 === 0 ? { certainty: 'unknown' } : { microUsd: index, certainty: index % 2 === 0 ? 'exact' : 'estimated' },
      })] }));
    }
    const stillRunning = anAttempt({ startedAt: start + 90_000_000, endpoint: 'e9', outcome: 'interrupted', cost: exact(1_000_000) });
    ledger.open(running(aReceipt('runs', { startedAt: stillRunning.startedAt, attempts: [stillRunning] })));
    ledger.flush();
    const end = start + 3_500 * step;
    const ranges = [
      { from: start, to: end }, { from: 0, to: end * 2 }, { from: start + 1, to: start + 86_400_000 * 3 + 17 }, { from: start + 5_000_000, to: start + 5_000_400 },
      { from: Date.UTC(2026, 9, 25), to: Date.UTC(2026, 10, 1) }, { from: Date.UTC(2026, 9, 25, 0, 15), to: Date.UTC(2026, 9, 26, 0, 30) },
      { from: start + 80_000_000, to: start + 100_000_000 },
    ];
    const database = new DatabaseSync(join(folder, 'ledger.db'));
    const queries = new SpendQueries(database, 'none', new Guard('The reading of a row', silentLog));
    const before = ranges.map((range) => queries.spend(range));
    assert.equal(before[0]?.totals.microUsd, 1_000_000 + Array.from({ length: 3_500 }, (_, index) => (index % 9 === 0 ? 0 : index)).reduce((a, b) => a + b));
    assert.equal(queries.fold(), true);
    assert.deepEqual(ranges.map((range) => queries.spend(range)), before);
    while (queries.fold());
    assert.deepEqual(ranges.map((range) => queries.spend(range)), before);
    assert.deepEqual(await Promise.all(ranges.map((range) => ledger.spend(range))), before);
    const rolledUp = Number(database.prepare(`SELECT value FROM counters WHERE name = 'rolled_up'`).get()?.['value']);
    assert.ok(rolledUp >= 1_500, 'some of it is rolled up');
    ledger.close(aReceipt('runs', { startedAt: stillRunning.startedAt, attempts: [{ ...stillRunning, outcome: 'ok', cost: exact(2_000_000) }] }));
    assert.equal((await ledger.spend({ from: start, to: end })).totals.microUsd, (before[0]?.totals.microUsd ?? 0) + 1_000_000);
    database.close();
    ledger.shutdown();
  });

  it('waits for the price of an attempt that ended before its exchange', async () => {
    const folder = newFolder();
    const ledger = open(folder, 'a');
    const failed = anAttempt({ outcome: 'failed', failureClass: 'server', usage: {}, cost: { certainty: 'unknown' } });
    const second = anAttempt({ number: 2, outcome: 'interrupted', cost: exact(1) });
    ledger.open(running(aReceipt('long', { attempts: [failed, second] })));
    ledger.flush();
    for (let index = 0; index < 2_500; index += 1) ledger.close(aReceipt(`x-${index}`, { attempts: [anAttempt({ cost: exact(2) })] }));
    const range = { from: noon, to: noon + 900_000 };
    assert.equal((await ledger.spend(range)).totals.unknownAttempts, 1);
    assert.deepEqual(rowsIn(folder, `SELECT value FROM counters WHERE name = 'rolled_up'`).map((row) => row['value']), [0]);
    ledger.close(aReceipt('long', { attempts: [{ ...failed, cost: exact(50) }, { ...second, outcome: 'ok', cost: exact(3) }] }));
    for (let reads = 0; reads < 4; reads += 1) await ledger.spend(range);
    const { totals } = await ledger.spend(range);
    assert.deepEqual([totals.microUsd, totals.unknownAttempts], [2_500 * 2 + 53, 0]);
    assert.notEqual(rowsIn(folder, `SELECT value FROM counters WHERE name = 'rolled_up'`)[0]?.['value'], 0);
    ledger.shutdown();
  });

  it('waits for the end of an exchange one of whose attempts has ended, which may be its last', async () => {
    const folder = newFolder();
    const ledger = open(folder, 'a');
    const first = anAttempt({ outcome: 'interrupted', cost: exact(1) });
    const lost = anAttempt({ number: 2, endpoint: 'hedge', role: 'hedge', outcome: 'cancelled', cost: { certainty: 'estimated', microUsd: 30 } });
    ledger.open({ ...aReceipt('long', { attempts: [first, lost] }), outcome: 'open' });
    ledger.flush();
    for (let index = 0; index < 2_500; index += 1) ledger.close(aReceipt(`x-${index}`, { attempts: [anAttempt({ cost: exact(2) })] }));
    const range = { from: noon, to: noon + 900_000 };
    await ledger.spend(range);
    ledger.close(aReceipt('long', { attempts: [{ ...first, outcome: 'ok', cost: exact(3) }, { ...lost, cost: exact(50) }] }));
    for (let reads = 0; reads < 4; reads += 1) await ledger.spend(range);
    assert.notEqual(rowsIn(folder, `SELECT value FROM counters WHERE name = 'rolled_up'`)[0]?.['value'], 0);
    const { totals, byEndpoint } = await ledger.spend(range);
    assert.deepEqual([totals.microUsd, totals.estimatedMicroUsd], [2_500 * 2 + 53, 0]);
    assert.equal(byEndpoint.find(({ name }) => name === 'hedge')?.exchanges, 1);
    ledger.shutdown();
  });

  it('goes on where a slot holds a figure that nothing can be added to', async () => {
    const folder = newFolder();
    const ledger = open(folder, 'a');
    for (let index = 0; index < 2_100; index += 1) ledger.close(aReceipt(`x-${index}`));
    ledger.flush();
    const database = new DatabaseSync(join(folder, 'ledger.db'));
    for (const [level, width] of [[0, 900_000], [1, 86_400_000]] as const) {
      database.prepare(`INSERT INTO spend_slots VALUES (?, ?, 'openai', 'gpt-4.1', 'claude-code', 'shop', 9223372036854775807, 0, 0, 1, 9223372036854775807, 0, 0, 0, 0, 0, 0, 0)`)
        .run(level, Math.floor(noon / width));
    }
    const queries = new SpendQueries(database, 'none', new Guard('The reading of a row', silentLog));
    assert.doesNotThrow(() => { queries.fold(); });
    assert.equal(database.prepare(`SELECT value FROM counters WHERE name = 'rolled_up'`).get()?.['value'], 1_000);
    assert.equal(queries.spend({ from: noon, to: noon + 1 }).totals.microUsd, 2_100 * 2_800);
    database.close();
    ledger.shutdown();
  });
});
