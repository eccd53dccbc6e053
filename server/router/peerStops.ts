import { mkdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { digestName, digestNamesIn } from '../base/files/digestName.ts';
import { readOrdinaryFile } from '../base/files/ordinaryFile.ts';
import { replaceSharedFile } from '../base/files/sharedFile.ts';
import { isObject, parseJson } from '../base/json.ts';

/** What became of a request that a peer was asked to end: `ended`, its caller had the whole answer already. */
export type PeerStop = 'stopped' | 'shared' | 'ended';
const outcomes: readonly unknown[] = ['stopped', 'shared', 'ended'] satisfies PeerStop[];

/** Servers look once a second. One that is busy takes longer. */
const patienceMs = 5_000;
const lookMs = 100;
/** A question this old was asked by a server that died, in milliseconds. */
const abandonedAfterMs = 60_000;
const largestFile = 256;
const ending = '.json';

/**
 * Ends requests that another server process of the data folder runs. Each question is one file in a folder that all of them
 * share; the server that runs the request writes its answer over it, and the one that asked removes it.
 */
export class PeerStops {
  readonly #folder: string;
  readonly #patienceMs: number;

  constructor(folder: string, patience = patienceMs) {
    this.#folder = folder;
    this.#patienceMs = patience;
  }

  /** Asks whichever peer runs a request to end it. @returns undefined where none answered @throws the system's error where nothing can be stored */
  async ask(id: string): Promise<PeerStop | undefined> {
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    this.#removeAbandoned();
    const file = join(this.#folder, digestName(id, ending));
    replaceSharedFile(file, '{}\n');
    try {
      for (const until = performance.now() + this.#patienceMs; performance.now() < until; await sleep(lookMs)) {
        const answer = answerIn(file);
        if (answer !== undefined) return answer;
      }
      return undefined;
    } finally {
      rmSync(file, { force: true });
    }
  }

  /** Ends what peers asked for. Costs one look at the folder. @param running ids of the requests that run here */
  answer(running: () => readonly string[], stop: (id: string) => 'stopped' | 'shared' | false): void {
    const names = new Set(this.#names());
    if (names.size === 0) return;
    for (const id of running()) {
      const name = digestName(id, ending);
      const file = join(this.#folder, name);
      if (!names.has(name) || answerIn(file) !== undefined) continue;
      const stopped = stop(id);
      replaceSharedFile(file, `${JSON.stringify({ outcome: stopped === false ? 'ended' : stopped })}\n`);
    }
  }

  #names(): string[] {
    return statSync(this.#folder, { throwIfNoEntry: false }) === undefined ? [] : digestNamesIn(this.#folder, ending);
  }

  #removeAbandoned(): void {
    for (const name of this.#names()) {
      const file = join(this.#folder, name);
      const changedAtMs = statSync(file, { throwIfNoEntry: false })?.mtimeMs;
      if (changedAtMs !== undefined && Date.now() - changedAtMs > abandonedAfterMs) rmSync(file, { force: true });
    }
  }
}

/** Undefined also for a file that cannot be read at this moment. */
function answerIn(file: string): PeerStop | undefined {
  try {
    const value = parseJson(readOrdinaryFile(file, largestFile));
    return isObject(value) && outcomes.includes(value['outcome']) ? value['outcome'] as PeerStop : undefined;
  } catch {
    return undefined;
  }
}
