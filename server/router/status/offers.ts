import { englishOf, said, type Said } from '../../api/localization/said.ts';
import type { EndpointBilling } from '../../api/settings.ts';
import { healthOf, isUp, jointCondition, saidOf, type Condition, type HealthState } from '../../api/condition.ts';
import type { LastingFacts, OfferedModel } from '../../api/status.ts';
import { targetName } from '../../api/targetName.ts';
import type { Config, EndpointConfig } from '../../config/config.ts';
import type { ModelFacts } from '../../models/mergedFacts.ts';
import { modelSettings } from '../../models/modelSettings.ts';
import { pricePerMillion } from '../../pricing/priceText.ts';

/** The state that offers are made of. */
export interface OfferView {
  config: Config;
  modelsOf(endpoint: string): readonly string[];
  /** The model that a spelling means at an endpoint, as targets have it. */
  modelAt(endpoint: string, spelling: string): string;
  facts(endpoint: string, model: string): ModelFacts;
  /** What a model at an endpoint can do now. */
  condition(endpoint: string, model: string): Condition;
  /** Milliseconds since the epoch. */
  now: number;
}

/** The part of it that names and their limits come from. */
export type NamesView = Omit<OfferView, 'condition' | 'now'>;

/** What a caller can ask for, without its health. */
export interface OfferedName {
  requestedModel: string;
  kind: OfferedModel['kind'];
  /** For people. */
  name: string;
  /** Of the first target. */
  maxInputTokens: number;
  maxOutputTokens: number;
}

const assumedContextWindow = 128_000;
const assumedMaxOutputTokens = 8192;

/**
 * What callers can ask for: the routes first, then every model, each with its health. Names and targets change with the
 * configuration and with lists of models; health changes all the time, but seldom that of many. An entry that did not change
 * is the same object as before, and so is the whole list.
 */
export class OfferCache {
  #revision = -1;
  #entries: Entry[] = [];
  #offered: OfferedModel[] = [];

  /** @param revision of what is configured and listed: while it is the same, so are names, targets and user settings */
  offered(view: OfferView, revision: number): OfferedModel[] {
    let changed = this.#listAgain(view, revision);
    for (const entry of this.#entries) {
      if (entry.made !== undefined && !hasChanged(entry, view)) continue;
      entry.made = made(entry, view);
      changed = true;
    }
    if (changed) this.#offered = this.#entries.flatMap(entry => entry.made ?? []);
    return this.#offered;
  }

  /**
   * The names alone, for lists of models over HTTP, in the order of `offered`; asks nothing of health, limits, keys or ledger.
   * @param revision as for `offered`
   */
  names(view: NamesView, revision: number): OfferedName[] {
    this.#listAgain(view, revision);
    return this.#entries.map(({ offer: { requestedModel, kind, name, targets: [first] } }) => (
      { requestedModel, kind, name, ...limitsOf(first === undefined ? {} : view.facts(first.endpoint, first.model)) }));
  }

  /** @returns whether names or targets may have changed */
  #listAgain(view: NamesView, revision: number): boolean {
    if (revision === this.#revision) return false;
    this.#entries = [...routeOffers(view), ...modelOffers(view)].map(offer => ({ offer, conditions: [], facts: [], madeAt: 0, made: undefined }));
    this.#offered = [];
    this.#revision = revision;
    return true;
  }
}

function limitsOf(facts: ModelFacts): { maxInputTokens: number; maxOutputTokens: number } {
  const maxOutputTokens = facts.maxOutputTokens ?? assumedMaxOutputTokens;
  const contextWindow = facts.contextWindow ?? assumedContextWindow;
  return { maxInputTokens: Math.max(1024, contextWindow - Math.min(maxOutputTokens, Math.floor(contextWindow / 2))), maxOutputTokens };
}

function lastingFacts(facts: ModelFacts = {}): LastingFacts {
  const { contextWindow, maxOutputTokens, thinking } = facts;
  return { contextWindow, maxInputTokens: limitsOf(facts).maxInputTokens, maxOutputTokens, thinking };
}

interface Offer { id: string; requestedModel: string; kind: OfferedModel['kind']; name: string; targets: { endpoint: string; model: string }[] }

/** An offer, and the state of each of its targets that it was made from. */
interface Entry {
  readonly offer: Offer;
  conditions: Condition[];
  facts: ModelFacts[];
  /** Milliseconds since the epoch. */
  madeAt: number;
  made: OfferedModel | undefined;
}

function routeOffers(view: NamesView): Offer[] {
  return [...view.config.routes.values()].map((route): Offer => ({
    id: `route:${route.name}`, requestedModel: route.name, kind: 'route', name: route.name,
    targets: route.targets.map(target => ({ endpoint: target.endpoint, model: view.modelAt(target.endpoint, target.model) })),
  }));
}

