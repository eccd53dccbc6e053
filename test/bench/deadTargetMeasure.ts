import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { stop } from './childProcess.ts';
import { settleMs, type Bench, type Measure } from './measure.ts';
import { median } from './statistics.ts';
import type { ConfiguredServer } from './subjects.ts';
import { upstreamModel } from './traffic.ts';
import { UnsteadyProvider } from './unsteadyProvider.ts';

/**
 * How much later an answer comes because the first target of the route is dead: beside a route of the second target alone, in
 * the same run. The breaker is told not to open, so that every request meets the dead target as the first one does.
 */

/** Connections made before the target dies, from which its connect timeout is learnt. */
const connectionsBefore = 10;
/** And between two deaths: a place whose connections often fail to be made is given more time. */
const connectionsBetween = 15;
const refusedAllowedMs = 5;
const defaultConnectMs = 5_000;

/** A port that nothing listens on. */
async function deadPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

function configuration(healthy: number, refusing: number, swallowing: number): string[] {
  const endpoint = (name: string, port: number): string => `  ${name}: { provider: openai-compatible, baseUrl: "http://127.0.0.1:${port}/v1", keys: ["bench-key"], probe: { enabled: false },`
    + ` breaker: { failures: 1000, failureRate: 1, minimumAttempts: 1000 }, models: { ${upstreamModel}: { upstream: ${upstreamModel} } } }`;
  return [
    'endpoints:', endpoint('healthy', healthy), endpoint('refusing', refusing), endpoint('swallowing', swallowing),
    'routes:',
    `  plain: { targets: [healthy/${upstreamModel}] }`,
    `  refused: { targets: [refusing/${upstreamModel}, healthy/${upstreamModel}] }`,
    `  swallowed: { targets: [swallowing/${upstreamModel}, healthy/${upstreamModel}] }`,
  ];
}

/** Latencies of requests to a route, one after the other, in milliseconds. */
async function latenciesMs(bench: Bench, server: ConfiguredServer, route: string, requests: number): Promise<number[]> {
  const { latenciesUs } = await bench.load.run({ kind: 'flood', target: server.route(route), request: 'small', requests, concurrency: 1 });
  return latenciesUs.map(us => us / 1000);
}

/** The connect timeouts that were waited for, as the ledger tells them. */
async function waitedFor({ dataDir }: ConfiguredServer): Promise<number[]> {
  // The ledger is written behind the answer.
  await sleep(settleMs);
  const database = new DatabaseSync(path.join(dataDir, 'ledger.db'), { readOnly: true });
  try {
    return database.prepare(`SELECT message FROM attempts WHERE endpoint = 'swallowing' AND failure_class = 'timeout'`).all()
      .map(({ message }) => /within (\d+)(?:\.\d+)? ms/.exec(String(message))?.[1]).filter(ms => ms !== undefined).map(Number);
  } finally {
    database.close();
  }
}

export const deadTargetMeasure: Measure = {
  name: 'dead-target',
  rows: {
    'dead plain': { title: 'no dead target: latency p50', unit: 'ms' },
    'dead refused': { title: 'first target refuses the connection: time lost p50', unit: 'ms', target: { most: refusedAllowedMs } },
    'dead swallowed': { title: 'first target swallows the connection: time lost p50', unit: 'ms', target: { most: defaultConnectMs / 5 } },
    'dead learnt': { title: 'its learnt connect timeout (5,000 ms unlearnt)', unit: 'ms' },
    'dead beyond': { title: 'time lost beyond that timeout p50', unit: 'ms', target: { most: refusedAllowedMs } },
  },
  async run(bench) {
    const provider = await UnsteadyProvider.start();
    const server = await bench.starter.startWaybill(configuration(bench.direct.port, await deadPort(), provider.ports.closing), `data-dead-${bench.round}`);
    try {
      const requests = bench.amounts.deadRequests;
      await latenciesMs(bench, server, 'plain', 10 * requests);
      const plainMs = median(await latenciesMs(bench, server, 'plain', 10 * requests));
      bench.record('dead plain', 'waybill', plainMs);
      await latenciesMs(bench, server, 'refused', requests);
      bench.record('dead refused', 'waybill', median(await latenciesMs(bench, server, 'refused', 10 * requests)) - plainMs);
      const lostMs = await swallowed(bench, server, provider, plainMs);
      const learntMs = await waitedFor(server);
      if (learntMs.length !== lostMs.length) throw new Error(`${learntMs.length} of ${lostMs.length} requests met the port that swallows`);
      bench.record('dead swallowed', 'waybill', median(lostMs));
      bench.record('dead learnt', 'waybill', median(learntMs));
      bench.record('dead beyond', 'waybill', median(lostMs.map((ms, index) => ms - (learntMs[index] ?? NaN))));
    } finally {
      await stop(server.child);
      await provider.stop();
    }
  },
};

/** The target lives, dies, is met once, and lives again. */
async function swallowed(bench: Bench, server: ConfiguredServer, provider: UnsteadyProvider, plainMs: number): Promise<number[]> {
  const lostMs: number[] = [];
  await latenciesMs(bench, server, 'swallowed', connectionsBefore);
  for (let death = 0; death < bench.amounts.deadRequests; death++) {
    await provider.swallow();
    try {
      for (const ms of await latenciesMs(bench, server, 'swallowed', 1)) lostMs.push(ms - plainMs);
    } finally {
      await provider.revive();
    }
    await latenciesMs(bench, server, 'swallowed', connectionsBetween);
  }
  return lostMs;
}
