import type { RunningDrill, SurvivingTarget } from '../api/drill.ts';
import type { PlannedTarget } from '../api/receipt.ts';
import type { Admission } from '../health/board.ts';
import type { Config, EndpointConfig } from '../config/config.ts';
import type { ModelFacts, Needs, RoutingView } from './plan.ts';
import { resolveName } from './resolveName.ts';

/** A key as a report names it; no secret. */
export interface KnownKey {
  id: string;
  /** Label and last four characters. */
  name: string;
  /** It could be used now. */
  usable: boolean;
  /** The provider rejected it: waiting does not help. */
  rejected: boolean;
}

/** The state as survival is judged by: a routing view, and what a plan need not know. */
export interface SurvivalView extends RoutingView {
  /** Every stored key of an endpoint. */
  keys(endpoint: string): readonly KnownKey[];
  /** Why the endpoint is taken to be down, although nothing keeps requests from it yet. */
  trouble(endpoint: string): string | undefined;
  drills(): readonly RunningDrill[];
}

/** What is known of one route or model before anything is lost. */
export interface Subject {
  name: string;
  kind: 'route' | 'model';
  /** Targets that could serve a chat as things are configured, in order. */
  able: PlannedTarget[];
  targets: SurvivingTarget[];
  /** Can serve an agent, as things are configured. */
  agents: ReadonlySet<string>;
}

/** One thing that is gone. */
export type Loss =
  | { kind: 'endpoint'; endpoint: string }
  | { kind: 'key'; endpoint: string; keyId: string }
  | { kind: 'model'; model: string }
  | { kind: 'provider'; account: string };

/** A plain question, and one of an agent with its tools and the long prompt that comes with them. */
export const chatNeeds: Needs = { stream: true, tools: false, images: false, documents: false, jsonSchema: false, thinking: false, estimatedInputTokens: 1000 };
export const agentNeeds: Needs = { ...chatNeeds, tools: true, estimatedInputTokens: 20_000 };

/** Whose account an endpoint is one of: the vendor's, or that of the server where the user gave an address of his own. */
export function accountOf(endpoint: EndpointConfig): string {
  if (Object.keys(endpoint.provider.baseUrls).length > 0 && endpoint.provider.local !== true) return endpoint.provider.name;
  return new URL(endpoint.baseUrl).host;
}

/**
 * A routing view without one thing, either as things are now or as they are configured: then nothing rests, nothing is
 * down, and every stored key is good. What a running drill does to an endpoint is made up and never counts.
 */
export class LossView implements RoutingView {
  readonly config: Config;
  readonly #view: SurvivalView;
  readonly #loss: Loss | undefined;
  readonly #now: boolean;

  constructor(view: SurvivalView, loss: Loss | undefined, now: boolean) {
    this.config = view.config;
    this.#view = view;
    this.#loss = loss;
    this.#now = now;
  }

  modelsOf(endpoint: string): readonly string[] { return this.#view.modelsOf(endpoint); }
  servedBy(model: string): readonly string[] { return this.#view.servedBy(model); }
  upstreamName(endpoint: string, model: string): string { return this.#view.upstreamName(endpoint, model); }
  canonicalName(name: string): string { return this.#view.canonicalName(name); }
  facts(endpoint: string, model: string): ModelFacts { return this.#view.facts(endpoint, model); }

  admission(endpoint: string, model: string): Admission {
    if (this.#isLost(endpoint, model)) return { admitted: false, reason: 'it is lost', retryAt: Infinity };
    if (!this.#counts(endpoint)) return { admitted: true, trial: false };
    const trouble = this.#view.trouble(endpoint);
    return trouble === undefined ? this.#view.admission(endpoint, model) : { admitted: false, reason: trouble, retryAt: Infinity };
  }

  keysBlocked(endpoint: string): ReturnType<RoutingView['keysBlocked']> {
    const loss = this.#loss;
    const all = this.#view.keys(endpoint);
    if (all.length === 0) return this.config.endpoints.get(endpoint)?.provider.keyRequired === true ? { reason: 'no key is stored for it' } : undefined;
    const left = all.filter(key => !(loss?.kind === 'key' && loss.endpoint === endpoint && loss.keyId === key.id));
    if (left.length === 0) return { reason: 'its only key is lost' };
    if (!this.#counts(endpoint) || left.some(key => key.usable)) return undefined;
    return this.#view.keysBlocked(endpoint) ?? { reason: 'its other keys cannot be used now' };
  }

  /** Whether the present state of an endpoint is looked at. */
  #counts(endpoint: string): boolean {
    return this.#now && !this.#view.drills().some(drill => drill.endpoint === endpoint);
  }

  #isLost(endpoint: string, model: string): boolean {
    const loss = this.#loss;
    switch (loss?.kind) {
      case 'endpoint': return loss.endpoint === endpoint;
      case 'model': return loss.model === model;
      case 'provider': {
        const config = this.config.endpoints.get(endpoint);
        return config !== undefined && accountOf(config) === loss.account;
      }
      case 'key':
      case undefined: return false;
    }
  }
}

/** What reports are about: every route, and every model that several endpoints serve. */
export function subjectsOf(view: RoutingView): { name: string; kind: 'route' | 'model' }[] {
  const routes = [...view.config.routes.keys()];
  const servedBy = new Map<string, number>();
  for (const endpoint of view.config.endpoints.values()) {
    if (endpoint.enabled) for (const model of view.modelsOf(endpoint.name)) servedBy.set(model, (servedBy.get(model) ?? 0) + 1);
  }
  // A route of the same name is what the name means.
  const models = [...servedBy].filter(([model, count]) => count > 1 && resolveName(model, view)?.kind === 'model').map(([model]) => model).sort();
  return [...routes.map(name => ({ name, kind: 'route' as const })), ...models.map(name => ({ name, kind: 'model' as const }))];
}
