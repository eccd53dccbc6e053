import { mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { digestName, digestNamesIn } from '../../base/files/digestName.ts';
import { readOrdinaryFile } from '../../base/files/ordinaryFile.ts';
import { replaceSharedFile } from '../../base/files/sharedFile.ts';
import { isObject, parseJson } from '../../base/json.ts';

/** What people decided about an endpoint, as all servers of a data folder know it. Moments are milliseconds since the epoch. */
export interface EndpointDecision {
  readonly endpoint: string;
  readonly pause?: { readonly since: number; readonly until?: number | undefined } | undefined;
  /** Failures up to then are forgotten. */
  readonly resetAt?: number | undefined;
  /** Tells this decision from others about the endpoint; absent: of an earlier version. */
  readonly id?: string | undefined;
  readonly decidedAt?: number | undefined;
}

/** A change of the folder this soon before it was read may have the same time stamp as the reading: file systems count time in steps. */
const racyMs = 100;
const largestFile = 4096;
/** Files beyond so many are not read: there are never so many endpoints. */
const mostFiles = 10_000;
const ending = '.json';

/**
 * Decisions about endpoints, one file for each endpoint in a folder that all server processes share, so that two of them never
 * write over each other's. What is in a file outlives the process.
 */
export class EndpointFiles {
  readonly #folder: string;
  /** The last decision that was read from each file. */
  #known = new Map<string, EndpointDecision>();
  #seen: { changedAtMs: number | undefined; readAtMs: number } | undefined;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /**
   * All decisions, where any may have changed since the last call; undefined where none has. Costs one look at the folder then.
   * Of a file that cannot be read now the last decision stands, and the next call reads it again.
   * @throws the system's error where the folder cannot be read
   */
  poll(): readonly EndpointDecision[] | undefined {
    const changedAtMs = statSync(this.#folder, { throwIfNoEntry: false })?.mtimeMs;
    const seen = this.#seen;
    if (seen !== undefined && seen.changedAtMs === changedAtMs && (changedAtMs === undefined || seen.readAtMs - changedAtMs > racyMs)) return undefined;
    const readAtMs = Date.now();
    const names = changedAtMs === undefined ? [] : digestNamesIn(this.#folder, ending).slice(0, mostFiles);
    const known = new Map<string, EndpointDecision>();
    let isWhole = true;
    for (const name of names) {
      const found = this.#decisionIn(name);
      const decision = found === 'unreadable' ? this.#known.get(name) : found;
      if (found === 'unreadable') isWhole = false;
      if (decision !== undefined) known.set(name, decision);
    }
    this.#known = known;
    this.#seen = isWhole ? { changedAtMs, readAtMs } : undefined;
    return [...known.values()];
  }

  /** All decisions as they were last read or written. */
  get known(): readonly EndpointDecision[] {
    return [...this.#known.values()];
  }

  /** The decision about one endpoint as it is stored now; where that cannot be read, the last one that was. */
  read(endpoint: string): EndpointDecision | undefined {
    const name = digestName(endpoint, ending);
    const found = this.#decisionIn(name);
    return found === 'unreadable' ? this.#known.get(name) : found;
  }

  /** @throws the system's error where it cannot be stored */
  write(decision: EndpointDecision): void {
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    const name = digestName(decision.endpoint, ending);
    replaceSharedFile(join(this.#folder, name), `${JSON.stringify(decision)}\n`);
    this.#known.set(name, decision);
  }

  /** A file that went away meanwhile, or that holds no decision, is none. What the system does not let be read now may hold one. */
  #decisionIn(name: string): EndpointDecision | 'unreadable' | undefined {
    try {
      const decision = decisionOf(parseJson(readOrdinaryFile(join(this.#folder, name), largestFile)));
      return decision === undefined || digestName(decision.endpoint, ending) !== name ? undefined : decision;
    } catch (error) {
      return error instanceof Error && 'code' in error && error.code !== 'ENOENT' ? 'unreadable' : undefined;
    }
  }
}

/** Reads a decision that another server wrote. */
export function decisionOf(value: unknown): EndpointDecision | undefined {
  if (!isObject(value) || typeof value['endpoint'] !== 'string') return undefined;
  const { endpoint, pause, resetAt, id, decidedAt } = value;
  const since = isObject(pause) ? moment(pause['since']) : undefined;
  const until = isObject(pause) ? moment(pause['until']) : undefined;
  const reset = moment(resetAt);
  const decided = moment(decidedAt);
  return {
    endpoint,
    ...(since === undefined ? {} : { pause: { since, ...(until === undefined ? {} : { until }) } }),
    ...(reset === undefined ? {} : { resetAt: reset }),
    ...(typeof id === 'string' && decided !== undefined ? { id, decidedAt: decided } : {}),
  };
}

function moment(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}
