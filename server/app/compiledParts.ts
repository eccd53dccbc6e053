import { createHash } from 'node:crypto';
import { lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { Script } from 'node:vm';
import { readTextFile } from '../base/files/textFile.ts';
import { replaceSharedFile } from '../base/files/sharedFile.ts';
import type { HeapTuning } from './v8Tuning.ts';

/** The folder for compiled code in the data folder. Everything in it is a copy and may be deleted. */
export const compiledCodeFolder = 'compiled';

const digestBytes = 32;
/** UTF-16 units of a text that are encoded at a time. Below 128 KB, glibc's first bound for blocks that it gives back. */
const pieceLength = 32_768;
/** Parts that are a table: next to nothing of them is compiled. */
const tables: ReadonlySet<string> = new Set(['prices.js']);
const unusedAfterMs = 60 * 86_400_000;
/** The parameters of a CommonJS module. */
const opening = '(function (exports, require, module, __filename, __dirname) {';
const closing = '\n})';

/** Which functions the compiled code holds: those of a start, or also those of answered requests. */
type Extent = 'start' | 'served';
const extents: readonly Extent[] = ['start', 'served'];

interface Part {
  script: Script;
  source: string;
  exports: unknown;
  /** What is kept of it in the folder; undefined: nothing that fits. */
  kept: Extent | undefined;
}

/**
 * Loads the files of the bundle with the code that V8 compiled in an earlier process: compiling is a third of the time from the start
 * to the first answer. Node's own cache (`module.enableCompileCache`) keeps only what is compiled before a file runs.
 *
 * A file of compiled code begins with a digest over the source and itself, so code of another version of the source, and code that is
 * damaged, is not run; V8 refuses code of another version of V8, and of other flags. Files are replaced in one step, so that processes may
 * read and write at once. Whatever fails here only costs the time of compiling.
 */
export class CompiledParts {
  readonly #sources: string;
  readonly #folder: string | undefined;
  readonly #parts = new Map<string, Part>();
  #withDefaultFlags: <Result>(work: () => Result) => Result = work => work();

  /**
   * @param sources the folder of the bundle's files
   * @param dataDir the data folder, which is made if it is missing; undefined: no code is kept
   */
  constructor(sources: string, dataDir: string | undefined) {
    this.#sources = sources;
    this.#folder = dataDir === undefined ? undefined : usableFolder(dataDir);
  }

  /** From now on flags of V8 may differ from those of the start, for which compiled code is kept. */
  flagsAreSetBy(tuning: Pick<HeapTuning, 'withDefaults'>): void {
    this.#withDefaultFlags = work => tuning.withDefaults(work);
  }

  /** The exports of a file of the bundle. @throws what the file throws, or the system's error when it cannot be read */
  load(name: string): unknown {
    const known = this.#parts.get(name);
    if (known !== undefined) return known.exports;
    const file = join(this.#sources, name);
    const source = opening + readTextFile(file) + closing;
    const found = this.#read(name, source);
    const script = this.#withDefaultFlags(() => new Script(source, { filename: file, cachedData: found?.code }));
    const part: Part = { script, source, exports: {}, kept: script.cachedDataRejected === false ? found?.extent : undefined };
    this.#parts.set(name, part);
    const module = { exports: part.exports };
    const required = createRequire(file);
    const require = (wanted: string): unknown => (wanted.startsWith('./') ? this.load(wanted.slice(2)) : required(wanted));
    const run = script.runInThisContext() as (exports: unknown, require: (wanted: string) => unknown, module: { exports: unknown }, file: string, folder: string) => void;
    run(module.exports, require, module, file, dirname(file));
    part.exports = module.exports;
    return part.exports;
  }

  /**
   * Keeps the code that is compiled by now for later processes, where less is kept. Takes some ten milliseconds then.
   * @param extent `served`: at least one request was answered
   */
  keep(extent: Extent): void {
    for (const [name, part] of this.#parts) {
      if (part.kept === 'served' || part.kept === extent || tables.has(name)) continue;
      part.kept = extent;
      this.#withDefaultFlags(() => { this.#write(name, part, extent); });
    }
  }

  #read(name: string, source: string): { code: Buffer; extent: Extent } | undefined {
    if (this.#folder === undefined) return undefined;
    try {
      const bytes = readFileSync(fileFor(this.#folder, name));
      const body = bytes.subarray(digestBytes);
      if (!digestOf(source, body).equals(bytes.subarray(0, digestBytes))) return undefined;
      const extent = extents[body[0] ?? -1];
      return extent === undefined ? undefined : { code: body.subarray(1), extent };
    } catch {
      return undefined;
    }
  }

  #write(name: string, { script, source }: Part, extent: Extent): void {
    if (this.#folder === undefined) return;
    try {
      const body = Buffer.concat([Buffer.of(extents.indexOf(extent)), script.createCachedData()]);
      replaceSharedFile(fileFor(this.#folder, name), Buffer.concat([digestOf(source, body), body]));
      removeOld(this.#folder, name);
    } catch {
      // The next process compiles again.
    }
  }
}

/** Code for versions of V8 that no program has written for long; one that is still used is written again. */
function removeOld(folder: string, name: string): void {
  const before = Date.now() - unusedAfterMs;
  for (const found of readdirSync(folder)) {
    const file = join(folder, found);
    if (found.startsWith(`${basename(name, '.js')}-`) && (statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? before) < before) rmSync(file, { force: true });
  }
}

function fileFor(folder: string, name: string): string {
  return join(folder, `${basename(name, '.js')}-${process.versions.v8}-${process.arch}`);
}

/** Takes the text in pieces: encoded at once, it is a block of some megabytes, after which glibc keeps freed memory of that size. */
function digestOf(source: string, body: Buffer): Buffer {
  const hash = createHash('sha256');
  for (let start = 0; start < source.length; start += pieceLength) hash.update(source.slice(start, start + pieceLength), 'utf16le');
  return hash.update(body).digest();
}

/**
 * Compiled code is run, so it is taken only from a folder that no other user can write to.
 * @returns undefined: there is no such folder, and nothing is kept
 */
function usableFolder(dataDir: string): string | undefined {
  const folder = join(dataDir, compiledCodeFolder);
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const found = lstatSync(folder);
    if (!found.isDirectory()) return undefined;
    // On Windows the access rules of the profile are inherited.
    if (process.geteuid !== undefined && (found.uid !== process.geteuid() || (found.mode & 0o022) !== 0)) return undefined;
    return folder;
  } catch {
    return undefined;
  }
}
