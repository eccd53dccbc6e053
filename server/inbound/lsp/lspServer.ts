import type { Connection } from 'vscode-languageserver';
import type { Router } from '../../router/router.ts';
import { EditorConnection } from './editorConnection.ts';
import type { LocalEndpoint, RegisteredFeature, Simulation, ToolTokenStore } from './features/feature.ts';
import { lspFeatures } from './features/table.ts';

export interface LspServerOptions {
  connection: Connection;
  router: Router;
  localEndpoint: LocalEndpoint;
  tools: ToolTokenStore;
  simulation: Simulation;
  configFile?: string | undefined;
}

/** The language server's side of the connection to the editor: the features of the table, registered. */
export class LspServer {
  readonly #features: readonly RegisteredFeature[];

  constructor({ connection, router, localEndpoint, tools, simulation, configFile }: LspServerOptions) {
    const context = { editor: new EditorConnection(connection, router.log), router, localEndpoint, tools, simulation, configFile };
    this.#features = lspFeatures.flatMap(feature => feature.register(context) ?? []);
  }

  /** The state of the local endpoint changed. */
  localEndpointChanged(): void {
    for (const feature of this.#features) feature.localEndpointChanged?.();
  }

  /** Stops sending the state. Comes before the router is shut down, because every snapshot reads it. */
  close(): void {
    for (const feature of this.#features) feature.close?.();
  }
}
