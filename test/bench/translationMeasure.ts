import { setTimeout as sleep } from 'node:timers/promises';
import { rotated, settleMs, type Bench, type Measure, type Row } from './measure.ts';
import { cpuTimeUs } from './processStat.ts';
import { median } from './statistics.ts';
import { routeTo } from './subjects.ts';
import type { ToolsKind } from './traffic.ts';

/** What it costs to translate a request with 50 tools to another protocol, next to passing it through. */

const sizes: readonly { kind: ToolsKind; title: string; share: number }[] = [
  { kind: 'tools1k', title: '1 KB and 50 tools', share: 10 },
  { kind: 'tools100k', title: '100 KB and 50 tools', share: 4 },
  { kind: 'tools1m', title: '1 MB and 50 tools', share: 1 },
];
const warmUpRequests = 5;

const rows: Record<string, Row> = Object.fromEntries(sizes.flatMap(({ kind, title }) => [
  [`${kind} passed cpu`, { title: `${title}, passed through: CPU`, unit: 'ms' }],
  [`${kind} translated cpu`, { title: `${title}, translated: CPU`, unit: 'ms' }],
  [`${kind} passed latency`, { title: `${title}, passed through: latency p50`, unit: 'ms' }],
  [`${kind} translated latency`, { title: `${title}, translated: latency p50`, unit: 'ms' }],
] as const));

export const translationMeasure: Measure = {
  name: 'translation',
  rows,
  async run(bench) {
    for (const { kind, share } of sizes) {
      const requests = bench.amounts.megabyteRequests * share;
      const { target } = bench.waybill;
      const ways = rotated([{ way: 'passed', target }, { way: 'translated', target: { ...target, model: routeTo('anthropic-messages') } }], bench.round);
      for (const { way, target: requestedModel } of ways) await flood(bench, kind, requests, way, requestedModel);
    }
  },
};

async function flood(bench: Bench, kind: ToolsKind, requests: number, way: string, target: Bench['direct']): Promise<void> {
  const job = { kind: 'flood', target, request: kind, concurrency: 1 } as const;
  await bench.load.run({ ...job, requests: warmUpRequests });
  const before = cpuTimeUs(bench.waybill.pid);
  const { latenciesUs } = await bench.load.run({ ...job, requests });
  await sleep(settleMs);
  bench.record(`${kind} ${way} cpu`, 'waybill', (cpuTimeUs(bench.waybill.pid) - before) / requests / 1000);
  bench.record(`${kind} ${way} latency`, 'waybill', median(latenciesUs) / 1000);
}
