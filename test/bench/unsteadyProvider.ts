import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { stop } from './childProcess.ts';
import type { UnsteadyCounts, UnsteadyOrder, UnsteadyPorts } from './unsteadyUpstream.ts';

/** A connection that was not made within this is not made at all. */
const swallowedMs = 150;
const mostFillers = 20;

/** The process of unsteadyUpstream.ts. */
export class UnsteadyProvider {
  readonly ports: UnsteadyPorts;
  #child: ChildProcess;
  #fillers: Socket[] = [];

  private constructor(child: ChildProcess, ports: UnsteadyPorts) {
    this.#child = child;
    this.ports = ports;
  }

  static async start(): Promise<UnsteadyProvider> {
    const child = fork(path.join(import.meta.dirname, 'unsteadyUpstream.ts'));
    const [ports] = await once(child, 'message') as [UnsteadyPorts];
    return new UnsteadyProvider(child, ports);
  }

  /** Sets what happens from now on. @returns what happened until now */
  async order(order: UnsteadyOrder): Promise<UnsteadyCounts> {
    const answered = once(this.#child, 'message');
    this.#child.send(order);
    const [counts] = await answered as [UnsteadyCounts];
    return counts;
  }

  /**
   * From now on the port `closing` swallows connections: the process is stopped, and its queue of connections filled, so
   * that the kernel drops the first packet of every further one. @throws Error where the kernel does not
   */
  async swallow(): Promise<void> {
    this.#child.kill('SIGSTOP');
    for (let filler = 0; filler < mostFillers; filler++) {
      const socket = connect({ port: this.ports.closing, host: '127.0.0.1' }).on('error', () => undefined);
      this.#fillers.push(socket);
      const made = await Promise.race([once(socket, 'connect').then(() => true), sleep(swallowedMs, false)]);
      if (!made) return;
    }
    throw new Error('the port of a stopped process still takes connections');
  }

  /** The port answers again. */
  async revive(): Promise<void> {
    for (const socket of this.#fillers.splice(0)) socket.destroy();
    this.#child.kill('SIGCONT');
    await this.order({ stallEvery: 0 });
  }

  async stop(): Promise<void> {
    this.#child.kill('SIGCONT');
    await stop(this.#child);
  }
}
