import type { EndpointSettings } from '../../../server/api/settings.ts';
import type { SandboxProvider } from '../../../server/sandbox/sandboxProvider.ts';
import type { SandboxProtocol } from '../../../server/sandbox/wires/sandboxWire.ts';

export const sandboxPrices = { inputPerMTok: 2, outputPerMTok: 8, cacheReadPerMTok: 1, cacheWritePerMTok: 4, cacheWrite1hPerMTok: 6 };

/** What Gemini models accept is read from their names: one that thinks needs a name of theirs. */
const upstreamNames: Readonly<Partial<Record<SandboxProtocol, string>>> = { gemini: 'gemini-3.8-flash' };

/** Settings of an endpoint that is a sandbox provider; its one model is called `m`. Nothing but what a test sends reaches it. */
export function sandboxEndpoint(provider: SandboxProvider, settings: Partial<EndpointSettings> = {}): EndpointSettings {
  const upstream = upstreamNames[provider.protocol];
  return {
    provider: 'sandbox', protocol: provider.protocol, baseUrl: provider.url, probe: { enabled: false },
    models: { m: { prices: sandboxPrices, ...(upstream === undefined ? {} : { upstream }) } }, ...settings,
  };
}
