import { fork, type ChildProcess } from 'node:child_process';
import path from 'node:path';
import { stop } from '../bench/childProcess.ts';
import type { Counted, ProviderOrder, ProviderWord } from './providerMessages.ts';

const patienceMs = 30_000;

/** The process in which the providers of a run live, and all that they counted. */
export class ProviderProcess {
  readonly child: ChildProcess;
  readonly counted: Counted[] = [];
  #waiting = new Map<ProviderWord['word'], (word: ProviderWord) => void>();

  constructor() {
    this.child = fork(path.join(import.meta.dirname, 'providers.ts'));
    this.child.on('message', (word: ProviderWord) => {
      if (word.word === 'counted') this.counted.push(...word.requests);
      const waiting = this.#waiting.get(word.word);
      this.#waiting.delete(word.word);
      waiting?.(word);
    });
  }

  /** The next message of a kind. @throws Error when it does not come, or the process ends */
  receive<Kind extends ProviderWord['word']>(kind: Kind): Promise<Extract<ProviderWord, { word: Kind }>> {
    return new Promise((resolve, reject) => {
      const gone = (): void => reject(new Error('the process of the providers ended'));
      const impatience = setTimeout(() => reject(new Error(`the providers did not say "${kind}" in time`)), patienceMs);
      this.child.once('exit', gone);
      this.#waiting.set(kind, word => {
        clearTimeout(impatience);
        this.child.off('exit', gone);
        resolve(word as Extract<ProviderWord, { word: Kind }>);
      });
    });
  }

  order(order: ProviderOrder): void {
    this.child.send(order);
  }

  stop(): Promise<void> {
    return stop(this.child);
  }
}
