import { findProvider, providers } from '../../catalog/providers.ts';
import type { ResolveOptions } from '../../config/resolveOptions.ts';
import { supportedProtocols } from '../../protocols/registry.ts';

/** How settings of the editor are resolved. */
export const resolveOptions: ResolveOptions = { catalog: { providers, findProvider }, supportedProtocols, source: 'settings' };
