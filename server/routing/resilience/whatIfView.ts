import type { RunningDrill, SurvivingTarget } from '../../api/drill.ts';
import type { PlannedTarget } from '../../api/receipt.ts';
import type { Admission } from '../../health/healthReader.ts';
import type { Config, EndpointConfig } from '../../config/config.ts';
import type { ModelFacts, Requirements, RoutingView } from '../plan.ts';

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
export interface ResilienceView extends RoutingView {
  /** Every stored key of an endpoint. */
  keys(endpoint: string): readonly KnownKey[];
  /** Why the endpoint is taken to be down, although nothing keeps requests from it yet. */
  trouble(endpoint: string): string | undefined;
  drills(): readonly RunningDrill[];
}

/** What is known of one route or model before anything is lost. */
export interface RouteUnderTest {
  name: string;
  kind: 'route' | 'model';
  /** Targets that could serve a chat as things are configured, in order. */
  able: PlannedTarget[];
  /** Of these, those that could now. */
  ready: PlannedTarget[];
  /** Targets that could serve an agent now. */
  readyAgents: PlannedTarget[];
  targets: SurvivingTarget[];
  /** Some target can serve an agent, as things are configured. */
  servesAgents: boolean;
}

/** A survival view that looks at each endpoint once, for a report that asks about it for each of its targets. */
export class ReportView implements ResilienceView {
  readonly config: Config;
  readonly #view: ResilienceView;
  readonly #keys = new Map<string, readonly KnownKey[]>();
  readonly #troubles = new Map<string, string | undefined>();
  readonly #blocked = new Map<string, ReturnType<RoutingView['keysBlocked']>>();
  readonly #accounts = new Map<string, string | undefined>();
  #allAccounts: ReadonlySet<string> | undefined;

  constructor(view: ResilienceView) {
    this.config = view.config;
    this.#view = view;
  }

