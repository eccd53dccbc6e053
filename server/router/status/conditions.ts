import { because, isUp, saidOfFailure, saidOfKind, type Condition } from '../../api/condition.ts';
import type { FailureClass } from '../../api/failure.ts';
import { said, type Said } from '../../api/localization/said.ts';
import type { KeyStatus, LatencySummary } from '../../api/status.ts';
import type { Config, EndpointConfig } from '../../config/config.ts';
import type { Admission, EndpointHealthReport, HealthRegistry } from '../../health/healthReader.ts';
import type { RateLimiter } from '../../limits/rateLimiter.ts';
import type { BlockedKeys, RoutingView } from '../../routing/plan.ts';
import type { KeyPool } from '../../keys/keyPool.ts';
import type { Pauses } from '../endpoints/pauses.ts';

export interface ConditionSources {
  now: number;
  config: Config;
  healthRegistry: Pick<HealthRegistry, 'health' | 'admission'>;
  keys: Pick<KeyPool, 'status' | 'blocked'>;
  limiter: Pick<RateLimiter, 'admission' | 'keyTrouble'>;
  view: Pick<RoutingView, 'table' | 'keysBlocked' | 'admission'>;
  pauses: Pick<Pauses, 'of'>;
}

/** The state of an endpoint as a whole, read once for a snapshot. */
interface Known { readonly health: EndpointHealthReport; readonly keys: KeyStatus[]; readonly whole: Condition }

const disabled: Condition = { kind: 'disabled' };
const removed: Condition = { kind: 'down', ...because(said('no such endpoint')) };
/** More models than keys and breakers remember: when none of so many can be asked, the endpoint itself cannot be used. */
const mostListed = 500;

/**
 * What every endpoint, and every model there, can do at one moment. This is the only place that decides it: the status bar,
 * the Providers view and the model picker all show what is decided here.
 */
export class Conditions {
  readonly #sources: ConditionSources;
  readonly #known = new Map<string, Known>();
  /** Models that routes use, by endpoint. */
  readonly #routed = new Map<string, Set<string>>();

  constructor(sources: ConditionSources) {
    this.#sources = sources;
    for (const route of sources.config.routes.values()) {
      for (const { endpoint, model } of route.targets) {
        const models = this.#routed.get(endpoint);
        const name = sources.view.table.modelAt(endpoint, model);
        if (models === undefined) this.#routed.set(endpoint, new Set([name]));
        else models.add(name);
      }
    }
  }

  health(endpoint: EndpointConfig): EndpointHealthReport {
    return this.#knownOf(endpoint).health;
  }

  keys(endpoint: EndpointConfig): KeyStatus[] {
    return this.#knownOf(endpoint).keys;
  }

  /**
   * An endpoint is up when one of the models that routes use there can be asked, or, where no route uses it, any model. It
   * is degraded when some of those in routes cannot.
   */
  ofEndpoint(endpoint: EndpointConfig): Condition {
    const { whole } = this.#knownOf(endpoint);
    const routed = this.#routed.get(endpoint.name);
    if (!isUp(whole)) return whole;
    let kept: { model: string; condition: Condition } | undefined;
    let someUp = false;
    for (const model of routed ?? this.#sources.view.table.modelsOf(endpoint.name).slice(0, mostListed)) {
      const condition = this.ofTarget(endpoint.name, model);
      if (isUp(condition)) someUp = true;
      else if (kept === undefined || (condition.until ?? Infinity) < (kept.condition.until ?? Infinity)) kept = { model, condition };
      if (someUp && (routed === undefined || kept !== undefined)) break;
    }
    if (kept === undefined || (someUp && routed === undefined)) return whole;
    return someUp ? { kind: 'degraded', ...because(said('{0}: {1}', kept.model, keptAway(kept.condition))) } : kept.condition;
  }

  /** What one model at an endpoint can do; `model` is a canonical name. */
  ofTarget(endpointName: string, model: string): Condition {
    const endpoint = this.#sources.config.endpoints.get(endpointName);
    if (endpoint === undefined) return removed;
    const { whole } = this.#knownOf(endpoint);
    if (!isUp(whole)) return whole;
    const { view } = this.#sources;
    const blocked = view.keysBlocked(endpointName, model);
    if (blocked !== undefined) return ofBlockedKeys(blocked);
    return refused(view.admission(endpointName, model)) ?? whole;
  }

  #knownOf(endpoint: EndpointConfig): Known {
    const before = this.#known.get(endpoint.name);
    if (before !== undefined) return before;
    const { healthRegistry, keys, limiter, now } = this.#sources;
    const health = healthRegistry.health(endpoint.name, now);
    const status = keys.status(endpoint.name, now, keyId => {
      const trouble = limiter.keyTrouble(endpoint.name, keyId, now);
      return trouble === undefined ? undefined : { reason: trouble.limit ?? trouble.reason, retryAt: wholeSecond(trouble.retryAt) ?? trouble.retryAt };
    });
    const known = { health, keys: status, whole: this.#whole(endpoint, health, status) };
    this.#known.set(endpoint.name, known);
    return known;
  }

