import { existsSync } from 'node:fs';
import { t } from '@vscode/l10n';
import { ConfigFileError, readConfigFile, removeConfigFile, writeConfigFile } from './configFile.ts';
import type { ConfigFile } from './configFile.ts';
import { ConfigTextError } from './configFormat.ts';
import type { ConfigValue } from './configFormat.ts';
import { ConnectionRecords } from './connectionRecords.ts';
import type { ConnectionRecord, FileRecord } from './connectionRecords.ts';
import { followRoute } from './followRoute.ts';
import { applySettings, hashOf, maskSettings, maskText, withdrawSettings } from './settingsEdit.ts';
import { tools } from './toolTable.ts';
import { lastingOf } from './tool.ts';
import type { ConnectedModel, Connection, FileSettings, ModelRole, Surroundings, Tool } from './tool.ts';

/** A tool as the picker shows it. */
export interface ToolState {
  id: string;
  name: string;
  /** The trace of it that was found; absent: it is not used here, as far as can be seen. */
  found?: string;
  /** Its configuration was written by us, for this route or model. */
  connectedTo?: string;
  connected: boolean;
  note?: string;
  /** Kinds of work for which it can be given other models. */
  roles: readonly ModelRole[];
}

/** A change as it is shown before it is made; tokens and keys are unreadable in it. */
export interface ShownChange { file: string; before: string; after: string }

/** The part of a record that a file's new content does not need. */
interface Step { settings: FileSettings; current: ConfigFile; base: string | undefined; baseMode: number | undefined }

/**
 * Writes the configurations of tools and puts them back. Nothing is written that was not planned from what is on the
 * disk at that moment, and what was there is recorded before it is changed.
 */
export class ToolConnector {
  readonly #where: Surroundings;
  readonly #records: ConnectionRecords;

  constructor(where: Omit<Surroundings, 'exists'>, storageFolder: string) {
    this.#where = { ...where, exists: existsSync };
    this.#records = new ConnectionRecords(storageFolder);
  }

