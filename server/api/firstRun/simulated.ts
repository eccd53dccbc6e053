import type { EndpointSettings, RouteSettings } from '../settings.ts';

/** Id of the provider that the server itself plays; its endpoints need no address and no key, and cost nothing. */
export const simulatedProvider = 'simulated';
/** The one model of each simulated provider. */
export const simulatedModel = 'simulated-chat';
/** The route over both simulated providers. */
export const simulatedRoute = 'simulated';

/** The two simulated providers, by the names of their endpoints. They speak different protocols, so that a failover crosses both. */
export const simulatedEndpoints: Readonly<Record<string, EndpointSettings>> = {
  'simulated-a': { provider: simulatedProvider, protocol: 'openai-chat' },
  'simulated-b': { provider: simulatedProvider, protocol: 'anthropic-messages' },
};

/** What the route over both is. */
export const simulatedRouteSettings: RouteSettings = { targets: Object.keys(simulatedEndpoints).map(name => `${name}/${simulatedModel}`) };

/** Whether an endpoint is one that the server plays. */
export function isSimulated({ provider }: Pick<EndpointSettings, 'provider'>): boolean {
  return provider === simulatedProvider;
}
