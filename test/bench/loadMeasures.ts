import { setTimeout as sleep } from 'node:timers/promises';
import { rotated, settleMs, type Bench, type Measure } from './measure.ts';
import { cpuTimeUs } from './processStat.ts';
import { quantile } from './statistics.ts';
import { longAnswers } from './traffic.ts';
import type { RunningProxy, SubjectName } from './subjects.ts';

/** What the subjects that run all the time need under load. */

const smallConcurrency = 16;
const manyConcurrency = 64;
const pacedPerSecond = 10;
const turnsPerSecond = 10;
const floodStreams = 8;
const steadyStreams = 32;
const quantiles = { p50: 0.5, p99: 0.99 };

function proxies({ passThrough, waybill, earlier, round }: Bench): { name: SubjectName; proxy: RunningProxy }[] {
  const others = earlier === undefined ? [] : [{ name: 'earlier' as const, proxy: earlier }];
  return rotated([{ name: 'pass-through' as const, proxy: passThrough }, { name: 'waybill' as const, proxy: waybill }, ...others], round);
}

/** Records quantiles: of direct as they are, of the proxies what they add to direct in the same round. */
function recordAdded(bench: Bench, row: string, samplesUs: ReadonlyMap<SubjectName, readonly number[]>, unitUs: number): void {
  const direct = samplesUs.get('direct');
  if (direct === undefined) throw new Error('nothing to compare with');
  for (const [name, part] of Object.entries(quantiles)) {
    const whole = quantile(direct, part);
    for (const [subject, samples] of samplesUs) {
      bench.record(`${row} ${name}`, subject, (subject === 'direct' ? whole : quantile(samples, part) - whole) / unitUs);
    }
  }
}

/** Processor time that a proxy spends while something runs, put-off work included. */
async function spentUs(proxy: RunningProxy, work: () => Promise<void>): Promise<number> {
  const before = cpuTimeUs(proxy.pid);
  await work();
  await sleep(settleMs);
  return cpuTimeUs(proxy.pid) - before;
}

const cpu: Measure = {
  name: 'cpu',
  rows: {
    'cpu': { title: `CPU per small request, concurrency ${smallConcurrency}`, unit: 'us', target: { ratio: 1.6 } },
    'cpu many': { title: `CPU per small request, concurrency ${manyConcurrency}`, unit: 'us', target: { ratio: 1.6 } },
  },
  async run(bench) {
    const requests = bench.amounts.floodRequests;
    for (const [row, concurrency] of [['cpu', smallConcurrency], ['cpu many', manyConcurrency]] as const) {
      for (const { name, proxy } of proxies(bench)) {
        const us = await spentUs(proxy, async () => {
          await bench.load.run({ kind: 'flood', target: proxy.target, request: 'small', requests, concurrency });
        });
        bench.record(row, name, us / requests);
      }
    }
  },
};

const latency: Measure = {
  name: 'latency',
  rows: {
    'latency p50': { title: `added latency p50, ${pacedPerSecond} requests/s`, unit: 'ms', target: { ratio: 1 } },
    'latency p99': { title: `added latency p99, ${pacedPerSecond} requests/s`, unit: 'ms' },
    'paced cpu': { title: `CPU per small request, ${pacedPerSecond} requests/s`, unit: 'us', target: { ratio: 1.4 } },
  },
  async run(bench) {
    const subjects = [{ name: 'direct' as const, target: bench.direct }, ...proxies(bench).map(({ name, proxy }) => ({ name, target: proxy.target }))];
    const seconds = bench.amounts.pacedSeconds;
    const before = proxies(bench).map(({ name, proxy }) => ({ name, proxy, us: cpuTimeUs(proxy.pid) }));
    const { latenciesUs } = await bench.load.run({ kind: 'paced', targets: subjects.map(({ target }) => target), perSecond: pacedPerSecond, seconds });
    await sleep(settleMs);
    for (const { name, proxy, us } of before) bench.record('paced cpu', name, (cpuTimeUs(proxy.pid) - us) / (pacedPerSecond * seconds));
    recordAdded(bench, 'latency', new Map(subjects.map(({ name }, index) => [name, latenciesUs[index] ?? []])), 1000);
  },
};

