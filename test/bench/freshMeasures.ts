import { setTimeout as sleep } from 'node:timers/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { stop } from './childProcess.ts';
import { Connection, wireRequest } from './connection.ts';
import { rotated, settleMs, type Bench, type Measure } from './measure.ts';
import { cpuTimeUs, residentMb } from './processStat.ts';
import { median } from './statistics.ts';
import type { ProxyName, RunningProxy } from './subjects.ts';
import { requestBody } from './traffic.ts';

/** What is measured on processes started for it. */

const observer = pathToFileURL(path.join(import.meta.dirname, 'observeEventLoop.mjs')).href;
const warmUpRequests = 200;
const memoryRequests = 10_000;
const memoryConcurrency = 16;
const coldRequests = 100;
const idleMs = 2000;
const afterLoadMs = 1000;
const blockAllowedMs = 10;

/** The longest blocks of a proxy's event loop since the last question. */
async function longestBlock(proxy: RunningProxy): Promise<{ longestMs: number; longestRunMs: number }> {
  const { reports } = proxy;
  if (reports === undefined) throw new Error('this process is not observed');
  proxy.child.kill('SIGUSR2');
  return JSON.parse(await reports.next()) as { longestMs: number; longestRunMs: number };
}

const eightMegabytes: Measure = {
  name: 'eight-megabytes',
  rows: {
    'eight megabytes block': { title: '8 MB body: longest event-loop block', unit: 'ms', target: { most: blockAllowedMs } },
    'eight megabytes run': { title: '8 MB body: longest run of the main thread', unit: 'ms' },
    'eight megabytes cpu': { title: '8 MB body: CPU', unit: 'ms' },
    'eight megabytes latency': { title: '8 MB body: latency p50', unit: 'ms' },
  },
  async run(bench) {
    const { load, starter } = bench;
    const requests = bench.amounts.eightMegabyteRequests;
    const job = { kind: 'flood', request: 'eightMegabytes', requests, concurrency: 1 } as const;
    const milliseconds = (latenciesUs: readonly number[]): number => median(latenciesUs) / 1000;
    bench.record('eight megabytes latency', 'direct', milliseconds((await load.run({ ...job, target: bench.direct })).latenciesUs));
    for (const name of rotated(bench.starter.proxies, bench.round)) {
      const proxy = await starter.start(name, 'data-observed', { nodeArgs: ['--import', observer], reports: true });
      try {
        await load.run({ kind: 'flood', target: proxy.target, request: 'small', requests: warmUpRequests, concurrency: 4 });
        await sleep(idleMs);
        await longestBlock(proxy);
        const before = cpuTimeUs(proxy.pid);
        const { latenciesUs } = await load.run({ ...job, target: proxy.target });
        await sleep(settleMs);
        bench.record('eight megabytes cpu', name, (cpuTimeUs(proxy.pid) - before) / requests / 1000);
        const { longestMs, longestRunMs } = await longestBlock(proxy);
        bench.record('eight megabytes block', name, longestMs);
        bench.record('eight megabytes run', name, longestRunMs);
        bench.record('eight megabytes latency', name, milliseconds(latenciesUs));
      } finally {
        await stop(proxy.child);
      }
    }
  },
};

const memory: Measure = {
  name: 'memory',
  rows: {
    'memory idle': { title: 'RSS idle', unit: 'MB', target: { most: 90 } },
    'memory used': { title: `RSS after ${memoryRequests.toLocaleString('en')} requests`, unit: 'MB', target: { most: 140 } },
  },
  async run(bench) {
    for (const name of rotated(bench.starter.proxies, bench.round)) {
      // A folder of its own each time: what earlier rounds left in a ledger is taken over at the start and takes memory.
      const proxy = await bench.starter.start(name, `data-memory-${bench.round}`);
      try {
        await sleep(idleMs);
        bench.record('memory idle', name, residentMb(proxy.pid));
        await bench.load.run({ kind: 'flood', target: proxy.target, request: 'small', requests: memoryRequests, concurrency: memoryConcurrency });
        await sleep(afterLoadMs);
        bench.record('memory used', name, residentMb(proxy.pid));
      } finally {
        await stop(proxy.child);
      }
    }
  },
};

/** From the spawn to the last byte of the first answer: by the clock, and the processor time of it. */
async function coldStart(bench: Bench, name: ProxyName): Promise<{ ms: number; cpuMs: number }> {
  const beganMs = performance.now();
  const proxy = await bench.starter.start(name, 'data-start');
  const connection = new Connection(proxy.target);
  try {
    await connection.send(wireRequest(proxy.target, requestBody('small', proxy.target.model)));
    return { ms: performance.now() - beganMs, cpuMs: cpuTimeUs(proxy.pid) / 1000 };
  } finally {
    connection.close();
    await stop(proxy.child);
  }
}

const start: Measure = {
  name: 'start',
  rows: {
    start: { title: 'cold start to the first answer', unit: 'ms', target: { ratio: 1.3 } },
    'start cpu': { title: 'cold start: CPU, all threads', unit: 'ms' },
  },
  async run(bench) {
    // The first start of all makes the data folder and brings the files into memory; those of every day find both.
    if (bench.round === 0) for (const name of bench.starter.proxies) await coldStart(bench, name);
    for (let index = 0; index < bench.amounts.startsPerRound; index++) {
      for (const name of rotated(bench.starter.proxies, index)) {
        const { ms, cpuMs } = await coldStart(bench, name);
        bench.record('start', name, ms);
        bench.record('start cpu', name, cpuMs);
      }
    }
  },
};

/** What an editor's first minutes cost: nothing is compiled yet. */
const cold: Measure = {
  name: 'cold',
  rows: { cold: { title: `CPU per small request, the first ${coldRequests} of a process`, unit: 'us' } },
  async run(bench) {
    for (const name of rotated(bench.starter.proxies, bench.round)) {
      const proxy = await bench.starter.start(name, 'data-start');
      try {
        await sleep(idleMs);
        const before = cpuTimeUs(proxy.pid);
        await bench.load.run({ kind: 'flood', target: proxy.target, request: 'small', requests: coldRequests, concurrency: 4 });
        await sleep(settleMs);
        bench.record('cold', name, (cpuTimeUs(proxy.pid) - before) / coldRequests);
      } finally {
        await stop(proxy.child);
      }
    }
  },
};

export const freshMeasures: readonly Measure[] = [eightMegabytes, memory, start, cold];
