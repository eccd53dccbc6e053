import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createClient } from '@redis/client';
import pg from 'pg';
import { EngineProcess, type EngineProgram } from '../../support/engines/engineProcess.ts';
import { notInstalled, postgresProgram, postgresUrl, redisProgram, redisUrl } from '../../support/engines/programs.ts';
import { cpuTimeUs, familyCpuTimeUs } from '../processStat.ts';

/** What replicas share: engines that keep everything in memory or trust that the machine stays up, so that no disk is measured. */

const copiedWithinMs = 60_000;
const lookEveryMs = 50;

/** Which of the engines that replicas share are not installed, in one sentence; undefined: both are. */
export function missingEngines(): ReturnType<typeof notInstalled> {
  const without = notInstalled(['redis', 'postgres']);
  return without && { ...without, sentence: `${without.sentence}: what needs that is not measured.` };
}

/** An engine ends with this process, at the latest: it is a process group of its own, which Ctrl+C does not reach. */
function endWithProcess(end: () => void): void {
  if (!isWatched) for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => { process.exit(1); });
  isWatched = true;
  process.once('exit', end);
}
let isWatched = false;

/** In a folder of its own, which the user that the engine runs as can reach. */
async function started(program: EngineProgram): Promise<{ engine: EngineProcess; pid: number }> {
  const folder = mkdtempSync(path.join(tmpdir(), 'waybill-bench-engine-'));
  let child: ChildProcess | undefined;
  const engine = new EngineProcess(program, folder, made => { child = made; });
  endWithProcess(() => {
    child?.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true, maxRetries: 50, retryDelay: 100 });
  });
  await engine.create();
  if (child?.pid === undefined) throw new Error(`${program.name} has no process.`);
  return { engine, pid: child.pid };
}

/** What Redis did since it started. */
export interface RedisFigures {
  cpuUs: number;
  /** Scripts that clients called. */
  calls: number;
  /** Batches of news. */
  batches: number;
  /** Bytes that it got and sent. */
  inBytes: number;
  outBytes: number;
  usedBytes: number;
}

export type BenchRedis = Awaited<ReturnType<typeof startBenchRedis>>;

export async function startBenchRedis() {
  const { engine, pid } = await started(redisProgram);
  const url = redisUrl(engine.folder, engine.port);
  const client = createClient({ RESP: 2, url });
  client.on('error', () => undefined);
  await client.connect();
  const send = (command: readonly string[]): Promise<unknown> => client.sendCommand([...command]);
  return {
    url, send,
    async figures(): Promise<RedisFigures> {
      const text = String(await send(['INFO', 'everything']));
      const whole = (pattern: RegExp): number => Number(pattern.exec(text)?.[1] ?? 0);
      return {
        cpuUs: cpuTimeUs(pid), calls: whole(/^cmdstat_evalsha:calls=(\d+)/m) + whole(/^cmdstat_eval:calls=(\d+)/m), batches: whole(/^cmdstat_xadd:calls=(\d+)/m),
        inBytes: whole(/^total_net_input_bytes:(\d+)/m), outBytes: whole(/^total_net_output_bytes:(\d+)/m), usedBytes: whole(/^used_memory:(\d+)/m),
      };
    },
    async close(): Promise<void> {
      client.destroy();
      await engine.close();
    },
  };
}

/** What PostgreSQL did since it started. */
export interface PostgresFigures {
  cpuUs: number;
  /** Requests in the shared ledger. */
  requests: number;
  /** Rows of requests and of attempts. */
  rows: number;
  /** What was written to the write-ahead log. */
  walBytes: number;
  /** Tables and their indexes. */
  tableBytes: number;
  /** Of all servers. */
  connections: number;
}

export type BenchPostgres = Awaited<ReturnType<typeof startBenchPostgres>>;

export async function startBenchPostgres() {
  const { engine, pid } = await started(postgresProgram);
  const url = postgresUrl(engine.folder, engine.port);
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  const first = async (sql: string): Promise<Record<string, unknown>> => (await client.query<Record<string, unknown>>(sql)).rows[0] ?? {};
  const own = Number((await first('SELECT pg_backend_pid() AS pid'))['pid']);
  const requests = async (): Promise<number> => Number((await first('SELECT count(*) AS n FROM waybill.exchanges'))['n']);
  return {
    url, requests,
    async figures(): Promise<PostgresFigures> {
      const row = await first(`SELECT (SELECT count(*) FROM waybill.exchanges) AS requests, (SELECT count(*) FROM waybill.attempts) AS attempts, pg_current_wal_insert_lsn() - '0/0' AS wal,
        (SELECT sum(pg_total_relation_size(oid)) FROM pg_class WHERE relnamespace = 'waybill'::regnamespace AND relkind = 'r') AS bytes, (SELECT count(*) FROM pg_stat_activity WHERE application_name = 'waybill') AS connections`);
      const [exchanges, attempts] = [Number(row['requests']), Number(row['attempts'])];
      return { cpuUs: familyCpuTimeUs(pid, own), requests: exchanges, rows: exchanges + attempts, walBytes: Number(row['wal']), tableBytes: Number(row['bytes']), connections: Number(row['connections']) };
    },
    /** Waits until so many requests are there. */
    async hasCopied(count: number): Promise<void> {
      for (const until = performance.now() + copiedWithinMs; await requests() < count; await sleep(lookEveryMs)) {
        if (performance.now() > until) throw new Error('PostgreSQL did not get all requests.');
      }
    },
    async close(): Promise<void> {
      await client.end().catch(() => undefined);
      await engine.close();
    },
  };
}
