import type { Requirements } from '../../api/routes/requirements.ts';
import type { RunningDrill, SurvivingTarget } from '../../api/drill.ts';
import type { Random } from '../../base/clock.ts';
import type { Admission } from '../../health/healthReader.ts';
import type { Config, EndpointConfig } from '../../config/config.ts';
import type { RoutingRequest, RoutingView } from '../plan.ts';
import type { ResolvedTarget, RouteTable } from '../routeTable.ts';
import type { Signals } from '../signals.ts';

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

/** The state that resilience is judged by: a routing view, and what a plan does not ask for. */
export interface ResilienceView extends RoutingView {
  /** Every stored key of an endpoint. */
  keys(endpoint: string): readonly KnownKey[];
  /** Why the endpoint is likely to be down, although nothing keeps requests from it yet; undefined where it is not. */
  trouble(endpoint: string): string | undefined;
  drills(): readonly RunningDrill[];
}

/** One route or model before anything is lost. */
export interface RouteUnderTest {
  name: string;
  kind: 'route' | 'model';
  /** Targets that could serve a chat as things are configured, in order. */
  able: ResolvedTarget[];
  /** Of these, those that could now. */
  ready: ResolvedTarget[];
  /** Targets that could serve an agent now. */
  readyAgents: ResolvedTarget[];
  targets: SurvivingTarget[];
  /** Some target can serve an agent, as things are configured. */
  servesAgents: boolean;
}

/** Looks at each endpoint once, because a report asks about it for each of its targets. */
export class ReportView implements ResilienceView {
  readonly table: RouteTable;
  readonly config: Config;
  readonly now: number;
  readonly signals: Signals;
  readonly random: Random;
  readonly #view: ResilienceView;
  readonly #keys = new Map<string, readonly KnownKey[]>();
  readonly #troubles = new Map<string, string | undefined>();
  readonly #blocked = new Map<string, ReturnType<RoutingView['keysBlocked']>>();
  readonly #accounts = new Map<string, string | undefined>();
  #allAccounts: ReadonlySet<string> | undefined;

  constructor(view: ResilienceView) {
    this.table = view.table;
    this.config = view.table.config;
    this.now = view.now;
    this.signals = view.signals;
    this.random = view.random;
    this.#view = view;
  }

  admission(endpoint: string, model: string): Admission { return this.#view.admission(endpoint, model); }
  paused(endpoint: string): string | undefined { return this.#view.paused(endpoint); }
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

/** A chat without tools, and the request of an agent: tools, and the long prompt that comes with them. */
export const chatRequirements: Requirements = { tools: false, images: false, documents: false, jsonSchema: false, estimatedInputTokens: 1000 };
export const agentRequirements: Requirements = { ...chatRequirements, tools: true, estimatedInputTokens: 20_000 };

/** A request by which a route is judged, as the editor's chat sends it. */
export function sampleRequest(requestedModel: string, requirements: Requirements): RoutingRequest {
  return { requestedModel, requirements, caller: { tool: 'vscode-chat' }, kind: 'normal', stream: true, conversation: '', rehearsal: true };
}

/** Whose account an endpoint is one of: the vendor's, or that of the server at an address of the user's own. */
export function accountOf(endpoint: EndpointConfig): string {
  if (Object.keys(endpoint.provider.baseUrls).length > 0 && endpoint.provider.local !== true) return endpoint.provider.name;
  return new URL(endpoint.baseUrl).host;
}

/**
 * A routing view without one thing, either as things are now or as they are configured: then nothing cools down, nothing is
 * down, and every stored key is good. The effects of a running drill on an endpoint never count.
 */
export class WhatIfView implements RoutingView {
  readonly table: RouteTable;
  readonly now: number;
  readonly signals: Signals;
  readonly random: Random;
  readonly #view: ReportView;
  readonly #loss: Loss | undefined;
  readonly #asPresent: boolean;

  /** @param asPresent as things are now; else as they are configured */
  constructor(view: ReportView, loss: Loss | undefined, asPresent: boolean) {
    this.table = view.table;
    this.now = view.now;
    this.signals = view.signals;
    this.random = view.random;
    this.#view = view;
    this.#loss = loss;
    this.#asPresent = asPresent;
  }

  paused(endpoint: string): string | undefined {
    return this.#asPresent ? this.#view.paused(endpoint) : undefined;
  }

  admission(endpoint: string, model: string): Admission {
    if (this.#loss?.kind !== 'key' && this.concerns({ endpoint, model })) return { admitted: false, reason: 'it is lost', retryAt: Infinity };
    if (!this.#counts(endpoint)) return { admitted: true, trial: false };
    const trouble = this.#view.trouble(endpoint);
    return trouble === undefined ? this.#view.admission(endpoint, model) : { admitted: false, reason: trouble, retryAt: Infinity };
  }

  keysBlocked(endpoint: string): ReturnType<RoutingView['keysBlocked']> {
    const loss = this.#loss;
    const all = this.#view.keys(endpoint);
    if (all.length === 0) return this.table.config.endpoints.get(endpoint)?.provider.keyRequired === true ? { reason: 'no key is stored for it' } : undefined;
    const isLeft = (key: KnownKey): boolean => !(loss?.kind === 'key' && loss.endpoint === endpoint && loss.keyId === key.id);
    if (!all.some(isLeft)) return { reason: 'its only key is lost' };
    if (!this.#counts(endpoint) || all.some(key => key.usable && isLeft(key))) return undefined;
    return this.#view.keysBlocked(endpoint) ?? { reason: 'its other keys cannot be used now' };
  }

  /** Whether the present state of an endpoint counts. */
  #counts(endpoint: string): boolean {
    return this.#asPresent && !this.#view.drills().some(drill => drill.endpoint === endpoint);
  }

  /** Whether the loss may change anything for a target. Where a key is lost, the other keys of its endpoint remain. */
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
export function routesUnderTest(table: RouteTable): { name: string; kind: 'route' | 'model' }[] {
  const { config } = table;
  const routes = [...config.routes.keys()];
  const servers = new Map<string, number>();
  for (const endpoint of config.endpoints.values()) {
    if (endpoint.enabled) for (const model of table.modelsOf(endpoint.name)) servers.set(model, (servers.get(model) ?? 0) + 1);
  }
  // Where a route and a model have the same name, it means the route.
  const models = [...servers].filter(([model, count]) => count > 1 && !config.routes.has(model) && table.isServed(table.canonicalName(model))).map(([model]) => model).sort();
  return [...routes.map(name => ({ name, kind: 'route' as const })), ...models.map(name => ({ name, kind: 'model' as const }))];
}
