import { conditionText, healthOf, isUp, type Condition } from '../api/condition.ts';
import type { HealthState, OfferedModel } from '../api/status.ts';
import type { Config, RouteConfig } from '../config/config.ts';
import { modelSettings } from './modelSettings.ts';
import { pricePerMillion } from './priceText.ts';

/** What the offer builder asks of the house. */
export interface OfferView {
  config: Config;
  modelsOf(endpoint: string): readonly string[];
  canonicalName(name: string): string;
  facts(endpoint: string, model: string): {
    contextWindow?: number | undefined; maxOutputTokens?: number | undefined; tools?: boolean | undefined; images?: boolean | undefined;
    thinking?: boolean | undefined; pricing?: string | undefined;
  };
  /** What a model at an endpoint can do now. */
  condition(endpoint: string, model: string): Condition;
  /** Milliseconds since the epoch. */
  now: number;
}

const assumedContextWindow = 128_000;
const assumedMaxOutputTokens = 8192;

/** What callers can ask for: the routes first, then every model, each with its health. */
export function offeredModels(view: OfferView): OfferedModel[] {
  const routes = [...view.config.routes.values()].map(route => offerRoute(route, view));
  return [...routes, ...offerModels(view)];
}

function offerRoute(route: RouteConfig, view: OfferView): OfferedModel {
  const targets = route.targets.map(target => ({ endpoint: target.endpoint, model: view.canonicalName(target.model) }));
  return offer({ id: `route:${route.name}`, wanted: route.name, kind: 'route', name: route.name, targets }, view);
}

function offerModels(view: OfferView): OfferedModel[] {
  const endpointsOf = new Map<string, string[]>();
  const ordered = [...view.config.endpoints.values()].filter(endpoint => endpoint.enabled).sort((a, b) => a.priority - b.priority || b.weight - a.weight);
  for (const endpoint of ordered) {
    for (const model of view.modelsOf(endpoint.name)) {
      const names = endpointsOf.get(model);
      if (names === undefined) endpointsOf.set(model, [endpoint.name]);
      else names.push(endpoint.name);
    }
  }
  return [...endpointsOf].sort(([a], [b]) => a.localeCompare(b)).map(([model, endpoints]) => offer({
    id: `model:${model}`, wanted: model, kind: 'model', name: model, targets: endpoints.map(endpoint => ({ endpoint, model })),
  }, view));
}

interface Offer { id: string; wanted: string; kind: OfferedModel['kind']; name: string; targets: { endpoint: string; model: string }[] }

function offer({ id, wanted, kind, name, targets }: Offer, view: OfferView): OfferedModel {
  const conditions = targets.map(target => view.condition(target.endpoint, target.model));
  const serving = targets.filter((_, index) => isUp(conditions[index] ?? nowhere));
  const first = serving[0] ?? targets[0];
  const facts = first === undefined ? {} : view.facts(first.endpoint, first.model);
  const all = targets.map(target => view.facts(target.endpoint, target.model));
  const maxOutputTokens = facts.maxOutputTokens ?? assumedMaxOutputTokens;
  const window = facts.contextWindow ?? assumedContextWindow;
  const settings = first === undefined ? undefined : modelSettings(view.config.endpoints.get(first.endpoint), first.model);
  return {
    id, wanted, kind, name,
    targets: targets.map(target => `${target.endpoint}/${target.model}`),
    state: overall(conditions),
    detail: detail(conditions, serving, view.now),
    warning: warning(targets, conditions, view.now),
    maxInputTokens: Math.max(1024, window - Math.min(maxOutputTokens, Math.floor(window / 2))),
    maxOutputTokens,
    imageInput: all.some(one => one.images !== false),
    toolCalling: all.some(one => one.tools !== false),
    thinking: all.some(one => one.thinking === true),
    pricing: settings?.prices === undefined ? facts.pricing : pricePerMillion(settings.prices),
  };
}

const nowhere: Condition = { kind: 'down' };

function overall(conditions: readonly Condition[]): HealthState {
  const up = conditions.filter(isUp);
  if (up.length === 0 && conditions.length > 0) return 'down';
  if (up.length < conditions.length || up.some(one => healthOf(one) === 'degraded')) return 'degraded';
  return up.every(one => one.kind === 'unknown') ? 'unknown' : 'healthy';
}

/** Short, because the picker cuts the name for it: who answers, and how many could where not all can. */
function detail(conditions: readonly Condition[], serving: Offer['targets'], now: number): string {
  const via = serving[0];
  if (via === undefined) return conditions.length === 1 ? conditionText(conditions[0] ?? nowhere, now) : 'none up';
  if (serving.length < conditions.length) return `${serving.length}/${conditions.length} up · via ${via.endpoint}`;
  return conditions.some(one => healthOf(one) === 'degraded') ? `via ${via.endpoint} · degraded` : `via ${via.endpoint}`;
}

function warning(targets: Offer['targets'], conditions: readonly Condition[], now: number): string | undefined {
  const lines = targets.flatMap((target, index) => {
    const condition = conditions[index] ?? nowhere;
    return condition.kind === 'healthy' || condition.kind === 'unknown' ? [] : [`${target.endpoint}: ${conditionText(condition, now)}`];
  });
  return lines.length === 0 ? undefined : lines.join('; ');
}
