import assert from 'node:assert/strict';
import { hostname } from 'node:os';
import { describe, it } from 'node:test';
import { findProvider, providers } from '../../../server/catalog/providers.ts';
import { parseYamlConfig, type LoadedConfig } from '../../../server/config/yamlConfig.ts';
import { supportedProtocols } from '../../../server/protocols/registry.ts';

const environment = {
  DATABASE_URL: 'postgres://someone:sw%2Frd-fish@db.example.com:6432/team', INNER: 'postgresql://waybill@db:5433/ledger', PASSWORD: 'swordfish', SOCKET: 'postgres:///ledger?host=/run/postgresql',
  PLAIN: 'postgres://w:open-secret@db.example.com/ledger?sslmode=disable', REQUIRED: 'postgres://w@db.internal/ledger?sslmode=require&channel_binding=require', ODD: 'postgres://w@db/ledger?sslmode=maybe',
};

function load(ledger: string): LoadedConfig {
  return parseYamlConfig(`endpoints: {}\nroutes: {}\nledger: ${ledger}\n`, 'waybill.yaml', environment, { catalog: { providers, findProvider }, supportedProtocols });
}

describe('the ledger that replicas share', () => {
  it('is one address, encrypted beyond private networks, whose password no log may have', () => {
    const { config: { ledger }, problems } = load('{ postgres: "${DATABASE_URL}" }');
    assert.deepEqual(problems, []);
    assert.deepEqual(ledger, {
      postgres: { host: 'db.example.com', port: 6432, database: 'team', user: 'someone', password: 'sw/rd-fish', tls: { caFile: undefined }, schema: 'waybill', connections: 4, keptMs: undefined, name: hostname() },
      secrets: ['sw/rd-fish', environment.DATABASE_URL],
    });
  });

  it('has its password, authority, schema, connections, retention and name in fields of their own', () => {
    const { config: { ledger }, problems } = load('{ postgres: { url: "${INNER}", password: "${PASSWORD}", caFile: /etc/ca.pem, schema: team_a, connections: 2, retentionDays: 90, name: eu-1 } }');
    assert.deepEqual(problems, []);
    assert.deepEqual(ledger?.postgres, {
      host: 'db', port: 5433, database: 'ledger', user: 'waybill', password: 'swordfish', tls: { caFile: '/etc/ca.pem' }, schema: 'team_a', connections: 2, keptMs: 90 * 86_400_000, name: 'eu-1',
    });
  });

  it('is a socket of this machine, or unencrypted on a private network, unless the address says otherwise', () => {
    const { host, database, tls } = load('{ postgres: "${SOCKET}" }').config.ledger?.postgres ?? {};
    assert.deepEqual([host, database, tls], ['/run/postgresql', 'ledger', undefined]);
    assert.equal(load('{ postgres: "${INNER}" }').config.ledger?.postgres?.tls, undefined);
    assert.deepEqual(load('{ postgres: "${REQUIRED}" }').config.ledger?.postgres?.tls, { caFile: undefined });
  });

  it('is none where nothing is written', () => {
    assert.equal(load('').config.ledger, undefined);
    assert.equal(load('{}').config.ledger, undefined);
  });

  it('does not come with titles of conversations, which are kept only where that is written', () => {
    const { config: { ledger, keepTitles }, problems } = load('{ keepTitles: true }');
    assert.deepEqual([ledger, keepTitles, problems], [undefined, true, []]);
    assert.equal(load('{ postgres: "${INNER}" }').config.keepTitles, undefined);
    const wrong = load('{ keepTitles: sometimes, postgres: "${INNER}" }');
    assert.deepEqual([wrong.config.keepTitles, wrong.config.ledger?.postgres?.host], [undefined, 'db']);
    assert.match(wrong.problems.map(({ message }) => message).join('\n'), /^Titles of conversations are not kept: "keepTitles" must be true or false\.$/);
  });

  for (const [what, written, expected] of [
    ['a variable that is not set', '{ postgres: "${NO_SUCH}" }', /in "url", the environment variable NO_SUCH is not set\./],
    ['no address', '{ postgres: "db.internal:5432/waybill" }', /must be an address such as postgres:\/\/waybill:PASSWORD@db\.internal:5432\/waybill/],
    ['no database', '{ postgres: "postgres://waybill@db" }', /must end with the name of a database/],
    ['a password in the file', '{ postgres: "postgres://someone:open-secret@db/ledger" }', /a password must not stand in this file; put it into an environment variable/],
    ['a password in the file, in its field', '{ postgres: { url: "${INNER}", password: open-secret } }', /a password must not stand in this file; put it into an environment variable/],
    ['clear text over a public network', '{ postgres: "${PLAIN}" }', /would send records in clear text to db\.example\.com; set "tls" to true\./],
    ['an unknown sslmode', '{ postgres: "${ODD}" }', /"sslmode" of "url" must be disable or one of/],
    ['a schema that needs quotes', '{ postgres: { url: "${INNER}", schema: "My Schema" } }', /schema/],
  ] as const) {
    it(`is away, and the reason is said: ${what}`, () => {
      const { config: { ledger }, problems } = load(written);
      assert.equal(ledger !== undefined && ledger.postgres === undefined, true);
      assert.match(problems.map(({ message }) => message).join('\n'), expected);
      assert.match(problems[0]?.message ?? '', /^The shared ledger is not used, as if it were away:/);
      assert.doesNotMatch(JSON.stringify(problems), /open-secret/);
    });
  }
});
