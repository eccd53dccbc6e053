import { setTimeout as sleep } from 'node:timers/promises';
import { LoadClient, stop } from '../childProcess.ts';
import { settleMs, type Bench, type Row } from '../measure.ts';
import type { ConfiguredServer } from '../subjects.ts';
import { startReplica, type Engines } from './scene.ts';

/** As many replicas as two processor cores can say something about. */
const sizes = [1, 2, 3] as const;
const concurrency = 16;

export const fleetRows: Readonly<Record<string, Row>> = Object.fromEntries(sizes.flatMap(size => {
  const who = size === 1 ? '1 replica' : `${size} replicas`;
  return [
    [`fleet ${size} rate`, { title: `${who}: requests`, unit: 'a second' }],
    [`fleet ${size} redis`, { title: `${who}: CPU of Redis per small request`, unit: 'us' }],
    [`fleet ${size} postgres`, { title: `${who}: CPU of PostgreSQL per small request`, unit: 'us' }],
    [`fleet ${size} connections`, { title: `${who}: connections of PostgreSQL`, unit: 'in all' }],
  ] satisfies [string, Row][];
}));

/** The same load on 1, 2 and 3 replicas with one Redis and one PostgreSQL, each replica with a client of its own. */
export async function fleet(bench: Bench, engines: Engines): Promise<void> {
  const { redis, postgres } = engines;
  const replicas: { server: ConfiguredServer; load: LoadClient }[] = [];
  const flood = async (all: typeof replicas, requests: number): Promise<number> => {
    const begun = performance.now();
    await Promise.all(all.map(({ server, load }) => load.run({ kind: 'flood', target: server.route('bench'), request: 'small', requests: Math.floor(requests / all.length), concurrency })));
    return (performance.now() - begun) / 1000;
  };
  const copied = async (count: number): Promise<void> => {
    await postgres?.hasCopied(count);
    await sleep(settleMs);
  };
  try {
    for (const size of sizes) {
      const load = await LoadClient.start();
      const server = await startReplica(bench, engines, `data-fleet-${size}-${bench.round}`, { prefix: 'fleet', ledger: true });
      replicas.push({ server, load });
      let there = await postgres?.requests() ?? 0;
      const warming = bench.amounts.floodRequests;
      await flood(replicas.slice(-1), warming);
      await copied(there += warming);
      const requests = Math.floor(bench.amounts.floodRequests / size) * size;
      const [atRedis, atPostgres] = [await redis?.figures(), await postgres?.figures()];
      const seconds = await flood(replicas, requests);
      await copied(there + requests);
      bench.record(`fleet ${size} rate`, 'waybill', requests / seconds);
      if (redis !== undefined && atRedis !== undefined) bench.record(`fleet ${size} redis`, 'waybill', ((await redis.figures()).cpuUs - atRedis.cpuUs) / requests);
      if (postgres !== undefined && atPostgres !== undefined) {
        const now = await postgres.figures();
        bench.record(`fleet ${size} postgres`, 'waybill', (now.cpuUs - atPostgres.cpuUs) / requests);
        bench.record(`fleet ${size} connections`, 'waybill', now.connections);
      }
    }
  } finally {
    await Promise.all(replicas.flatMap(({ server, load }) => [stop(server.child), stop(load.child)]));
  }
}
