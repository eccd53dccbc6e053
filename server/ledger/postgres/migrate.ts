import { randomBytes } from 'node:crypto';
import { SharedLedgerError, type Connections } from './connection.ts';
import { migrations } from './migrations.ts';

/** Advisory locks are numbers of the whole database: these two are of a hash of the schema's name. */
const migrationLock = 'migration';
export const rollUpLock = 'roll-up';

/** An expression that takes a lock until the transaction ends. @param name of what nobody else does meanwhile */
export const lockSql = (take: 'pg_advisory_xact_lock' | 'pg_try_advisory_xact_lock', schema: string, name: string): string => `${take}(hashtext('waybill ${schema}'), hashtext('${name}'))`;

/**
 * Brings the schema to this version. Of servers that start at once one does it, and the others wait.
 * @returns the id of this ledger: a database that is made anew has another one
 * @throws SharedLedgerError
 */
export async function migrate(connections: Connections, schema: string): Promise<string> {
  return connections.run('write', async ({ all }) => {
    await all(`SELECT set_config('lock_timeout', '0', true), ${lockSql('pg_advisory_xact_lock', schema, migrationLock)}`);
    const [found] = await all('SELECT to_regclass($1)::text AS found', [`${schema}.ledger`]);
    if (typeof found?.['found'] !== 'string') {
      // Who may not create schemas can be given one.
      const [there] = await all('SELECT to_regnamespace($1)::text AS there', [schema]);
      if (typeof there?.['there'] !== 'string') await all(`CREATE SCHEMA ${schema}`);
      await all(`CREATE TABLE ${schema}.ledger (id text NOT NULL, version integer NOT NULL)`);
      await all(`INSERT INTO ${schema}.ledger (id, version) VALUES ($1, 0)`, [randomBytes(12).toString('hex')]);
    }
    const [row] = await all(`SELECT id, version FROM ${schema}.ledger`);
    const version = Number(row?.['version'] ?? 0);
    if (version > migrations.length) {
      throw new SharedLedgerError(`The schema "${schema}" of the shared ledger was made by a newer version of Waybill (${version}, this one knows ${migrations.length}); update this replica.`, true);
    }
    for (const step of migrations.slice(version)) await all(step.replaceAll('$schema', schema));
    if (version < migrations.length) await all(`UPDATE ${schema}.ledger SET version = $1`, [migrations.length]);
    return String(row?.['id']);
  });
}
