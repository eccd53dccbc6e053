import type { Admission } from '../health/board.ts';
import type { Config } from '../config/config.ts';
import type { ModelFacts, RoutingView } from '../routing/plan.ts';
import type { Yard } from './yard.ts';

/** The state as a plan sees it, at one moment. */
export class YardView implements RoutingView {
  readonly config: Config;
  readonly #yard: Yard;
  readonly #estimatedTokens: number;
  readonly #now: number;

  constructor(yard: Yard, estimatedTokens: number, now: number) {
    this.config = yard.config();
    this.#yard = yard;
    this.#estimatedTokens = estimatedTokens;
    this.#now = now;
  }

  modelsOf(endpoint: string): readonly string[] {
    return this.#yard.modelsOf(endpoint);
  }

  upstreamName(endpoint: string, model: string): string {
    return this.#yard.upstreamName(endpoint, model);
  }

  canonicalName(name: string): string {
    return this.#yard.canonicalName(name);
  }

  facts(endpoint: string, model: string): ModelFacts {
    return this.#yard.facts(endpoint, model);
  }

  admission(endpoint: string, model: string): Admission {
    const admission = this.#yard.board.admission(endpoint, model, this.#now);
    return admission.admitted ? this.#yard.limiter.admission(endpoint, this.#estimatedTokens, this.#now) : admission;
  }

  keysBlocked(endpoint: string): ReturnType<RoutingView['keysBlocked']> {
    const config = this.config.endpoints.get(endpoint);
    return config === undefined ? undefined : this.#yard.keys.blocked(endpoint, config.provider.keyRequired, this.#now);
  }
}
