import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import path from 'node:path';
import { parseArguments, usage, type Command } from './arguments.ts';
import { buildPassThrough, shippedServer } from './bundles.ts';
import { LoadClient, pin, startUpstream, stop } from './childProcess.ts';
import { classifierMeasure } from './classifierCost.ts';
import { deadTargetMeasure } from './deadTargetMeasure.ts';
import { activationMeasure } from './editor/activationMeasure.ts';
import { editorMeasure } from './editor/editorMeasure.ts';
import { freshMeasures } from './freshMeasures.ts';
import { hedgingMeasure } from './hedgingMeasure.ts';
import { loadMeasures } from './loadMeasures.ts';
import type { Amounts, Bench, Measure } from './measure.ts';
import { metricsMeasure } from './metricsMeasure.ts';
import { planningMeasure } from './planningMeasure.ts';
import { profileProxy } from './profile.ts';
import { judge, table, writeResults } from './report.ts';
import { Samples } from './samples.ts';
import { spendMeasure } from './spendMeasure.ts';
import { replicasMeasure } from './replicas/replicasMeasure.ts';
import { restMeasure } from './restMeasure.ts';
import { ProxyStarter } from './subjects.ts';
import { translatedTurnMeasure } from './translatedTurnMeasure.ts';
import { translationMeasure } from './translationMeasure.ts';

/** `npm run bench`: what Waybill costs, next to a pass-through and to no proxy at all. */

const measures: readonly Measure[] = [...loadMeasures, translationMeasure, translatedTurnMeasure, editorMeasure, ...freshMeasures, activationMeasure, restMeasure, deadTargetMeasure, hedgingMeasure, planningMeasure, classifierMeasure, spendMeasure, metricsMeasure, replicasMeasure];
const full = { rounds: 5, amounts: { floodRequests: 5000, pacedSeconds: 20, turnSeconds: 8, megabyteRequests: 40, eightMegabyteRequests: 8, startsPerRound: 3, restSeconds: 60, deadRequests: 20, stallRequests: 4000 } };
const quick = { rounds: 2, amounts: { floodRequests: 1500, pacedSeconds: 4, turnSeconds: 2, megabyteRequests: 10, eightMegabyteRequests: 3, startsPerRound: 2, restSeconds: 20, deadRequests: 8, stallRequests: 2000 } };

async function measure(command: Extract<Command, { command: 'measure' }>): Promise<void> {
  if (process.platform !== 'linux') throw new Error('The benchmark reads processor time and memory from /proc: it runs on Linux only.');
  const startedAt = new Date();
  const { rounds, amounts } = { ...(command.quick ? quick : full), ...(command.rounds === undefined ? {} : { rounds: command.rounds }) };
  const chosen = measures.filter(({ name }) => command.only.length === 0 || command.only.includes(name));
  const { file: serverFile, stale } = shippedServer();
  if (stale) process.stderr.write('dist/server.js is older than its sources; npm run build brings it up to date.\n');
  const samples = new Samples();
  const failures = new Set<string>();
  if (command.pinned && availableParallelism() < 2) throw new Error('--pinned needs two processor cores.');
  await withSubjects(serverFile, command.against, amounts, samples, async bench => {
    await warmUp(bench);
    for (bench.round = 0; bench.round < rounds; bench.round++) {
      if (command.pinned) separate(bench);
      for (const one of chosen) {
        process.stderr.write(`round ${bench.round + 1} of ${rounds}: ${one.name}\n`);
        try {
          await one.run(bench);
        } catch (error) {
          failures.add(`${one.name}: ${error instanceof Error ? error.message : String(error)}`);
        }
      }
    }
  });
  const results = judge(chosen, samples);
  process.stdout.write(`${table(results)}\n\n`
    + `Medians of ${rounds} interleaved rounds. "added" is what a proxy adds to direct; the column direct shows the whole.\n`
    + `All values: ${path.relative(process.cwd(), writeResults(results, [...failures], startedAt, rounds))}\n`);
  for (const failure of failures) process.stderr.write(`failed: ${failure}\n`);
  if (failures.size > 0) process.exitCode = 1;
}

async function withSubjects(serverFile: string, earlierFile: string | undefined, amounts: Amounts, samples: Samples, work: (bench: Bench) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(path.join(tmpdir(), 'waybill-bench-'));
  const upstream = await startUpstream();
  const load = await LoadClient.start();
  const started = [upstream.child, load.child];
  try {
    const starter = new ProxyStarter(folder, upstream.port, await buildPassThrough(folder), serverFile, earlierFile);
    const passThrough = await starter.start('pass-through', 'data');
    started.push(passThrough.child);
    const waybill = await starter.start('waybill', 'data');
    started.push(waybill.child);
    const earlier = earlierFile === undefined ? undefined : await starter.start('earlier', 'data');
    if (earlier !== undefined) started.push(earlier.child);
    await work({ load, upstream: upstream.child, starter, passThrough, waybill, earlier, direct: starter.direct, amounts, round: 0, record: (row, subject, value) => samples.add(row, subject, value) });
  } finally {
    // What is measured first, so that its last requests still find an upstream.
    for (const child of started.reverse()) await stop(child);
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Gives what is measured one core, and client and upstream another; they change places each round. */
function separate({ round, load, upstream, starter, passThrough, waybill, earlier }: Bench): void {
  const measured = round % 2;
  for (const { pid } of [passThrough, waybill, ...(earlier === undefined ? [] : [earlier])]) pin(pid, measured);
  for (const { pid } of [load.child, upstream]) if (pid !== undefined) pin(pid, 1 - measured);
  starter.core = measured;
}

/** Gives every subject time to compile its hot code. */
async function warmUp({ load, direct, passThrough, waybill, earlier }: Bench): Promise<void> {
  process.stderr.write('warming up\n');
  for (const target of [direct, passThrough.target, waybill.target, ...(earlier === undefined ? [] : [earlier.target])]) {
    await load.run({ kind: 'flood', target, request: 'small', requests: 4000, concurrency: 16 });
    await load.run({ kind: 'turns', target, perSecond: 10, seconds: 1 });
    await load.run({ kind: 'flood', target, request: 'megabyte', requests: 5, concurrency: 1 });
  }
}

const names = measures.map(({ name }) => name);
const command = parseArguments(process.argv.slice(2), names);
switch (command.command) {
  case 'measure': await measure(command); break;
  case 'profile': await profileProxy(command.of, command.load); break;
  case 'help': process.stdout.write(usage(names)); break;
  case 'wrong':
    process.stderr.write(`${command.message}\n\n${usage(names)}`);
    process.exitCode = 2;
}
