import { mkdirSync, renameSync, rmSync, statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { digestName, digestNamesIn } from '../../../base/files/digestName.ts';
import { readOrdinaryFile } from '../../../base/files/ordinaryFile.ts';
import { replaceSharedFile } from '../../../base/files/sharedFile.ts';
import { isObject, parseJson } from '../../../base/json.ts';
import { madeFile } from '../../incidents/madeFile.ts';
import { isGone, ownTeller, tellerOf, type Teller } from '../../incidents/teller.ts';

/** An incident of an alert, as its file has it. */
export interface AlertIncident {
  id: string;
  rule: string;
  subject: string;
  /** Milliseconds since the epoch. */
  startedAt: number;
}

/** An incident that is not over. */
export interface KeptIncident { incident: AlertIncident; seenAt: number; told: boolean }

/** Whether people were told, and whether its teller has given it up. */
interface IncidentState { told?: boolean; released?: boolean }

const largestFile = 16_384;

/**
 * The incidents of the servers of a data folder, a file for each. Whoever makes the file tells people; each server that sees the incident
 * makes the file younger, so that the incident lasts over restarts and is told once. A file whose maker ended before it had told people is
 * taken over.
 */
export class IncidentFiles {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Whether a condition is an incident already. */
  has(rule: string, subject: string): boolean {
    return statSync(join(this.#folder, nameOf(rule, subject)), { throwIfNoEntry: false }) !== undefined;
  }

  /**
   * A condition holds now.
   * @param since when it began, in milliseconds since the epoch @returns `tell`: this server tells people @throws the system's error where the folder cannot be used
   */
  claim(rule: string, subject: string, now: number, since: number): { incident: AlertIncident; tell: boolean } {
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    const name = nameOf(rule, subject);
    const file = join(this.#folder, name);
    const known = readIncident(file);
    const incident = known?.incident ?? { id: `${name.slice(0, 12)}-${now.toString(36)}`, rule, subject, startedAt: since };
    if (known !== undefined) {
      utimesSync(file, now / 1000, now / 1000);
      // Of those that find a file that nobody tells of, one moves it away.
      if (known.told || (!known.isReleased && (known.teller === undefined || !isGone(known.teller))) || !tookAway(file)) return { incident, tell: false };
    }
    if (!madeFile(file, textOf(incident, {}))) return { incident, tell: false };
    utimesSync(file, now / 1000, now / 1000);
    return { incident, tell: true };
  }

  /** Whether an incident is not over. */
  lasts(incident: AlertIncident): boolean {
    return readIncident(this.#fileOf(incident))?.incident.id === incident.id;
  }

  /** People were told, or could not be: nobody tells again. */
  told(incident: AlertIncident): void {
    this.#note(incident, { told: true });
  }

  /** This server cannot tell people: whoever sees the incident next does. */
  release(incident: AlertIncident): void {
    this.#note(incident, { released: true });
  }

  /** What people were told of was an earlier incident. */
  reopen(incident: AlertIncident): void {
    this.#note(incident, {});
  }

  /** Another server of an incident saw it hold. */
  seen(incident: AlertIncident, at: number): void {
    const file = this.#fileOf(incident);
    if (readIncident(file) !== undefined) utimesSync(file, at / 1000, at / 1000);
  }

  /** An incident is the same as one of another data folder: it gets the id and the beginning of that one. */
  adopt(incident: AlertIncident, { id, startedAt }: Pick<AlertIncident, 'id' | 'startedAt'>, told: boolean): AlertIncident {
    const file = this.#fileOf(incident);
    const adopted = { ...incident, id, startedAt };
    const editorFile = editorFileOf(file);
    const shownAt = this.isToldInEditor(incident) ? statSync(editorFile, { throwIfNoEntry: false })?.mtimeMs : undefined;
    this.#note(adopted, { told });
    if (shownAt !== undefined && shownAt >= startedAt) replaceSharedFile(editorFile, id);
    return adopted;
  }

  /** The windows of the editor have not been told of an incident. @returns true for one of the servers that ask */
  claimEditor(incident: AlertIncident): boolean {
    const file = editorFileOf(this.#fileOf(incident));
    if (madeFile(file, incident.id)) return true;
    if (this.isToldInEditor(incident)) return false;
    // It is of an incident before this one.
    const seenAt = statSync(file, { throwIfNoEntry: false })?.mtimeMs;
    if (seenAt !== undefined && seenAt < incident.startedAt) rmSync(file, { force: true });
    return false;
  }

  isToldInEditor(incident: AlertIncident): boolean {
    try {
      return readOrdinaryFile(editorFileOf(this.#fileOf(incident)), largestFile) === incident.id;
    } catch {
      return false;
    }
  }

  #note(incident: AlertIncident, state: IncidentState): void {
    const file = this.#fileOf(incident);
    const seenAt = statSync(file, { throwIfNoEntry: false })?.mtimeMs;
    if (seenAt === undefined) return;
    replaceSharedFile(file, textOf(incident, state));
    utimesSync(file, seenAt / 1000, seenAt / 1000);
  }

  #fileOf({ rule, subject }: AlertIncident): string {
    return join(this.#folder, nameOf(rule, subject));
  }

  /** The incidents that are not over; files of that age that cannot be read are removed. @property seenAt when a server last saw it, in milliseconds since the epoch */
  all(now: number, unreadableMs: number): KeptIncident[] {
    const found: KeptIncident[] = [];
    for (const name of this.#names()) {
      const file = join(this.#folder, name);
      const seenAt = statSync(file, { throwIfNoEntry: false })?.mtimeMs;
      const known = readIncident(file);
      if (seenAt === undefined) continue;
      if (known !== undefined) found.push({ incident: known.incident, seenAt: Math.round(seenAt), told: known.told });
      else if (now - seenAt >= unreadableMs) rmSync(file, { force: true });
    }
    return found;
  }

  /** Takes an incident away that is over. @returns true for one of the servers that try */
  take(incident: AlertIncident): boolean {
    const file = this.#fileOf(incident);
    if (!tookAway(file)) return false;
    rmSync(editorFileOf(file), { force: true });
    return true;
  }

  #names(): string[] {
    try {
      return digestNamesIn(this.#folder);
    } catch {
      return [];
    }
  }
}

function readIncident(file: string): { incident: AlertIncident; told: boolean; isReleased: boolean; teller: Teller | undefined } | undefined {
  let value: unknown;
  try {
    value = parseJson(readOrdinaryFile(file, largestFile));
  } catch {
    return undefined;
  }
  if (!isObject(value)) return undefined;
  const { id, rule, subject, startedAt, told, released } = value;
  if (typeof id !== 'string' || typeof rule !== 'string' || typeof subject !== 'string' || typeof startedAt !== 'number') return undefined;
  return { incident: { id, rule, subject, startedAt }, told: told === true, isReleased: released === true, teller: tellerOf(value) };
}

function nameOf(rule: string, subject: string): string {
  return digestName(`${rule}\n${subject}`);
}

/** Says that the windows of the editor were told. */
function editorFileOf(file: string): string {
  return `${file}.editor`;
}

function textOf(incident: AlertIncident, { told = false, released = false }: IncidentState): string {
  return JSON.stringify({ ...incident, told, ...(released ? { released } : {}), ...ownTeller() });
}

/** A file is moved by one of those that try. */
function tookAway(file: string): boolean {
  const moved = `${file}.${String(process.pid)}.over`;
  try {
    renameSync(file, moved);
  } catch {
    return false;
  }
  rmSync(moved, { force: true });
  return true;
}
