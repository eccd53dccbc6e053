/**
 * Every script begins here: dependencies are installed when they are missing or older than the lock file, and the script
 * then runs under the Node that came with them. Plain JavaScript without dependencies, as it runs before there are any.
 */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const modules = path.join(root, 'node_modules');
const lockFile = path.join(root, 'package-lock.json');
const markerFile = path.join(modules, '.waybill-installed');
const projectNode = path.join(modules, 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
const reenteredName = 'WAYBILL_PROJECT_NODE';

/** Why an installation is needed, as a person can read it; undefined when none is. */
export function reasonToInstall() {
  if (!existsSync(modules)) return 'node_modules is missing';
  if (!existsSync(projectNode)) return 'the project\'s own Node is missing';
  if (existsSync(markerFile) && readFileSync(markerFile, 'utf8') === lockDigest()) return undefined;
  const installedLock = path.join(modules, '.package-lock.json');
  if (existsSync(installedLock) && statSync(installedLock).mtimeMs >= statSync(lockFile).mtimeMs) return undefined;
  return 'package-lock.json is newer than node_modules';
}

function lockDigest() {
  return createHash('sha256').update(readFileSync(lockFile)).digest('hex');
}

/** Installs what is missing. Ends the process when that fails. */
export function ensureInstalled() {
  const reason = reasonToInstall();
  if (reason === undefined) return;
  console.log(`Installing dependencies: ${reason}.`);
  if (runNpm('ci', '--loglevel=error') !== 0) exitWith('npm ci failed; see above.');
  // npm can be configured to run no install scripts; the one that brings Node is then run by name.
  if (!existsSync(projectNode)) {
    const installer = path.join(modules, 'node', 'installArchSpecificPackage.js');
    spawnSync(process.execPath, [installer], { cwd: path.dirname(installer), stdio: 'inherit' });
  }
  if (!existsSync(projectNode)) exitWith(`npm ci left no ${path.relative(root, projectNode)}: are install scripts switched off (npm config get ignore-scripts)?`);
  writeFileSync(markerFile, lockDigest());
}

function runNpm(...args) {
  const npmCli = process.env.npm_execpath;
  const windows = process.platform === 'win32';
  const [command, first] = npmCli?.endsWith('.js') ? [process.execPath, [npmCli]] : [windows ? 'npm.cmd' : 'npm', []];
  const result = spawnSync(command, [...first, ...args], { cwd: root, stdio: ['ignore', 'inherit', 'inherit'], shell: windows && first.length === 0 });
  return result.status ?? 1;
}

function exitWith(message) {
  console.error(message);
  process.exit(1);
}

/**
 * Installs what is missing and runs `main` under the project's Node: at once when this is that Node, else by starting
 * the same script again. An error of `main` ends the process with code 1.
 * @param main {() => Promise<void>}
 */
export async function onProjectNode(main) {
  ensureInstalled();
  if (process.env[reenteredName] === undefined && !sameFile(process.execPath, projectNode)) {
    process.exitCode = await reenter();
    return;
  }
  delete process.env[reenteredName];
  try {
    await main();
  } catch (error) {
    // A plain Error is ours and says what to do; anything else is a fault of the script.
    console.error(error instanceof Error && error.name === 'Error' ? error.message : error);
    process.exitCode = 1;
  }
}

function sameFile(left, right) {
  const [one, other] = [statSync(left), statSync(right)];
  return one.ino === other.ino && one.dev === other.dev;
}

function reenter() {
  const child = spawn(projectNode, process.argv.slice(1), { stdio: 'inherit', env: { ...process.env, [reenteredName]: '1' } });
  // The terminal sends Ctrl-C to the child as well: it decides when to end. Only what comes to us alone is passed on.
  process.on('SIGINT', () => {});
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  return new Promise((resolve) => {
    child.once('error', (error) => exitWith(`${projectNode} cannot be started: ${error.message}`));
    child.once('exit', (code, signal) => resolve(code ?? (signal === 'SIGINT' ? 130 : 143)));
  });
}
