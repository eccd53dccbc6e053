import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { t } from '@vscode/l10n';
import { ConfigFileError, writeConfigFile } from './configFile.ts';
import type { FormatName } from './formats.ts';
import type { WrittenSetting } from './settingsEdit.ts';

/** What has to be known to put a file back. */
export interface FileRecord {
  file: string;
  format: FormatName;
  /** The text before; absent: there was no file. */
  original?: string | undefined;
  /** Permissions before. */
  mode?: number | undefined;
  /** Of the text that was written. */
  writtenHash: string;
  written: WrittenSetting[];
}

export interface ConnectionRecord {
  version: 1;
  tool: string;
  /** The route or model that was chosen. */
  model: string;
  /** What was chosen for single roles of the tool, by the role's id. */
  roles?: Readonly<Record<string, string>> | undefined;
  /** The local endpoint that it was given. */
  url?: string | undefined;
  connectedAt: number;
  files: FileRecord[];
}

/**
 * One file for each connected tool. It holds the configuration as it was, keys of the user's included, and so is
 * readable by its owner only; it does not hold the tool's token.
 */
export class ConnectionRecords {
  readonly #folder: string;

  constructor(storageFolder: string) {
    this.#folder = path.join(storageFolder, 'connections');
  }

  /** @throws ConfigFileError when there is one and it cannot be understood */
  async read(tool: string): Promise<ConnectionRecord | undefined> {
    const file = this.#file(tool);
    let text: string;
    try {
      text = await readFile(file, 'utf8');
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
      throw new ConfigFileError(file, t('cannot be read; nothing was changed.'), { cause: error });
    }
    const record = parsed(text);
    if (!isRecord(record, tool)) throw new ConfigFileError(file, t('does not say how {0} was configured before; set its configuration by hand and delete this file.', tool));
    return record;
  }

  /** Names of the tools that were connected here, each with what it was given; broken records by their name alone. */
  async list(): Promise<{ tool: string; model?: string }[]> {
    let names: string[];
    try {
      names = await readdir(this.#folder);
    } catch {
      return [];
    }
    return Promise.all(names.filter(name => /^[a-z0-9][a-z0-9.-]*\.json$/.test(name)).map(async name => {
      const tool = name.slice(0, -'.json'.length);
      try {
        const record = await this.read(tool);
        return record === undefined ? { tool } : { tool, model: record.model };
      } catch {
        return { tool };
      }
    }));
  }

  async write(record: ConnectionRecord): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const file = this.#file(record.tool);
    await writeConfigFile(file, file, `${JSON.stringify(record, undefined, 1)}\n`, 0o600);
  }

  async remove(tool: string): Promise<void> {
    await rm(this.#file(tool), { force: true });
  }

  #file(tool: string): string {
    return path.join(this.#folder, `${tool}.json`);
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown, tool: string): value is ConnectionRecord {
  if (typeof value !== 'object' || value === null) return false;
  const { version, tool: name, files }: { version?: unknown; tool?: unknown; files?: unknown } = value;
  return version === 1 && name === tool && Array.isArray(files);
}
