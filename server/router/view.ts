import type { ArmOfPlan } from '../api/canary.ts';
import type { Clock, Random } from '../base/clock.ts';
import type { RouteConfig } from '../config/config.ts';
import type { Admission } from '../health/healthReader.ts';
import { handleOf } from '../keys/keyHandles.ts';
import type { RateRequest } from '../limits/rateLimiter.ts';
import type { RoutingRequest, RoutingView } from '../routing/plan.ts';
import type { RouteTable } from '../routing/routeTable.ts';
import type { Signals } from '../routing/signals.ts';
import type { RoutingState } from './routingState.ts';

/** Makes a view of the state of now. @param estimatedTokens of the prompt @param writableTokens that the answer may have at most; default 0 */
export type ViewNow = (estimatedTokens: number, writableTokens?: number) => RoutingView;

export function viewsOf(state: RoutingState, clock: Clock): ViewNow {
  return (estimatedTokens, writableTokens = 0) => new RouterView(state, estimatedTokens, writableTokens, clock.now());
}

/** The state as one plan sees it, at one moment. */
export class RouterView implements RoutingView {
  readonly table: RouteTable;
  readonly now: number;
  readonly #state: RoutingState;
  readonly #estimatedTokens: number;
  readonly #writableTokens: number;

  constructor(state: RoutingState, estimatedTokens: number, writableTokens: number, now: number) {
    this.table = state.routeTable();
    this.now = now;
    this.#state = state;
    this.#estimatedTokens = estimatedTokens;
    this.#writableTokens = writableTokens;
  }

  get signals(): Signals {
    return this.#state.signals;
  }

  get random(): Random {
    return this.#state.random;
  }

  arm(route: RouteConfig, request: RoutingRequest): ArmOfPlan | undefined {
    return this.#state.canaries?.arm(route, request);
  }

  get warm(): RoutingView['warm'] {
    return this.#state.warm;
  }

  paused(endpoint: string): string | undefined {
    return this.#state.pauses?.reason(endpoint, this.now);
  }

  admission(endpoint: string, model: string): Admission {
    const admission = this.#state.healthRegistry.admission(endpoint, model, this.now);
    if (!admission.admitted) return admission;
    const { limiter, keys } = this.#state;
    const limited = limiter.admission(endpoint, this.#estimatedTokens, this.now, this.#writableTokens);
    // Each key has limits of its own, which `keysBlocked` looks at; an endpoint without keys has one such account.
    return !limited.admitted || keys.hasKeys(endpoint) ? limited : limiter.keyAdmission(this.#rateRequest(endpoint, model));
  }

  keysBlocked(endpoint: string, model?: string): ReturnType<RoutingView['keysBlocked']> {
    const config = this.table.config.endpoints.get(endpoint);
    if (config === undefined) return undefined;
    const { keys, limiter } = this.#state;
    if (model === undefined) return keys.blocked(endpoint, config.provider.keyRequired, this.now);
    const request = this.#rateRequest(endpoint, model);
    return keys.blocked(endpoint, config.provider.keyRequired, this.now, key => {
      request.keyId = handleOf(key);
      return limiter.keyAdmission(request);
    }, model);
  }

  #rateRequest(endpoint: string, model: string): RateRequest {
    return { endpoint, keyId: undefined, model, promptTokens: this.#estimatedTokens, writableTokens: this.#writableTokens, now: this.now };
  }
}
