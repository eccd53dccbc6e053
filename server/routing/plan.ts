import type { ProtocolName } from '../api/conversation.ts';
import type { Plan } from '../api/receipt.ts';
import type { Admission } from '../health/healthReader.ts';
import type { Config } from '../config/config.ts';

/** What a request needs of a target. */
export interface Requirements {
  stream: boolean;
  tools: boolean;
  images: boolean;
  documents: boolean;
  jsonSchema: boolean;
  thinking: boolean;
  /** A cautious estimate of the prompt, in tokens. */
  estimatedInputTokens: number;
  maxOutputTokens?: number | undefined;
  /** Only targets that speak this protocol can serve it (hosted tools, stored responses, embeddings). */
  onlyProtocol?: { protocol: ProtocolName; reason: string } | undefined;
}

/** What is known of a model at an endpoint; unknown fields never exclude. */
export interface ModelFacts {
  contextWindow?: number | undefined;
  maxOutputTokens?: number | undefined;
  tools?: boolean | undefined;
  images?: boolean | undefined;
  documents?: boolean | undefined;
  jsonSchema?: boolean | undefined;
  thinking?: boolean | undefined;
}

/** The state a plan is made from: a snapshot behind functions, without I/O. */
export interface RoutingView {
  config: Config;
  /** Canonical names of all models known at an endpoint (configured, in routes, discovered). */
  modelsOf(endpoint: string): readonly string[];
  /** The endpoints that serve a model: by priority, then the larger weight, then name. @param model canonical */
  servedBy(model: string): readonly string[];
  /** The provider's own name for a canonical model at an endpoint. */
  upstreamName(endpoint: string, model: string): string;
  /** The canonical name of whatever spelling a caller or a route used. */
  canonicalName(name: string): string;
  facts(endpoint: string, model: string): ModelFacts;
  admission(endpoint: string, model: string): Admission;
  /**
   * A sentence why no key of the endpoint can be used now; undefined when one can.
   * @param model for which model, its limits included; absent: as a whole
   */
  keysBlocked(endpoint: string, model?: string): { reason: string; retryAt?: number | undefined } | undefined;
}

/** A plan, and what is left when every target waits for something. */
export interface PlanResult {
  plan: Plan;
  /** The route that was asked for, by its own name; absent for models and pinned targets. */
  route?: string | undefined;
  /**
   * Targets left out only because they rest (breaker, cool-down, keys), soonest first:
   * the caller may wait for the first of them when nothing else can serve.
   */
  coolingDown: { target: Plan['targets'][number]; retryAt: number }[];
  /** Targets that could never serve such a request, whatever their state. */
  unfit: UnfitTarget[];
}

export interface UnfitTarget {
  target: string;
  /** The prompt is too long for its context window. */
  tooLong: boolean;
}

export type MakePlan = (requestedModel: string, requirements: Requirements, view: RoutingView, now: number) => PlanResult;
