import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, statSync, chownSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../freePort.ts';

/** How one engine is run. Every engine listens on 127.0.0.1 alone. */
export interface EngineProgram {
  /** What people call it. */
  readonly name: string;
  /** Writes what it needs into its empty folder, once. */
  prepare(folder: string, port: number, user: EngineUser | undefined): void;
  command(folder: string, port: number): { file: string; args: string[] };
  /** Deletes what it stores, and leaves its configuration. It does not run meanwhile. */
  empty(folder: string, port: number, user: EngineUser | undefined): void;
  /** What it writes to its log when it can be asked. */
  readonly ready: string;
  /** The signal after which it ends in order without waiting for its clients. */
  readonly stopSignal: NodeJS.Signals;
}

/** The user whom an engine runs as, where this process is root; `initdb` refuses root. */
export interface EngineUser { uid: number; gid: number }

/** A program is ready within this time, also on a busy machine. */
const readyWithinMs = 60_000;
const portsTried = 5;
const portTaken = /address already in use|could not bind|Could not create server TCP listening socket/i;
/** PostgreSQL refuses to start as long as a child of a killed one is alive. */
const predecessorAlive = /pre-existing shared memory block|lock file "postmaster.pid" already exists/;

/** An unprivileged user for engines; undefined where this process is not root. */
function engineUser(): EngineUser | undefined {
  if (process.getuid?.() !== 0) return undefined;
  for (const name of ['postgres', 'nobody']) {
    try {
      const [uid, gid] = ['-u', '-g'].map(flag => Number(execFileSync('id', [flag, name], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })));
      if (uid !== undefined && gid !== undefined) return { uid, gid };
    } catch {
      // The next user is tried.
    }
  }
  throw new Error('Engines need a user that is not root, and there is neither postgres nor nobody.');
}

/** One engine: it can be killed and started again on the same port with what it has stored. */
export class EngineProcess {
  readonly #program: EngineProgram;
  readonly #started: (child: ChildProcess) => void;
  readonly #user = engineUser();
  readonly folder: string;
  #port = 0;
  #child: ChildProcess | undefined;

  /** @param folder is made, and deleted by `close` @param started sees each process of the engine */
  constructor(program: EngineProgram, folder: string, started: (child: ChildProcess) => void) {
    this.#program = program;
    this.folder = folder;
    this.#started = started;
  }

  get port(): number {
    return this.#port;
  }

  get logFile(): string {
    return path.join(this.folder, 'log.txt');
  }

  /** Starts it for the first time, on a free port, with nothing stored. @throws with the end of its log when it does not come up */
  async create(): Promise<void> {
    for (let left = portsTried; ; left--) {
      this.#port = await freePort();
      mkdirSync(this.folder, { recursive: true, mode: 0o700 });
      if (this.#user !== undefined) chownSync(this.folder, this.#user.uid, this.#user.gid);
      this.#program.prepare(this.folder, this.#port, this.#user);
      try {
        await this.start();
        return;
      } catch (error) {
        await this.close();
        if (left === 1 || !portTaken.test((error as Error).message)) throw error;
      }
    }
  }

  /** Starts it on its port with what it has stored. @throws with the end of its log when it does not come up */
  async start(): Promise<void> {
    const deadline = performance.now() + readyWithinMs;
    for (;;) {
      const trouble = await this.#startOnce(deadline);
      if (trouble === undefined) return;
      if (!predecessorAlive.test(trouble) || performance.now() > deadline) throw new Error(`${this.#program.name} did not start: ${trouble}`);
      await sleep(100);
    }
  }

  /** Ends it in order. */
  stop(): Promise<void> {
    return this.#end(this.#program.stopSignal);
  }

  /** Kills it, as `kill -9` does. */
  kill(): Promise<void> {
    return this.#end('SIGKILL');
  }

  /** Deletes what it stores. @throws while it runs */
  empty(): void {
    if (this.#child !== undefined) throw new Error(`${this.#program.name} runs; stop it first.`);
    this.#program.empty(this.folder, this.#port, this.#user);
  }

  /** Kills it and deletes its folder. */
  async close(): Promise<void> {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 50, retryDelay: 100 });
  }

  /** @returns undefined once it is ready, else the end of its log */
  async #startOnce(deadline: number): Promise<string | undefined> {
    const { file, args } = this.#program.command(this.folder, this.#port);
    const from = sizeOf(this.logFile);
    const log = openSync(this.logFile, 'a', 0o600);
    const child = spawn(file, args, { cwd: this.folder, detached: true, stdio: ['ignore', log, log], env: { PATH: process.env['PATH'] ?? '', LC_ALL: 'C' }, ...this.#user });
    closeSync(log);
    let failure: string | undefined;
    child.once('error', error => { failure = error.message; });
    child.once('exit', () => { if (this.#child === child) this.#child = undefined; });
    this.#child = child;
    this.#started(child);
    const written = (): string => readFileSync(this.logFile, 'utf8').slice(from);
    while (!written().includes(this.#program.ready)) {
      if (failure !== undefined || hasEnded(child) || performance.now() > deadline) {
        await this.kill();
        return failure ?? (written().slice(-2000) || 'it wrote nothing');
      }
      await sleep(20);
    }
    return undefined;
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (child?.pid === undefined || hasEnded(child)) return;
    const ended = new Promise(resolve => child.once('exit', resolve));
    child.kill(signal);
    await ended;
  }
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

function sizeOf(file: string): number {
  try {
    return statSync(file).size;
  } catch {
    return 0;
  }
}
