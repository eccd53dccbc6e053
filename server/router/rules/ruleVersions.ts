import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { RuleVersion } from '../../api/rules/rulesHistory.ts';
import { readOrdinaryFile } from '../../base/files/ordinaryFile.ts';
import { replaceSharedFile } from '../../base/files/sharedFile.ts';
import { asString, isObject, parseJson } from '../../base/json.ts';

/** A version with its text. */
export interface KeptVersion extends Omit<RuleVersion, 'latest'> { text: string }

/** So many versions are kept, of all places together. */
const mostVersions = 50;
/** Longer rules are not kept. */
const longestText = 500_000;
const largestFile = 2 * longestText + 10_000;
const versionName = /^(\d{13})-([0-9a-f]{16})\.json$/;

/**
 * The last versions of the rules, each in a file of its own in the data folder, so that servers need no agreement: two that
 * keep the same rules at once keep them twice, and the second is not listed.
 */
export class RuleVersions {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /**
   * Keeps rules that came into use, unless they are the latest of their place. An empty text, of a place that was never used,
   * is none.
   * @param text without secrets
   * @throws the system's error
   */
  keep({ at, file, routes, text }: Pick<KeptVersion, 'at' | 'file' | 'routes' | 'text'>): void {
    if (text.length > longestText) return;
    const latest = this.all().find(one => one.file === file);
    if (latest?.text === text || (latest === undefined && routes === 0)) return;
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    const digest = createHash('sha256').update(JSON.stringify([file ?? null, text])).digest('hex').slice(0, 16);
    replaceSharedFile(join(this.#folder, `${String(Math.max(at, (latest?.at ?? 0) + 1)).padStart(13, '0')}-${digest}.json`), `${JSON.stringify({ version: 1, ...(file === undefined ? {} : { file }), routes, text })}\n`);
    for (const name of this.#names().slice(mostVersions)) rmSync(join(this.#folder, name), { force: true });
  }

  /** Newest first. Of the same rules that follow each other at one place, the oldest. What cannot be read is left out. */
  all(): KeptVersion[] {
    const read = this.#names().flatMap(name => this.#read(name) ?? []);
    return read.filter((one, index) => read.slice(index + 1).find(older => older.file === one.file)?.text !== one.text);
  }

  /** Newest first. */
  #names(): string[] {
    try {
      return readdirSync(this.#folder).filter(name => versionName.test(name)).sort().reverse();
    } catch {
      return [];
    }
  }

  #read(name: string): KeptVersion | undefined {
    const [, at] = versionName.exec(name) ?? [];
    try {
      const body = parseJson(readOrdinaryFile(join(this.#folder, name), largestFile));
      const text = isObject(body) ? asString(body['text']) : undefined;
      if (at === undefined || text === undefined || !isObject(body) || body['version'] !== 1) return undefined;
      const file = asString(body['file']);
      return { id: name.slice(0, -'.json'.length), at: Number(at), routes: typeof body['routes'] === 'number' ? body['routes'] : 0, text, ...(file === undefined ? {} : { file }) };
    } catch {
      return undefined;
    }
  }
}