function modelOffers(view: NamesView): Offer[] {
  const endpointsOf = new Map<string, string[]>();
  const ordered = [...view.config.endpoints.values()].filter(endpoint => endpoint.enabled).sort((a, b) => a.priority - b.priority || b.weight - a.weight);
  for (const endpoint of ordered) {
    for (const model of view.modelsOf(endpoint.name)) {
      const names = endpointsOf.get(model);
      if (names === undefined) endpointsOf.set(model, [endpoint.name]);
      else names.push(endpoint.name);
    }
  }
  const { compare } = new Intl.Collator();
  return [...endpointsOf].sort(([a], [b]) => compare(a, b)).map(([model, endpoints]): Offer => ({
    id: `model:${model}`, requestedModel: model, kind: 'model', name: model, targets: endpoints.map(endpoint => ({ endpoint, model })),
  }));
}

/** Looks at each target without making anything. */
function hasChanged({ offer, conditions, facts, madeAt }: Entry, view: OfferView): boolean {
  return offer.targets.some(({ endpoint, model }, index) => !isSame(view.condition(endpoint, model), conditions[index] ?? nowhere, madeAt, view.now)
    || view.facts(endpoint, model) !== facts[index]);
}

/** The text of a condition names the moment until which it holds only while that lies ahead. */
function isSame(one: Condition, other: Condition, before: number, now: number): boolean {
  const { kind, until, why } = one;
  return kind === other.kind && until === other.until && why === other.why && (until === undefined || until <= before === until <= now);
}

function made(entry: Entry, view: OfferView): OfferedModel {
  const { id, requestedModel, kind, name, targets } = entry.offer;
  entry.madeAt = view.now;
  const conditions = entry.conditions = targets.map(target => view.condition(target.endpoint, target.model));
  const all = entry.facts = targets.map(target => view.facts(target.endpoint, target.model));
  const serving = targets.filter((_, index) => isUp(conditions[index] ?? nowhere));
  const first = serving[0] ?? targets[0];
  const facts = first === undefined ? {} : view.facts(first.endpoint, first.model);
  const endpoint = first === undefined ? undefined : view.config.endpoints.get(first.endpoint);
  return {
    id, requestedModel, kind, name,
    targets: targets.map(target => targetName(target.endpoint, target.model)),
    state: overall(conditions), condition: jointCondition(conditions),
    ...detail(conditions, serving, view.now),
    ...warning(targets, conditions, view.now),
    ...limitsOf(facts),
    imageInput: all.some(one => one.images !== false),
    toolCalling: all.some(one => one.tools !== false),
    thinking: all.some(one => one.thinking === true),
    lasting: lastingFacts(all[0]),
    pricing: priceText(endpoint, first?.model, facts),
  };
}

/** What a model at an endpoint costs, as the user pays it; undefined where that is not known. @param model as it is named there */
export function priceText(endpoint: EndpointConfig | undefined, model: string | undefined, facts: ModelFacts): string | undefined {
  const settings = model === undefined ? undefined : modelSettings(endpoint, model);
  if (endpoint?.provider.simulated === true) return 'simulated: costs nothing';
  return coveredText(endpoint?.billing) ?? (settings?.prices === undefined ? facts.pricing : pricePerMillion(settings.prices));
}

/** What the picker says of an endpoint that is not paid for by use. */
function coveredText(billing: EndpointBilling | undefined): string | undefined {
  return billing === 'subscription' ? 'covered by a subscription' : billing === 'free' ? 'free of charge' : undefined;
}

const nowhere: Condition = { kind: 'down' };

function overall(conditions: readonly Condition[]): HealthState {
  const up = conditions.filter(isUp);
  if (up.length === 0 && conditions.length > 0) return 'down';
  if (up.length < conditions.length || up.some(one => healthOf(one) === 'degraded')) return 'degraded';
  return up.every(one => one.kind === 'unknown') ? 'unknown' : 'healthy';
}

/** Short, because the picker cuts the name to make room for it: the endpoint that answers, and how many can where not all can. */
function detail(conditions: readonly Condition[], serving: Offer['targets'], now: number): Pick<OfferedModel, 'detail' | 'said'> {
  const text = detailText(conditions, serving, now);
  return { detail: englishOf(text), said: text };
}

function detailText(conditions: readonly Condition[], serving: Offer['targets'], now: number): Said {
  const via = serving[0];
  if (via === undefined) return conditions.length === 1 ? saidOf(conditions[0] ?? nowhere, now) : said('none up');
  if (serving.length < conditions.length) return said('{0}/{1} up · via {2}', serving.length, conditions.length, via.endpoint);
  return conditions.some(one => healthOf(one) === 'degraded') ? said('via {0} · degraded', via.endpoint) : said('via {0}', via.endpoint);
}

function warning(targets: Offer['targets'], conditions: readonly Condition[], now: number): Pick<OfferedModel, 'warning' | 'saidWarning'> {
  const lines = targets.flatMap((target, index) => {
    const condition = conditions[index] ?? nowhere;
    return condition.kind === 'healthy' || condition.kind === 'unknown' ? [] : [said('{0}: {1}', target.endpoint, saidOf(condition, now))];
  });
  if (lines.length === 0) return { warning: undefined };
  const text = lines.reduce((all, one) => said('{0}; {1}', all, one));
  return { warning: englishOf(text), saidWarning: text };
}
