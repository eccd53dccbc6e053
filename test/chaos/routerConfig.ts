import type { BreakerSettings, EndpointSettings, PriceSettings, RouteSettings } from '../../server/api/settings.ts';
import { chaosRoutes, protocolOf, type ProviderName } from './requests.ts';

/** Pauses of a good answer: long enough for many to be under way at once, and to be cut in the middle. */
export const healthyPace = { headersMs: 4, firstTokenMs: 12, betweenWordsMs: 5 };

/** Keys every provider accepts. */
export const acceptedKeys: readonly string[] = ['chaos-live-key-0001', 'chaos-live-key-0002'];

/** The prices of all providers, in US dollars for a million tokens. They are not round, so that a wrong sum is visible. */
export const chaosPrices: PriceSettings = { inputPerMTok: 2.35, outputPerMTok: 8.9, cacheReadPerMTok: 1, cacheWritePerMTok: 4, cacheWrite1hPerMTok: 6 };

const timeouts = { connectMs: 300, headersMs: 300, firstTokenMs: 300, idleMs: 300, totalMs: 6000, minTokensPerSecond: 0 };
/**
 * Two endpoints have a quick breaker, and two have one that needs a longer fault: an endpoint that has just recovered gets
 * few requests at first, and if all four were in that state the callers would only wait.
 */
const quickBreaker = { failures: 5, openForMs: 150, maxOpenForMs: 600 };
const patientBreaker = { failures: 60, failureRate: 0.95, minimumAttempts: 120, windowMs: 10_000, openForMs: 150, maxOpenForMs: 600 };
const breakers: Readonly<Record<ProviderName, BreakerSettings>> = { a: quickBreaker, b: patientBreaker, c: quickBreaker, d: patientBreaker };
/** Two endpoints have a first key that is dead. */
const withDeadKey: ReadonlySet<ProviderName> = new Set(['b', 'd']);

/**
 * The router's configuration.
 * @param generation of the dead keys: each generation has another key, which the router has to find dead again
 */
export function chaosConfiguration(providers: readonly { name: ProviderName; url: string }[], generation: number): { endpoints: Record<string, EndpointSettings>; routes: Record<string, RouteSettings> } {
  const endpoints = providers.map(({ name, url }): [string, EndpointSettings] => [name, {
    provider: 'sandbox', protocol: protocolOf[name], baseUrl: url, probe: { enabled: false }, timeouts,
    keys: withDeadKey.has(name) ? [`chaos-dead-key-${generation}`, ...acceptedKeys.slice(0, 1)] : [...acceptedKeys],
    breaker: breakers[name],
    models: { m: { upstream: protocolOf[name] === 'gemini' ? 'gemini-3.8-flash' : `model-of-${name}`, prices: chaosPrices, contextWindow: 200_000, maxOutputTokens: 4000, tools: true } },
  }]);
  const routes = chaosRoutes.map(({ name, targets, afterCommit, hedged }): [string, RouteSettings] => [name, {
    targets: targets.map(target => `${target}/m`), afterCommit, ...(hedged ? { hedge: { enabled: true, afterMs: 90, dailyCapUsd: 100_000 } } : {}),
  }]);
  return { endpoints: Object.fromEntries(endpoints), routes: Object.fromEntries(routes) };
}