const turn: Measure = {
  name: 'turn',
  rows: {
    'first token p50': { title: 'agent turn: added first token p50', unit: 'ms', target: { ratio: 1.3 } },
    'first token p99': { title: 'agent turn: added first token p99', unit: 'ms' },
    'chunk p50': { title: 'agent turn: added chunk delay p50', unit: 'ms' },
    'chunk p99': { title: 'agent turn: added chunk delay p99', unit: 'ms', target: { ratio: 1.5 } },
    'turn cpu': { title: 'agent turn: CPU, 64 KB in, 50 chunks out', unit: 'us', target: { ratio: 1.3 } },
  },
  async run(bench) {
    const seconds = bench.amounts.turnSeconds;
    const firstTokensUs = new Map<SubjectName, number[]>();
    const chunkDelaysUs = new Map<SubjectName, number[]>();
    const subjects = rotated([{ name: 'direct' as const, target: bench.direct, proxy: undefined },
      ...proxies({ ...bench, round: 0 }).map(({ name, proxy }) => ({ name, target: proxy.target, proxy }))], bench.round);
    for (const { name, target, proxy } of subjects) {
      const work = async (): Promise<void> => {
        const samples = await bench.load.run({ kind: 'turns', target, perSecond: turnsPerSecond, seconds });
        firstTokensUs.set(name, samples.firstTokensUs);
        chunkDelaysUs.set(name, samples.chunkDelaysUs);
      };
      if (proxy === undefined) await work();
      else bench.record('turn cpu', name, await spentUs(proxy, work) / (turnsPerSecond * seconds));
    }
    recordAdded(bench, 'first token', firstTokensUs, 1000);
    recordAdded(bench, 'chunk', chunkDelaysUs, 1000);
  },
};

const megabyte: Measure = {
  name: 'megabyte',
  rows: {
    'megabyte cpu': { title: '1 MB body: CPU', unit: 'ms', target: { ratio: 1.7 } },
    'megabyte latency p50': { title: '1 MB body: added latency p50', unit: 'ms', target: { ratio: 2.2 } },
  },
  async run(bench) {
    const requests = bench.amounts.megabyteRequests;
    const latenciesUs = new Map<SubjectName, number[]>();
    const job = { kind: 'flood', request: 'megabyte', requests, concurrency: 1 } as const;
    latenciesUs.set('direct', (await bench.load.run({ ...job, target: bench.direct })).latenciesUs);
    for (const { name, proxy } of proxies(bench)) {
      const us = await spentUs(proxy, async () => {
        latenciesUs.set(name, (await bench.load.run({ ...job, target: proxy.target })).latenciesUs);
      });
      bench.record('megabyte cpu', name, us / requests / 1000);
    }
    recordAdded(bench, 'megabyte latency', latenciesUs, 1000);
  },
};

const chunks: Measure = {
  name: 'chunks',
  rows: {
    'chunk flood cpu': { title: `CPU per chunk, ${floodStreams} streams as fast as they are taken`, unit: 'us', target: { ratio: 1.6 } },
    'chunk steady cpu': { title: `CPU per chunk, ${steadyStreams} streams, 100 chunks a second each`, unit: 'us', target: { ratio: 1.2 } },
  },
  async run(bench) {
    for (const { name, proxy } of proxies(bench)) {
      for (const [kind, streams, row] of [['flood', floodStreams, 'chunk flood cpu'], ['steady', steadyStreams, 'chunk steady cpu']] as const) {
        const us = await spentUs(proxy, async () => {
          await bench.load.run({ kind: 'flood', target: proxy.target, request: kind, requests: streams, concurrency: streams });
        });
        bench.record(row, name, us / (streams * longAnswers[kind].chunks));
      }
    }
  },
};

export const loadMeasures: readonly Measure[] = [cpu, latency, turn, chunks, megabyte];
