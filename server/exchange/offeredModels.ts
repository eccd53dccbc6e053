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
  state(endpoint: string): HealthState;
  /** A sentence about the endpoint's trouble; undefined when it can serve. */
  trouble(endpoint: string, model: string): string | undefined;
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
  const troubles = targets.map(target => view.trouble(target.endpoint, target.model));
  const serving = targets.filter((_, index) => troubles[index] === undefined);
  const first = serving[0] ?? targets[0];
  const facts = first === undefined ? {} : view.facts(first.endpoint, first.model);
  const all = targets.map(target => view.facts(target.endpoint, target.model));
  const maxOutputTokens = facts.maxOutputTokens ?? assumedMaxOutputTokens;
  const window = facts.contextWindow ?? assumedContextWindow;
  const settings = first === undefined ? undefined : modelSettings(view.config.endpoints.get(first.endpoint), first.model);
  return {
    id, wanted, kind, name,
    targets: targets.map(target => `${target.endpoint}/${target.model}`),
    state: overall(targets.map(target => view.state(target.endpoint)), serving.length),
    detail: detail(targets, serving),
    warning: warning(targets, troubles),
    maxInputTokens: Math.max(1024, window - Math.min(maxOutputTokens, Math.floor(window / 2))),
    maxOutputTokens,
    imageInput: all.some(one => one.images !== false),
    toolCalling: all.some(one => one.tools !== false),
    thinking: all.some(one => one.thinking === true),
    pricing: settings?.prices === undefined ? facts.pricing : pricePerMillion(settings.prices),
  };
}

function overall(states: readonly HealthState[], serving: number): HealthState {
  if (serving === 0 && states.length > 0) return 'down';
  if (serving < states.length) return 'degraded';
  if (states.every(state => state === 'healthy')) return 'healthy';
  return states.every(state => state === 'unknown') ? 'unknown' : states.some(state => state === 'degraded' || state === 'down') ? 'degraded' : 'healthy';
}

function detail(targets: Offer['targets'], serving: Offer['targets']): string {
  const via = serving[0];
  if (targets.length === 1) return via === undefined ? `${targets[0]?.endpoint ?? ''} is down` : `via ${via.endpoint}`;
  const count = `${serving.length} of ${targets.length} healthy`;
  return via === undefined ? count : `${count} · via ${via.endpoint}`;
}

function warning(targets: Offer['targets'], troubles: readonly (string | undefined)[]): string | undefined {
  const lines = targets.flatMap((target, index) => (troubles[index] === undefined ? [] : [`${target.endpoint}: ${troubles[index]}`]));
  return lines.length === 0 ? undefined : lines.join('; ');
}
