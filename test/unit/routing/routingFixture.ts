import type { Requirements } from '../../../server/api/routes/requirements.ts';
import { parseTargetName } from '../../../server/api/targetName.ts';
import type { Admission } from '../../../server/health/healthReader.ts';
import type { EndpointConfig, RouteConfig } from '../../../server/config/config.ts';
import type { ModelFacts } from '../../../server/models/mergedFacts.ts';
import type { RoutingRequest, RoutingView } from '../../../server/routing/plan.ts';
import { RouteTable } from '../../../server/routing/routeTable.ts';
import type { Signals } from '../../../server/routing/signals.ts';

export const now = Date.UTC(2026, 0, 1);

export const plainRequirements: Requirements = { tools: false, images: false, documents: false, jsonSchema: false, estimatedInputTokens: 100 };

/** A request of the editor's chat. */
export function ask(requestedModel: string, requirements: Requirements = plainRequirements): RoutingRequest {
  return { requestedModel, requirements, caller: { tool: 'vscode-chat' }, kind: 'normal', stream: true, conversation: 'a conversation' };
}

interface FakeEndpoint extends Partial<Pick<EndpointConfig, 'protocol' | 'enabled' | 'priority' | 'weight' | 'provider'>> {
  models?: string[];
}

/** A routing view made of plain tables. Model names written with dashes (`gpt-4-1`) are spellings of the dotted ones. */
export class FakeRoutingView implements RoutingView {
  readonly config: { endpoints: Map<string, EndpointConfig>; routes: Map<string, RouteConfig> } = { endpoints: new Map(), routes: new Map() };
  readonly models = new Map<string, string[]>();
  readonly factsByTarget = new Map<string, ModelFacts>();
  readonly admissions = new Map<string, Admission>();
  readonly blockedKeys = new Map<string, { reason: string; retryAt?: number }>();
  readonly pausedReasons = new Map<string, string>();
  readonly now = now;
  /** Nothing is measured unless a test sets it. */
  readonly signals: { -readonly [Name in keyof Signals]: Signals[Name] } = { turn: () => 0, inFlight: () => 0, errorRate: () => undefined, firstTokenMs: () => undefined, tokensPerSecond: () => undefined, firstTokenAverage: () => undefined, probeMs: () => undefined, expectedCostMicroUsd: () => undefined, costMicroUsd: () => undefined };
  random = (): number => 0.5;

  constructor(endpoints: Record<string, FakeEndpoint>, routes: Record<string, string[]> = {}) {
    for (const [name, { models = [], ...given }] of Object.entries(endpoints)) {
      this.models.set(name, models);
      this.config.endpoints.set(name, {
        name, protocol: 'openai-chat', baseUrl: `https://${name}.example.com`, enabled: true, priority: 1, weight: 1, headers: {}, limits: {},
        timeouts: { connectMs: 1, headersMs: 1, bufferedHeadersMs: 1, firstTokenMs: 1, idleMs: 1, totalMs: 1, minTokensPerSecond: 0 }, writtenTimeouts: {},
        breaker: { failures: 5, failureRate: 0.5, minimumAttempts: 10, windowMs: 600_000, openForMs: 60_000, maxOpenForMs: 600_000, halfOpenProbes: 3 }, probe: { enabled: true, intervalMs: 30_000 }, models: {},
        provider: { id: name, name, protocol: 'openai-chat', baseUrls: {}, auth: 'bearer', keyRequired: true, probe: { method: 'GET', path: '/models', provesKey: true }, dialect: {} },
        ...given,
      });
    }
    for (const [name, targets] of Object.entries(routes)) {
      this.config.routes.set(name, {
        name, strategy: 'priority', timeouts: {}, afterCommit: 'error', hedge: { when: 'never', dailyCapMicroUsd: 0 }, onRefusal: 'tell',
        targets: targets.flatMap((target) => parseTargetName(target) ?? []),
      });
    }
  }
  /** Reads the table at each call, so that a test may fill it after the view is made. */
  get table(): RouteTable { return new RouteTable({ config: this.config, directory: this, facts: (endpoint, model) => this.factsByTarget.get(`${endpoint}/${model}`) ?? {} }); }
  paused(endpoint: string): string | undefined { return this.pausedReasons.get(endpoint); }
  modelsOf(endpoint: string): readonly string[] { return this.models.get(endpoint) ?? []; }
  servedBy(model: string): readonly string[] {
    const serving = [...this.config.endpoints.values()].filter((endpoint) => this.modelsOf(endpoint.name).includes(model));
    return serving.sort((a, b) => a.priority - b.priority || b.weight - a.weight || (a.name < b.name ? -1 : 1)).map((endpoint) => endpoint.name);
  }
  upstreamName(endpoint: string, model: string): string { return `${endpoint}:${model}`; }
  canonicalName(name: string): string { return name.replace(/(\d)-(\d)/g, '$1.$2'); }
  modelAt(_endpoint: string, spelling: string): string { return this.canonicalName(spelling); }
  serves(endpoint: string, model: string): boolean { return this.modelsOf(endpoint).includes(model); }
  listedFacts(): undefined { return undefined; }
  admission(endpoint: string, model: string): Admission { return this.admissions.get(`${endpoint}/${model}`) ?? { admitted: true, trial: false }; }
  keysBlocked(endpoint: string): { reason: string; retryAt?: number | undefined } | undefined { return this.blockedKeys.get(endpoint); }
}
