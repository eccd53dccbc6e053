import { said, type Said } from '../../api/localization/said.ts';
import { baselineHelp } from '../../api/reports/savings.ts';
import type { Attempt } from '../../api/receipt.ts';
import { parseTargetName, targetName } from '../../api/targetName.ts';
import { findProvider, providers } from '../../catalog/providers.ts';
import type { Provider } from '../../catalog/provider.ts';
import type { UsedExchange } from '../../ledger/usedExchange.ts';
import { nearest } from '../../config/nearest.ts';
import { modelFacts } from '../../catalog/modelFacts.ts';
import type { ModelFacts } from '../../models/mergedFacts.ts';
import type { PriceTerms } from '../../pricing/pricing.ts';
import type { BaselinePlace, NoFigure } from '../../pricing/savings/requestSaving.ts';
import type { ResolvedTarget, RouteTable } from '../../routing/routeTable.ts';
import { resolveName } from '../../routing/resolveName.ts';

/** A place with what it can do. */
export interface ComparedPlace extends BaselinePlace {
  provider: Provider;
  facts: ModelFacts;
  /** It is an endpoint of the configuration; else its provider has none yet. */
  target?: ResolvedTarget | undefined;
}

/** What requests are compared with. */
export interface Baseline {
  /** In words, as the end of a sentence. */
  words: Said;
  /** Where a request goes. @param answer the attempt that answered it */
  placeOf(exchange: Pick<UsedExchange, 'route' | 'requestedModel'>, answer: Pick<Attempt, 'model' | 'upstreamModel'>): ComparedPlace | NoFigure;
}

const longestText = 300;

/**
 * What a person means by a baseline, in this order: `first`, `endpoint/model`, an endpoint, a provider or a model of it, a model.
 * @param help what it can be, as part of a sentence
 * @returns one sentence where it means nothing
 */
export function readBaseline(text: string, table: RouteTable, help = baselineHelp): Baseline | { problem: string } {
  const name = text.trim();
  if (name === '' || name.length > longestText) return { problem: `Give what to compare with: ${help}.` };
  if (name === 'first') return { words: said('always the first target of the route'), placeOf: firstTarget(table) };
  const parts = parseTargetName(name);
  const pinned = parts === undefined ? undefined : table.namedTarget(parts.endpoint, parts.model);
  if (pinned !== undefined) return { words: isListed(table, pinned) ? said('always {0}', pinned.name) : said('always {0}, a model that endpoint "{1}" does not list', pinned.name, pinned.endpoint.name), placeOf: () => placeOfTarget(pinned) };
  const { endpoints } = table.config;
  if (endpoints.has(name)) return { words: said('the same models at endpoint "{0}"', name), placeOf: (_exchange, { model }) => atEndpoint(table, name, model) };
  const provider = findProvider(name);
  if (provider !== undefined) {
    const own = [...endpoints.values()].find(endpoint => endpoint.provider.id === provider.id)?.name;
    if (own !== undefined) return { words: said('the same models at endpoint "{0}" ({1})', own, provider.name), placeOf: (_exchange, { model }) => atEndpoint(table, own, model) };
    return { words: said('the same models at {0}, by its list prices', provider.name), placeOf: (_exchange, { model }) => atProvider(provider, model) };
  }
  const ofProvider = parts === undefined ? undefined : findProvider(parts.endpoint);
  if (parts !== undefined && ofProvider !== undefined) {
    const place = atProvider(ofProvider, parts.model);
    return { words: said('always {0} of {1}, by its list prices', parts.model, ofProvider.name), placeOf: () => place };
  }
  const [served] = table.targetsOfName(name);
  if (served !== undefined) return { words: said('always {0}', served.name), placeOf: () => placeOfTarget(served) };
  const meant = nearest(name, namesFor(table));
  return { problem: `"${name.slice(0, 60)}" is neither an endpoint, a provider nor a model that an endpoint serves${meant === undefined ? `: give ${help}, such as ${exampleOf(table)}` : `; did you mean "${meant}"? Accepted are ${help}`}.` };
}

/** Names that a person may have meant: endpoints first, then providers, then models and targets. */
function* namesFor(table: RouteTable): Generator<string> {
  const { endpoints } = table.config;
  yield* endpoints.keys();
  for (const { id } of providers) yield id;
  for (const endpoint of endpoints.keys()) for (const model of table.modelsOf(endpoint)) {
    yield model;
    yield targetName(endpoint, model);
  }
}

function exampleOf({ config }: RouteTable): string {
  const [endpoint] = config.endpoints.keys();
  return endpoint ?? `${providers[0]?.id ?? 'openai'}/gpt-4.1`;
}

function firstTarget(table: RouteTable): Baseline['placeOf'] {
  return ({ route, requestedModel }) => {
    if (route !== undefined && !table.config.routes.has(route)) return { uncounted: said('the route "{0}" is not configured any more', route) };
    const candidates = (route === undefined ? undefined : table.targetsOfRoute(route)) ?? resolveName(requestedModel, table)?.candidates;
    const first = candidates?.[0];
    if (first === undefined) return { uncounted: said('the name they asked for leads nowhere any more') };
    return first.endpoint === undefined ? { uncounted: said('the first target, {0}, is at an endpoint that is not configured', first.name) } : placeOfTarget(first);
  };
}

/** An endpoint whose models are not known may serve any. */
function isListed(table: RouteTable, { endpoint: { name }, model }: ResolvedTarget): boolean {
  const known = table.modelsOf(name);
  return known.length === 0 || known.includes(model);
}

function atEndpoint(table: RouteTable, endpoint: string, model: string): ComparedPlace | NoFigure {
  const known = table.modelsOf(endpoint);
  const target = table.namedTarget(endpoint, model);
  // An endpoint whose models are not known may serve any: its price decides.
  if (target === undefined || (known.length > 0 && !known.includes(target.model))) return { uncounted: said('endpoint "{0}" does not serve {1}', endpoint, model) };
  return placeOfTarget(target);
}

/** A model at a provider that no endpoint is configured for. */
export function atProvider(provider: Provider, model: string): ComparedPlace {
  const terms: PriceTerms = { model, upstreamModel: model, endpointName: provider.id, provider };
  return { name: targetName(provider.id, model), endpoint: '', model, terms, provider, facts: modelFacts(model) };
}

export function placeOfTarget(target: ResolvedTarget): ComparedPlace {
  return { name: target.name, endpoint: target.endpoint.name, model: target.model, terms: target.price, provider: target.endpoint.provider, facts: target.facts, target };
}
