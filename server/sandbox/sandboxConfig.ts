import type { EndpointSettings, PriceSettings, RouteSettings } from '../api/settings.ts';
import type { SandboxProtocol } from './wires/sandboxWire.ts';

/** Where a running sandbox provider is reached. */
export interface SandboxAddress {
  name: string;
  protocol: SandboxProtocol;
  /** Base URL for an endpoint. */
  url: string;
  controlUrl: string;
}

/** The one model each sandbox provider of the demonstration serves, and its invented price in US dollars per million tokens. */
export const sandboxModels: Record<SandboxProtocol, { model: string; prices: PriceSettings }> = {
  'openai-chat': { model: 'sandbox-chat', prices: { inputPerMTok: 2, outputPerMTok: 8, cacheReadPerMTok: 1 } },
  'openai-responses': { model: 'sandbox-responses', prices: { inputPerMTok: 2, outputPerMTok: 8, cacheReadPerMTok: 1 } },
  'gemini': { model: 'sandbox-gemini', prices: { inputPerMTok: 1, outputPerMTok: 6, cacheReadPerMTok: 0.25 } },
  'anthropic-messages': { model: 'sandbox-messages', prices: { inputPerMTok: 3, outputPerMTok: 15, cacheReadPerMTok: 1, cacheWritePerMTok: 4, cacheWrite1hPerMTok: 6 } },
};

const sandboxLimits = { contextWindow: 200_000, maxOutputTokens: 32_000, tools: true, images: true, thinking: true };

/** Endpoint settings for sandbox providers, first one first, and the route `auto` over all of them. */
export function sandboxSettings(addresses: readonly SandboxAddress[]): { endpoints: Record<string, EndpointSettings>; routes: Record<string, RouteSettings> } {
  const endpoints = addresses.map(({ name, protocol, url }, index): [string, EndpointSettings] => {
    const { model, prices } = sandboxModels[protocol];
    return [name, { provider: 'sandbox', protocol, baseUrl: url, priority: index + 1, models: { [model]: { ...sandboxLimits, prices } } }];
  });
  const targets = addresses.map(({ name, protocol }) => `${name}/${sandboxModels[protocol].model}`);
  return { endpoints: Object.fromEntries(endpoints), routes: { auto: { strategy: 'priority', targets } } };
}
