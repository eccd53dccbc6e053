import { setTimeout as sleep } from 'node:timers/promises';
import { stop } from './childProcess.ts';
import { settleMs, type Measure } from './measure.ts';
import { cpuTimeUs } from './processStat.ts';
import type { ConfiguredServer } from './subjects.ts';
import { upstreamModel } from './traffic.ts';

/** What metrics and a rule of an alert cost a small request: two servers whose configurations differ in nothing else, in the same run. */

const concurrency = 16;
const allowedRatio = 1.1;

function configuration(port: number, monitoring: readonly string[]): string[] {
  return [
    'endpoints:', `  upstream: { provider: openai-compatible, baseUrl: "http://127.0.0.1:${port}/v1", keys: ["bench-key"], models: { ${upstreamModel}: { upstream: ${upstreamModel}, prices: { inputPerMTok: 0.42, outputPerMTok: 0.84 } } } }`,
    'routes:', `  bench: { targets: [upstream/${upstreamModel}] }`, ...monitoring,
  ];
}

export const metricsMeasure: Measure = {
  name: 'metrics',
  rows: {
    'metrics off': { title: 'CPU per small request, metrics off', unit: 'us' },
    'metrics on': { title: 'CPU per small request, metrics and an alert on', unit: 'us' },
    'metrics ratio': { title: 'metrics on to metrics off', unit: 'x', target: { most: allowedRatio } },
  },
  async run(bench) {
    const { load, starter, direct, amounts: { floodRequests: requests } } = bench;
    const start = (name: string, monitoring: readonly string[]): Promise<ConfiguredServer> => starter.startWaybill(configuration(direct.port, monitoring), `data-metrics-${name}-${bench.round}`);
    const servers = { off: await start('off', []), on: await start('on', ['monitoring:', '  metrics: {}', '  alerts: { fails: { when: error-rate, to: [log] } }']) };
    const costUs = async ({ pid, route }: ConfiguredServer): Promise<number> => {
      const before = cpuTimeUs(pid);
      await load.run({ kind: 'flood', target: route('bench'), request: 'small', requests, concurrency });
      await sleep(settleMs);
      return (cpuTimeUs(pid) - before) / requests;
    };
    try {
      for (const server of [servers.off, servers.on]) await load.run({ kind: 'flood', target: server.route('bench'), request: 'small', requests, concurrency });
      const order = bench.round % 2 === 0 ? ['off', 'on'] as const : ['on', 'off'] as const;
      const us = { off: 0, on: 0 };
      for (const name of order) us[name] = await costUs(servers[name]);
      bench.record('metrics off', 'waybill', us.off);
      bench.record('metrics on', 'waybill', us.on);
      bench.record('metrics ratio', 'waybill', us.on / us.off);
    } finally {
      await Promise.all([stop(servers.off.child), stop(servers.on.child)]);
    }
  },
};
