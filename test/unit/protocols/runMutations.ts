import { mutationsOf, playMutation, type MutationEnd } from './mutations.ts';
import { recordedCodec, recordings } from './replay.ts';

/**
 * `npm run mutations [-- COUNT [SEED]]`: damages recorded streams so many times for each protocol (100,000 by default).
 * Each must end as a whole answer, as a reported error or as a cut stream: never with a crash, never slowly, never with much memory.
 */
const longestMs = 2_000;
const mostHeapMb = 512;
const count = Number(process.argv[2] ?? 100_000);
const seed = Number(process.argv[3] ?? 1);
if (!Number.isInteger(count) || count < 1 || !Number.isInteger(seed)) throw new Error('npm run mutations -- COUNT SEED, both whole numbers.');

const protocols = [...new Set(recordings.map((name) => recordedCodec(name).protocol))];
for (const protocol of protocols) {
  const names = recordings.filter((name) => recordedCodec(name).protocol === protocol);
  const sources = names.map((name) => ({ name, mutations: mutationsOf(name, seed) }));
  const ends: Record<MutationEnd, number> = { whole: 0, error: 0, cut: 0 };
  let heapMb = 0;
  let slowestMs = 0;
  for (let round = 0; round < count; round += 1) {
    const source = sources[round % sources.length];
    if (source === undefined) continue;
    const beganMs = performance.now();
    try {
      ends[playMutation(source.name, source.mutations)] += 1;
    } catch (error) {
      throw new Error(`${source.name}, mutation ${source.mutations.round} of seed ${seed}`, { cause: error });
    }
    slowestMs = Math.max(slowestMs, performance.now() - beganMs);
    if (slowestMs > longestMs) throw new Error(`${source.name}, mutation ${source.mutations.round} of seed ${seed} took ${Math.round(slowestMs)} ms`);
    if (round % 1_000 === 0) heapMb = Math.max(heapMb, process.memoryUsage().heapUsed / 2 ** 20);
    if (heapMb > mostHeapMb) throw new Error(`${protocol}: ${Math.round(heapMb)} MB of memory after ${round} mutations`);
  }
  process.stdout.write(`${protocol}: ${count} mutations, ${ends.whole} whole answers, ${ends.error} reported errors, ${ends.cut} cut; slowest ${slowestMs.toFixed(0)} ms, most memory ${heapMb.toFixed(0)} MB\n`);
}
