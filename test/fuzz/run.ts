import { parseArgs } from 'node:util';
import { runFuzz, type Finding } from './fuzzRun.ts';

/*
 * `npm run fuzz -- --count N --seed S [--only NAME]`: random requests of four protocols and of the editor to each strict simulator. Prints the findings,
 * those of one kind once, and ends with 1 where there are any. The same seed makes the same requests.
 */
const { values } = parseArgs({ options: { count: { type: 'string', default: '500' }, seed: { type: 'string', default: '1' }, only: { type: 'string' }, bodies: { type: 'boolean' } } });
const count = Number(values.count);
const seed = Number(values.seed);
if (!Number.isInteger(count) || count < 1 || !Number.isInteger(seed)) throw new Error('--count and --seed want whole numbers, such as --count 500 --seed 1.');

const startedAt = Date.now();
const { requests, findings } = await runFuzz({ count, seed, only: values.only, onProgress: words => console.log(words) });
const kinds = new Map<string, Finding[]>();
for (const finding of findings) {
  const words = finding.kind === 'silent' ? finding.words.slice(0, finding.words.indexOf(':')) : finding.words.replace(/\d+/g, '0').replace(/call_\w+|functions\.\S+/g, 'ID').slice(0, 180);
  const key = `${finding.kind} ${finding.target}: ${words}`;
  kinds.set(key, [...kinds.get(key) ?? [], finding]);
}
for (const [key, list] of [...kinds].sort(([, one], [, other]) => other.length - one.length)) {
  const [first] = list;
  console.log(`\n${list.length} x ${key}\n  callers: ${[...new Set(list.map(({ caller }) => caller))].join(', ')}; models: ${[...new Set(list.map(({ model }) => model))].join(', ')}\n  ${first?.words ?? ''}`);
  if (values.bodies === true) console.log(`  written: ${first?.written ?? ''}\n  sent:    ${first?.sent ?? ''}`);
}
console.log(`\n${requests} requests, seed ${seed}, ${findings.length} findings of ${kinds.size} kinds, ${Math.round((Date.now() - startedAt) / 1000)} s`);
process.exitCode = findings.length === 0 ? 0 : 1;
