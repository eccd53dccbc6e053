import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { LineReader, pin, stop } from '../childProcess.ts';
import type { EditorJob, EditorJobResult, EditorReply, EditorSetup } from './editorJobs.ts';

/** The process at the editor's end, and the server that it started. */
export class EditorProcess {
  readonly child: ChildProcess;
  readonly pid: number;
  readonly serverPid: number;
  /** What the server writes to its descriptor 3. */
  readonly serverReports: LineReader;

  private constructor(child: ChildProcess, pid: number, serverPid: number, serverReports: LineReader) {
    this.child = child;
    this.pid = pid;
    this.serverPid = serverPid;
    this.serverReports = serverReports;
  }

  static async start(setup: EditorSetup): Promise<EditorProcess> {
    const child = fork(path.join(import.meta.dirname, 'editorHost.ts'), { stdio: ['ignore', 'pipe', 'inherit', 'ipc'], execArgv: ['--disable-warning=ExperimentalWarning'] });
    const { stdout, pid } = child;
    if (stdout === null || pid === undefined) throw new Error('cannot start the process at the editor\'s end');
    try {
      const reply = await ask(child, setup);
      if (!('ready' in reply)) throw new Error('error' in reply ? reply.error : 'the process at the editor\'s end answered with something else');
      return new EditorProcess(child, pid, reply.ready.serverPid, new LineReader(stdout));
    } catch (error) {
      await stop(child);
      throw error;
    }
  }

  /** Does one job; jobs may not overlap. @throws Error when a turn of it failed */
  async run(job: EditorJob): Promise<EditorJobResult> {
    const reply = await ask(this.child, job);
    if ('result' in reply) return reply.result;
    throw new Error('error' in reply ? reply.error : 'the process at the editor\'s end answered with something else');
  }

  pin(core: number): void {
    for (const pid of [this.pid, this.serverPid]) pin(pid, core);
  }

  async stop(): Promise<void> {
    await stop(this.child);
  }
}

async function ask(child: ChildProcess, message: EditorSetup | EditorJob): Promise<EditorReply> {
  const ended = new AbortController();
  const answered = once(child, 'message', { signal: ended.signal }) as Promise<[EditorReply]>;
  const gone = once(child, 'exit', { signal: ended.signal }).then((): never => { throw new Error('the process at the editor\'s end ended'); });
  try {
    child.send(message);
    const [reply] = await Promise.race([answered, gone]);
    return reply;
  } finally {
    ended.abort();
    // The one that lost the race is aborted.
    await Promise.allSettled([answered, gone]);
  }
}
