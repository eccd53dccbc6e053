import * as vscode from 'vscode';
import { isSimulated } from '../../server/api/firstRun/simulated.ts';
import type { Configuration } from '../settings/configuration.ts';
import type { ServerState, WaybillServer } from '../server/waybillServer.ts';

/** Values of the context key `waybill.state`, which menus and welcome views go by. */
export type UiState = 'starting' | 'empty' | 'ready' | 'failed';

/** The state menus and welcome views go by. Pure. */
export function uiState(server: ServerState, configuredEndpoints: number): UiState {
  if (server === 'failed') return 'failed';
  // Known from the settings at once: the welcome view does not wait for the server.
  if (configuredEndpoints === 0) return 'empty';
  return server === 'running' ? 'ready' : 'starting';
}

/** Keeps `waybill.state` up to date, and `waybill.simulated`: the settings name simulated providers. */
export class ContextKeys implements vscode.Disposable {
  readonly #subscriptions: vscode.Disposable[];
  #set: UiState | undefined;
  #simulated = false;

  constructor(server: WaybillServer, configuration: Configuration) {
    const update = (): void => {
      const endpoints = Object.values(configuration.settings.endpoints);
      const simulated = endpoints.some(isSimulated);
      if (simulated !== this.#simulated) {
        this.#simulated = simulated;
        void vscode.commands.executeCommand('setContext', 'waybill.simulated', simulated);
      }
      const state = uiState(server.state, endpoints.length);
      if (state === this.#set) return;
      this.#set = state;
      void vscode.commands.executeCommand('setContext', 'waybill.state', state);
    };
    this.#subscriptions = [server.onDidChangeState(update), configuration.onDidChange(update)];
    update();
  }

  dispose(): void {
    for (const subscription of this.#subscriptions) subscription.dispose();
  }
}
