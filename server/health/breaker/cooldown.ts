import type { FailureClass } from '../../api/failure.ts';
import type { Random } from '../../base/clock.ts';
import { isResting, type RestSpan } from '../../base/cooldownSpan.ts';
import { doublingMs } from './backoff.ts';
import { failureWords, waitWords } from '../wording.ts';

/** A rest of an endpoint, or of one model on it. */
export interface Rest {
  readonly since: number;
  readonly until: number;
  readonly failureClass: FailureClass;
  /** The provider itself named the moment; otherwise it is our own backoff. */
  readonly named: boolean;
}

/** The rest of an endpoint or model, and how many reasons to rest came in a row. */
export interface Strikes {
  rest?: Rest | undefined;
  /** The longest wait the provider named, also where a rest of our own lasts longer. */
  named?: RestSpan | undefined;
  inARow: number;
}

export interface CooldownState { readonly endpoint: Strikes; readonly models: readonly (readonly [string, Strikes])[] }

/** Cool-downs of one endpoint and of the models on it. */
export interface Cooldowns {
  /** Takes note of a failure; what is no reason to rest is passed over. `foreign`: another window saw it, maybe a while ago. */
  failed(failure: { failureClass: FailureClass; model: string | undefined; retryAfterMs: number | undefined; at: number; foreign?: boolean | undefined }): void;
  /** An answer came: own backoff starts from the bottom next time. A deadline stays: the answer may be older than it. */
  succeeded(model: string | undefined): void;
  /** The rest that ends last of those that concern the model (absent: the endpoint as a whole); undefined when none is running. */
  resting(model: string | undefined, now: number): Rest | undefined;
  /** Any rest now running, of the endpoint or of any model. */
  anyResting(now: number): Rest | undefined;
  /**
   * Rests that only our own backoff made, by how often in a row, for finding the least bad of several targets.
   * @returns undefined while a wait that the provider named is running; 0 strikes when nothing rests
   */
  ownStrikes(model: string | undefined, now: number): number | undefined;
  /** A copy of all it holds; `restore` puts it back. */
  snapshot(): CooldownState;
  restore(state: CooldownState): void;
}

const ownBackoff: Readonly<Partial<Record<FailureClass, { baseMs: number; capMs: number }>>> = {
  'rate-limit': { baseMs: 1000, capMs: 60_000 },
  'overloaded': { baseMs: 5000, capMs: 30_000 },
};
/** A provider that names a moment further away has sent nonsense, or a limit for which a day's patience is long enough. */
const longestRestMs = 86_400_000;
/** More models than this are remembered only while they rest: callers may name models as they like. */
const rememberedModels = 64;

/**
 * Cool-downs of one endpoint. Whatever comes later, the longest deadline seen stands.
 *
 * An overload rests the model it met, and so does a rate limit with a wait named by the provider: both are counted per
 * model by the providers. A rate limit without one rests the whole endpoint, for a shorter while. Other failures of the
 * endpoint rest it only for a wait the provider asked for.
 */
export function createCooldowns(random: Random): Cooldowns {
  let endpoint: Strikes = { inARow: 0 };
  const models = new Map<string, Strikes>();

  function scopeOf(failureClass: FailureClass, model: string | undefined, named: boolean, at: number): Strikes {
    const ofModel = model !== undefined && (failureClass === 'overloaded' || (failureClass === 'rate-limit' && named));
    if (!ofModel) return endpoint;
    const known = models.get(model);
    if (known !== undefined) return known;
    const fresh: Strikes = { inARow: 0 };
    if (models.size >= rememberedModels) for (const [name, { rest }] of models) if (rest === undefined || !isResting(rest, at)) models.delete(name);
    models.set(model, fresh);
    return fresh;
  }

  return {
    failed({ failureClass, model, retryAfterMs, at, foreign }) {
      if (!restsEndpoint(failureClass)) return;
      const backoff = ownBackoff[failureClass];
      const named = retryAfterMs !== undefined && retryAfterMs >= 0;
      if (!named && backoff === undefined) return;
      const scope = scopeOf(failureClass, model, named, at);
      scope.inARow += 1;
      const waitMs = named
        ? Math.min(longestRestMs, retryAfterMs)
        // Half of it certain, half by chance: a rest of nothing would be none.
        : backoff === undefined ? 0 : Math.ceil(doublingMs(scope.inARow, backoff) * (0.5 + random() / 2));
      const until = at + waitMs;
      // A rest left over from before the clock was set back would end later than this one and yet is not running.
      const leftOver = scope.rest !== undefined && foreign !== true && !isResting(scope.rest, at);
      if (scope.rest === undefined || leftOver || until > scope.rest.until) scope.rest = { since: at, until, failureClass, named };
      if (named && (scope.named === undefined || !isResting(scope.named, at) || until > scope.named.until)) scope.named = { since: at, until };
    },
    succeeded(model) {
      endpoint.inARow = 0;
      if (model !== undefined && models.size > 0) {
        const strikes = models.get(model);
        if (strikes !== undefined) strikes.inARow = 0;
      }
    },
    resting(model, now) {
      return later(endpoint.rest, model === undefined ? undefined : models.get(model)?.rest, now);
    },
    anyResting(now) {
      let longest = later(endpoint.rest, undefined, now);
      for (const { rest } of models.values()) longest = later(longest, rest, now);
      return longest;
    },
    ownStrikes(model, now) {
      let strikes = 0;
      for (const one of [endpoint, model === undefined ? undefined : models.get(model)]) {
        if (one?.named !== undefined && isResting(one.named, now)) return undefined;
        if (one?.rest === undefined || !isResting(one.rest, now)) continue;
        strikes = Math.max(strikes, one.inARow);
      }
      return strikes;
    },
    snapshot: () => ({ endpoint: { ...endpoint }, models: [...models].map(([name, strikes]) => [name, { ...strikes }] as const) }),
    restore(state) {
      endpoint = { ...state.endpoint };
      models.clear();
      for (const [name, strikes] of state.models) models.set(name, { ...strikes });
    },
  };
}

function later(one: Rest | undefined, other: Rest | undefined, now: number): Rest | undefined {
  const first = one !== undefined && isResting(one, now) ? one : undefined;
  const second = other !== undefined && isResting(other, now) ? other : undefined;
  if (first === undefined) return second;
  return second !== undefined && second.until > first.until ? second : first;
}

function restsEndpoint(failureClass: FailureClass): boolean {
  switch (failureClass) {
    case 'rate-limit': case 'overloaded': case 'server': case 'quota': case 'auth': return true;
    case 'network': case 'timeout': case 'context-overflow': case 'content-policy': case 'model-not-found':
    case 'bad-request': case 'local': case 'cancelled': return false;
  }
}

/** Why a rest keeps an attempt away, and for how long. */
export function restReason(rest: Rest, now: number): string {
  const wait = waitWords(rest.until - now);
  switch (rest.failureClass) {
    case 'rate-limit':
      return rest.named ? `rate-limited by the provider for another ${wait}` : `resting for another ${wait} after a rate limit`;
    case 'overloaded':
      return rest.named ? `overloaded, the provider asks to wait another ${wait}` : `resting for another ${wait} after an overload`;
    default:
      return `the provider asks to wait another ${wait} (${failureWords(rest.failureClass, undefined)})`;
  }
}
