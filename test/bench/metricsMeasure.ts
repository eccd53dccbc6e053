import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { stop } from './childProcess.ts';
import { settleMs, type Measure } from './measure.ts';
import { cpuTimeUs } from './processStat.ts';
import type { ConfiguredServer } from './subjects.ts';
import { upstreamModel } from './traffic.ts';

/** What metrics, a rule of an alert, and traces of every request cost a small request: three servers whose configurations differ in nothing else, in the same run. */

const concurrency = 16;
const allowedRatio = 1.1;
/** Each request is then two spans that are written, packed and sent. */
const allowedTracedRatio = 1.35;

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
    'OTLP on': { title: 'CPU per small request, metrics and a trace of each sent over OTLP', unit: 'us' },
    'OTLP ratio': { title: 'OTLP on to metrics off', unit: 'x', target: { most: allowedTracedRatio } },
  },
  async run(bench) {
    const { load, starter, direct, amounts: { floodRequests: requests } } = bench;
    const start = (name: string, monitoring: readonly string[]): Promise<ConfiguredServer> => starter.startWaybill(configuration(direct.port, monitoring), `data-metrics-${name}-${bench.round}`);
    const receiver = await startReceiver();
    const servers = { off: await start('off', []), on: await start('on', ['monitoring:', '  metrics: {}', '  alerts: { fails: { when: error-rate, to: [log] } }']), otlp: await start('otlp', ['monitoring:', `  otlp: { endpoint: "${receiver.url}" }`]) };
    const costUs = async ({ pid, route }: ConfiguredServer): Promise<number> => {
      const before = cpuTimeUs(pid);
      await load.run({ kind: 'flood', target: route('bench'), request: 'small', requests, concurrency });
      await sleep(settleMs);
      return (cpuTimeUs(pid) - before) / requests;
    };
    try {
      for (const server of Object.values(servers)) await load.run({ kind: 'flood', target: server.route('bench'), request: 'small', requests, concurrency });
      const order = bench.round % 2 === 0 ? ['off', 'on', 'otlp'] as const : ['otlp', 'on', 'off'] as const;
      const us = { off: 0, on: 0, otlp: 0 };
      for (const name of order) us[name] = await costUs(servers[name]);
      bench.record('metrics off', 'waybill', us.off);
      bench.record('metrics on', 'waybill', us.on);
      bench.record('metrics ratio', 'waybill', us.on / us.off);
      bench.record('OTLP on', 'waybill', us.otlp);
      bench.record('OTLP ratio', 'waybill', us.otlp / us.off);
      if (receiver.requests() === 0) throw new Error('The receiver got no trace.');
    } finally {
      await Promise.all(Object.values(servers).map(({ child }) => stop(child)));
      receiver.close();
    }
  },
};

/** Takes everything, and reads nothing of it. */
async function startReceiver(): Promise<{ url: string; requests(): number; close(): void }> {
  let count = 0;
  const server = createServer((request, response) => {
    count += 1;
    request.resume().on('end', () => response.writeHead(200, { 'content-type': 'application/json' }).end('{}'));
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`, requests: () => count,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
