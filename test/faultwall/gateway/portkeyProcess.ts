import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../support/freePort.ts';
import { noSuchHost } from '../prompts.ts';

/** The version that is measured. */
const wantedVersion = '1.15.2';
/** With what npm would choose beside it, no stream of it works at all (its issue 1389); with this version they do. */
export const helperVersion = { '@hono/node-server': '1.13.8' };
const packageName = '@portkey-ai/gateway';

/** Portkey's gateway, running. */
export interface RunningPeer { url: string; version: string; stop(): Promise<void> }

/** Installs the gateway from npm into a folder of its own, which later runs find again, and starts it on a free port. */
export async function startPortkey(): Promise<RunningPeer> {
  const folder = path.join(process.env['XDG_CACHE_HOME'] ?? path.join(homedir(), '.cache'), 'waybill-faultwall', `portkey-${wantedVersion}-${Object.values(helperVersion).join('-')}`);
  const installed = path.join(folder, 'node_modules', packageName);
  if (!existsSync(path.join(installed, 'package.json'))) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(path.join(folder, 'package.json'), `${JSON.stringify({ private: true, overrides: helperVersion })}\n`);
    await run('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', `${packageName}@${wantedVersion}`], folder);
  }
  const { version, bin } = JSON.parse(readFileSync(path.join(installed, 'package.json'), 'utf8')) as { version: string; bin: string | Record<string, string> };
  const port = await freePort();
  const entry = path.join(installed, typeof bin === 'string' ? bin : Object.values(bin)[0] ?? '');
  const child = spawn(process.execPath, [entry, '--headless', `--port=${port}`], { cwd: folder, stdio: 'ignore', env: { PATH: process.env['PATH'] ?? '', HOME: folder, NODE_ENV: 'production', TRUSTED_CUSTOM_HOSTS: `localhost,127.0.0.1,${noSuchHost}` } });
  const exited = new Promise<void>(resolve => child.once('exit', () => resolve()));
  const url = `http://127.0.0.1:${port}`;
  for (let tries = 0; !await answers(url); tries += 1) {
    if (tries > 200 || child.exitCode !== null) throw new Error(`${packageName} ${version} did not start`);
    await sleep(100);
  }
  return {
    url, version,
    async stop() {
      child.kill('SIGTERM');
      await Promise.race([exited, sleep(3000, undefined, { ref: false })]);
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    },
  };
}

async function answers(url: string): Promise<boolean> {
  return fetch(url).then(() => true, () => false);
}

function run(command: string, args: readonly string[], cwd: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, stdio: 'inherit' });
    child.once('error', reject);
    child.once('exit', code => (code === 0 ? resolve() : reject(new Error(`${command} ${args[0] ?? ''} ended with ${String(code)}`))));
  });
}
