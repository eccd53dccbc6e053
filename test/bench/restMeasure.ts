import { setTimeout as sleep } from 'node:timers/promises';
import { stop } from './childProcess.ts';
import { rotated, type Measure } from './measure.ts';
import { cpuTimeUs, sleepsOf } from './processStat.ts';

/** So long after the start the lists of models and first probes are done, and compiled code is not written yet. */
const afterStartMs = 8_000;
const cpuAllowedPercent = 0.5;

/** What a server costs while nothing asks it: four endpoints are configured, and their probes are on. */
export const restMeasure: Measure = {
  name: 'rest',
  rows: {
    'rest cpu': { title: 'at rest: CPU, all threads, of a core', unit: '%', target: { most: cpuAllowedPercent } },
    'rest wakes': { title: 'at rest: wake-ups of the main thread a second', unit: 'x' },
  },
  async run(bench) {
    const seconds = bench.amounts.restSeconds;
    // One after the other: their timers would otherwise meet on the same core.
    for (const name of rotated(bench.starter.proxies, bench.round)) {
      const { child, pid } = await bench.starter.start(name, `data-rest-${bench.round}`);
      try {
        await sleep(afterStartMs);
        const [cpuUs, sleeps] = [cpuTimeUs(pid), sleepsOf(pid)];
        await sleep(seconds * 1000);
        bench.record('rest cpu', name, (cpuTimeUs(pid) - cpuUs) / seconds / 1e6 * 100);
        bench.record('rest wakes', name, (sleepsOf(pid) - sleeps) / seconds);
      } finally {
        await stop(child);
      }
    }
  },
};
