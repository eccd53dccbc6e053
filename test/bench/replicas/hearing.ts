import { setTimeout as sleep } from 'node:timers/promises';
import { parseJson } from '../../../server/base/json.ts';
import type { AttemptNews } from '../../../server/router/replicas/news/newsItems.ts';
import { stop } from '../childProcess.ts';
import { settleMs, type Bench, type Row } from '../measure.ts';
import { cpuTimeUs } from '../processStat.ts';
import type { ConfiguredServer } from '../subjects.ts';
import type { BenchRedis } from './engines.ts';
import { startReplica } from './scene.ts';

/** What 100 replicas tell in a second, each ten times. */
const batches = 1_000;
const replicas = 100;
const pieces = 10;
/** Attempts in a batch: of a replica with few requests, and the most that are told of one target. */
const sizes = [1, 32] as const;
const heardWithinMs = 60_000;
const lookEveryMs = 20;
const idleMs = 2_000;

export const hearingRows: Readonly<Record<string, Row>> = Object.fromEntries(sizes.flatMap(size => {
  const what = `a batch of news with ${size === 1 ? '1 attempt' : `${size} attempts`}`;
  return [
    [`hear ${size} cpu`, { title: `${what}: CPU of each replica that hears it`, unit: 'us' }],
    [`hear ${size} redis`, { title: `${what}: CPU of Redis for each replica that hears it`, unit: 'us' }],
    [`tell ${size} redis`, { title: `${what}: CPU of Redis to take it`, unit: 'us' }],
    [`tell ${size} bytes`, { title: `${what}: text`, unit: 'bytes' }],
    [`tell ${size} memory`, { title: `${what}: memory of Redis`, unit: 'bytes' }],
  ] satisfies [string, Row][];
}));

/** A replica that serves nothing hears as much as 100 others may tell in a second: a thousand batches, which are made of what it once told itself. */
export async function hearing(bench: Bench, redis: BenchRedis): Promise<void> {
  const prefix = 'hearing';
  const server = await startReplica(bench, { redis }, `data-hearing-${bench.round}`, { prefix, metrics: true });
  try {
    await bench.load.run({ kind: 'flood', target: server.route('bench'), request: 'small', requests: 1, concurrency: 1 });
    const model = await toldAttempt(redis, prefix);
    let number = 0;
    const tell = async (to: string, size: number): Promise<number> => {
      let bytes = 0;
      for (let piece = 0; piece < pieces; piece += 1) {
        const sent: Promise<unknown>[] = [];
        for (let index = 0; index < batches / pieces; index += 1) {
          const at = Date.now();
          const text = JSON.stringify(Array.from({ length: size }, () => ({ ...model, id: `bench-${number += 1}#1`, startedAt: at - 5, at }) satisfies AttemptNews));
          bytes += text.length;
          sent.push(redis.send(['XADD', `{${to}}:news`, 'MAXLEN', '~', '2000', '*', 'v', '1', 'by', `replica-${index % replicas}`, 'b', text]), redis.send(['PUBLISH', `{${to}}:news`, `replica-${index % replicas}`]));
        }
        await Promise.all(sent);
        await sleep(1_000 / pieces);
      }
      return bytes;
    };
    // Its code for this is compiled before anything counts.
    await heard(server, batches, () => tell(prefix, 1));
    for (const size of sizes) {
      const idle = cpuTimeUs(server.pid);
      const idleFrom = performance.now();
      await sleep(idleMs);
      const idleShare = (cpuTimeUs(server.pid) - idle) / (performance.now() - idleFrom);
      const unheard = await redis.figures();
      const bytes = await tell('unheard', size);
      const before = await redis.figures();
      const [cpu, from] = [cpuTimeUs(server.pid), performance.now()];
      await heard(server, batches * size, () => tell(prefix, size));
      await sleep(settleMs);
      const us = cpuTimeUs(server.pid) - cpu - idleShare * (performance.now() - from);
      const after = await redis.figures();
      const telling = before.cpuUs - unheard.cpuUs;
      bench.record(`hear ${size} cpu`, 'waybill', us / batches);
      bench.record(`hear ${size} redis`, 'waybill', (after.cpuUs - before.cpuUs - telling) / batches);
      bench.record(`tell ${size} redis`, 'waybill', telling / batches);
      bench.record(`tell ${size} bytes`, 'waybill', bytes / batches);
      bench.record(`tell ${size} memory`, 'waybill', (before.usedBytes - unheard.usedBytes) / batches);
      await redis.send(['DEL', '{unheard}:news']);
    }
  } finally {
    await stop(server.child);
  }
}

/** What the server told of the request that it served. */
async function toldAttempt(redis: BenchRedis, prefix: string): Promise<AttemptNews> {
  for (const until = performance.now() + heardWithinMs; performance.now() < until; await sleep(lookEveryMs)) {
    const entries = await redis.send(['XRANGE', `{${prefix}}:news`, '-', '+']) as [string, string[]][];
    for (const [, fields] of entries) {
      const items = parseJson(fields[fields.indexOf('b') + 1] ?? '') as AttemptNews[] | undefined;
      const attempt = items?.find(({ kind }) => kind === 'attempt');
      if (attempt !== undefined) return attempt;
    }
  }
  throw new Error('The replica told nothing of its request.');
}

/** Runs something, and waits until the server heard so many items more. */
async function heard(server: ConfiguredServer, items: number, work: () => Promise<unknown>): Promise<void> {
  const count = async (): Promise<number> => {
    const text = await (await fetch(`http://127.0.0.1:${server.port}/metrics`)).text();
    return Number(/^waybill_replica_news_total\{outcome="heard"\} (\d+)/m.exec(text)?.[1] ?? 0);
  };
  const before = await count();
  await work();
  for (const until = performance.now() + heardWithinMs; await count() < before + items; await sleep(lookEveryMs)) {
    if (performance.now() > until) throw new Error('The replica did not hear all news.');
  }
}
