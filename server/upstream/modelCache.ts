import { mkdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { isObject, parseJson } from '../base/json.ts';
import { replaceSharedFile } from '../base/sharedFile.ts';
import type { ListedFacts, ListedModel } from './modelList.ts';

/** The model list of one endpoint as it was last told. */
export interface CachedList {
  /** The list belongs to this address. */
  baseUrl: string;
  /** Milliseconds since the epoch. */
  at: number;
  models: readonly ListedModel[];
}

const maxEndpoints = 200;
const version = 1;

/**
 * Model lists kept on disk between starts, so that names and windows are known before the first probe. It is a copy of
 * what can be asked for again: whatever is wrong with the file, it counts as empty.
 */
export class ModelCache {
  #file: string;

  constructor(file: string) {
    this.#file = file;
  }

  read(): Map<string, CachedList> {
    let text: string;
    try {
      text = readFileSync(this.#file, 'utf8');
    } catch {
      return new Map();
    }
    const body = parseJson(text);
    const lists = new Map<string, CachedList>();
    if (!isObject(body) || body.version !== version || !isObject(body.endpoints)) return lists;
    for (const [name, entry] of Object.entries(body.endpoints)) {
      if (!isObject(entry) || typeof entry.baseUrl !== 'string' || typeof entry.at !== 'number' || !Array.isArray(entry.models)) continue;
      const models = entry.models.flatMap((model): ListedModel[] => {
        if (!isObject(model) || typeof model.name !== 'string') return [];
        return [isObject(model.facts) ? { name: model.name, facts: model.facts as ListedFacts } : { name: model.name }];
      });
      lists.set(name, { baseUrl: entry.baseUrl, at: entry.at, models });
    }
    return lists;
  }

  /**
   * Adds one list to what is on disk, where other windows write too. The file is replaced whole, so that nobody ever
   * reads half of one.
   * @throws the system's error
   */
  write(endpoint: string, list: CachedList): void {
    const lists = this.read();
    lists.delete(endpoint);
    lists.set(endpoint, list);
    const kept = [...lists].slice(-maxEndpoints);
    mkdirSync(dirname(this.#file), { recursive: true });
    replaceSharedFile(this.#file, JSON.stringify({ version, endpoints: Object.fromEntries(kept) }));
  }
}
