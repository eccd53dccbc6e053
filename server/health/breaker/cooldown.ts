import type { FailureClass } from '../../api/failure.ts';
import type { Random } from '../../base/clock.ts';
import { isCoolingDown, type CooldownSpan } from '../../base/cooldownSpan.ts';
import { doublingMs } from './backoff.ts';
import { failureWords, waitWords } from '../wording.ts';

/** A cooldown of an endpoint, or of one model on it. */
export interface Cooldown {
  readonly since: number;
  readonly until: number;
  readonly failureClass: FailureClass;
  /** The provider named the end; otherwise our own backoff chose it. */
  readonly named: boolean;
  /** The provider does not know the model, or does not serve this country or region. */
  readonly refusal?: 'model' | 'endpoint' | undefined;
}

/** The cooldown of an endpoint or model, and how many failures in a row caused one. */
export interface ConsecutiveFailures {
  cooldown?: Cooldown | undefined;
  /** The longest wait that the provider named, also where a cooldown of our own lasts longer. */
  named?: CooldownSpan | undefined;
  inARow: number;
}

export interface CooldownState { readonly endpoint: ConsecutiveFailures; readonly models: readonly (readonly [string, ConsecutiveFailures])[] }

/** Cooldowns of one endpoint and of the models on it. */
export interface Cooldowns {
  /** Takes in a failure; one that causes no cooldown is ignored. `foreign`: a peer observed it, maybe a while ago. `byModel`: the provider counts rate limits by model. */
  failed(failure: { failureClass: FailureClass; model: string | undefined; retryAfterMs: number | undefined; at: number; foreign?: boolean | undefined; byModel?: boolean | undefined }): void;
  /** Takes in a refusal of the model (absent: of the endpoint as a whole), whatever the key; it is asked again with growing distance. */
  refused(model: string | undefined, failureClass: FailureClass, at: number): void;
  /**
   * Takes in a success: our own backoff starts from the bottom next time. A cooldown that began before the request did is over,
   * since the provider answers; another one stays. @param startedAt when the request began; absent: cooldowns stay
   */
  succeeded(model: string | undefined, startedAt?: number): void;
  /** Of the cooldowns that concern the model (absent: the endpoint as a whole), the one that ends last; undefined when none is running. */
  coolingDown(model: string | undefined, now: number): Cooldown | undefined;
  /** Of the running cooldowns of the endpoint and of its models, the one that ends last. */
  anyCoolingDown(now: number): Cooldown | undefined;
  /** When the first of the running cooldowns ends; Infinity when none runs. */
  changesAt(now: number): number;
  /**
   * The consecutive failures behind running cooldowns of our own backoff, for comparing unavailable targets.
   * @returns undefined while a wait that the provider named is running; 0 when no cooldown is running
   */
  ownConsecutiveFailures(model: string | undefined, now: number): number | undefined;
  /** A copy of all it holds; `restore` puts it back. */
  snapshot(): CooldownState;
  restore(state: CooldownState): void;
}

const ownBackoff: Readonly<Partial<Record<FailureClass, { baseMs: number; capMs: number }>>> = {
  'rate-limit': { baseMs: 1000, capMs: 60_000 },
  'overloaded': { baseMs: 5000, capMs: 30_000 },
};
/** A longer wait than this is a provider's mistake, or a limit for which one try a day is enough. */
const longestCooldownMs = 86_400_000;
/** A model or region that the provider refuses is asked for again so often: it may be there tomorrow, or the machine be elsewhere. */
const refusalBackoff = { baseMs: 60_000, capMs: 600_000 };
/** The most models remembered without a running cooldown. Callers choose model names freely, so there must be a bound. */
const rememberedModels = 64;

/**
 * Cooldowns of one endpoint. The latest end stands, whatever comes after it.
 *
 * An overload cools down the model it met, and so does a rate limit with a wait that the provider named, because providers
 * count both by model. A rate limit without a named wait cools down, unless its provider counts by model, the whole endpoint, for a shorter time. Other failures of
 * the endpoint cool it down only for a wait that the provider asked for.
 */
