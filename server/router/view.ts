import type { Admission } from '../health/healthReader.ts';
import type { Config } from '../config/config.ts';
import type { ModelFacts, RoutingView } from '../routing/plan.ts';
import type { Router } from './router.ts';

/** The state as a plan sees it, at one moment. */
export class RouterView implements RoutingView {
  readonly config: Config;
  readonly #router: Router;
  readonly #estimatedTokens: number;
  readonly #writableTokens: number;
  readonly #now: number;

  constructor(router: Router, estimatedTokens: number, writableTokens: number, now: number) {
    this.config = router.config();
    this.#router = router;
    this.#estimatedTokens = estimatedTokens;
    this.#writableTokens = writableTokens;
    this.#now = now;
  }

  modelsOf(endpoint: string): readonly string[] {
    return this.#router.modelsOf(endpoint);
  }

  servedBy(model: string): readonly string[] {
    return this.#router.servedBy(model);
  }

  upstreamName(endpoint: string, model: string): string {
    return this.#router.upstreamName(endpoint, model);
  }

  canonicalName(name: string): string {
    return this.#router.canonicalName(name);
  }

  facts(endpoint: string, model: string): ModelFacts {
    return this.#router.facts(endpoint, model);
  }

  admission(endpoint: string, model: string): Admission {
    const admission = this.#router.healthRegistry.admission(endpoint, model, this.#now);
    if (!admission.admitted) return admission;
    const { limiter, keys } = this.#router;
    const limited = limiter.admission(endpoint, this.#estimatedTokens, this.#now, this.#writableTokens);
    // Where there are keys, each has its own limits; see `keysBlocked`.
    return !limited.admitted || keys.hasKeys(endpoint) ? limited : limiter.keyAdmission(endpoint, '', model, this.#estimatedTokens, this.#now, this.#writableTokens);
  }

  keysBlocked(endpoint: string, model?: string): ReturnType<RoutingView['keysBlocked']> {
    const config = this.config.endpoints.get(endpoint);
    if (config === undefined) return undefined;
    const { keys, limiter } = this.#router;
    if (model === undefined) return keys.blocked(endpoint, config.provider.keyRequired, this.#now);
    return keys.blocked(endpoint, config.provider.keyRequired, this.#now, key => limiter.keyAdmission(endpoint, key.id, model, this.#estimatedTokens, this.#now, this.#writableTokens), model);
  }
}
