import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { endedWithTests } from '../../../support/childProcesses.ts';
import { until } from '../../support/serverProcess.ts';

/** A block of commands has ended within this time, also on a busy machine. */
const blockWithinMs = 90_000;

/** One terminal, in which blocks of commands run one after another. The first command that fails ends it. */
export class PageShell {
  readonly #child: ChildProcessWithoutNullStreams;
  #out = '';
  #errors = '';
  #blocks = 0;

  constructor(cwd: string, environment: Record<string, string>) {
    // Of a group of its own, so that what runs in its background can be ended with it.
    this.#child = endedWithTests(spawn('bash', ['-e', '-o', 'pipefail'], { cwd, env: environment, detached: true }));
    this.#child.stdout.setEncoding('utf8').on('data', (text: string) => (this.#out += text));
    this.#child.stderr.setEncoding('utf8').on('data', (text: string) => (this.#errors += text));
    this.#child.stdin.on('error', () => undefined);
  }

  /** Runs commands to their end. @returns what they wrote to standard output @throws with all that was written where one of them fails */
  async run(commands: string): Promise<string> {
    const marker = `end of block ${String(this.#blocks += 1)}`;
    const [before, errorsBefore] = [this.#out.length, this.#errors.length];
    this.#child.stdin.write(`${commands}\necho "${marker}"\n`);
    const written = (): string => this.#out.slice(before);
    const ended = (): boolean => this.#child.exitCode !== null || this.#child.signalCode !== null;
    const failure = (why: string): Error => new Error(`${why}:\n${commands}\n\nStandard output:\n${written()}\nStandard error:\n${this.#errors.slice(errorsBefore)}`);
    await until(marker, () => written().includes(marker) || ended(), blockWithinMs).catch(() => { throw failure('These commands did not end'); });
    if (!written().includes(marker)) throw failure('One of these commands failed');
    return written().slice(0, written().indexOf(marker));
  }

  /** Ends it and everything that was started in it. */
  end(): void {
    if (this.#child.pid === undefined) return;
    try {
      process.kill(-this.#child.pid, 'SIGKILL');
    } catch {
      // Nothing of it runs any more.
    }
  }
}
