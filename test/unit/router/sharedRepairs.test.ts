import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync, StatementSync } from 'node:sqlite';
import { describe, test, type TestContext } from 'node:test';
import type { BuiltRouter } from '../../../server/app/createRouter.ts';
import { silentLog } from '../../../server/base/log.ts';
import { SecretRegister } from '../../../server/base/secrets/redact.ts';
import { findProvider, providers } from '../../../server/catalog/providers.ts';
import type { Config, EndpointConfig } from '../../../server/config/config.ts';
import { resolveConfig } from '../../../server/config/resolve.ts';
import { openLedger } from '../../../server/ledger/sqlite/sqliteLedger.ts';
import type { Repair } from '../../../server/protocols/repairs/repair.ts';
import { noon } from '../ledger/receipts.ts';
import { createTestRouter } from './createTestRouter.ts';

const day = 24 * 60 * 60 * 1000;
const noSeed: Repair = { kind: 'drop', name: 'seed' };

/** Servers on one data folder, each with a ledger of its own on the one file. */
class Folder {
  readonly #folder = mkdtempSync(join(tmpdir(), 'waybill-repairs-'));
  readonly #ends: (() => Promise<unknown>)[] = [];
  now = noon;
  #opened = 0;

  constructor(context: TestContext) {
    context.after(async () => {
      for (const end of this.#ends) await end();
      rmSync(this.#folder, { recursive: true, force: true });
    });
  }

  async start(baseUrl = 'http://127.0.0.1:1/v1', register = new SecretRegister()): Promise<Server> {
    const clock = { now: () => this.now };
    const ledger = openLedger({ dataDir: this.#folder, clock, log: silentLog, instanceId: `i-${this.#opened += 1}` });
    const built = createTestRouter({ ledger, clock, register, interfaces: () => ({}) });
    const server = new Server(built, configAt(baseUrl), () => { ledger.flush(); }, () => { ledger.poll(); });
    this.#ends.push(() => server.end());
    await server.settled();
    return server;
  }
}

class Server {
  readonly built: BuiltRouter;
  readonly flush: () => void;
  readonly #poll: () => void;
  config: Config;
  #ended = false;

  constructor(built: BuiltRouter, config: Config, flush: () => void, poll: () => void) {
    this.built = built;
    this.config = config;
    this.flush = flush;
    this.#poll = poll;
    this.configure(config);
  }

  configure(config: Config): void {
    this.config = config;
    this.built.router.configure(config, new Map(), []);
  }

  get endpoint(): EndpointConfig { return this.config.endpoints.get('relay') ?? assert.fail(); }

  known(now: number): readonly Repair[] | undefined { return this.built.services.repairs.of(this.endpoint, 'openai-chat', 'm', now); }

  learn(now: number): void {
    this.built.services.repairs.learn({ endpoint: this.endpoint, form: 'openai-chat', model: 'm' }, [noSeed], now);
    this.flush();
  }

  /** What is read at the start has been read, and what peers wrote was polled. */
  async settled(): Promise<void> {
    for (let turn = 0; turn < 5; turn += 1) await new Promise(resolve => { setImmediate(resolve); });
    this.#poll();
  }

  async end(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    await this.built.router.shutdown();
  }
}

function configAt(baseUrl: string): Config {
  return resolveConfig({ endpoints: { relay: { provider: 'openai-compatible', baseUrl, probe: { enabled: false } } }, routes: {} },
    { catalog: { providers, findProvider }, supportedProtocols: ['openai-chat'], source: 'settings' }).config;
}

describe('what targets refused by name', () => {
  test('is known after a restart, for a day', async (t) => {
    const folder = new Folder(t);
    const before = await folder.start();
    before.learn(noon);
    await before.end();
    folder.now = noon + day - 1;
    const after = await folder.start();
    assert.deepEqual(after.known(folder.now), [noSeed]);
    assert.deepEqual(after.known(noon + day), undefined);
    await after.end();
    folder.now = noon + day;
    assert.equal((await folder.start()).known(folder.now), undefined);
  });

  test('is known to a peer, also that it did not help', async (t) => {
    const folder = new Folder(t);
    const [first, second] = [await folder.start(), await folder.start()];
    first.learn(noon);
    await second.settled();
    assert.deepEqual(second.known(noon), [noSeed]);
    second.built.services.repairs.forget({ endpoint: second.endpoint, form: 'openai-chat', model: 'm' }, [noSeed], noon + 5);
    second.flush();
    await first.settled();
    assert.equal(first.known(noon + 5), undefined);
  });

  test('is dropped with the address of the endpoint, for good', async (t) => {
    const folder = new Folder(t);
    const server = await folder.start();
    server.learn(noon);
    server.configure(configAt('http://127.0.0.1:2/v1'));
    assert.equal(server.known(noon), undefined);
    server.configure(configAt('http://127.0.0.1:1/v1'));
    assert.equal(server.known(noon), undefined);
    await server.end();
    assert.equal((await folder.start()).known(noon), undefined);
  });

  test('is not written where it holds a secret', async (t) => {
    const folder = new Folder(t);
    const register = new SecretRegister();
    const server = await folder.start(undefined, register);
    register.add(['sk-live-0123456789abcdef']);
    server.built.services.repairs.learn({ endpoint: server.endpoint, form: 'openai-chat', model: 'm' }, [{ kind: 'drop', name: 'sk-live-0123456789abcdef' }], noon);
    server.flush();
    await server.end();
    assert.equal((await folder.start()).known(noon), undefined);
  });

  test('is asked for on the way of a request without a statement of SQL', async (t) => {
    const folder = new Folder(t);
    const server = await folder.start();
    server.learn(noon);
    let statements = 0;
    for (const [owner, names] of [[StatementSync.prototype, ['run', 'get', 'all', 'iterate']], [DatabaseSync.prototype, ['exec', 'prepare']]] as const) {
      for (const name of names) t.mock.method(owner as never, name as never, (() => { statements += 1; }) as never);
    }
    assert.deepEqual([server.known(noon), server.known(noon)], [[noSeed], [noSeed]]);
    assert.equal(server.known(noon), server.known(noon), 'the list is the same object');
    assert.equal(statements, 0);
    t.mock.restoreAll();
  });
});
