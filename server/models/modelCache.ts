import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { boundedNumber } from '../base/figures.ts';
import { asString, isObject, parseJson } from '../base/json.ts';
import { readOrdinaryFile } from '../base/files/ordinaryFile.ts';
import { replaceSharedFile } from '../base/files/sharedFile.ts';
import { plausibleModels } from './listedFacts.ts';
import type { ListedModel } from './listedFacts.ts';

/** The model list of one endpoint as the provider last gave it. */
export interface CachedList {
  /** The list belongs to this address. */
  baseUrl: string;
  /** Milliseconds since the epoch. */
  at: number;
  models: readonly ListedModel[];
}

const maxEndpoints = 200;
/** Of all lists together: the file, which is read and written whole, stays within some ten megabytes. */
const maxKeptModels = 40_000;
const version = 1;
/** A longer file was not written by this program, and reading it would delay the start. */
const maxFileBytes = 32 * 1024 * 1024;
/** The last moment a `Date` can hold, in milliseconds since the epoch. */
const lastMoment = 8.64e15;
const maxBaseUrlLength = 4_000;

/**
 * Model lists kept on disk between starts, so that names and context windows are known before the first probe. The file is a
 * copy of what providers give again: a damaged one counts as empty, and its facts are checked like a provider's.
 */
export class ModelCache {
  #file: string;

  constructor(file: string) {
    this.#file = file;
  }

  read(): Map<string, CachedList> {
    let text: string;
    try {
      text = readOrdinaryFile(this.#file, maxFileBytes);
    } catch {
      return new Map();
    }
    const body = parseJson(text);
    const lists = new Map<string, CachedList>();
    if (!isObject(body) || body.version !== version || !isObject(body.endpoints)) return lists;
    for (const [name, entry] of Object.entries(body.endpoints)) {
      if (lists.size >= maxEndpoints) break;
      if (!isObject(entry) || !Array.isArray(entry.models)) continue;
      const baseUrl = asString(entry.baseUrl);
      const at = boundedNumber(entry.at, lastMoment);
      if (baseUrl === undefined || baseUrl.length > maxBaseUrlLength || at === undefined) continue;
      lists.set(name, { baseUrl, at, models: plausibleModels(entry.models) });
    }
    return lists;
  }

  /**
   * Adds one list to the file, which peers write too. The file is replaced whole, so that no peer reads half of one.
   * @throws the system's error
   */
  write(endpoint: string, list: CachedList): void {
    const lists = this.read();
    lists.delete(endpoint);
    lists.set(endpoint, list);
    const kept = newest(lists);
    mkdirSync(dirname(this.#file), { recursive: true });
    replaceSharedFile(this.#file, JSON.stringify({ version, endpoints: Object.fromEntries(kept) }));
  }
}

/** The newest lists within the bounds, in their order. */
function newest(lists: ReadonlyMap<string, CachedList>): [string, CachedList][] {
  let models = 0;
  const kept = [...lists].slice(-maxEndpoints).reverse().filter(([, list]) => (models += list.models.length) <= maxKeptModels);
  return kept.reverse();
}
