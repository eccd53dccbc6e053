import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { findProvider, providers } from '../../../server/catalog/providers.ts';
import { resolveConfig } from '../../../server/config/resolve.ts';
import { parseYamlConfig, type LoadedConfig } from '../../../server/config/yamlConfig.ts';
import { supportedProtocols } from '../../../server/protocols/registry.ts';

const environment = { REDIS_URL: 'rediss://someone:sw%2Frd-fish@redis.example.com:6380/3', REDIS_PASSWORD: 'swordfish' };

function load(state: string): LoadedConfig {
  return parseYamlConfig(`endpoints: {}\nroutes: {}\nstate: ${state}\n`, 'waybill.yaml', environment, { catalog: { providers, findProvider }, supportedProtocols });
}

describe('what servers on several machines share', () => {
  it('is one address, whose password no log may have', () => {
    const { config: { state }, problems } = load('{ redis: "${REDIS_URL}" }');
    assert.deepEqual(problems, []);
    assert.deepEqual(state?.redis, {
      host: 'redis.example.com', port: 6380, database: 3, username: 'someone', password: 'sw/rd-fish', prefix: 'waybill', cluster: false, tls: {}, connectTimeoutMs: 100, commandTimeoutMs: 100,
    });
    assert.deepEqual(state?.secrets, ['sw/rd-fish', environment.REDIS_URL]);
  });

  it('has its password, files, prefix and timeouts in fields of their own', () => {
    const { config: { state }, problems } = load('{ redis: { url: "rediss://redis.internal", password: "${REDIS_PASSWORD}", prefix: team-a, cluster: true, tls: { caFile: ca.pem }, connectTimeoutMs: 50, commandTimeoutMs: 20 } }');
    assert.deepEqual(problems, []);
    assert.deepEqual(state?.redis, {
      host: 'redis.internal', port: 6379, database: 0, username: undefined, password: 'swordfish', prefix: 'team-a', cluster: true,
      tls: { caFile: 'ca.pem', certFile: undefined, keyFile: undefined, serverName: undefined }, connectTimeoutMs: 50, commandTimeoutMs: 20,
    });
  });

  describe('answers that servers keep for each other', () => {
    const secret = 'a secret of thirty-two characters';
    const withRoute = (state: string, variables: Record<string, string> = { ...environment, SECRET: secret, SHORT: 'short' }): LoadedConfig => parseYamlConfig(
      `endpoints: { a: { provider: openai-compatible, baseUrl: "http://127.0.0.1:1/v1", models: { m: {} } } }\nroutes: { batch: { targets: [a/m], responseCache: { replicas: true } } }\n${state}\n`, 'waybill.yaml', variables, { catalog: { providers, findProvider }, supportedProtocols },
    );

    it('want a secret from the environment, which no log may have', () => {
      const { config: { state, routes }, problems } = withRoute('state: { redis: "redis://localhost", answers: { secret: "${SECRET}", maxBytes: 1000000 } }');
      assert.deepEqual(problems, []);
      assert.deepEqual(state?.answers, { secret, maxBytes: 1_000_000, maxAnswerBytes: 262_144, waitMs: 50 });
      assert.deepEqual(state?.secrets, [secret]);
      assert.equal(routes.get('batch')?.responseCache?.replicas, true);
    });

    for (const [what, state, expected] of [
      ['no secret', 'state: { redis: "redis://localhost" }', /^Route "batch": its answers stay in the memory of this server: "replicas" wants in "state" an "answers" with a "secret" that all servers have\.$/],
      ['no store', '', /^Route "batch": .*: "replicas" wants "state" with a "redis" and with an "answers" with a "secret" that all servers have\.$/],
      ['a secret and no store', 'state: { answers: { secret: "${SECRET}" } }', /^Route "batch": .*wants "state" with a "redis"/],
      ['a secret in the file', 'state: { redis: "redis://localhost", answers: { secret: "an open secret of thirty-two letters" } }', /^Servers keep no answers for each other: the secret must not stand in this file; put it into an environment variable/],
      ['a short secret', 'state: { redis: "redis://localhost", answers: { secret: "${SHORT}" } }', /^Servers keep no answers for each other: the secret must have at least 32 characters; "openssl rand -base64 32" makes one\.$/],
      ['a variable that is not set', 'state: { redis: "redis://localhost", answers: { secret: "${NO_SUCH}" } }', /^Servers keep no answers for each other: in "secret", the environment variable NO_SUCH is not set\.$/],
    ] as const) {
      it(`stay in memory, and the reason is said once, after ${what}`, () => {
        const { config, problems } = withRoute(state);
        assert.equal(problems.length, 1, JSON.stringify(problems));
        assert.match(problems[0]?.message ?? '', expected);
        assert.doesNotMatch(problems[0]?.message ?? '', /open secret/);
        assert.equal(config.state?.answers, undefined);
        const { responseCache } = config.routes.get('batch') ?? {};
        assert.equal(responseCache?.replicas, false);
        assert.equal(config.state === undefined || config.state.redis !== undefined, true, 'limits and budgets are shared all the same');
      });
    }

    it('are not shared by settings of the editor', () => {
      const { config, problems } = resolveConfig({ endpoints: { a: { provider: 'openai-compatible', baseUrl: 'http://127.0.0.1:1/v1', models: { m: {} } } }, routes: { batch: { targets: ['a/m'], responseCache: { replicas: true } } } }, { catalog: { providers, findProvider }, supportedProtocols, source: 'settings' });
      assert.equal(config.routes.get('batch')?.responseCache?.replicas, false);
      assert.match(problems[0]?.message ?? '', /^Route "batch": its answers stay in the memory of this server: .*take "replicas" out here\.$/);
    });
  });

  it('is none where nothing is written', () => {
    assert.equal(load('').config.state, undefined);
    assert.equal(load('{}').config.state, undefined);
  });

  for (const [what, written, expected] of [
    ['a variable that is not set', '{ redis: "${NO_SUCH}" }', /"url", the environment variable NO_SUCH is not set\./],
    ['no address', '{ redis: "redis.internal:6379" }', /must be an address such as redis:\/\/redis\.internal:6379/],
    ['a password in the file', '{ redis: "rediss://someone:open-secret@redis.example.com" }', /a password must not stand in this file; put it into an environment variable/],
    ['a password in a field of the file', '{ redis: { url: "redis://localhost", password: open-secret } }', /a password must not stand in this file/],
    ['clear text beyond private networks', '{ redis: "redis://redis.example.com" }', /clear text to redis\.example\.com; use rediss:\/\//],
    ['files for a connection in clear text', '{ redis: { url: "redis://localhost", tls: { caFile: ca.pem } } }', /"tls" is for an address that begins with rediss:\/\//],
    ['a certificate without its key', '{ redis: { url: "rediss://localhost", tls: { certFile: a.pem } } }', /"certFile" and "keyFile" are given together/],
    ['a database of a cluster', '{ redis: { url: "redis://localhost/1", cluster: true } }', /a cluster has no other database than 0/],
    ['a field that there is not', '{ redis: { url: "redis://localhost", timeout: 5 } }', /there is no field "redis\.timeout"/],
    ['a timeout of nothing', '{ redis: { url: "redis://localhost", commandTimeoutMs: 0 } }', /"redis\.commandTimeoutMs" must be a whole number from 5 to 1000/],
  ] as const) {
    it(`is away, and the reason is said, after ${what}`, () => {
      const { config: { state }, problems } = load(written);
      assert.equal(problems.length, 1);
      assert.match(problems[0]?.message ?? '', /^Redis is not used, /);
      assert.match(problems[0]?.message ?? '', expected);
      assert.doesNotMatch(problems[0]?.message ?? '', /open-secret/);
      assert.ok(state !== undefined);
      assert.equal(state.redis, undefined);
    });
  }
});
