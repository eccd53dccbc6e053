import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Pool } from 'undici';
import { endedWithTests } from '../../support/childProcesses.ts';
import { startPostgres } from '../../support/engines/engines.ts';
import type { Network } from '../../support/engines/network.ts';
import { startRedis, type RedisServer } from '../../support/redisServer.ts';
import { exitOf, startServer, until, type ServerProcess } from '../support/serverProcess.ts';
import type { Counted } from './countingProvider.ts';
import type { NetworkOrder } from './networks.ts';

const count = 3;
const startWithinMs = 120_000;
/** What takes seconds on a free machine happens within this time. */
export const eventWithinMs = 120_000;
/** As many as a test has open at a time at one replica. */
const connections = 1_000;

/** One replica: the same name, data folder, provider's key and ways to the engines whatever process it is. */
export class FleetReplica {
  readonly key: string;
  readonly #dataDir: string;
  readonly #start: () => Promise<ServerProcess>;
  #server: ServerProcess | undefined;
  #pool: Pool | undefined;

  constructor(name: string, dataDir: string, start: (key: string) => Promise<ServerProcess>) {
    this.key = `sk-of-replica-${name.repeat(8)}`;
    this.#dataDir = dataDir;
    this.#start = () => start(this.key);
  }

  get last4(): string {
    return this.key.slice(-4);
  }

  get server(): ServerProcess {
    if (this.#server === undefined) throw new Error('The replica does not run.');
    return this.#server;
  }

  /** Undefined while it does not run. */
  get pool(): Pool | undefined {
    return this.#pool;
  }

  async start(): Promise<void> {
    this.#server = await this.#start();
    this.#pool = new Pool(this.#server.url, { connections, headersTimeout: 0, bodyTimeout: 0, connect: { timeout: startWithinMs } });
  }

  async kill(): Promise<void> {
    const { server: { child }, pool } = this;
    child.kill('SIGKILL');
    this.#server = undefined;
    this.#pool = undefined;
    await exitOf(child);
    await pool?.destroy();
  }

  /** Samples of `GET /metrics` by their name with labels. */
  async metrics(): Promise<Map<string, number>> {
    const text = await (await fetch(`${this.server.url}/metrics`)).text();
    return new Map(text.split('\n').filter(line => line !== '' && !line.startsWith('#')).map(line => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]));
  }

  until(what: string, name: string, holds: (value: number) => boolean): Promise<void> {
    return until(`${what} (${this.last4})`, async () => holds((await this.metrics()).get(name) ?? NaN), eventWithinMs);
  }

  /** How many requests for a model its file says run. */
  running(model: string): number {
    const database = new DatabaseSync(path.join(this.#dataDir, 'ledger.db'), { readOnly: true, timeout: eventWithinMs });
    try {
      return Number(database.prepare(`SELECT count(*) AS count FROM exchanges e JOIN attempts a ON a.exchange_seq = e.seq WHERE e.outcome = 'open' AND e.wanted = ?`).get(model)?.['count']);
    } finally {
      database.close();
    }
  }
}

/** Three replicas with a Redis, a PostgreSQL and a provider of their own; each replica has ways of its own to the engines. */
export class Fleet {
  readonly redis: RedisServer;
  readonly postgres: Awaited<ReturnType<typeof startPostgres>>;
  readonly replicas: readonly [FleetReplica, FleetReplica, FleetReplica];
  readonly #address: string;
  readonly #provider: ChildProcess;
  readonly #networks: ChildProcess;

  /** @param config made for the address of the provider */
  static async start(folder: string, config: (provider: string) => object): Promise<Fleet> {
    const [redis, postgres, [provider, address]] = await Promise.all([startRedis(), startPostgres(), forked<string>('countingProvider.ts')]);
    const [networks, ports] = await forked<number[]>('networks.ts', Array.from({ length: count }, () => [redis.port, postgres.port]).flat().map(String));
    const fleet = new Fleet({ redis, postgres, provider, address, networks, ports, folder });
    writeFileSync(path.join(folder, 'waybill.yaml'), JSON.stringify(config(address)));
    await Promise.all(fleet.replicas.map(replica => replica.start()));
    for (const replica of fleet.replicas) {
      await replica.until('it knows the others', 'waybill_shared_store_replicas', replicas => replicas === count);
      await replica.until('it uses the shared ledger', 'waybill_shared_ledger_up', up => up === 1);
    }
    return fleet;
  }

  private constructor(parts: { redis: RedisServer; postgres: Fleet['postgres']; provider: ChildProcess; address: string; networks: ChildProcess; ports: number[]; folder: string }) {
    const { redis, postgres, provider, address, networks, ports, folder } = parts;
    this.redis = redis;
    this.postgres = postgres;
    this.#address = address;
    this.#provider = provider;
    this.#networks = networks;
    const replica = (index: number): FleetReplica => {
      const dataDir = path.join(folder, `data-${String(index)}`);
      const at = (url: string, port: number | undefined): string => Object.assign(new URL(url), { port: String(port) }).href;
      return new FleetReplica('ABC'.charAt(index), dataDir, key => startServer({
        configFile: path.join(folder, 'waybill.yaml'), dataDir, withinMs: startWithinMs,
        environment: { TZ: zoneAtNoon(), PROVIDER_KEY: key, REDIS_URL: at(redis.url, ports[2 * index]), DATABASE_URL: at(postgres.url, ports[2 * index + 1]) },
      }));
    };
    this.replicas = [replica(0), replica(1), replica(2)];
  }

  /** What the provider counted so far. */
  async counted(): Promise<Counted> {
    return await (await fetch(this.#address)).json() as Counted;
  }

  /** Cuts, silences or mends the ways of one replica to both engines. */
  async setNetworks(replica: FleetReplica, state: Network['state']): Promise<void> {
    const first = 2 * this.replicas.indexOf(replica);
    await Promise.all([first, first + 1].map(index => new Promise(resolve => { this.#networks.send({ index, state } satisfies NetworkOrder, resolve); })));
  }

  async close(): Promise<void> {
    for (const replica of this.replicas) if (replica.pool !== undefined) await replica.kill();
    this.#networks.kill();
    this.#provider.kill();
  }

  /** Everything that ended is in PostgreSQL, and all replicas use both engines. */
  async settled(): Promise<void> {
    for (const replica of this.replicas) {
      await replica.until('nothing runs', 'waybill_requests_in_flight', running => running === 0);
      await replica.until('it uses Redis', 'waybill_shared_store_up', up => up === 1);
      await replica.until('it uses PostgreSQL', 'waybill_shared_ledger_up', up => up === 1);
      await replica.until('everything is copied', 'waybill_shared_ledger_backlog', backlog => backlog === 0);
    }
  }
}

/** A process with a channel, and its first message. It ends with the test file. */
async function forked<Message>(file: string, args: readonly string[] = []): Promise<[ChildProcess, Message]> {
  const child = endedWithTests(fork(path.join(import.meta.dirname, file), args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] }));
  const [message] = await once(child, 'message') as [Message];
  return [child, message];
}

/** A time zone in which it is about noon, so that no period of a budget ends within the test. */
function zoneAtNoon(): string {
  const west = new Date().getUTCHours() - 12;
  return `Etc/GMT${west < 0 ? '-' : '+'}${String(Math.abs(west))}`;
}
