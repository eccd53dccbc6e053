import type { EndpointSettings } from '../../../api/settings.ts';
import type { HttpStatus } from '../../../api/status.ts';
import type { Router } from '../../../router/router.ts';
import type { EditorConnection } from '../editorConnection.ts';

/** The local HTTP endpoint, as the editor can ask about it and change it. */
export interface LocalEndpoint {
  status(): HttpStatus;
  /** Starts to listen on a port; undefined: stops. */
  listen(port: number | undefined): void;
  /** Tries to listen again, and finds out who holds the port. */
  check(): Promise<HttpStatus>;
}

/** The tokens of single tools. */
export interface ToolTokenStore {
  connect(tool: string): string;
  disconnect(tool: string): void;
  names(): string[];
  /** The tool's token; undefined: it has none. */
  tokenOf(tool: string): string | undefined;
  /** Tools whose access has bounds. */
  readonly bounded: ReadonlySet<string>;
  setBounded(tool: string, isBounded: boolean): void;
}

/** Providers that the server itself plays, for trying Waybill without a key. */
export interface Simulation {
  /**
   * The endpoints, the simulated ones among them with the address at which they are played from now on. One that cannot
   * be played is left out, with a sentence on why.
   */
  addressed(endpoints: Readonly<Record<string, EndpointSettings>>): Promise<{ endpoints: Readonly<Record<string, EndpointSettings>>; problems: string[] }>;
  /** Ends what is played for other names than these. */
  endOthers(endpoints: Readonly<Record<string, EndpointSettings>>): Promise<void>;
}

/** Everything that a feature can use. */
export interface FeatureContext {
  editor: EditorConnection;
  router: Router;
  localEndpoint: LocalEndpoint;
  tools: ToolTokenStore;
  simulation: Simulation;
  /** The configuration file that another editor started the server with. */
  configFile?: string | undefined;
}

/** A feature after its registration. */
export interface RegisteredFeature {
  /** The state of the local endpoint changed. */
  localEndpointChanged?(): void;
  /** Comes before the router is shut down; nothing may be read from the router afterwards. */
  close?(): void;
}

/** One part of what the language server does for the editor: it registers its own messages. */
export interface LspFeature {
  readonly name: string;
  register(context: FeatureContext): RegisteredFeature | undefined;
}