export function createCooldowns(random: Random): Cooldowns {
  let endpoint: ConsecutiveFailures = { inARow: 0 };
  const models = new Map<string, ConsecutiveFailures>();

  function scopeOf(failureClass: FailureClass, model: string | undefined, byModel: boolean, at: number): ConsecutiveFailures {
    const ofModel = model !== undefined && (failureClass === 'overloaded' || (failureClass === 'rate-limit' && byModel));
    return ofModel ? scopeOfModel(model, at) : endpoint;
  }

  function scopeOfModel(model: string, at: number): ConsecutiveFailures {
    const known = models.get(model);
    if (known !== undefined) return known;
    const fresh: ConsecutiveFailures = { inARow: 0 };
    if (models.size >= rememberedModels) for (const [name, { cooldown }] of models) if (cooldown === undefined || !isCoolingDown(cooldown, at)) models.delete(name);
    models.set(model, fresh);
    return fresh;
  }

  return {
    failed({ failureClass, model, retryAfterMs, at, foreign, byModel }) {
      if (!coolsDownEndpoint(failureClass)) return;
      const backoff = ownBackoff[failureClass];
      const named = retryAfterMs !== undefined && retryAfterMs >= 0;
      if (!named && backoff === undefined) return;
      const scope = scopeOf(failureClass, model, named || byModel === true, at);
      scope.inARow += 1;
      const waitMs = named
        ? Math.min(longestCooldownMs, retryAfterMs)
        // Half of it is certain and half by chance, so that the cooldown is never zero.
        : backoff === undefined ? 0 : Math.ceil(doublingMs(scope.inARow, backoff) * (0.5 + random() / 2));
      const until = at + waitMs;
      // A cooldown from before the clock was set back ends later than this one, and yet is not running.
      const leftOver = scope.cooldown !== undefined && foreign !== true && !isCoolingDown(scope.cooldown, at);
      if (scope.cooldown === undefined || leftOver || until > scope.cooldown.until) scope.cooldown = { since: at, until, failureClass, named };
      if (named && (scope.named === undefined || !isCoolingDown(scope.named, at) || until > scope.named.until)) scope.named = { since: at, until };
    },
    refused(model, failureClass, at) {
      const scope = model === undefined ? endpoint : scopeOfModel(model, at);
      if (scope.cooldown !== undefined && isCoolingDown(scope.cooldown, at)) return;
      scope.inARow += 1;
      scope.cooldown = { since: at, until: at + doublingMs(scope.inARow, refusalBackoff), failureClass, named: false, refusal: model === undefined ? 'endpoint' : 'model' };
    },
    succeeded(model, startedAt) {
      answered(endpoint, startedAt);
      if (model !== undefined && models.size > 0) {
        const consecutiveFailures = models.get(model);
        if (consecutiveFailures !== undefined) answered(consecutiveFailures, startedAt);
      }
    },
    coolingDown(model, now) {
      return later(endpoint.cooldown, model === undefined ? undefined : models.get(model)?.cooldown, now);
    },
    anyCoolingDown(now) {
      let longest = later(endpoint.cooldown, undefined, now);
      // A model that the provider does not have says nothing of its other models.
      for (const { cooldown } of models.values()) if (cooldown?.refusal === undefined) longest = later(longest, cooldown, now);
      return longest;
    },
    changesAt(now) {
      let first = endsAt(endpoint.cooldown, now);
      for (const { cooldown } of models.values()) first = Math.min(first, endsAt(cooldown, now));
      return first;
    },
    ownConsecutiveFailures(model, now) {
      let consecutiveFailures = 0;
      for (const one of [endpoint, model === undefined ? undefined : models.get(model)]) {
        if (one?.named !== undefined && isCoolingDown(one.named, now)) return undefined;
        if (one?.cooldown === undefined || !isCoolingDown(one.cooldown, now)) continue;
        consecutiveFailures = Math.max(consecutiveFailures, one.inARow);
      }
      return consecutiveFailures;
    },
    snapshot: () => ({ endpoint: { ...endpoint }, models: [...models].map(([name, consecutiveFailures]) => [name, { ...consecutiveFailures }] as const) }),
    restore(state) {
      endpoint = { ...state.endpoint };
      models.clear();
      for (const [name, consecutiveFailures] of state.models) models.set(name, { ...consecutiveFailures });
    },
  };
}

function answered(failures: ConsecutiveFailures, startedAt: number | undefined): void {
  failures.inARow = 0;
  if (startedAt === undefined) return;
  if (failures.cooldown !== undefined && startedAt > failures.cooldown.since) failures.cooldown = undefined;
  if (failures.named !== undefined && startedAt > failures.named.since) failures.named = undefined;
}

function later(one: Cooldown | undefined, other: Cooldown | undefined, now: number): Cooldown | undefined {
  const first = one !== undefined && isCoolingDown(one, now) ? one : undefined;
  const second = other !== undefined && isCoolingDown(other, now) ? other : undefined;
  if (first === undefined) return second;
  return second !== undefined && second.until > first.until ? second : first;
}

function endsAt(cooldown: Cooldown | undefined, now: number): number {
  return cooldown !== undefined && isCoolingDown(cooldown, now) ? cooldown.until : Infinity;
}

function coolsDownEndpoint(failureClass: FailureClass): boolean {
  switch (failureClass) {
    case 'rate-limit': case 'overloaded': case 'server': case 'quota': case 'auth': return true;
    case 'network': case 'timeout': case 'context-overflow': case 'content-policy': case 'model-not-found':
    case 'bad-request': case 'local': case 'cancelled': return false;
  }
}

/** Why a cooldown refuses an attempt, and for how long. */
export function cooldownReason(cooldown: Cooldown, now: number): string {
  const wait = waitWords(cooldown.until - now);
  if (cooldown.refusal !== undefined) return `${refusalWords(cooldown) ?? ''}, next try in ${wait}`;
  switch (cooldown.failureClass) {
    case 'rate-limit':
      return cooldown.named ? `rate-limited by the provider for another ${wait}` : `resting for another ${wait} after a rate limit`;
    case 'overloaded':
      return cooldown.named ? `overloaded, the provider asks to wait another ${wait}` : `resting for another ${wait} after an overload`;
    default:
      return `the provider asks to wait another ${wait} (${failureWords(cooldown.failureClass, undefined)})`;
  }
}

/** Why the provider refuses the endpoint or model, in a few words; undefined where it does not. */
export function refusalWords({ refusal, failureClass }: Pick<Cooldown, 'refusal' | 'failureClass'>): string | undefined {
  if (refusal === undefined) return undefined;
  if (failureClass === 'model-not-found') return 'the provider does not know the model';
  return refusal === 'model' ? 'not offered in this country or region' : 'not served in this country or region';
}
