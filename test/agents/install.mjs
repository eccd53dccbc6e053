/**
 * Installs the agents into `.cache/install`, in exactly the versions of the package.json beside this script, once for each
 * change of it. Their install scripts are left out, but for the two that put a program in its place. There is no lock
 * file: each agent is one bundle with a program for each platform, and not every registry has those of all platforms.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const here = import.meta.dirname;
const folder = path.join(here, '.cache', 'install');
const markerFile = path.join(folder, 'installed.txt');
const placing = { '@anthropic-ai/claude-code': 'install.cjs', 'opencode-ai': 'postinstall.mjs' };

/** What an installation is made of: the versions, this script, and the machine it was made for. */
function wantedFingerprint() {
  const hash = createHash('sha256');
  for (const file of ['package.json', 'install.mjs']) hash.update(readFileSync(path.join(here, file)));
  return hash.update(`${process.platform} ${process.arch}`).digest('hex');
}

/** Runs npm without the variables of the package whose script may have started this one. */
function npm(...args) {
  const env = { ...process.env };
  for (const name of Object.keys(env)) if (/^npm_(package|lifecycle)_|^npm_config_local_prefix$/.test(name)) delete env[name];
  const npmCli = process.env.npm_execpath;
  const [command, ...first] = npmCli?.endsWith('.js') ? [process.execPath, npmCli] : ['npm'];
  return spawnSync(command, [...first, ...args], { cwd: folder, env, encoding: 'utf8', shell: process.platform === 'win32' });
}

function orThrow(what, result) {
  if (result.status !== 0) throw new Error(`${what} failed\n${result.error ?? ''}${result.stdout}${result.stderr}`);
}

/** Installs what is missing. Returns the folder of the packages and the line to print. */
export function installAgents() {
  const modules = path.join(folder, 'node_modules');
  const fingerprint = wantedFingerprint();
  if (existsSync(markerFile) && readFileSync(markerFile, 'utf8') === fingerprint) return { modules, line: 'agents: installed' };
  const startedAt = Date.now();
  mkdirSync(folder, { recursive: true });
  rmSync(markerFile, { force: true });
  copyFileSync(path.join(here, 'package.json'), path.join(folder, 'package.json'));
  orThrow('npm install', npm('install', '--ignore-scripts', '--no-package-lock'));
  for (const [name, script] of Object.entries(placing)) {
    const cwd = path.join(modules, name);
    orThrow(`${name}: ${script}`, spawnSync(process.execPath, [path.join(cwd, script)], { cwd, encoding: 'utf8' }));
  }
  writeFileSync(markerFile, fingerprint);
  return { modules, line: `agents: installed in ${Math.round((Date.now() - startedAt) / 1000)} s` };
}
