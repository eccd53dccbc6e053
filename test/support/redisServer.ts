import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { endedWithTests } from './childProcesses.ts';
import { freePort } from './freePort.ts';
import { missingEngine } from './engines/engines.ts';

/** Why a test with a real Redis is left out; false: it runs. @throws as `missingEngine` does */
export const withoutRedis = missingEngine('redis');

const portsTried = 5;
const folders: string[] = [];
after(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** A Redis that holds everything in memory and ends with the test file. */
export interface RedisServer {
  readonly port: number;
  readonly url: string;
  /** Ends it at once; what it held is lost. */
  kill(): Promise<void>;
  /** Begins anew at the same port, empty. */
  start(): Promise<void>;
  /** It keeps its connections and answers nothing, as behind a network that was cut. */
  pause(): void;
  resume(): void;
}

/** @param options of the command line, such as `--requirepass` */
export async function startRedis(options: readonly string[] = []): Promise<RedisServer> {
  for (let left = portsTried; ; left -= 1) {
    const server = redisAt(await freePort(), options);
    try {
      await server.start();
      return server;
    } catch (error) {
      // Another program took the port meanwhile.
      if (left === 1) throw error;
    }
  }
}

function redisAt(port: number, options: readonly string[]): RedisServer {
  const folder = mkdtempSync(path.join(tmpdir(), 'waybill-redis-'));
  folders.push(folder);
  let child: ChildProcess | undefined;
  return {
    port, url: `redis://127.0.0.1:${String(port)}`,
    async kill() {
      const ending = child;
      child = undefined;
      if (ending === undefined || ending.exitCode !== null || ending.signalCode !== null) return;
      const ended = new Promise(resolve => ending.once('exit', resolve));
      ending.kill('SIGKILL');
      await ended;
    },
    async start() {
      const started = child = endedWithTests(spawn('redis-server', ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', folder, ...options], { stdio: ['ignore', 'ignore', 'ignore'] }));
      while (!await answers(port)) {
        if (started.exitCode !== null) throw new Error(`redis-server ended with ${String(started.exitCode)}.`);
        await sleep(10);
      }
    },
    pause() { child?.kill('SIGSTOP'); },
    resume() { child?.kill('SIGCONT'); },
  };
}

/** It answers a PING, or says that it wants a password first. */
function answers(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = createConnection({ port, host: '127.0.0.1' }, () => { socket.write('PING\r\n'); });
    socket.setTimeout(1_000, () => { socket.destroy(); });
    socket.once('data', data => {
      resolve(/^(?:\+PONG|-NOAUTH)/.test(String(data)));
      socket.destroy();
    });
    socket.once('error', () => { resolve(false); });
    socket.once('close', () => { resolve(false); });
  });
}
