import { setTimeout as sleep } from 'node:timers/promises';
import { stop } from '../childProcess.ts';
import { rotated, settleMs, type Bench, type Measure, type Row } from '../measure.ts';
import { cpuTimeUs } from '../processStat.ts';
import { quantile } from '../statistics.ts';
import type { ConfiguredServer } from '../subjects.ts';
import { missingEngines, startBenchPostgres, startBenchRedis } from './engines.ts';
import { fleet, fleetRows } from './fleet.ts';
import { hearing, hearingRows } from './hearing.ts';
import { startReplica, type Engines, type Sharing } from './scene.ts';

/** What sharing limits, budgets and findings over Redis, and one ledger in PostgreSQL, costs a small request, a replica and the engines. */

const concurrency = 16;
const pacedPerSecond = 10;

type Variant = 'alone' | 'redis' | 'postgres' | 'both';
const titles: Readonly<Record<Exclude<Variant, 'alone'>, string>> = { redis: 'with state.redis', postgres: 'with ledger.postgres', both: 'with both' };

const comparisons: Record<string, Row> = Object.fromEntries(Object.entries(titles).flatMap(([name, title]) => [
  [`${name} cpu`, { title: `CPU per small request, ${title}, to without`, unit: 'x' }],
  [`${name} latency`, { title: `added latency p50, ${title}`, unit: 'ms' }],
  [`${name} latency ratio`, { title: `the same to without`, unit: 'x' }],
] satisfies [string, Row][]));

let isTold = false;

export const replicasMeasure: Measure = {
  name: 'replicas',
  rows: {
    'alone cpu': { title: 'CPU per small request with limits and a budget, nothing shared', unit: 'us' },
    'alone latency': { title: `added latency p50, ${pacedPerSecond} requests/s, nothing shared`, unit: 'ms' },
    ...comparisons,
    'redis calls': { title: 'Redis: calls of scripts', unit: 'a request' },
    'redis own cpu': { title: 'Redis: CPU per small request', unit: 'us' },
    'redis bytes': { title: 'Redis: bytes in and out per small request', unit: 'bytes' },
    'postgres rows': { title: 'PostgreSQL: rows', unit: 'a request' },
    'postgres own cpu': { title: 'PostgreSQL: CPU per small request', unit: 'us' },
    'postgres wal': { title: 'PostgreSQL: write-ahead log per small request', unit: 'bytes' },
    'postgres table': { title: 'PostgreSQL: tables and indexes per small request', unit: 'bytes' },
    ...hearingRows, ...fleetRows,
  },
  async run(bench) {
    const without = missingEngines();
    if (without !== undefined && !isTold) process.stderr.write(`replicas: ${without.sentence}\n`);
    isTold = true;
    if (without?.missing.size === 2) return;
    const engines: Engines = {};
    try {
      if (without?.missing.has('redis') !== true) engines.redis = await startBenchRedis();
      if (without?.missing.has('postgres') !== true) engines.postgres = await startBenchPostgres();
      await oneServer(bench, engines);
      if (engines.redis !== undefined) await hearing(bench, engines.redis);
      await fleet(bench, engines);
    } finally {
      await engines.redis?.close();
      await engines.postgres?.close();
    }
  },
};

/** One server of each kind: what sharing costs it, and what a request costs the engines. */
async function oneServer(bench: Bench, engines: Engines): Promise<void> {
  const { redis, postgres } = engines;
  const sharing: Partial<Record<Variant, Sharing>> = { alone: {} };
  if (redis !== undefined) sharing.redis = { prefix: 'one' };
  if (postgres !== undefined) sharing.postgres = { ledger: true };
  if (redis !== undefined && postgres !== undefined) sharing.both = { prefix: 'two', ledger: true };
  const servers = new Map<Variant, ConfiguredServer>();
  try {
    for (const [name, shared] of Object.entries(sharing) as [Variant, Sharing][]) servers.set(name, await startReplica(bench, engines, `data-replica-${name}-${bench.round}`, shared));
    const order = rotated([...servers], bench.round);
    for (const [name, server] of order) await flood(bench, server, sharing[name]?.ledger === true ? postgres : undefined);
    const us = new Map<Variant, number>();
    for (const [name, server] of order) {
      const { floodRequests: requests } = bench.amounts;
      const [cpu, atRedis, atPostgres] = [cpuTimeUs(server.pid), await redis?.figures(), name === 'alone' || name === 'redis' ? undefined : await postgres?.figures()];
      await flood(bench, server, sharing[name]?.ledger === true ? postgres : undefined);
      us.set(name, (cpuTimeUs(server.pid) - cpu) / requests);
      if (name === 'redis' && redis !== undefined && atRedis !== undefined) {
        const now = await redis.figures();
        bench.record('redis calls', 'waybill', (now.calls - atRedis.calls) / requests);
        bench.record('redis own cpu', 'waybill', (now.cpuUs - atRedis.cpuUs) / requests);
        bench.record('redis bytes', 'waybill', (now.inBytes - atRedis.inBytes + now.outBytes - atRedis.outBytes) / requests);
      }
      if (name === 'postgres' && postgres !== undefined && atPostgres !== undefined) {
        const now = await postgres.figures();
        bench.record('postgres rows', 'waybill', (now.rows - atPostgres.rows) / requests);
        bench.record('postgres own cpu', 'waybill', (now.cpuUs - atPostgres.cpuUs) / requests);
        bench.record('postgres wal', 'waybill', (now.walBytes - atPostgres.walBytes) / requests);
        bench.record('postgres table', 'waybill', now.tableBytes / now.requests);
      }
    }
    const targets = [bench.direct, ...order.map(([, server]) => server.route('bench'))];
    const { latenciesUs: [direct = [], ...latencies] } = await bench.load.run({ kind: 'paced', targets, perSecond: pacedPerSecond, seconds: bench.amounts.pacedSeconds });
    const added = new Map(order.map(([name], index) => [name, (quantile(latencies[index] ?? [], 0.5) - quantile(direct, 0.5)) / 1000]));
    const alone = { us: us.get('alone') ?? 0, ms: added.get('alone') ?? 0 };
    bench.record('alone cpu', 'waybill', alone.us);
    bench.record('alone latency', 'waybill', alone.ms);
    for (const [name] of order) {
      if (name === 'alone') continue;
      const [cpu, ms] = [us.get(name) ?? 0, added.get(name) ?? 0];
      bench.record(`${name} cpu`, 'waybill', cpu / alone.us);
      bench.record(`${name} latency`, 'waybill', ms);
      if (alone.ms > 0) bench.record(`${name} latency ratio`, 'waybill', ms / alone.ms);
    }
  } finally {
    await Promise.all([...servers.values()].map(({ child }) => stop(child)));
  }
}

/** Requests, and what is done of them afterwards, until PostgreSQL has them. */
async function flood({ load, amounts: { floodRequests: requests } }: Bench, server: ConfiguredServer, postgres: Engines['postgres']): Promise<void> {
  const before = await postgres?.requests() ?? 0;
  await load.run({ kind: 'flood', target: server.route('bench'), request: 'small', requests, concurrency });
  await postgres?.hasCopied(before + requests);
  await sleep(settleMs);
}
