/**
 * Makes the editor ready that the end-to-end tests run in, once per lock file:
 *
 * 1. `npm ci` without install scripts, then the editor's own two dependency folders the same way. The scripts are
 *    left out because they compile modules the tests never reach (Kerberos needs system headers); the one that is
 *    wanted, the logger, is compiled afterwards and may fail.
 * 2. A copy of the editor by hard links in which proposed APIs are refused as in a desktop VS Code
 *    (`harness/proposedApiGate.mjs` says why).
 *
 * Prints one line. A finished installation leaves `.cache/installed.json` behind; while that agrees with the lock file nothing is done.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeGatedCopy } from './harness/proposedApiGate.mjs';

const here = import.meta.dirname;
const markerFile = path.join(here, '.cache', 'installed.json');
const editorDir = path.join(here, 'node_modules', 'code-server');
const gatedEditorDir = path.join(here, '.cache', 'editor', 'code-server');

/** What an installation is made of: the lock file, this script and the gate, and the machine it was made for. */
function wantedFingerprint() {
  const hash = createHash('sha256');
  for (const file of ['package-lock.json', 'install.mjs', 'harness/proposedApiGate.mjs']) hash.update(readFileSync(path.join(here, file)));
  hash.update(`${process.platform} ${process.arch} ${process.versions.modules}`);
  return hash.digest('hex');
}

function installedFingerprint() {
  if (!existsSync(markerFile) || !existsSync(path.join(gatedEditorDir, 'out/node/entry.js'))) return undefined;
  return JSON.parse(readFileSync(markerFile, 'utf8')).fingerprint;
}

/** Runs npm without the environment of the package script that may have started this process. */
function npm(cwd, ...args) {
  const env = { ...process.env };
  for (const name of Object.keys(env)) if (/^npm_(package|lifecycle)_|^npm_config_local_prefix$/.test(name)) delete env[name];
  const npmCli = process.env.npm_execpath;
  const [command, ...first] = npmCli?.endsWith('.js') ? [process.execPath, npmCli] : ['npm'];
  return spawnSync(command, [...first, ...args], { cwd, env, encoding: 'utf8', shell: process.platform === 'win32' });
}

function npmOrThrow(cwd, ...args) {
  const result = npm(cwd, ...args);
  if (result.status !== 0) throw new Error(`npm ${args.join(' ')} failed in ${cwd}\n${result.error ?? ''}${result.stdout}${result.stderr}`);
}

/** Installs what is missing; returns the line to print. */
export function install() {
  const fingerprint = wantedFingerprint();
  if (installedFingerprint() === fingerprint) return 'e2e: editor and browser are installed';
  const startedAt = Date.now();
  rmSync(markerFile, { force: true });
  npmOrThrow(here, 'ci', '--ignore-scripts');
  // `npm install`: the editor's shrinkwrap is not quite in step with its package.json, which `npm ci` refuses.
  const editorModules = path.join(editorDir, 'lib/vscode');
  npmOrThrow(editorModules, 'install', '--omit=dev', '--ignore-scripts');
  npmOrThrow(path.join(editorModules, 'extensions'), 'install', '--omit=dev', '--ignore-scripts');
  const logger = npm(editorModules, 'rebuild', '@vscode/spdlog').status === 0 ? '' : ' (no compiler: the editor writes no log files)';
  rmSync(gatedEditorDir, { recursive: true, force: true });
  makeGatedCopy(editorDir, gatedEditorDir);
  mkdirSync(path.dirname(markerFile), { recursive: true });
  writeFileSync(markerFile, JSON.stringify({ fingerprint, loggerCompiled: logger === '' }));
  return `e2e: installed editor and browser in ${Math.round((Date.now() - startedAt) / 1000)} s${logger}`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(install());
