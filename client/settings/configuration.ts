import type { BudgetSettings } from '../../server/api/budgets/budgetSettings.ts';
import { homedir } from 'node:os';
import { join } from 'node:path';
import * as vscode from 'vscode';
import type { ConfigureParams } from '../../server/api/messages.ts';
import type { SettingsRules } from '../../server/api/rules/rulesHistory.ts';
import type { NetworkSettings } from '../../server/api/settings.ts';
import type { ConfigProblem } from '../../server/api/status.ts';
import { Emitter } from '../base/emitter.ts';
import type { KeyStore } from '../keys/keyStore.ts';
import { readNetworkSettings, readSettings } from './settings.ts';
import type { ClientSettings, NetworkSettingName, SettingName, SettingsReading } from './settings.ts';
import type { Endpoints, Routes } from './settingsEdits.ts';

type Budgets = Record<string, BudgetSettings>;

/** Typing in settings.json saves often; the server gets the settings once they have not changed for this long. */
const quietMs = 150;

/**
 * The user's settings and keys, together what the server is configured with. Reads only values of the user's
 * own settings: what a workspace says is not looked at.
 */
export class Configuration implements vscode.Disposable {
  readonly #keys: KeyStore;
  readonly #changed = new Emitter<ClientSettings>();
  readonly #serverPartChanged = new Emitter<void>();
  readonly #subscriptions: vscode.Disposable[];
  #reading: SettingsReading;
  #quiet: NodeJS.Timeout | undefined;

  constructor(keys: KeyStore) {
    this.#keys = keys;
    this.#reading = read();
    this.#subscriptions = [
      vscode.workspace.onDidChangeConfiguration(event => {
        if (event.affectsConfiguration('http')) this.#tellServerSoon();
        if (!event.affectsConfiguration('waybill')) return;
        this.#reading = read();
        this.#changed.fire(this.#reading.settings);
        this.#tellServerSoon();
      }),
      vscode.workspace.onDidChangeWorkspaceFolders(() => { if (this.#reading.settings.rulesFile !== undefined) this.#tellServerSoon(); }),
      keys.onDidChange(() => { this.#tellServerSoon(); }),
    ];
  }

  get settings(): ClientSettings { return this.#reading.settings; }
  /** What is wrong in the settings before the server has seen them. */
  get problems(): readonly ConfigProblem[] { return this.#reading.problems; }
  get onDidChange(): vscode.Event<ClientSettings> { return this.#changed.event; }
  /** Settings or keys changed, and have been quiet for a moment: the server wants to know. */
  get onDidChangeServerPart(): vscode.Event<void> { return this.#serverPartChanged.event; }

  /** Everything the server needs, keys included; only ever for `waybill/configure`. */
  async serverConfiguration(): Promise<ConfigureParams> {
    const { endpoints, routes, aliases, equivalents, tools, caps, budgets, monitoring, keepTitles, localEndpoint, rulesFile } = this.#reading.settings;
    return {
      endpoints, routes, aliases, equivalents, tools, caps, budgets, ...(monitoring === undefined ? {} : { monitoring }), keepTitles, keys: await this.#keys.material(Object.keys(endpoints)), http: localEndpoint, network: readNetwork(),
      ...(rulesFile === undefined ? {} : { rulesFile: { path: homePath(rulesFile), workspaceFolders: (vscode.workspace.workspaceFolders ?? []).map(({ uri }) => uri.fsPath) } }),
    };
  }

  /** Changes the user's endpoints as they are written now, whatever else is in them. Undefined takes the setting out of the file. */
  async changeEndpoints(change: (endpoints: Endpoints) => Endpoints | undefined): Promise<void> {
    await update('endpoints', change);
  }

  /** Changes the user's routes as they are written now. */
  async changeRoutes(change: (routes: Routes) => Routes | undefined): Promise<void> {
    await update('routes', change);
  }

  /** Changes the user's budgets as they are written now. */
  async changeBudgets(change: (budgets: Budgets) => Budgets): Promise<void> {
    await update('budgets', change);
  }

  /** Replaces the list of extensions whose requests are refused; an empty one takes the setting out of the file. */
  async blockExtensions(ids: readonly string[]): Promise<void> {
    await vscode.workspace.getConfiguration('waybill').update('blockedExtensions', ids.length === 0 ? undefined : ids, vscode.ConfigurationTarget.Global);
  }

  /** Which of the two stand in the user's settings with nothing in them. */
  emptySettings(): { endpoints: boolean; routes: boolean } {
    const isEmpty = (name: 'endpoints' | 'routes'): boolean => {
      const written: unknown = vscode.workspace.getConfiguration('waybill').inspect(name)?.globalValue;
      return typeof written === 'object' && written !== null && Object.keys(written).length === 0;
    };
    return { endpoints: isEmpty('endpoints'), routes: isEmpty('routes') };
  }

  /** Replaces the user's rules, each section where it differs. */
  async replaceRules(rules: SettingsRules): Promise<void> {
    const section = vscode.workspace.getConfiguration('waybill');
    for (const name of ['routes', 'aliases', 'equivalents', 'tools', 'caps'] as const) {
      const kept = rules[name];
      if (kept === undefined) continue;
      const written = section.inspect(name)?.globalValue;
      const wanted = Object.keys(kept).length === 0 ? undefined : kept;
      if (JSON.stringify(written) !== JSON.stringify(wanted)) await section.update(name, wanted, vscode.ConfigurationTarget.Global);
    }
  }

  dispose(): void {
    clearTimeout(this.#quiet);
    for (const subscription of this.#subscriptions) subscription.dispose();
    this.#changed.dispose();
    this.#serverPartChanged.dispose();
  }

  #tellServerSoon(): void {
    clearTimeout(this.#quiet);
    this.#quiet = setTimeout(() => { this.#serverPartChanged.fire(); }, quietMs);
  }
}

/** `~/` is the user's home. */
function homePath(path: string): string {
  return /^~[\\/]/.test(path) ? join(homedir(), path.slice(2)) : path;
}

function read(): SettingsReading {
  const section = vscode.workspace.getConfiguration('waybill');
  return readSettings((name: SettingName) => section.inspect(name)?.globalValue);
}

function readNetwork(): NetworkSettings {
  const section = vscode.workspace.getConfiguration('http');
  return readNetworkSettings((name: NetworkSettingName) => section.inspect(name)?.globalValue);
}

async function update<Entries extends Endpoints | Routes | Budgets>(name: 'endpoints' | 'routes' | 'budgets', change: (entries: Entries) => Entries | undefined): Promise<void> {
  const section = vscode.workspace.getConfiguration('waybill');
  const written = section.inspect<Entries>(name)?.globalValue;
  const before = typeof written === 'object' && !Array.isArray(written) ? written : ({} as Entries);
  const after = change(before);
  if (after !== before) await section.update(name, after, vscode.ConfigurationTarget.Global);
}
