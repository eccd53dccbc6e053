import { readdir } from 'node:fs/promises';
import path from 'node:path';
import type * as vscode from 'vscode';
import { t } from '@vscode/l10n';
import type { OfferedModel } from '../../server/api/status.ts';
import { inform } from '../base/toasts.ts';
import { connectorAt } from '../connect/connectorAt.ts';
import type { ToolPlace } from './connectTool.ts';
import type { CommandServices } from './services.ts';

/** How long changes of models are collected, in milliseconds: lists of models come one after the other. */
const settleMs = 3000;

/** Tells connected tools what their routes can do, whenever that changes. Without a connected tool it reads one folder. */
export class ConnectionUpkeep implements vscode.Disposable {
  readonly #services: CommandServices;
  readonly #place: ToolPlace;
  readonly #subscription: vscode.Disposable;
  #lasting = '';
  #timer: NodeJS.Timeout | undefined;

  constructor(services: CommandServices, place: ToolPlace) {
    this.#services = services;
    this.#place = place;
    // What settings say of roles comes with a status, too: the server is configured again.
    this.#subscription = services.server.onDidChangeStatus(({ offered }) => { this.#see(offered); });
  }

  dispose(): void {
    clearTimeout(this.#timer);
    this.#subscription.dispose();
  }

  #see(offered: readonly OfferedModel[]): void {
    const roles = rolesInSettings(this.#services);
    const lasting = JSON.stringify([roles, offered.map(one => [one.requestedModel, one.lasting, one.targets[0]])]);
    if (lasting === this.#lasting) return;
    this.#lasting = lasting;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#bringUpToDate(offered).catch((error: unknown) => {
        this.#services.log.warn(`A connected tool was not told what its route can do: ${error instanceof Error ? error.message : String(error)}`);
      });
    }, settleMs);
  }

  async #bringUpToDate(offered: readonly OfferedModel[]): Promise<void> {
    const names = await readdir(path.join(this.#place.storageFolder, 'connections')).catch(() => []);
    if (names.length === 0) return;
    const connector = await connectorAt(this.#place);
    for (const { tool, model } of await connector.connections()) {
      const changed = await connector.refresh(tool, name => modelNamed(offered, name), rolesInSettings(this.#services)[tool]);
      if (changed.length === 0) continue;
      const name = (await connector.states()).find(state => state.id === tool)?.name ?? tool;
      this.#services.log.info(`${name} was told what "${model}" can do now, in ${changed.join(' and ')}.`);
      void inform(t('{0} knows what "{1}" can do now, and the routes of your settings, from its next start.', name, model));
    }
  }
}

/** What is known of a name that a tool was given. */
export function modelNamed(offered: readonly OfferedModel[], name: string): Pick<OfferedModel, 'requestedModel'> & Partial<OfferedModel> {
  return offered.find(one => one.requestedModel === name) ?? { requestedModel: name };
}

/** What the user's settings give for single roles of tools, by tool. */
export function rolesInSettings({ configuration }: CommandServices): Record<string, Record<string, string | undefined>> {
  return Object.fromEntries(Object.entries(configuration.settings.tools).map(([tool, roles]) => [tool, Object.fromEntries(Object.entries(roles).filter(([, name]) => typeof name === 'string' && name !== ''))]));
}
