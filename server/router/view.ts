import type { Clock } from '../base/clock.ts';
import type { Config } from '../config/config.ts';
import type { Admission } from '../health/healthReader.ts';
import type { RateRequest } from '../limits/rateLimiter.ts';
import type { ModelFacts, RoutingView } from '../routing/plan.ts';
import type { RoutingState } from './routingState.ts';

/** Makes a view of the state of now. @param estimatedTokens of the prompt @param writableTokens that the answer may have at most; default 0 */
export type ViewNow = (estimatedTokens: number, writableTokens?: number) => RoutingView;

export function viewsOf(state: RoutingState, clock: Clock): ViewNow {
  return (estimatedTokens, writableTokens = 0) => new RouterView(state, estimatedTokens, writableTokens, clock.now());
}

/** The state as a plan sees it, at one moment. */
export class RouterView implements RoutingView {
  readonly config: Config;
  readonly #state: RoutingState;
  readonly #estimatedTokens: number;
  readonly #writableTokens: number;
  readonly #now: number;

  constructor(state: RoutingState, estimatedTokens: number, writableTokens: number, now: number) {
    this.config = state.config();
    this.#state = state;
    this.#estimatedTokens = estimatedTokens;
    this.#writableTokens = writableTokens;
    this.#now = now;
  }

  modelsOf(endpoint: string): readonly string[] {
    return this.#state.directory.modelsOf(endpoint);
  }

  servedBy(model: string): readonly string[] {
    return this.#state.directory.servedBy(model);
  }

  upstreamName(endpoint: string, model: string): string {
    return this.#state.directory.upstreamName(endpoint, model);
  }

  canonicalName(name: string): string {
    return this.#state.directory.canonicalName(name);
  }

  facts(endpoint: string, model: string): ModelFacts {
    return this.#state.modelFacts.facts(endpoint, model);
  }

  admission(endpoint: string, model: string): Admission {
    const admission = this.#state.healthRegistry.admission(endpoint, model, this.#now);
    if (!admission.admitted) return admission;
    const { limiter, keys } = this.#state;
    const limited = limiter.admission(endpoint, this.#estimatedTokens, this.#now, this.#writableTokens);
    // Where there are keys, each has its own limits; see `keysBlocked`.
    return !limited.admitted || keys.hasKeys(endpoint) ? limited : limiter.keyAdmission(this.#rateRequest(endpoint, model));
  }

  keysBlocked(endpoint: string, model?: string): ReturnType<RoutingView['keysBlocked']> {
    const config = this.config.endpoints.get(endpoint);
    if (config === undefined) return undefined;
    const { keys, limiter } = this.#state;
    if (model === undefined) return keys.blocked(endpoint, config.provider.keyRequired, this.#now);
    const request = this.#rateRequest(endpoint, model);
    return keys.blocked(endpoint, config.provider.keyRequired, this.#now, key => {
      request.keyId = key.id;
      return limiter.keyAdmission(request);
    }, model);
  }

  #rateRequest(endpoint: string, model: string): RateRequest {
    return { endpoint, keyId: undefined, model, promptTokens: this.#estimatedTokens, writableTokens: this.#writableTokens, now: this.#now };
  }
}
