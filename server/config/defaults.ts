import type { EndpointSettings, HedgeSettings, ResponseCacheSettings, TimeoutSettings, WarmCacheSettings } from '../api/settings.ts';
import { defaultWarmCache, type BreakerConfig, type HedgeConfig, type ResponseCacheConfig, type Timeouts, type WarmCacheConfig } from './config.ts';

type WrittenTimeouts = Omit<Timeouts, 'bufferedHeadersMs'>;

/** Generous enough for a reasoning model's first token, short enough that a person still waits. */
const hostedTimeouts: WrittenTimeouts = { connectMs: 5_000, headersMs: 30_000, firstTokenMs: 60_000, idleMs: 60_000, totalMs: 600_000, minTokensPerSecond: 0 };

/** A local server may load the model first, which takes minutes, and writes slowly afterwards. */
const localTimeouts: WrittenTimeouts = { connectMs: 5_000, headersMs: 300_000, firstTokenMs: 300_000, idleMs: 60_000, totalMs: 1_800_000, minTokensPerSecond: 0 };

/** Five failures in a row, or half of ten, are no accident; half a minute is what most incidents of rate and load need. */
const defaultBreaker: BreakerConfig = {
  failures: 5, failureRate: 0.5, minimumAttempts: 10, windowMs: 600_000, openForMs: 30_000, maxOpenForMs: 300_000, halfOpenProbes: 1,
};

/** Second requests are bounded even where no bound is configured. */
export const defaultHedgeCapUsd = 1;

/** Once a minute finds a recovery soon and costs providers nothing worth mentioning. */
const defaultProbe = { enabled: true, intervalMs: 60_000 };

/** After every endpoint that was given a place. */
export const defaultPriority = 100;
export const defaultWeight = 100;

/** The timers of an endpoint: what the user set, and for the rest what suits the place. @param local see `EndpointConfig.local` */
export function timeoutsOf(settings: TimeoutSettings | undefined, local: boolean): Timeouts {
  const timeouts = { ...(local ? localTimeouts : hostedTimeouts), ...given(settings ?? {}) };
  return { ...timeouts, bufferedHeadersMs: settings?.headersMs ?? timeouts.totalMs };
}

/** The timers the user set, without the others. */
export function givenTimeouts(settings: TimeoutSettings | undefined): Partial<Timeouts> {
  const timeouts = given(settings ?? {});
  return timeouts.headersMs === undefined ? timeouts : { ...timeouts, bufferedHeadersMs: timeouts.headersMs };
}

export function breakerOf(settings: EndpointSettings['breaker']): BreakerConfig {
  const breaker = { ...defaultBreaker, ...given(settings ?? {}) };
  // Whoever set only how long it is open at first did not mean it to be open for less later.
  return { ...breaker, maxOpenForMs: Math.max(breaker.openForMs, settings?.maxOpenForMs ?? Math.min(10 * breaker.openForMs, 600_000)) };
}

/** What contradicts itself in how long a breaker is open, as the rest of a sentence; undefined when nothing does. */
export function breakerContradiction(settings: EndpointSettings['breaker']): string | undefined {
  const { maxOpenForMs, openForMs } = settings ?? {};
  if (maxOpenForMs === undefined || maxOpenForMs >= (openForMs ?? defaultBreaker.openForMs)) return undefined;
  const first = openForMs === undefined ? `the default of "breaker.openForMs", ${defaultBreaker.openForMs}` : '"breaker.openForMs"';
  return `"breaker.maxOpenForMs" is less than ${first}, which counts instead.`;
}

export function hedgeOf(settings: HedgeSettings | undefined): HedgeConfig {
  return {
    when: settings?.enabled === undefined ? 'inline' : settings.enabled ? 'always' : 'never',
    afterMs: settings?.afterMs,
    dailyCapMicroUsd: Math.round((settings?.dailyCapUsd ?? defaultHedgeCapUsd) * 1e6),
  };
}

export function warmCacheOf(settings: WarmCacheSettings): WarmCacheConfig {
  return { ...defaultWarmCache, ...given(settings) };
}

/** @returns undefined where no answers are to be kept */
export function responseCacheOf(settings: ResponseCacheSettings | undefined): ResponseCacheConfig | undefined {
  if (settings === undefined || settings.enabled === false) return undefined;
  const { maxAgeMs, maxBytes, temperatures, includeTools, includeStored, includeTruncated, includeRefused, replicas } = settings;
  return {
    maxAgeMs: maxAgeMs ?? 3_600_000, maxBytes: maxBytes ?? 16 * 1024 * 1024, anyTemperature: temperatures === 'any',
    includeTools: includeTools === true, includeStored: includeStored === true, includeTruncated: includeTruncated === true, includeRefused: includeRefused === true, replicas: replicas === true,
  };
}

export function probeOf(settings: EndpointSettings['probe']): { enabled: boolean; intervalMs: number } {
  return { ...defaultProbe, ...given(settings ?? {}) };
}

type Given<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

/** Drops fields that are present but undefined, which would hide a default. */
function given<T extends object>(settings: T): Given<T> {
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined)) as Given<T>;
}
