import type { BreakerState, ModelBreakerStatus } from '../api/status.ts';
import { breakerWords, newBreaker, openUntil, type Breaker } from './breaker/breaker.ts';

/** What is remembered of one model at an endpoint. */
export interface ModelHealth {
  breaker: Breaker;
  /** Attempts that entered and have not ended. */
  inFlight: number;
  /** When an attempt at the model last began or ended. */
  usedAt: number;
  lastSuccessAt: number;
}

export type ModelHealths = Map<string, ModelHealth>;

/** A model counts for the state of its endpoint until so long after its last attempt, or after its breaker's open time. */
const usedLatelyMs = 600_000;
/** A model that was idle for so long, and for a whole sliding window of the breakers, is forgotten. */
const rememberedForMs = 3_600_000;
/** The most models remembered. Callers choose model names freely; beyond this, those idle longest are forgotten. */
const rememberedModels = 128;

/**
 * What is remembered of a model. A new entry is made where there is none, and idle models are forgotten on that occasion.
 * @param windowMs length of the breakers' sliding window
 */
export function modelHealth(models: ModelHealths, model: string, now: number, windowMs: number): ModelHealth {
  const known = models.get(model);
  if (known !== undefined) return known;
  forgetIdle(models, now, Math.max(windowMs, rememberedForMs));
  const fresh: ModelHealth = { breaker: newBreaker(), inFlight: 0, usedAt: now, lastSuccessAt: -Infinity };
  models.set(model, fresh);
  return fresh;
}

/** For how long the model has been idle: without an attempt, and without an open breaker. */
function idleMs({ breaker, inFlight, usedAt }: ModelHealth, now: number): number {
  if (inFlight > 0) return 0;
  const until = breaker.state === 'open' ? openUntil(breaker, now) : undefined;
  if (until !== undefined) return 0;
  // After the clock was set back, a moment in the future counts as that far in the past.
  return Math.abs(now - (breaker.state === 'open' ? Math.max(usedAt, breaker.until) : usedAt));
}

function usedLately(health: ModelHealth, now: number): boolean {
  return idleMs(health, now) < usedLatelyMs;
}

function forgetIdle(models: ModelHealths, now: number, afterMs: number): void {
  for (const [name, health] of models) if (idleMs(health, now) >= afterMs) models.delete(name);
  if (models.size < rememberedModels) return;
  const idle = [...models].filter(([, health]) => health.inFlight === 0).sort(([, a], [, b]) => a.usedAt - b.usedAt);
  for (const [name] of idle.slice(0, models.size - rememberedModels + 1)) models.delete(name);
}

/** The state of an endpoint as a whole. */
export interface HealthVerdict {
  breaker: BreakerState;
  /** Open: when the first breaker admits a request. */
  until?: number | undefined;
  /** The breaker that reasons name. */
  named?: Exclude<Breaker, { state: 'closed' }> | undefined;
}

const allClosed: HealthVerdict = { breaker: 'closed' };

/**
 * An endpoint counts as kept away when more than half of the models lately used there are, and at least two; or the
 * only one used. Allocates nothing while all breakers are closed.
 */
export function modelsVerdict(models: ModelHealths, now: number): HealthVerdict {
  let used = 0;
  let open = 0;
  let halfOpen = 0;
  let soonest: Extract<Breaker, { state: 'open' }> | undefined;
  let recovering: Extract<Breaker, { state: 'half-open' }> | undefined;
  for (const health of models.values()) {
    if (!usedLately(health, now)) continue;
    used += 1;
    if (health.breaker.state === 'open') {
      open += 1;
      if (soonest === undefined || health.breaker.until < soonest.until) soonest = health.breaker;
    } else if (health.breaker.state === 'half-open') {
      halfOpen += 1;
      recovering ??= health.breaker;
    }
  }
  if (soonest !== undefined && isMost(open, used)) return { breaker: 'open', until: openUntil(soonest, now), named: soonest };
  if (isMost(open + halfOpen, used)) return { breaker: 'half-open', named: recovering ?? soonest };
  return allClosed;
}

function isMost(some: number, all: number): boolean {
  return all === 1 ? some === 1 : some >= 2 && some * 2 > all;
}

/** The models lately used whose breaker is not closed, for the status; undefined when there is none. */
export function modelBreakers(models: ModelHealths, now: number): ModelBreakerStatus[] | undefined {
  let seen: ModelBreakerStatus[] | undefined;
  for (const [model, health] of models) {
    const { breaker } = health;
    if (breaker.state === 'closed' || !usedLately(health, now)) continue;
    (seen ??= []).push({ model, breaker: breaker.state, retryAt: openUntil(breaker, now), reason: breakerWords(breaker) });
  }
  return seen?.sort((a, b) => (a.model < b.model ? -1 : 1));
}

/** When what is said of models changes by time alone: a breaker's open time ends, or a model was last used too long ago. Infinity: never. */
export function modelsChangeAt(models: ModelHealths, now: number): number {
  let first = Infinity;
  for (const { breaker, usedAt } of models.values()) {
    const until = openUntil(breaker, now);
    const idleSince = breaker.state === 'open' ? Math.max(usedAt, breaker.until) : usedAt;
    for (const at of [until ?? Infinity, idleSince + usedLatelyMs]) if (at > now) first = Math.min(first, at);
  }
  return first;
}
