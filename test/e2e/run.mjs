/**
 * Runs the end-to-end tests: installs the editor where it is missing, wants the packaged extension, and runs every
 * `*.test.ts` beside this file, two at a time. Arguments choose files by a part of their name: `run.mjs mainJob`.
 */
import { spawn } from 'node:child_process';
import { existsSync, globSync, rmSync } from 'node:fs';
import path from 'node:path';
import { install } from './install.mjs';

const here = import.meta.dirname;
const repository = path.join(here, '..', '..');
/** A test file that takes longer than this hangs: the longest one takes 200 s on a machine with two busy cores. */
const fileTimeoutMs = 400_000;

const vsix = process.env.WAYBILL_E2E_VSIX ?? path.join(repository, 'dist', 'waybill.vsix');
if (!existsSync(vsix)) {
  console.error(`There is no ${vsix}: run "npm run package" first.`);
  process.exit(1);
}
console.log(install());
// Those of viewPictures.mjs are in a folder of their own there.
for (const file of globSync('screenshots/*.png', { cwd: here })) rmSync(path.join(here, file), { force: true });

const wanted = process.argv.slice(2);
const files = globSync('*.test.ts', { cwd: here }).sort().filter((file) => wanted.length === 0 || wanted.some((part) => file.includes(part)));
const reporters = ['--test-reporter=spec', '--test-reporter-destination=stdout'];
const countsFile = process.env.WAYBILL_TEST_COUNTS;
if (countsFile !== undefined) reporters.push(`--test-reporter=${new URL('../../scripts/countReporter.mjs', import.meta.url)}`, `--test-reporter-destination=${countsFile}`);
const env = { ...process.env };
delete env.NODE_TEST_CONTEXT;
const child = spawn(process.execPath, [
  // Each file has an editor, a browser, a port and folders of its own, and waits more than it works.
  '--disable-warning=ExperimentalWarning', `--import=${new URL('../support/endWatch.mjs', import.meta.url)}`, '--test', '--test-concurrency=2', `--test-timeout=${fileTimeoutMs}`, ...reporters, ...files.map((file) => path.join(here, file)),
], { stdio: 'inherit', cwd: repository, env });
child.once('exit', (code) => { process.exitCode = code ?? 1; });
