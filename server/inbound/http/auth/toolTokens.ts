import { mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readOrdinaryFile } from '../../../base/files/ordinaryFile.ts';
import { agreeOnSharedFile } from '../../../base/files/sharedFile.ts';
import { newToken, tokenIn } from './tokenFile.ts';

/** Names that are also file names everywhere, and that a spend line can show. */
const toolName = /^[a-z0-9](?:[a-z0-9.-]{0,61}[a-z0-9])?$/;
/** A change of the folder this soon after it was read may have the same time stamp: file systems count time in steps. */
const racyMs = 100;
/** Beside the token of a tool whose access has bounds: where these cannot be read, the token is refused. */
const boundedSuffix = '.bounded';
/** A token is a line of 64 characters or so. */
const maxTokenFileBytes = 4096;

interface Reading {
  /** When the folder was last changed, as the file system says; undefined: there is none. */
  changedAtMs: number | undefined;
  readAtMs: number;
  tokens: ReadonlyMap<string, Buffer>;
  /** Tools whose access has bounds. */
  bounded: ReadonlySet<string>;
}

/**
 * Tokens of single tools, one file each in a folder that all server processes share; a file that is gone is a token that is
 * revoked. Each reading asks the file system first, so a change made by one process holds in all its peers at once, and
 * two processes never write over each other's tools.
 */
export class ToolTokens {
  #folder: string;
  #reading: Reading | undefined;

  constructor(dataDir: string) {
    this.#folder = join(dataDir, 'tokens');
  }

  /** Every tool's token, as bytes. The map is replaced, never changed. */
  get tokens(): ReadonlyMap<string, Buffer> {
    return this.#read().tokens;
  }

  /** Tools whose access has bounds, as of the last reading of their tokens. */
  get bounded(): ReadonlySet<string> {
    return (this.#reading ?? this.#read()).bounded;
  }

  /** Says that the access of a tool has bounds, or that it has none any more. */
  setBounded(tool: string, isBounded: boolean): void {
    if (!isToolName(tool)) return;
    const file = join(this.#folder, `${tool}${boundedSuffix}`);
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    if (isBounded) writeFileSync(file, '', { mode: 0o600 });
    else rmSync(file, { force: true });
    this.#reading = undefined;
  }

  #read(): Reading {
    const changedAtMs = changedAt(this.#folder);
    const known = this.#reading;
    if (known !== undefined && known.changedAtMs === changedAtMs && (changedAtMs === undefined || known.readAtMs - changedAtMs > racyMs)) return known;
    const readAtMs = Date.now();
    const names = changedAtMs === undefined ? [] : namesIn(this.#folder);
    const bounded = new Set(names.filter(name => name.endsWith(boundedSuffix)).map(name => name.slice(0, -boundedSuffix.length)));
    return this.#reading = { changedAtMs, readAtMs, tokens: readTokens(this.#folder, names), bounded };
  }

  /** The tool's token; undefined: it has none. */
  tokenOf(tool: string): string | undefined {
    return this.tokens.get(tool)?.toString();
  }

  /** Names of the tools that have a token, in order. */
  names(): string[] {
    return [...this.tokens.keys()].sort();
  }

  /**
   * The tool's token; made when it has none.
   * @throws Error with one sentence when the name cannot be used or the token cannot be stored
   */
  connect(tool: string): string {
    if (!isToolName(tool)) throw new Error(`A tool cannot be named "${tool.slice(0, 70)}": use small letters, digits, dots and hyphens.`);
    const known = this.tokens.get(tool);
    if (known !== undefined) return known.toString();
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    const token = agreeOnSharedFile(join(this.#folder, tool), tokenIn, () => `${newToken()}\n`);
    this.#reading = undefined;
    return token;
  }

  /** Revokes the tool's token; without one, nothing happens. */
  disconnect(tool: string): void {
    if (!isToolName(tool)) return;
    rmSync(join(this.#folder, tool), { force: true });
    this.#reading = undefined;
  }
}

function isToolName(name: string): boolean {
  return toolName.test(name) && !name.endsWith(boundedSuffix);
}

/** A folder that cannot be looked at holds no token: requests with one are then refused, and nothing breaks. */
function changedAt(folder: string): number | undefined {
  try {
    return statSync(folder).mtimeMs;
  } catch {
    return undefined;
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function readTokens(folder: string, names: readonly string[]): ReadonlyMap<string, Buffer> {
  const tokens = new Map<string, Buffer>();
  for (const name of names) {
    if (!isToolName(name)) continue;
    const token = readToken(join(folder, name));
    if (token !== undefined) tokens.set(name, token);
  }
  return tokens;
}

/** A file that went away meanwhile, or that is no token, is none. */
function readToken(file: string): Buffer | undefined {
  try {
    const token = tokenIn(readOrdinaryFile(file, maxTokenFileBytes));
    return token === undefined ? undefined : Buffer.from(token);
  } catch {
    return undefined;
  }
}
