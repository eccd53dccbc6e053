import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';
import { silentLog } from '../../../server/base/log.ts';
import { SecretRegister } from '../../../server/base/secrets/redact.ts';
import { findProvider, providers } from '../../../server/catalog/providers.ts';
import type { EndpointConfig } from '../../../server/config/config.ts';
import { resolveConfig } from '../../../server/config/resolve.ts';
import { Prober } from '../../../server/router/prober.ts';
import type { NetworkAwareHealthRegistry } from '../../../server/health/healthReader.ts';
import { createHealthRegistry } from '../../../server/health/registry.ts';
import { KeyPool } from '../../../server/keys/keyPool.ts';
import { ModelDirectory } from '../../../server/models/modelDirectory.ts';
import { FaultInjector } from '../../../server/upstream/interceptors/faultInjector.ts';
import { Transport } from '../../../server/upstream/transport.ts';
import { InMemoryLedger } from '../ledger/inMemoryLedger.ts';

/** A prober that lets the test wait for its probes. */
class WaitingProber extends Prober {
  readonly #started: Promise<unknown>[] = [];
  readonly asked: string[] = [];

  override probe(endpoint: EndpointConfig): ReturnType<Prober['probe']> {
    this.asked.push(endpoint.name);
    const probed = super.probe(endpoint);
    this.#started.push(probed);
    return probed;
  }
  async settled(): Promise<void> {
    await Promise.all(this.#started.splice(0));
  }
}

/** A prober of endpoint `one` at a server that accepts the keys of `good`, with its health and keys. */
async function checked(t: TestContext, good: Set<string>): Promise<{
  check: () => Promise<void>; healthRegistry: NetworkAwareHealthRegistry; keys: KeyPool; asked: string[]; server: Server; now: { at: number };
}> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const key = request.headers.authorization?.replace('Bearer ', '') ?? '';
    asked.push(key);
    response.statusCode = good.has(key) ? 200 : 401;
    response.setHeader('content-type', 'application/json').end(good.has(key) ? '{"data":[]}' : '{"error":{"message":"no"}}');
  });
  await new Promise<void>(resolve => { server.listen(0, '127.0.0.1', resolve); });
  t.after(() => { server.close(); });
  const { config } = resolveConfig({
    endpoints: { one: { provider: 'openai-compatible', baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`, models: { m: {} } } }, routes: {},
  }, { catalog: { providers, findProvider }, supportedProtocols: ['openai-chat'], source: 'settings' });
  const endpoint = config.endpoints.get('one');
  assert.ok(endpoint !== undefined);
  const now = { at: 1_000_000 };
  const healthRegistry = createHealthRegistry({ random: () => 0.5, startedAt: now.at });
  healthRegistry.configure(config.endpoints);
  const transport = new Transport();
  transport.configure(config.endpoints);
  t.after(() => transport.shutdown());
  const keys = new KeyPool();
  keys.configure(new Map([['one', [{ id: '1', label: 'first', secret: 'secret-one' }, { id: '2', label: 'second', secret: 'secret-two' }]]]), config.endpoints);
  const prober = new Prober({
    transport, faultInjector: new FaultInjector(), pauses: { of: () => undefined }, healthRegistry, keys, directory: new ModelDirectory(config), ledger: new InMemoryLedger(),
    clock: { now: () => now.at }, log: silentLog, redactor: new SecretRegister(), changed: () => undefined, failed: () => undefined,
  });
  return { check: () => prober.check(endpoint), healthRegistry, keys, asked, server, now };
}

test('a check that the user starts makes every key usable that the provider accepts again, and no other', async (t) => {
  const good = new Set(['secret-two']);
  const { check, keys, asked, now, healthRegistry } = await checked(t, good);
  for (const id of ['1', '2']) keys.report('one', id, 'auth', now.at, undefined, { model: 'm' });
  healthRegistry.record({ endpoint: 'one', model: 'm', at: now.at, kind: 'traffic', failureClass: 'auth', message: 'rejected' });
  await check();
  assert.deepEqual(keys.status('one', now.at).map(key => key.state), ['rejected', 'ok']);
  assert.ok(asked.includes('secret-one') && asked.includes('secret-two'), 'each rejected key was probed');
  assert.equal(healthRegistry.health('one', now.at).state, 'healthy');
  good.add('secret-one');
  await check();
  assert.deepEqual(keys.status('one', now.at).map(key => key.state), ['ok', 'ok']);
});

test('a check closes a breaker that network failures opened, and not one that server errors opened', async (t) => {
  const { check, healthRegistry, now } = await checked(t, new Set(['secret-one']));
  for (let index = 0; index < 6; index += 1) healthRegistry.record({ endpoint: 'one', model: 'm', at: now.at, kind: 'traffic', failureClass: 'network', networkKind: 'refused' });
  assert.equal(healthRegistry.health('one', now.at).breaker, 'open');
  now.at += 1000;
  await check();
  assert.deepEqual([healthRegistry.health('one', now.at).breaker, healthRegistry.health('one', now.at).state], ['closed', 'degraded'], 'the errors of the last minutes still count');
  for (let index = 0; index < 6; index += 1) healthRegistry.record({ endpoint: 'one', model: 'm', at: now.at, kind: 'traffic', failureClass: 'server', status: 500 });
  assert.equal(healthRegistry.admission('one', 'm', now.at).admitted, false);
  now.at += 1000;
  await check();
  assert.equal(healthRegistry.admission('one', 'm', now.at).admitted, false, 'a list of models does not prove that requests are answered');
});

test('while the machine is offline remote endpoints are probed one at a time in turn, and local ones as usual', async (t) => {
  const server = createServer((_request, response) => {
    response.setHeader('content-type', 'application/json').end('{"data":[]}');
  });
  await new Promise<void>(resolve => { server.listen(0, '127.0.0.1', resolve); });
  t.after(() => { server.close(); });
  const port = (server.address() as AddressInfo).port;
  const endpoints = Object.fromEntries(['one', 'two', 'three', 'local'].map(name =>
    [name, { provider: 'openai-compatible', baseUrl: `http://127.0.0.1:${port}/${name}`, probe: { enabled: true, intervalMs: 20_000 } }]));
  const { config } = resolveConfig({ endpoints, routes: {} }, { catalog: { providers, findProvider }, supportedProtocols: ['openai-chat'], source: 'settings' });
  let isOffline = true;
  let now = 1_000_000;
  const healthRegistry = createHealthRegistry({ random: () => 0.5, startedAt: now });
  healthRegistry.configure(config.endpoints);
  const transport = new Transport();
  transport.configure(config.endpoints);
  t.after(() => transport.shutdown());
  const prober = new WaitingProber({
    transport, faultInjector: new FaultInjector(), pauses: { of: () => undefined }, healthRegistry: { ...healthRegistry, isOffline: name => isOffline && name !== 'local' }, keys: new KeyPool(), directory: new ModelDirectory(config), ledger: new InMemoryLedger(),
    clock: { now: () => now }, log: silentLog, redactor: new SecretRegister(), changed: () => undefined, failed: () => undefined,
  });
  /** Ticks once a second, each time waiting for the probes that the tick started. */
  async function seconds(count: number): Promise<string[]> {
    const from = prober.asked.length;
    for (let second = 0; second < count; second += 1) {
      now += 1000;
      prober.tick(config.endpoints.values());
      await prober.settled();
    }
    return prober.asked.slice(from);
  }
  const offline = await seconds(16);
  assert.deepEqual(offline.filter(name => name !== 'local'), ['one', 'two', 'three', 'one']);
  assert.ok(offline.includes('local'));
  isOffline = false;
  const online = await seconds(25);
  for (const name of ['one', 'two', 'three', 'local']) assert.ok(online.includes(name), `${name} is probed again: ${online.join(' ')}`);
});

test('a rejected key is proved by a probe a little before a request may try it, once for each rejection', async (t) => {
  let isGood = true;
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const key = String(request.headers['x-api-key']);
    asked.push(key);
    const accepted = isGood || key === 'secret-two';
    response.statusCode = accepted ? 200 : 401;
    response.setHeader('content-type', 'application/json').end(accepted ? '{"data":[]}' : '{"error":{"type":"authentication_error","message":"invalid x-api-key"}}');
  });
  await new Promise<void>(resolve => { server.listen(0, '127.0.0.1', resolve); });
  t.after(() => { server.close(); });
  const { config } = resolveConfig({
    endpoints: { one: { provider: 'anthropic', baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, probe: { enabled: true, intervalMs: 86_400_000 } } }, routes: {},
  }, { catalog: { providers, findProvider }, supportedProtocols: ['anthropic-messages'], source: 'settings' });
  const transport = new Transport();
  transport.configure(config.endpoints);
  t.after(() => transport.shutdown());
  let now = 1_000_000;
  const keys = new KeyPool();
  keys.configure(new Map([['one', [{ id: '1', label: 'first', secret: 'secret-one' }, { id: '2', label: 'second', secret: 'secret-two' }]]]), config.endpoints);
  const healthRegistry = createHealthRegistry({ random: () => 0.5, startedAt: now });
  healthRegistry.configure(config.endpoints);
  const prober = new Prober({
    transport, faultInjector: new FaultInjector(), pauses: { of: () => undefined }, healthRegistry, keys, directory: new ModelDirectory(config), ledger: new InMemoryLedger(),
    clock: { now: () => now }, log: silentLog, redactor: new SecretRegister(), changed: () => undefined, failed: () => undefined,
  });
  const tick = async (): Promise<void> => {
    const before = asked.length;
    prober.tick(config.endpoints.values());
    for (let tries = 0; tries < 25 && asked.length === before; tries += 1) await new Promise(resolve => setTimeout(resolve, 4));
    await new Promise(resolve => setTimeout(resolve, 20));
  };
  await tick();
  asked.length = 0;
  isGood = false;
  keys.report('one', '1', 'auth', now, undefined, { model: 'm' });
  now += 44_000;
  await tick();
  assert.deepEqual(asked, []);
  now += 2000;
  await tick();
  await tick();
  assert.deepEqual(asked, ['secret-one'], 'one probe');
  assert.equal(keys.status('one', now)[0]?.state, 'rejected');
  isGood = true;
  now += 60_000;
  await tick();
  assert.deepEqual(asked, ['secret-one'], 'the distance has doubled');
  now += 46_000;
  await tick();
  assert.deepEqual([asked.length, keys.status('one', now)[0]?.state], [2, 'ok']);
});
