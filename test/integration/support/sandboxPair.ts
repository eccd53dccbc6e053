import type { EndpointSettings } from '../../../server/api/settings.ts';
import type { SandboxProvider } from '../../../server/sandbox/sandboxProvider.ts';

export const sandboxPrices = { inputPerMTok: 2, outputPerMTok: 8, cacheReadPerMTok: 1, cacheWritePerMTok: 4, cacheWrite1hPerMTok: 6 };

/** Settings of an endpoint that is a sandbox provider; its one model is called `m`. Nothing but what a test sends reaches it. */
export function sandboxEndpoint(provider: SandboxProvider, settings: Partial<EndpointSettings> = {}): EndpointSettings {
  return {
    provider: 'sandbox', protocol: provider.protocol, baseUrl: provider.url, probe: { enabled: false },
    models: { m: { prices: sandboxPrices } }, ...settings,
  };
}
