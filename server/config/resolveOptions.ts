import type { ProtocolName } from '../api/conversation.ts';
import type { TextRange } from '../api/status.ts';
import type { Provider } from '../catalog/provider.ts';
import type { Config, EndpointConfig } from './config.ts';
import type { ConfigPath } from './schemaProblems.ts';

/** Where in the user's file a path is; empty for settings, which have no lines. */
export type Locate = (path: ConfigPath) => { file?: string | undefined; line?: number | undefined; range?: TextRange | undefined };

export interface ResolveOptions {
  /** The provider catalog (server/catalog/providers.ts). */
  catalog: { readonly providers: readonly Provider[]; findProvider(id: string): Provider | undefined };
  /** Protocols the server can speak to a provider now. */
  supportedProtocols: readonly ProtocolName[];
  /** `settings`: VS Code's settings, which must not hold keys. `file`: a headless configuration, whose keys are read apart. */
  source: 'settings' | 'file';
  locate?: Locate | undefined;
  /** Endpoints that routes can name beside those of `raw`, such as those of the editor's settings. */
  knownEndpoints?: ReadonlyMap<string, EndpointConfig> | undefined;
  /** The configuration in use until now: where caps have a mistake, its caps stay. */
  before?: Pick<Config, 'caps' | 'budgets' | 'routes'> | undefined;
  /** Endpoints the caller has already found wrong, reported and taken out of `raw`. */
  leftOut?: ReadonlySet<string> | undefined;
}