  /** Every tool, those found on this machine first. */
  async states(): Promise<ToolState[]> {
    const connected = await this.#records.list();
    const states = tools.map(({ id, name, note, traces, roles = [] }): ToolState => {
      const found = traces(this.#where).find(trace => existsSync(trace));
      const record = connected.find(one => one.tool === id);
      return {
        id, name, roles, connected: record !== undefined, ...(note === undefined ? {} : { note }), ...(found === undefined ? {} : { found }),
        ...(record?.model === undefined ? {} : { connectedTo: record.model }),
      };
    });
    const rank = (state: ToolState): number => (state.found === undefined ? 1 : 0);
    return states.sort((left, right) => rank(left) - rank(right));
  }

  /** What connecting would change. @throws ConfigFileError when a file cannot be read or not be changed */
  async previewConnect(toolId: string, connection: Omit<Connection, 'token'>): Promise<ShownChange[]> {
    const tool = toolOf(toolId);
    const steps = await this.#steps(tool, { ...connection, token: 'waybill-' });
    return steps.map(({ settings: { file, format, settings }, current, base }) => explained(file, () => ({
      file,
      before: maskText(format, current.text ?? '', settings),
      after: maskText(format, applySettings(format, base ?? '', maskSettings(settings)).text, settings),
    })));
  }

  /**
   * Writes the configuration, having recorded what was there. When one file fails, the others are put back.
   * @param shown what the user has agreed to: a file that has changed since is not touched @throws ConfigFileError
   */
  async connect(toolId: string, connection: Connection, shown: readonly ShownChange[]): Promise<void> {
    const tool = toolOf(toolId);
    const previous = await this.#records.read(tool.id);
    const steps = await this.#steps(tool, connection);
    const planned = steps.map(step => {
      const { file, format, settings } = step.settings;
      return explained(file, () => {
        if (maskText(format, step.current.text ?? '', settings) !== shown.find(change => change.file === file)?.before) throw changedMeanwhile(file);
        return { ...step, applied: applySettings(format, step.base ?? '', settings) };
      });
    });
    const record: ConnectionRecord = {
      version: 1, tool: tool.id, model: connection.model.requestedModel, url: connection.url, connectedAt: connection.at,
      ...(connection.roles === undefined ? {} : { roles: namesOf(connection.roles) }),
      files: planned.map(({ settings: { file, format }, base, baseMode, applied }): FileRecord => ({
        file, format, ...(base === undefined ? {} : { original: base }), ...(baseMode === undefined ? {} : { mode: baseMode }),
        writtenHash: hashOf(applied.text), written: applied.written,
      })),
    };
    await this.#records.write(record);
    const done: typeof planned = [];
    try {
      for (const step of planned) {
        const { settings: { file, settings }, current, baseMode, applied } = step;
        // A file with a token is for its owner alone.
        await writeConfigFile(file, current.realPath, applied.text, settings.some(one => one.secret !== undefined) ? (baseMode ?? 0o600) & 0o700 : baseMode);
        done.push(step);
      }
    } catch (error) {
      for (const { settings: { file }, current } of done) await putBack(file, current);
      if (previous === undefined) await this.#records.remove(tool.id);
      else await this.#records.write(previous);
      throw error;
    }
  }

  /** What each connected tool was given; those whose record cannot be read are left out. */
  async connections(): Promise<ConnectionRecord[]> {
    const records = await Promise.all((await this.#records.list()).map(({ tool }) => this.#records.read(tool).catch(() => undefined)));
    return records.filter(record => record !== undefined);
  }

  /**
   * Tells a connected tool what its route can do now, and changes nothing else. @param modelOf what is known of a name
   * @param inSettings names for single roles that the user's settings give now; they come before those that were chosen
   * @param write false: only finds out @returns the files that are changed @throws ConfigFileError
   */
  async refresh(toolId: string, modelOf: (name: string) => ConnectedModel, inSettings: Readonly<Record<string, string | undefined>> = {}, write = true): Promise<string[]> {
    const record = await this.#records.read(toolId);
    if (record === undefined) return [];
    const connection: Connection = {
      url: record.url ?? '', token: '', model: modelOf(record.model), at: record.connectedAt,
      roles: Object.fromEntries(Object.entries({ ...record.roles, ...inSettings }).flatMap(([role, name]) => (name === undefined ? [] : [[role, modelOf(name)]]))),
    };
    const changed: string[] = [];
    // A route that is gone says nothing about windows.
    if ([connection.model, ...Object.values(connection.roles ?? {})].some(model => lastingOf(model) === undefined)) return changed;
    for (const { file, format, settings } of toolOf(toolId).files(this.#where, connection)) {
      const entry = record.files.find(one => one.file === file);
      const current = await readConfigFile(file);
      const { text } = current;
      if (entry === undefined || text === undefined) continue;
      const applied = explained(file, () => followRoute(format, text, settings, entry.written));
      if (applied.text === text) continue;
      changed.push(file);
      if (!write) continue;
      // A text that others have changed since stays one that they have changed.
      if (hashOf(text) === entry.writtenHash) entry.writtenHash = hashOf(applied.text);
      entry.written = applied.written;
      await this.#records.write(record);
      await writeConfigFile(file, current.realPath, applied.text, current.mode);
    }
    return changed;
  }

  /** What disconnecting would change; nothing when there is no record of it. @throws ConfigFileError */
  async previewDisconnect(toolId: string): Promise<ShownChange[]> {
    const record = await this.#records.read(toolId);
    const changes: ShownChange[] = [];
    for (const entry of record?.files ?? []) {
      const { file, format, written } = entry;
      const { text } = await readConfigFile(file);
      if (text === undefined) continue;
      const change = explained(file, () => {
        const restored = textBefore(entry, text);
        return { file, before: maskText(format, text, written), after: maskText(format, restored ?? '', written), same: restored === text };
      });
      if (!change.same) changes.push({ file, before: change.before, after: change.after });
    }
    return changes;
  }

  /**
   * Puts everything back: byte for byte where nothing else has changed since, else only what was written goes.
   * @throws ConfigFileError when a file cannot be understood or not be written; those before it are back then, and doing it again is safe
   */
  async disconnect(toolId: string): Promise<void> {
    const record = await this.#records.read(toolId);
    if (record === undefined) return;
    const restored: { entry: FileRecord; current: ConfigFile; text: string | undefined }[] = [];
    for (const entry of record.files) {
      const current = await readConfigFile(entry.file);
      if (current.text !== undefined) restored.push({ entry, current, text: explained(entry.file, () => textBefore(entry, current.text)) });
    }
    for (const { entry, current, text } of restored) {
      if (text === undefined) await removeConfigFile(entry.file, current.realPath);
      else await writeConfigFile(entry.file, current.realPath, text, entry.mode ?? current.mode);
    }
    await this.#records.remove(toolId);
  }

  /** What each file holds, and what it would hold were the tool not connected, on which new settings are put. */
  async #steps(tool: Tool, connection: Connection): Promise<Step[]> {
    const record = await this.#records.read(tool.id);
    const steps: Step[] = [];
    for (const settings of tool.files(this.#where, connection)) {
      const current = await readConfigFile(settings.file);
      const entry = record?.files.find(one => one.file === settings.file);
      const base = entry === undefined || current.text === undefined ? current.text : explained(settings.file, () => textBefore(entry, current.text));
      steps.push({ settings, current, base, baseMode: entry === undefined ? current.mode : entry.mode });
    }
    return steps;
  }
}

/** The text as it would be had we not written; undefined: there would be no file. @throws ConfigTextError */
function textBefore(entry: FileRecord, text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  if (hashOf(text) === entry.writtenHash) return entry.original;
  return withdrawSettings(entry.format, text, entry.original, entry.written);
}

function namesOf(roles: Readonly<Record<string, ConnectedModel>>): Record<string, string> {
  return Object.fromEntries(Object.entries(roles).map(([role, { requestedModel }]) => [role, requestedModel]));
}

async function putBack(file: string, { text, mode, realPath }: ConfigFile): Promise<void> {
  try {
    if (text === undefined) await removeConfigFile(file, realPath);
    else await writeConfigFile(file, realPath, text, mode);
  } catch {
    // The error that led here is the one that is shown.
  }
}

/** Runs something on a file's text; what is wrong with the text becomes a sentence about the file. */
function explained<Result>(file: string, run: () => Result): Result {
  try {
    return run();
  } catch (error) {
    if (error instanceof ConfigTextError) throw new ConfigFileError(file, t('{0}; nothing was changed.', error.message), { cause: error });
    throw error;
  }
}

function changedMeanwhile(file: string): ConfigFileError {
  return new ConfigFileError(file, t('has changed since it was shown; nothing was written. Run the command again.'));
}

function toolOf(id: string): Tool {
  const tool = tools.find(one => one.id === id);
  if (tool === undefined) throw new ConfigFileError(id, t('is not a tool that can be connected.'));
  return tool;
}

/** A settings file of VS Code's with one setting given a value; undefined where the text cannot be changed safely. */
export function withUserSetting(text: string, name: string, value: ConfigValue): string | undefined {
  try {
    return applySettings('json', text, [{ path: [name], value }]).text;
  } catch (error) {
    if (error instanceof ConfigTextError) return undefined;
    throw error;
  }
}
