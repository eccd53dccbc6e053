import type { BreakerState, ModelBreakerStatus } from '../api/status.ts';
import { breakerWords, newBreaker, openUntil, type Breaker } from './breaker/breaker.ts';

/** What is remembered of one model at an endpoint. */
export interface ModelHealth {
  breaker: Breaker;
  /** Attempts that entered and have not ended. */
  inFlight: number;
  /** The last time an attempt at it began or ended. */
  usedAt: number;
  lastSuccessAt: number;
}

export type ModelHealths = Map<string, ModelHealth>;

/** So long after its last attempt, and after the time its breaker was open, a model has a say in how the endpoint looks. */
const usedLatelyMs = 600_000;
/** A model nobody asked for this long, or for a whole breaker window, is forgotten. */
const rememberedForMs = 3_600_000;
/** Callers may name models as they like: of more than this, those longest unused are forgotten. */
const rememberedModels = 128;

/**
 * What is remembered of a model; begun when nothing is, and then others that are idle are forgotten.
 * @param windowMs the window of the breakers
 */
export function modelHealth(models: ModelHealths, model: string, now: number, windowMs: number): ModelHealth {
  const known = models.get(model);
  if (known !== undefined) return known;
  forgetIdle(models, now, Math.max(windowMs, rememberedForMs));
  const fresh: ModelHealth = { breaker: newBreaker(), inFlight: 0, usedAt: now, lastSuccessAt: -Infinity };
  models.set(model, fresh);
  return fresh;
}

/** For how long nothing concerned the model: no attempt, and no time of an open breaker. */
function idleMs({ breaker, inFlight, usedAt }: ModelHealth, now: number): number {
  if (inFlight > 0) return 0;
  const until = breaker.state === 'open' ? openUntil(breaker, now) : undefined;
  if (until !== undefined) return 0;
  // From before the clock was set back: as long ago as that is ahead.
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

/** What the breakers of its models make of an endpoint as a whole. */
export interface ModelsVerdict {
  breaker: BreakerState;
  /** Open: when the first of them lets a request through. */
  until?: number | undefined;
  /** The breaker that is to be named for the whole. */
  named?: Exclude<Breaker, { state: 'closed' }> | undefined;
}

const allWell: ModelsVerdict = { breaker: 'closed' };

/**
 * An endpoint counts as kept away when more than half of the models lately used there are, and at least two; or the
 * only one used. Constant time and no allocation while all is well.
 */
export function modelsVerdict(models: ModelHealths, now: number): ModelsVerdict {
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
  return allWell;
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
