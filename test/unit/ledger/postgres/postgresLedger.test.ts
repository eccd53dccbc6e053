import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { startNetwork } from '../../../support/engines/network.ts';
import { missingEngine, startPostgres } from '../../../support/engines/engines.ts';
import { aReceipt, anAttempt, exact, noon, running, tokens } from '../receipts.ts';
import { aReplica, type Replica } from './sharedLedgers.ts';

const missing = missingEngine('postgres');
const day = { from: noon - 3_600_000, to: noon + 3_600_000 };
type Engine = Awaited<ReturnType<typeof startPostgres>>;

const costing = (id: string, microUsd: number, more: Parameters<typeof aReceipt>[1] = {}): ReturnType<typeof aReceipt> => aReceipt(id, { attempts: [anAttempt({ cost: exact(microUsd) })], ...more });
const total = async ({ shared }: Replica): Promise<number> => (await shared.spend(day)).totals.microUsd;

describe('the ledger that replicas share', { skip: missing }, () => {
  let engine: Engine;
  before(async () => { engine = await startPostgres(); });
  const told = (sql: string): string => engine.query(sql)[0]?.join(' ') ?? '';

  it('has the sums of all replicas, what one of them runs now among its own, and the receipts of each', async () => {
    const schema = 'two';
    const [one, other] = [aReplica(engine.url, 'two-1', { schema }), aReplica(engine.url, 'two-2', { schema })];
    one.local.close(costing('a-1', 100, { title: 'Why is the sky blue' }));
    assert.equal(await total(one), 100);
    other.local.close(costing('b-1', 20, { caller: { tool: 'codex', token: 'ci' } }));
    other.local.open(running(costing('b-2', 3)));
    assert.equal(await total(other), 123);
    const report = await one.shared.spend(day);
    assert.deepEqual([report.totals.microUsd, report.totals.exchanges, report.byTool.map(({ name }) => name), report.scope], [120, 2, ['claude-code', 'codex'], { replicas: 'all', count: 2 }]);
    assert.deepEqual((await one.shared.spentBy(day, 'token')).sort((a, b) => b.microUsd - a.microUsd), [{ name: 'ci-x4k2', microUsd: 100, unknown: 0 }, { name: 'ci', microUsd: 20, unknown: 0 }]);
    assert.deepEqual(await one.shared.receipt('b-1'), await other.local.receipt('b-1'));
    assert.deepEqual([(await other.shared.receipt('a-1'))?.id, (await other.shared.receipt('a-1'))?.title], ['a-1', undefined]);
    assert.equal(await one.shared.receipt('b-2'), undefined);
    await Promise.all([one.close(), other.close()]);
  });

  it('has what a replica recorded before it was configured, and counts nothing twice however often it is copied', async () => {
    const schema = 'twice';
    const first = aReplica(engine.url, 'twice', { schema });
    for (let index = 0; index < 450; index += 1) first.local.close(costing(`e-${String(index)}`, 1));
    assert.equal(await total(first), 450);
    const state = first.journal.follow();
    first.journal.restart(state.store ?? '', state.batches);
    assert.equal(first.journal.backlog().exchanges, 450);
    assert.equal(await total(first), 450);
    await first.close();
    assert.equal(told(`SELECT count(*), sum(micro_usd) FROM ${schema}.attempts`), '450 450');
  });

  it('takes a price that comes after the record, into sums that were made before too, and never takes one back', async () => {
    const schema = 'late';
    const replica = aReplica(engine.url, 'late', { schema });
    const unpriced = anAttempt({ cost: { certainty: 'unknown' } });
    replica.local.close(aReceipt('x-1', { attempts: [unpriced] }));
    assert.equal((await replica.shared.spend(day)).totals.unknownAttempts, 1);
    await replica.until(() => told(`SELECT count(*) FROM ${schema}.changed_slots`) === '0' && told(`SELECT unknown_attempts FROM ${schema}.spend_by_day`) === '1');
    replica.local.close(aReceipt('x-1', { attempts: [anAttempt({ cost: exact(7) })] }));
    assert.deepEqual(await replica.shared.spend(day).then(({ totals }) => [totals.microUsd, totals.unknownAttempts, totals.exchanges]), [7, 0, 1]);
    await replica.until(() => told(`SELECT count(*) FROM ${schema}.changed_slots`) === '0');
    assert.deepEqual(await replica.shared.spend(day).then(({ totals }) => [totals.microUsd, totals.unknownAttempts, totals.exchanges]), [7, 0, 1]);
    await replica.close();
  });

  it('has everything after the network was cut, and says meanwhile that it is away, without its password', async () => {
    const schema = 'cut';
    const network = await startNetwork(engine.port);
    const [one, other] = [aReplica(network.through(engine.url), 'cut-1', { schema }), aReplica(engine.url, 'cut-2', { schema })];
    one.local.close(costing('a-1', 1));
    other.local.close(costing('b-1', 20));
    assert.equal(await total(one), 1);
    network.state = 'cut';
    for (let index = 2; index < 300; index += 1) one.local.close(costing(`a-${String(index)}`, 1));
    await assert.rejects(one.shared.spend(day), (error: Error) => {
      assert.doesNotMatch(error.message, new RegExp(new URL(engine.url).password));
      return /^PostgreSQL at 127\.0\.0\.1:\d+ (?:does not answer|failed with ECONNRESET)/.test(error.message);
    });
    assert.deepEqual([one.shared.figures().isUp, one.shared.figures().waiting], [false, 298]);
    assert.equal(await total(other), 21);
    network.state = 'up';
    await one.until(() => one.shared.figures().waiting === 0);
    assert.deepEqual([await total(one), await total(other)], [319, 319]);
    assert.equal(one.lines.filter(line => line.startsWith('warn: The shared ledger cannot be used now')).length, 1);
    assert.equal(one.lines.filter(line => line.startsWith('info: ')).length, 1);
    await Promise.all([one.close(), other.close()]);
    await network.close();
  });

  it('loses and doubles nothing where a replica ends between the copy and its note of it', async () => {
    const schema = 'ended';
    const before = aReplica(engine.url, 'ended', { schema });
    for (let index = 0; index < 10; index += 1) before.local.close(costing(`e-${String(index)}`, 1));
    assert.equal(await total(before), 10);
    const state = before.journal.follow();
    // The note is as it was before the batch.
    before.journal.restart(state.store ?? '', state.batches - 1);
    await before.close();
    const later = aReplica(engine.url, 'ended', { schema });
    later.local.close(costing('e-10', 1));
    assert.equal(await total(later), 11);
    assert.equal(later.lines.length, 0);
    await later.close();
  });

  it('is copied again where the database has lost records, as after a restored backup', async () => {
    const schema = 'lost';
    const replica = aReplica(engine.url, 'lost', { schema });
    replica.local.close(costing('e-1', 1));
    assert.equal(await total(replica), 1);
    replica.local.close(costing('e-2', 2));
    assert.equal(await total(replica), 3);
    await replica.close();
    told(`DELETE FROM ${schema}.attempts WHERE exchange_id = 'e-2'; DELETE FROM ${schema}.exchanges WHERE id = 'e-2'; UPDATE ${schema}.replicas SET batches = batches - 1`);
    const again = aReplica(engine.url, 'lost', { schema });
    assert.equal(await total(again), 3);
    assert.match(again.lines.join(), /has lost records of this replica/);
    await again.close();
  });

  it('is copied again where a standby without the last records takes over and no statement fails', async () => {
    const schema = 'standby';
    const replica = aReplica(engine.url, 'standby', { schema });
    replica.local.close(costing('e-1', 1));
    assert.equal(await total(replica), 1);
    replica.local.close(costing('e-2', 2));
    assert.equal(await total(replica), 3);
    told(`DELETE FROM ${schema}.attempts WHERE exchange_id = 'e-2'; DELETE FROM ${schema}.exchanges WHERE id = 'e-2'; UPDATE ${schema}.replicas SET batches = batches - 1`);
    replica.local.close(costing('e-3', 4));
    await replica.until(() => replica.shared.figures().waiting === 0 && replica.shared.figures().isUp && told(`SELECT count(*) FROM ${schema}.exchanges`) === '3');
    assert.equal(await total(replica), 7);
    assert.match(replica.lines.join(), /has lost records of this replica/);
    await replica.close();
  });

  it('has the sums of a record of which PostgreSQL refuses a figure, leaves out one that it refuses whole, says which, and copies the others', async () => {
    const schema = 'refused';
    const replica = aReplica(engine.url, 'refused', { schema });
    await total(replica);
    told(`ALTER TABLE ${schema}.attempts ADD CONSTRAINT of_this_test CHECK (micro_usd <> 666)`);
    replica.local.close(costing('e-1', 1));
    replica.local.close(costing('e-0', 666));
    replica.local.close(aReceipt('e-2', { attempts: [anAttempt({ cost: exact(50), usage: tokens(10, 20), status: 5_000_000_000 })] }));
    replica.local.close(aReceipt('e-3', { message: 'a\0b \ud800', attempts: [anAttempt({ cost: exact(2), message: 'half a pair: \udc00' })] }));
    await replica.until(() => replica.shared.figures().waiting === 0 && replica.shared.figures().isUp);
    assert.deepEqual(await replica.shared.spend(day).then(({ totals }) => [totals.microUsd, totals.exchanges]), [53, 3]);
    assert.equal(replica.shared.figures().refused, 1);
    assert.match(replica.lines.join('\n'), /error: The shared ledger refuses the request e-0, which stays in the local ledger alone: /);
    assert.match(replica.lines.join('\n'), /warn: The shared ledger refuses figures of the request e-2, which is copied without those that are in no sum: /);
    assert.equal((await replica.local.receipt('e-2'))?.attempts[0]?.status, 5_000_000_000);
    assert.equal((await replica.shared.receipt('e-3'))?.message, 'ab \ufffd');
    await replica.close();
  });

  it('has its schema made once by replicas that start together', async () => {
    const schema = 'together';
    const replicas = ['t-1', 't-2', 't-3', 't-4'].map(folder => aReplica(engine.url, folder, { schema }));
    for (const [index, { local }] of replicas.entries()) local.close(costing(`t-${String(index)}`, 10 ** index));
    await Promise.all(replicas.map(total));
    assert.equal(await total(replicas[0] as Replica), 1_111);
    assert.equal(told(`SELECT count(*), max(version) FROM ${schema}.ledger`), '1 1');
    await Promise.all(replicas.map(replica => replica.close()));
  });

  it('is refused in one sentence where a newer version made its schema', async () => {
    const schema = 'newer';
    const old = aReplica(engine.url, 'newer-1', { schema });
    old.local.close(costing('e-1', 1));
    await total(old);
    await old.close();
    told(`UPDATE ${schema}.ledger SET version = 99`);
    const replica = aReplica(engine.url, 'newer-2', { schema });
    await assert.rejects(replica.shared.spend(day), { message: 'The schema "newer" of the shared ledger was made by a newer version of Waybill (99, this one knows 1); update this replica.' });
    await replica.close();
  });

  it('says in one sentence what is wrong with a login, a database and an address', async () => {
    const wrong = (change: (url: URL) => void): string => {
      const url = new URL(engine.url);
      change(url);
      return url.href;
    };
    for (const [folder, url, sentence] of [
      ['w-1', wrong(url => { url.password = 'open-secret'; }), /^PostgreSQL at .* refuses the login of "postgres"; correct the user and the password/],
      ['w-2', wrong(url => { url.pathname = '/nowhere'; }), /^PostgreSQL at .* has no database "nowhere"; create it/],
      ['w-3', wrong(url => { url.port = '1'; }), /^Nothing answers at 127\.0\.0\.1:1; see that PostgreSQL runs there\./],
      ['w-4', wrong(url => { url.search = 'sslmode=require'; }), /^PostgreSQL at .* does not speak TLS; switch it on there/],
    ] as const) {
      const replica = aReplica(url, folder);
      await assert.rejects(replica.shared.spend(day), (error: Error) => sentence.test(error.message) && !error.message.includes('open-secret'));
      await replica.close();
      assert.doesNotMatch(replica.lines.join('\n'), /open-secret/);
    }
  });

  it('forgets records after the time that is set, and keeps their sums', async () => {
    const schema = 'kept';
    const long = { from: noon - 40 * 86_400_000, to: noon + 86_400_000 };
    const replica = aReplica(engine.url, 'kept', { schema, keptMs: undefined });
    const old = noon - 30 * 86_400_000;
    replica.local.close(aReceipt('old', { startedAt: old, attempts: [anAttempt({ startedAt: old, cost: exact(5) })] }));
    replica.local.close(costing('new', 3));
    await total(replica);
    await replica.until(() => told(`SELECT count(*) FROM ${schema}.changed_slots`) === '0' && replica.shared.figures().exchanges === 2);
    await replica.close();
    const forgetting = aReplica(engine.url, 'kept', { schema, keptMs: 10 * 86_400_000 });
    await forgetting.until(() => told(`SELECT count(*) FROM ${schema}.attempts`) === '1' && told(`SELECT count(*) FROM ${schema}.exchanges`) === '1');
    assert.deepEqual(await forgetting.shared.spend(long).then(({ totals }) => [totals.microUsd, totals.exchanges]), [8, 2]);
    assert.equal(await forgetting.shared.receipt('old'), undefined);
    await forgetting.close();
  });

  it('has what a request used of tokens apart, and no text of it', async () => {
    const schema = 'texts';
    const replica = aReplica(engine.url, 'texts', { schema });
    replica.local.close(aReceipt('e-1', { attempts: [anAttempt({ usage: { ...tokens(10, 20), cacheReadTokens: 30, cacheWriteTokens: 40, cacheWrite1hTokens: 50, reasoningTokens: 5 } })] }));
    await total(replica);
    assert.equal(told(`SELECT input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, cache_write_1h_tokens, reasoning_tokens FROM ${schema}.attempts`), '10 20 30 40 50 5');
    assert.equal(told(`SELECT count(*) FROM information_schema.columns WHERE table_schema = '${schema}' AND column_name ~ 'prompt|answer|body|content'`), '0');
    await replica.close();
  });
});

