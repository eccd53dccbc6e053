import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import pg from 'pg';
import { missingEngine, startPostgres } from '../../../support/engines/engines.ts';
import { aReceipt, anAttempt, exact, noon } from '../receipts.ts';
import { aReplica, type Replica } from './sharedLedgers.ts';

const day = { from: noon - 3_600_000, to: noon + 3_600_000 };
const costing = (id: string, microUsd: number): ReturnType<typeof aReceipt> => aReceipt(id, { attempts: [anAttempt({ cost: exact(microUsd) })] });
const total = async ({ shared }: Replica): Promise<number> => (await shared.spend(day)).totals.microUsd;

describe('a PostgreSQL that is slow and not away', { skip: missingEngine('postgres') }, () => {
  let engine: Awaited<ReturnType<typeof startPostgres>>;
  before(async () => { engine = await startPostgres(); });
  const told = (sql: string): string => engine.query(sql)[0]?.join(' ') ?? '';

  /** Holds a table until the call of what it returns. */
  async function held(table: string, mode: string): Promise<() => Promise<void>> {
    const client = new pg.Client({ connectionString: engine.url });
    await client.connect();
    await client.query(`BEGIN; LOCK TABLE ${table} IN ${mode} MODE`);
    return () => client.end();
  }

  it('is up while its sums cannot be made, which are read from the records meanwhile', async () => {
    const schema = 'slow_sums';
    const replica = aReplica(engine.url, 'slow-sums', { schema });
    replica.local.close(costing('e-1', 1));
    assert.equal(await total(replica), 1);
    // Reads go on; deleting waits.
    const release = await held(`${schema}.spend_cells`, 'SHARE ROW EXCLUSIVE');
    replica.local.close(costing('e-2', 20));
    await replica.until(() => replica.shared.figures().errors > 0 && replica.shared.figures().waiting === 0);
    assert.equal(replica.shared.figures().isUp, true);
    assert.equal(await total(replica), 21);
    assert.match(replica.lines.join('\n'), /^warn: The sums of the shared ledger were not brought up to date: PostgreSQL at .* held a lock for too long\. Reports are right/m);
    assert.doesNotMatch(replica.lines.join('\n'), /cannot be used now/);
    await release();
    await replica.until(() => told(`SELECT count(*) FROM ${schema}.changed_slots`) === '0');
    assert.equal(await total(replica), 21);
    await replica.close();
  });

  it('is up and read while it does not take what is recorded, which is in the sums and copied later', async () => {
    const schema = 'slow_copy';
    const replica = aReplica(engine.url, 'slow-copy', { schema });
    replica.local.close(costing('e-1', 1));
    assert.equal(await total(replica), 1);
    const release = await held(`${schema}.exchanges`, 'SHARE ROW EXCLUSIVE');
    replica.local.close(costing('e-2', 20));
    await replica.until(() => replica.shared.figures().errors > 0);
    assert.deepEqual([replica.shared.figures().isUp, replica.shared.figures().waiting], [true, 1]);
    assert.equal(await total(replica), 21);
    assert.match(replica.lines.join('\n'), /^warn: The shared ledger did not take what is recorded in time: /m);
    await release();
    await replica.until(() => replica.shared.figures().waiting === 0);
    assert.equal(told(`SELECT sum(micro_usd) FROM ${schema}.attempts`), '21');
    await replica.close();
  });

  it('takes what is recorded while reports have all connections that they may, and says that to further ones', async () => {
    const schema = 'reports';
    const replica = aReplica(engine.url, 'reports', { schema, connections: 2 });
    replica.local.close(costing('e-1', 1));
    assert.equal(await total(replica), 1);
    await replica.until(() => told(`SELECT count(*) FROM ${schema}.changed_slots`) === '0');
    const release = await held(`${schema}.spend_slots`, 'ACCESS EXCLUSIVE');
    const reports = Array.from({ length: 8 }, () => replica.shared.spend(day).then(() => 'answered', (error: Error) => error.message));
    replica.local.close(costing('e-2', 20));
    await replica.until(() => replica.shared.figures().waiting === 0);
    const answers = await Promise.all(reports);
    assert.ok(answers.some(answer => /^Other reports keep the connections to PostgreSQL at .* busy; try again in a moment, or raise "ledger\.postgres\.connections"\.$/.test(answer)), answers.join('\n'));
    assert.equal(replica.shared.figures().isUp, true);
    assert.doesNotMatch(replica.lines.join('\n'), /cannot be used now/);
    await release();
    assert.equal(await total(replica), 21);
    await replica.close();
  });
});
