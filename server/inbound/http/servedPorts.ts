import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { HttpStatus } from '../../api/status.ts';
import { processLives } from '../../base/processIdentity.ts';

/** Where servers of a data folder note the ports that they listen on: a file for each, named by the port, with the id of the process. */
export const portsFolder = 'ports';

const portName = /^[1-9][0-9]{0,4}$/;
/** A server that was killed leaves its note; of such notes so many are kept, and looked at. */
const mostNotes = 16;

/** Notes the port of this server while it listens, for programs that look for the server of the data folder. */
export class PortNote {
  readonly #folder: string;
  #noted: string | undefined;

  constructor(dataDir: string) {
    this.#folder = join(dataDir, portsFolder);
  }

  /** @throws the system's error where the note cannot be written */
  follow({ state, url }: HttpStatus): void {
    const port = state === 'listening' && url !== undefined ? new URL(url).port : undefined;
    if (port === this.#noted) return;
    this.remove();
    if (port === undefined) return;
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    for (const old of likeliestFirst(this.#folder).slice(mostNotes - 1)) rmSync(join(this.#folder, old), { force: true });
    writeFileSync(join(this.#folder, port), String(process.pid), { mode: 0o600 });
    this.#noted = port;
  }

  /** The server listens no more; calling it twice is safe. */
  remove(): void {
    if (this.#noted !== undefined) rmSync(join(this.#folder, this.#noted), { force: true });
    this.#noted = undefined;
  }
}

/** Ports that servers of a data folder noted: those of living processes first, of each the last one first. Whether a server still listens there has to be asked. */
export function notedPorts(dataDir: string): number[] {
  return likeliestFirst(join(dataDir, portsFolder)).slice(0, mostNotes).map(Number).filter(port => port <= 65_535);
}

/** A server that was killed leaves its note, so that its process is gone; one in another container may seem so. */
function likeliestFirst(folder: string): string[] {
  try {
    const at = (name: string): number => statSync(join(folder, name), { throwIfNoEntry: false })?.mtimeMs ?? 0;
    return readdirSync(folder).filter(name => portName.test(name)).map(name => ({ name, at: at(name), isGone: isGone(join(folder, name)) }))
      .sort((one, other) => Number(one.isGone) - Number(other.isGone) || other.at - one.at).map(({ name }) => name);
  } catch {
    // There is no such folder before the first server listens.
    return [];
  }
}

/** The process that wrote a note has ended; false where that is not known. */
function isGone(file: string): boolean {
  try {
    const pid = Number(readFileSync(file, 'utf8'));
    return Number.isSafeInteger(pid) && pid > 0 && !processLives(pid);
  } catch {
    return false;
  }
}
