import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { EndpointSettings, RouteSettings } from '../../../server/api/settings.ts';
import type { Receipt } from '../../../server/api/receipt.ts';
import { endedWithTests } from '../../support/childProcesses.ts';

export const serverEntry = path.join(import.meta.dirname, '..', '..', '..', 'server', 'main.ts');

/** What a process wrote, growing while it runs. */
export interface Written { stdout: string; stderr: string }

/** A headless server in a process of its own. */
export interface ServerProcess {
  readonly child: ChildProcess;
  readonly written: Written;
  readonly url: string;
  readonly token: string;
  readonly tokenFile: string;
  /** A GET with the token. */
  get(route: string): Promise<unknown>;
  receipt(exchangeId: string): Promise<Receipt>;
  /** Asks it to end, and waits until it has. */
  stop(): Promise<number | null>;
}

/** Writes a configuration; JSON is YAML. */
export function writeConfig(file: string, endpoints: Record<string, EndpointSettings>, routes: Record<string, RouteSettings> = {}): void {
  writeFileSync(file, JSON.stringify({ endpoints, routes }, undefined, 1));
}

/** A server process that need not come up. It is ended with the test file at the latest. */
export function spawnServer(args: readonly string[], environment: Record<string, string> = {}, detached = false): { child: ChildProcess; written: Written } {
  const child = endedWithTests(spawn(process.execPath, [serverEntry, ...args], { detached, stdio: ['ignore', 'pipe', 'pipe'], env: { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '', ...environment } }));
  const written: Written = { stdout: '', stderr: '' };
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (written.stdout += text));
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (written.stderr += text));
  return { child, written };
}

/** The exit code of a process, now or later; null when a signal ended it. */
export function exitOf(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve(child.exitCode);
  return new Promise(resolve => child.once('exit', code => resolve(code)));
}

/** Kills processes, and waits until all have ended. */
export async function killAll(children: readonly ChildProcess[]): Promise<void> {
  for (const child of children) child.kill('SIGKILL');
  await Promise.all(children.map(exitOf));
}

/** A process of this id exists. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Waits for a condition; fails with what it was after ten seconds. */
export async function until(what: string, holds: () => boolean | Promise<boolean>, timeoutMs = 10_000): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!await holds()) {
    if (performance.now() > deadline) throw new Error(`This did not happen within ${timeoutMs / 1000} s: ${what}`);
    await sleep(15);
  }
}

/** Starts `serve --json` and waits until it accepts requests. */
export async function startServer(options: { configFile: string; dataDir: string; port?: number; environment?: Record<string, string>; detached?: boolean; withinMs?: number; options?: readonly string[] }): Promise<ServerProcess> {
  const { child, written } = spawnServer(['serve', '--config', options.configFile, '--port', String(options.port ?? 0), '--data', options.dataDir, '--json', ...options.options ?? []], options.environment, options.detached);
  await until('the server announces itself', () => written.stdout.includes('\n') || child.exitCode !== null, options.withinMs).catch((error: unknown) => {
    child.kill('SIGKILL');
    throw new Error(`the server did not start; it wrote: ${written.stderr}`, { cause: error });
  });
  if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode}: ${written.stderr}`);
  const { url, tokenFile } = JSON.parse(written.stdout.split('\n')[0] ?? '') as { url: string; tokenFile: string };
  const token = readFileSync(tokenFile, 'utf8').trim();
  const get = async (route: string): Promise<unknown> => {
    const response = await fetch(url + route, { headers: { authorization: `Bearer ${token}` } });
    if (response.status !== 200) throw new Error(`${route}: ${response.status} ${await response.text()}`);
    return response.json();
  };
  return {
    child, written, url, token, tokenFile, get,
    receipt: async id => await get(`/waybill/exchanges/${id}`) as Receipt,
    async stop() {
      child.kill('SIGTERM');
      return exitOf(child);
    },
  };
}