  modelsOf(endpoint: string): readonly string[] { return this.#view.modelsOf(endpoint); }
  servedBy(model: string): readonly string[] { return this.#view.servedBy(model); }
  upstreamName(endpoint: string, model: string): string { return this.#view.upstreamName(endpoint, model); }
  canonicalName(name: string): string { return this.#view.canonicalName(name); }
  facts(endpoint: string, model: string): ModelFacts { return this.#view.facts(endpoint, model); }
  admission(endpoint: string, model: string): Admission { return this.#view.admission(endpoint, model); }
  drills(): readonly RunningDrill[] { return this.#view.drills(); }
  keys(endpoint: string): readonly KnownKey[] { return once(this.#keys, endpoint, () => this.#view.keys(endpoint)); }
  trouble(endpoint: string): string | undefined { return once(this.#troubles, endpoint, () => this.#view.trouble(endpoint)); }
  keysBlocked(endpoint: string): ReturnType<RoutingView['keysBlocked']> { return once(this.#blocked, endpoint, () => this.#view.keysBlocked(endpoint)); }

  /** Whose account an endpoint is one of; undefined where there is no such endpoint. */
  account(endpoint: string): string | undefined {
    return once(this.#accounts, endpoint, () => {
      const config = this.config.endpoints.get(endpoint);
      return config === undefined ? undefined : accountOf(config);
    });
  }

  /** Whether some endpoint is of another account. */
  hasOtherAccount(account: string): boolean {
    this.#allAccounts ??= new Set([...this.config.endpoints.keys()].flatMap(endpoint => this.account(endpoint) ?? []));
    return this.#allAccounts.size > (this.#allAccounts.has(account) ? 1 : 0);
  }
}

function once<V>(known: Map<string, V>, endpoint: string, look: () => V): V {
  const before = known.get(endpoint);
  if (before !== undefined || known.has(endpoint)) return before as V;
  const found = look();
  known.set(endpoint, found);
  return found;
}

/** One thing that is gone. */
export type Loss =
  | { kind: 'endpoint'; endpoint: string }
  | { kind: 'key'; endpoint: string; keyId: string }
  | { kind: 'model'; model: string }
  | { kind: 'provider'; account: string };

/** A plain question, and one of an agent with its tools and the long prompt that comes with them. */
export const chatRequirements: Requirements = { stream: true, tools: false, images: false, documents: false, jsonSchema: false, thinking: false, estimatedInputTokens: 1000 };
export const agentRequirements: Requirements = { ...chatRequirements, tools: true, estimatedInputTokens: 20_000 };

/** Whose account an endpoint is one of: the vendor's, or that of the server where the user gave an address of his own. */
export function accountOf(endpoint: EndpointConfig): string {
  if (Object.keys(endpoint.provider.baseUrls).length > 0 && endpoint.provider.local !== true) return endpoint.provider.name;
  return new URL(endpoint.baseUrl).host;
}

/**
 * A routing view without one thing, either as things are now or as they are configured: then nothing rests, nothing is
 * down, and every stored key is good. What a running drill does to an endpoint is made up and never counts.
 */
export class WhatIfView implements RoutingView {
  readonly config: Config;
  readonly #view: ReportView;
  readonly #loss: Loss | undefined;
  readonly #now: boolean;

  constructor(view: ReportView, loss: Loss | undefined, now: boolean) {
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
    if (this.#loss?.kind !== 'key' && this.concerns({ endpoint, model })) return { admitted: false, reason: 'it is lost', retryAt: Infinity };
    if (!this.#counts(endpoint)) return { admitted: true, trial: false };
    const trouble = this.#view.trouble(endpoint);
    return trouble === undefined ? this.#view.admission(endpoint, model) : { admitted: false, reason: trouble, retryAt: Infinity };
  }

  keysBlocked(endpoint: string): ReturnType<RoutingView['keysBlocked']> {
    const loss = this.#loss;
    const all = this.#view.keys(endpoint);
    if (all.length === 0) return this.config.endpoints.get(endpoint)?.provider.keyRequired === true ? { reason: 'no key is stored for it' } : undefined;
    const isLeft = (key: KnownKey): boolean => !(loss?.kind === 'key' && loss.endpoint === endpoint && loss.keyId === key.id);
    if (!all.some(isLeft)) return { reason: 'its only key is lost' };
    if (!this.#counts(endpoint) || all.some(key => key.usable && isLeft(key))) return undefined;
    return this.#view.keysBlocked(endpoint) ?? { reason: 'its other keys cannot be used now' };
  }

  /** Whether the present state of an endpoint is looked at. */
  #counts(endpoint: string): boolean {
    return this.#now && !this.#view.drills().some(drill => drill.endpoint === endpoint);
  }

  /** Whether the loss may change anything for a target; a lost key leaves it those that remain. */
  concerns({ endpoint, model }: { endpoint: string; model: string }): boolean {
    const loss = this.#loss;
    switch (loss?.kind) {
      case 'endpoint':
      case 'key': return loss.endpoint === endpoint;
      case 'model': return loss.model === model;
      case 'provider': return this.#view.account(endpoint) === loss.account;
      case undefined: return false;
    }
  }
}

/** What reports are about: every route, and every model that several endpoints serve. */
export function routesUnderTest(view: RoutingView): { name: string; kind: 'route' | 'model' }[] {
  const routes = [...view.config.routes.keys()];
  const servedBy = new Map<string, number>();
  for (const endpoint of view.config.endpoints.values()) {
    if (endpoint.enabled) for (const model of view.modelsOf(endpoint.name)) servedBy.set(model, (servedBy.get(model) ?? 0) + 1);
  }
  // A route of the same name is what the name means.
  const models = [...servedBy].filter(([model, count]) => count > 1 && !view.config.routes.has(model) && view.servedBy(view.canonicalName(model)).length > 0).map(([model]) => model).sort();
  return [...routes.map(name => ({ name, kind: 'route' as const })), ...models.map(name => ({ name, kind: 'model' as const }))];
}