  #whole(endpoint: EndpointConfig, health: EndpointHealthReport, keys: readonly KeyStatus[]): Condition {
    const { healthRegistry, limiter, now } = this.#sources;
    if (!endpoint.enabled) return disabled;
    const pause = this.#sources.pauses.of(endpoint.name, now);
    if (pause !== undefined) return { kind: 'paused', until: pause.until };
    if (health.offline !== undefined) return { kind: health.offline };
    const { lastError } = health;
    const why = lastError === undefined ? undefined : reasonOf(lastError);
    return withStatus(this.#ofKeys(endpoint, keys), lastError)
      ?? withStatus(refused(healthRegistry.admission(endpoint.name, undefined, now), why), lastError)
      ?? refused(limiter.admission(endpoint.name, 0, now))
      ?? ofHealth(health, why);
  }

  /** Why no key can be used for any model; undefined where one can. A key that cools down for one model only can be used for others. */
  #ofKeys({ name, provider }: EndpointConfig, keys: readonly KeyStatus[]): Condition | undefined {
    const blocked = this.#sources.keys.blocked(name, provider.keyRequired, this.#sources.now);
    if (blocked === undefined) return undefined;
    if (keys.length === 0) return { kind: 'no-key' };
    if (blocked.cause === 'auth') return { kind: 'key-rejected', until: wholeSecond(blocked.retryAt), ...(keys.length === 1 ? { why: undefined } : because(said('all {0} keys', keys.length))) };
    const soonest = keys.find(key => key.until === blocked.retryAt);
    return { kind: soonest?.state === 'no-money' ? 'out-of-money' : 'rate-limited', until: blocked.retryAt };
  }
}

/** What the provider answered, beside a kind that says the rest. */
function withStatus(condition: Condition | undefined, lastError: EndpointHealthReport['lastError']): Condition | undefined {
  const kind = lastError === undefined ? undefined : kindsOfClass[lastError.failureClass];
  if (condition === undefined || condition.why !== undefined || lastError?.status === undefined || condition.kind !== kind) return condition;
  return { ...condition, why: String(lastError.status) };
}

const kindsOfClass: Readonly<Partial<Record<FailureClass, Condition['kind']>>> = { 'rate-limit': 'rate-limited', 'overloaded': 'overloaded', 'quota': 'out-of-money', 'auth': 'key-rejected' };

/** Why no key can be used for one model, although there is one for others. */
function ofBlockedKeys({ cause, retryAt, ofModel, reason }: BlockedKeys): Condition {
  const until = wholeSecond(retryAt);
  const why = ofModel === true ? { why: reason } : {};
  switch (cause) {
    case 'auth': return { kind: 'not-permitted', until, ...why };
    case 'quota': return { kind: 'out-of-money', until, ...why };
    default: return { kind: 'rate-limited', until };
  }
}

function reasonOf({ failureClass, status }: NonNullable<EndpointHealthReport['lastError']>): Said {
  const words = saidOfFailure(failureClass);
  return status === undefined ? words : said('{0} {1}', words, status);
}

function ofHealth(health: EndpointHealthReport, why: Said | undefined): Condition {
  if (health.breaker === 'half-open') return { kind: 'recovering' };
  switch (health.state) {
    case 'healthy':
    case 'unknown': return { kind: health.state };
    case 'down': return { kind: 'down', until: health.retryAt, ...maybe(why) };
    case 'degraded': {
      const kept = health.modelBreakers?.[0];
      return { kind: 'degraded', ...maybe(kept === undefined ? why : kept.breaker === 'open' ? said('{0} is kept away', kept.model) : said('{0} is recovering', kept.model)) };
    }
  }
}

/** The condition behind a refused admission; undefined where it is not refused, or only because many requests run at this moment. */
function refused(admission: Admission, why?: Said): Condition | undefined {
  if (admission.admitted || admission.cause === 'busy') return undefined;
  const until = wholeSecond(admission.retryAt);
  switch (admission.cause) {
    case undefined: return { kind: 'down', until, ...maybe(why) };
    case 'rate-limit': return { kind: 'rate-limited', until };
    case 'overloaded': return { kind: 'overloaded', until };
    default: return { kind: 'down', until, ...(admission.why === undefined ? because(saidOfFailure(admission.cause)) : { why: admission.why }) };
  }
}

function keptAway({ kind, why, said: reason }: Condition): Said | string {
  return reason ?? why ?? (kind === 'down' ? said('kept away') : saidOfKind(kind));
}

function maybe(reason: Said | undefined): Pick<Condition, 'why' | 'said'> {
  return reason === undefined ? { why: undefined } : because(reason);
}

/** Rounded, because a moment that is computed at each read would otherwise be another state each second. */
function wholeSecond(at: number | undefined): number | undefined {
  return at === undefined ? undefined : Math.ceil(at / 1000) * 1000;
}

/** Below so many answers a percentile means nothing and is left out: the 95th of 20 is the second worst, as is the 99th of 100. */
const enoughForP95 = 20;
const enoughForP99 = 100;

/** Latencies as they are shown: two digits, and high percentiles only of enough answers. @param answered how many were measured at most */
export function shownLatency(latency: LatencySummary | undefined, answered: number): LatencySummary | undefined {
  if (latency === undefined) return undefined;
  return {
    p50: twoDigits(latency.p50),
    p95: answered < enoughForP95 || latency.p95 === undefined ? undefined : twoDigits(latency.p95),
    p99: answered < enoughForP99 || latency.p99 === undefined ? undefined : twoDigits(latency.p99),
  };
}

function twoDigits(value: number): number {
  return Number(value.toPrecision(2));
}
