import { execFileSync, fork, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import path from 'node:path';
import type { Job, JobOf, JobResult, Reply, ResultOf } from './jobs.ts';

const here = import.meta.dirname;
const patienceMs = 120_000;
const stopPatienceMs = 5000;

/** Ends a process that this program started; waits until it is gone. */
export async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  const impatience = setTimeout(() => child.kill('SIGKILL'), stopPatienceMs);
  await gone;
  clearTimeout(impatience);
}

/** Keeps a running process, with all its threads, on one processor core. @throws Error where `taskset` (util-linux) is missing */
export function pin(pid: number, core: number): void {
  execFileSync('taskset', ['-acp', String(core), String(pid)], { stdio: ['ignore', 'ignore', 'pipe'] });
}

/** Splits what a process writes into lines and hands them out one by one. */
export class LineReader {
  #lines: string[] = [];
  #waiting: { resolve: (line: string) => void; reject: (error: Error) => void } | undefined;
  #partial = '';
  #ended = false;

  constructor(stream: Readable) {
    stream.setEncoding('utf8');
    stream.on('data', (text: string) => {
      const lines = (this.#partial + text).split('\n');
      this.#partial = lines.pop() ?? '';
      this.#lines.push(...lines);
      this.#deliver();
    });
    stream.on('close', () => {
      this.#ended = true;
      this.#waiting?.reject(new Error('the process ended before it answered'));
    });
  }

  next(): Promise<string> {
    return new Promise((resolve, reject) => {
      if (this.#ended && this.#lines.length === 0) {
        reject(new Error('the process ended before it answered'));
        return;
      }
      const impatience = setTimeout(() => reject(new Error('the process did not answer in time')), patienceMs);
      this.#waiting = {
        resolve: line => { clearTimeout(impatience); resolve(line); },
        reject: error => { clearTimeout(impatience); reject(error); },
      };
      this.#deliver();
    });
  }

  #deliver(): void {
    const waiting = this.#waiting;
    const line = this.#lines[0];
    if (waiting === undefined || line === undefined) return;
    this.#waiting = undefined;
    this.#lines.shift();
    waiting.resolve(line);
  }
}

/** The provider that everything is sent to in the end. */
export async function startUpstream(): Promise<{ child: ChildProcess; port: number }> {
  const child = fork(path.join(here, 'upstream.ts'));
  const [message] = await once(child, 'message') as [{ port: number }];
  return { child, port: message.port };
}

/** The process that sends the load and takes the times. */
export class LoadClient {
  readonly child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.child = child;
  }

  static async start(): Promise<LoadClient> {
    const child = fork(path.join(here, 'loadClient.ts'));
    await once(child, 'message');
    return new LoadClient(child);
  }

  /** Does one job; jobs may not overlap. @throws Error when a request of it failed */
  async run<K extends Job['kind']>(job: JobOf<K>): Promise<ResultOf<K>> {
    const { child } = this;
    const kind: K = job.kind;
    const reply = await new Promise<Reply>((resolve, reject) => {
      const onExit = (): void => reject(new Error('the load client ended'));
      child.once('exit', onExit);
      child.once('message', (message: Reply) => {
        child.off('exit', onExit);
        resolve(message);
      });
      child.send(job);
    });
    if ('error' in reply) throw new Error(reply.error);
    const { result } = reply;
    if (isOf(result, kind)) return result;
    throw new Error(`the load client answered ${kind} with something else`);
  }
}

function isOf<K extends Job['kind']>(result: JobResult, kind: K): result is ResultOf<K> {
  return result.kind === kind;
}

export interface SpawnOptions {
  /** Command line after `node`. */
  args: readonly string[];
  /** Arguments of Node itself. */
  nodeArgs?: readonly string[];
  /** Whether file descriptor 3 is a pipe to this process. */
  reports?: boolean;
  /** The processor core on which it runs; absent: any. */
  core?: number | undefined;
  /** Variables that it has beside those of this process. */
  environment?: Readonly<Record<string, string>> | undefined;
}

/** A process under test: its first line on standard output is JSON with its `url`. */
export interface ProcessUnderTest {
  child: ChildProcess;
  pid: number;
  port: number;
  /** What it writes to file descriptor 3. */
  reports: LineReader | undefined;
}

export async function startUnderTest({ args, nodeArgs = [], reports = false, core, environment }: SpawnOptions): Promise<ProcessUnderTest> {
  const command = [process.execPath, ...nodeArgs, ...args];
  // `taskset` becomes the program it starts, so the process is the same.
  const [program = '', ...rest] = core === undefined ? command : ['taskset', '-c', String(core), ...command];
  const child = spawn(program, rest, { stdio: ['ignore', 'pipe', 'pipe', ...(reports ? ['pipe' as const] : [])], ...(environment === undefined ? {} : { env: { ...process.env, ...environment } }) });
  let complaints = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    complaints = (complaints + text).slice(-4000);
  });
  if (child.stdout === null || child.pid === undefined) throw new Error(`cannot start node ${args.join(' ')}`);
  let line: string;
  try {
    line = await new LineReader(child.stdout).next();
  } catch (error) {
    await stop(child);
    throw new Error(`${path.basename(args[0] ?? '')} did not start: ${complaints.trim()}`, { cause: error });
  }
  const { url } = JSON.parse(line) as { url: string };
  const reportStream = child.stdio[3];
  return {
    child, pid: child.pid, port: Number(new URL(url).port),
    reports: reports && reportStream !== null && reportStream !== undefined ? new LineReader(reportStream as Readable) : undefined,
  };
}
