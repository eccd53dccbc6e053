/**
 * `npm test`: every check in order, up to the first that fails. `npm test -- unit e2e` runs the named ones only.
 * The last line counts the tests of all runs; a check that fails without a failing test counts as one.
 */
import { spawn } from 'node:child_process';
import fs, { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import path from 'node:path';
import { onProjectNode, root } from './ensureInstalled.mjs';
import { bold, duration, green, red } from './terminal.mjs';

const bin = (name) => path.join(root, 'node_modules', name);
const typescript = (project) => [bin('typescript/bin/tsc'), '-p', project];

/** Test files at a time: most wait for a process of their own as long as they work. */
const together = Math.max(2, availableParallelism() - 1);

/**
 * Commands are arguments of Node; `tests` marks runs of the test runner, `counts` scripts that run it themselves. Tests that are
 * `alone` measure times or memory of a process, so nothing runs beside them. Neighbours with `beside` run at the same time: each of them
 * keeps one core busy.
 */
const steps = [
  { name: 'typecheck', beside: true, commands: [typescript('.'), typescript('client/views/tsconfig.json')] },
  { name: 'lint', beside: true, commands: [[bin('eslint/bin/eslint.js'), '--max-warnings', '0', '.']] },
  { name: 'build', commands: [['scripts/build.mjs']] },
  { name: 'unit', tests: 'test/unit/**/*.test.ts' },
  { name: 'integration', tests: 'test/integration/**/*.test.ts', alone: ['faults/chaos', 'faults/faultWall', 'faults/hostile', 'processes/allocations'].map((name) => `test/integration/${name}.test.ts`) },
  { name: 'package', commands: [['scripts/package.mjs']] },
  // The editor's own package is installed for this step alone, so its types are there only then.
  { name: 'e2e', commands: [['test/e2e/install.mjs'], typescript('test/e2e/tsconfig.json'), ['test/e2e/run.mjs']], counts: true, present: () => existsSync(path.join(root, 'test/e2e/run.mjs')) },
];

function chosenSteps(names) {
  const unknown = names.filter((name) => !steps.some((step) => step.name === name));
  if (unknown.length > 0) throw new Error(`There is no step ${unknown.join(', ')}; there are ${steps.map(({ name }) => name).join(', ')}.`);
  return steps.filter((step) => (names.length === 0 || names.includes(step.name)) && step.present?.() !== false);
}

/** @returns for each command the file in which it leaves its counts */
function commandsOf(step, countsFile) {
  if (step.tests === undefined) return step.commands.map((args) => ({ args, countsFile }));
  const { tests, alone = [] } = step;
  const files = alone.length === 0 ? [tests] : fs.globSync(tests, { cwd: root }).map((file) => file.replaceAll('\\', '/')).filter((file) => !alone.includes(file));
  const runs = [{ files, concurrency: together }, ...(alone.length === 0 ? [] : [{ files: alone, concurrency: 1 }])];
  return runs.map(({ files: chosen, concurrency }, index) => ({
    args: [
      `--import=${new URL('../test/support/endWatch.mjs', import.meta.url)}`, '--test', `--test-concurrency=${concurrency}`, '--test-reporter=spec', '--test-reporter-destination=stdout',
      `--test-reporter=${new URL('countReporter.mjs', import.meta.url)}`, `--test-reporter-destination=${countsFile}-${index}`, ...chosen,
    ],
    countsFile: `${countsFile}-${index}`,
  }));
}

/** Runs Node with these arguments, handing on what it prints; resolves to its exit code and the counts the test runner itself printed. */
function runNode(args, countsFile, print) {
  const child = spawn(process.execPath, args, { cwd: root, stdio: ['inherit', 'pipe', 'inherit'], env: { ...process.env, WAYBILL_TEST_COUNTS: countsFile } });
  const printed = { passed: 0, failed: 0, cancelled: 0 };
  let line = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    print(text);
    const lines = (line + text).split('\n');
    line = lines.pop();
    for (const each of lines) {
      const match = /^(?:ℹ|#) (pass|fail|cancelled) (\d+)$/.exec(stripColours(each));
      if (match !== null) printed[{ pass: 'passed', fail: 'failed', cancelled: 'cancelled' }[match[1]]] += Number(match[2]);
    }
  });
  return new Promise((resolve) => {
    child.once('error', () => resolve({ code: 1, printed }));
    child.once('close', (code) => resolve({ code: code ?? 1, printed }));
  });
}

function stripColours(text) {
  return text.split('\u001b').map((part, index) => (index === 0 ? part : part.replace(/^\[[\d;]*m/, ''))).join('').trim();
}

/** Counts a run left in its file, one JSON object a line; undefined when it left none. */
function countsIn(file) {
  if (!existsSync(file)) return undefined;
  const lines = readFileSync(file, 'utf8').split('\n').filter((line) => line !== '').map((line) => JSON.parse(line));
  return lines.length === 0 ? undefined : sumCounts(lines);
}

function sumCounts(all) {
  return all.reduce((sum, { passed = 0, failed = 0, cancelled = 0 }) => ({ passed: sum.passed + passed, failed: sum.failed + failed + cancelled }), { passed: 0, failed: 0 });
}

async function runStep(step, countsFile, print) {
  print(`\n${bold(`== ${step.name}`)}\n`);
  const startedAt = Date.now();
  let failedCode = 0;
  const printed = [];
  const left = [];
  for (const command of commandsOf(step, countsFile)) {
    const result = await runNode(command.args, command.countsFile, print);
    printed.push(result.printed);
    left.push(countsIn(command.countsFile));
    failedCode = result.code;
    if (failedCode !== 0) break;
  }
  const runsTests = step.tests !== undefined || step.counts === true;
  const counted = left.filter((each) => each !== undefined);
  const counts = runsTests ? sumCounts(counted.length > 0 ? counted : printed) : { passed: 0, failed: 0 };
  const ok = failedCode === 0 && counts.failed === 0;
  if (!ok && counts.failed === 0) counts.failed = 1;
  print(`${ok ? green('ok') : red('FAILED')}  ${step.name}  ${duration(Date.now() - startedAt)}\n`);
  return { name: step.name, ok, counts };
}

/** Runs steps at the same time. What each of them prints is shown at its end, but for a single one. */
function runTogether(group, scratch) {
  return Promise.all(group.map(async (step) => {
    let held = '';
    const print = group.length === 1 ? (text) => process.stdout.write(text) : (text) => { held += text; };
    const result = await runStep(step, path.join(scratch, step.name), print);
    process.stdout.write(held);
    return result;
  }));
}

/** Neighbours that run beside each other are in one group. */
function grouped(chosen) {
  const groups = [];
  for (const step of chosen) {
    const last = groups.at(-1);
    if (step.beside === true && last?.[0].beside === true) last.push(step);
    else groups.push([step]);
  }
  return groups;
}

async function main() {
  const chosen = chosenSteps(process.argv.slice(2));
  const scratch = mkdtempSync(path.join(tmpdir(), 'waybill-test-'));
  const all = [];
  let failedStep;
  try {
    for (const group of grouped(chosen)) {
      const results = await runTogether(group, scratch);
      all.push(...results.map(({ counts }) => counts));
      failedStep = results.find(({ ok }) => !ok)?.name;
      if (failedStep !== undefined) break;
    }
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
  const { passed, failed } = sumCounts(all);
  if (failedStep !== undefined) {
    console.log(red(`\nThe step "${failedStep}" failed; those after it were not run.`));
    process.exitCode = 1;
  }
  console.log(`${passed} passed, ${failed} failed`);
}

await onProjectNode(main);