describe('a PostgreSQL that is killed', { skip: missing }, () => {
  it('has all records once after it was killed while they were copied, and again after it began empty', async () => {
    const engine = await startPostgres();
    const replica = aReplica(engine.url, 'killed');
    for (let index = 0; index < 3_000; index += 1) replica.local.close(costing(`k-${String(index)}`, 1));
    replica.local.flush();
    const copying = replica.until(() => replica.shared.figures().batches >= 3);
    await copying;
    await engine.kill();
    for (let index = 3_000; index < 3_100; index += 1) replica.local.close(costing(`k-${String(index)}`, 1));
    await replica.until(() => !replica.shared.figures().isUp);
    assert.ok(replica.shared.figures().waiting >= 100);
    await engine.start();
    await replica.until(() => replica.shared.figures().waiting === 0);
    assert.equal(await total(replica), 3_100);
    assert.deepEqual(engine.query('SELECT count(*), sum(micro_usd) FROM waybill.attempts'), [['3100', '3100']]);

    await engine.stop();
    engine.empty();
    await engine.start();
    replica.local.close(costing('k-3100', 1));
    await replica.until(() => replica.shared.figures().waiting === 0 && replica.shared.figures().isUp);
    assert.equal(await total(replica), 3_101);
    assert.deepEqual(engine.query('SELECT count(*), sum(micro_usd) FROM waybill.attempts'), [['3101', '3101']]);
    assert.match(replica.lines.join(), /The shared ledger is another one than before: everything that this replica has is copied to it\./);
    await replica.close();
    await engine.close();
  });
});
