import type { PlannedTarget } from '../api/receipt.ts';
import type { StrategyName, TargetTier } from '../api/settings.ts';
import { targetName } from '../api/targetName.ts';
import { membersOf, type Config, type EndpointConfig, type RouteConfig, type RouteTarget } from '../config/config.ts';
import type { ModelFacts } from '../models/mergedFacts.ts';
import type { ModelDirectory } from '../models/modelDirectory.ts';
import { modelSettings } from '../models/modelSettings.ts';
import { placeFactor } from '../pricing/chargeTables.ts';
import type { PriceTerms, Pricer } from '../pricing/pricing.ts';
import { StandIns, type StandIn } from './standIns.ts';
import type { Dialect } from '../protocols/codec.ts';
import { protocolsOf, type TargetProtocols } from './chooseProtocol.ts';

/** One place where an attempt can go: a model at an endpoint, with everything that planning, sending and pricing need of both. */
export interface ResolvedTarget {
  /** `endpoint/model`, with the model as below. */
  readonly name: string;
  readonly endpoint: EndpointConfig;
  /** Canonical name; the provider's own id where that was written out and the canonical name means another one there. */
  readonly model: string;
  /** The name the provider knows it by. */
  readonly upstreamModel: string;
  readonly facts: ModelFacts;
  /** What the provider's form of its protocol leaves out or wants. */
  readonly dialect: Dialect;
  readonly protocols: TargetProtocols;
  readonly price: PriceTerms;
  /** The target as plans and receipts hold it: plain data, shared by all of them, frozen. */
  readonly planned: PlannedTarget;
}

/** A target that a route names at an endpoint which does not exist. */
export interface MissingTarget {
  readonly name: string;
  readonly endpoint: undefined;
  readonly endpointName: string;
  /** Canonical name. */
  readonly model: string;
}

export type Candidate = ResolvedTarget | MissingTarget;

/** A route whose entries a strategy has to order, or that leads to other routes. */
export interface RouteGroup {
  readonly name: string;
  readonly strategy: StrategyName;
  /** As they are listed, without targets at endpoints that do not exist. */
  readonly members: readonly GroupMember[];
}

/** `tier`: it waits behind the others; absent: it is a main one. */
export type GroupMember = { readonly name: string; readonly weight: number; readonly tier?: TargetTier | undefined } & (
  | { readonly kind: 'target'; readonly first: ResolvedTarget }
  | { readonly kind: 'route'; readonly group: RouteGroup }
);

/** What a route table is made from. */
export interface RouteSources {
  readonly config: Config;
  readonly directory: Pick<ModelDirectory, 'modelsOf' | 'serves' | 'servedBy' | 'modelAt' | 'upstreamName' | 'canonicalName' | 'listedFacts'> & Partial<Pick<ModelDirectory, 'listedAt'>>;
  /** @param model any spelling */
  facts(endpoint: string, model: string): ModelFacts;
}

/**
 * The configuration as plans read it: names lead to targets, and each target is resolved once. Making a table costs
 * nothing, however many models there are: targets are resolved when they are first asked for. A table is never changed;
 * another takes its place when the configuration, a list of models or the prices change (see RouteTables).
 */
export class RouteTable {
  readonly config: Config;
  /** Some endpoint gives each conversation one of its keys. */
  readonly rotatesKeys: boolean;
  readonly #sources: RouteSources;
  readonly #targets = new Map<string, Map<string, ResolvedTarget>>();
  readonly #ofRoute = new Map<string, readonly Candidate[]>();
  readonly #groups = new Map<string, RouteGroup>();
  readonly #ofCanary = new Map<string, readonly Candidate[]>();
  readonly #ofLastResort = new Map<string, readonly Candidate[]>();
  readonly #ofModel = new Map<string, readonly ResolvedTarget[]>();
  readonly #standIns = new StandIns<ResolvedTarget>(this);

  constructor(sources: RouteSources) {
    this.config = sources.config;
    this.rotatesKeys = [...sources.config.endpoints.values()].some(({ keyRotation }) => keyRotation !== undefined);
    this.#sources = sources;
  }

  /** A model at an endpoint; undefined where there is no such endpoint. @param model as a target has it; the endpoint need not list it */
  target(endpoint: string, model: string): ResolvedTarget | undefined {
    const known = this.#targets.get(endpoint)?.get(model);
    if (known !== undefined) return known;
    const config = this.config.endpoints.get(endpoint);
    if (config === undefined) return undefined;
    const made = new Target(config, model, this.#sources);
    // Callers pin models as they like; targets of models that no endpoint has are not kept.
    if (this.#sources.directory.serves(endpoint, model)) this.#keep(endpoint, made);
    return made;
  }

  /** The target that a spelling of a model means at an endpoint; undefined where there is no such endpoint. */
  namedTarget(endpoint: string, spelling: string): ResolvedTarget | undefined {
    return this.config.endpoints.has(endpoint) ? this.target(endpoint, this.modelAt(endpoint, spelling)) : undefined;
  }

  /** The model that a spelling, written for an endpoint, means there, as targets have it. */
  modelAt(endpoint: string, spelling: string): string {
    return this.#sources.directory.modelAt(endpoint, spelling, true);
  }

  /** The targets of a route, as they are listed and each once; undefined where there is no such route. */
  targetsOfRoute(name: string): readonly Candidate[] | undefined {
    const known = this.#ofRoute.get(name);
    if (known !== undefined) return known;
    const route = this.config.routes.get(name);
    if (route === undefined) return undefined;
    const made = this.#resolved(route.targets);
    this.#ofRoute.set(name, made);
    return made;
  }

  /** The targets that the canary of a route tries out, likewise; none where it has no canary. */
  canaryTargets(route: string): readonly Candidate[] {
    const known = this.#ofCanary.get(route);
    if (known !== undefined) return known;
    const made = this.#resolved(this.config.routes.get(route)?.canary?.targets ?? []);
    this.#ofCanary.set(route, made);
    return made;
  }

  /** The expensive targets that a route tries last, likewise; none where it has no such. */
  lastResortOf(route: string): readonly Candidate[] {
    const known = this.#ofLastResort.get(route);
    if (known !== undefined) return known;
    const made = this.#resolved(this.config.routes.get(route)?.lastResort?.targets ?? []);
    this.#ofLastResort.set(route, made);
    return made;
  }

  #resolved(targets: readonly RouteTarget[]): readonly Candidate[] {
    const candidates = new Map<string, Candidate>();
    for (const { endpoint, model: spelling } of targets) {
      const model = this.modelAt(endpoint, spelling);
      const target = this.target(endpoint, model) ?? { name: targetName(endpoint, model), endpoint: undefined, endpointName: endpoint, model };
      if (!candidates.has(target.name)) candidates.set(target.name, target);
    }
    return [...candidates.values()];
  }

  /** What stands in for the models of a route when none of its targets can answer: the same models elsewhere, then equivalent ones. */
  standInsOfRoute(name: string): readonly StandIn<ResolvedTarget>[] {
    return this.#standIns.ofRoute(name);
  }

  /** The same for a model that is asked for by name. @param spelling any */
  standInsOfName(spelling: string): readonly StandIn<ResolvedTarget>[] {
    return this.#standIns.ofName(spelling);
  }

  /** How a route orders its targets; undefined where they are tried as they are listed, and where there is no such route. */
  groupOfRoute(name: string): RouteGroup | undefined {
    const route = this.config.routes.get(name);
    if (route === undefined || (route.strategy === 'priority' && route.members === undefined)) return undefined;
    return this.#group(route);
  }

  /** How the targets of a route's canary are ordered, by the strategy of the route; undefined where they are tried as they are listed. */
  groupOfCanary(route: string): RouteGroup | undefined {
    const { canary, strategy } = this.config.routes.get(route) ?? {};
    // No route has such a name, so that turns are counted apart.
    return canary === undefined || strategy === undefined || strategy === 'priority' ? undefined : this.#group({ name: `canary of ${route}`, strategy, targets: canary.targets });
  }

  #group(route: Pick<RouteConfig, 'name' | 'strategy' | 'targets' | 'members'>): RouteGroup {
    const known = this.#groups.get(route.name);
    if (known !== undefined) return known;
    const members: GroupMember[] = [];
    for (const { target, route: inner, weight, tier } of membersOf(route)) {
      const place = tier === undefined ? { weight } : { weight, tier };
      const nested = inner === undefined ? undefined : this.config.routes.get(inner);
      if (nested !== undefined) members.push({ kind: 'route', name: nested.name, ...place, group: this.#group(nested) });
      const first = target === undefined ? undefined : this.target(target.endpoint, this.modelAt(target.endpoint, target.model));
      if (first !== undefined && !members.some(one => one.kind === 'target' && one.first === first)) members.push({ kind: 'target', name: first.name, ...place, first });
    }
    const made: RouteGroup = { name: route.name, strategy: route.strategy, members };
    this.#groups.set(route.name, made);
    return made;
  }

  /** The targets that serve a model: by endpoint priority, then the larger weight, then the endpoint's name. @param model canonical */
  targetsOfModel(model: string): readonly ResolvedTarget[] {
    const known = this.#ofModel.get(model);
    if (known !== undefined) return known;
    const made: ResolvedTarget[] = [];
    for (const endpoint of this.#sources.directory.servedBy(model)) {
      const target = this.target(endpoint, model);
      if (target !== undefined) made.push(target);
    }
    if (made.length > 0) this.#ofModel.set(model, made);
    return made;
  }

  /** The targets that serve what a caller calls a model, in the same order: each with that very snapshot where its provider has it. @param spelling any */
  targetsOfName(spelling: string): readonly ResolvedTarget[] {
    const canonical = this.canonicalName(spelling);
    const targets = this.targetsOfModel(canonical);
    if (spelling === canonical) return targets;
    let changed = false;
    const made = targets.map((target) => {
      const model = this.#sources.directory.modelAt(target.endpoint.name, spelling, false);
      if (model === canonical) return target;
      changed = true;
      return this.target(target.endpoint.name, model) ?? target;
    });
    return changed ? made : targets;
  }

  /** Canonical names of the models known at an endpoint: configured, named by routes, listed by the provider. */
  modelsOf(endpoint: string): readonly string[] {
    return this.#sources.directory.modelsOf(endpoint);
  }

  /** Whether some endpoint serves a model. @param model canonical */
  isServed(model: string): boolean {
    return this.#sources.directory.servedBy(model).length > 0;
  }

  /** The canonical name of a spelling, the user's aliases included. */
  canonicalName(spelling: string): string {
    return this.#sources.directory.canonicalName(spelling);
  }

  #keep(endpoint: string, target: ResolvedTarget): void {
    const targets = this.#targets.get(endpoint);
    if (targets === undefined) this.#targets.set(endpoint, new Map([[target.model, target]]));
    else targets.set(target.model, target);
  }
}

/** What tells whether a table still holds. */
export interface RouteTableOptions {
  config(): Config;
  readonly directory: RouteSources['directory'] & Pick<ModelDirectory, 'revision'>;
  facts: RouteSources['facts'];
  readonly pricer: Pick<Pricer, 'isReady'>;
}

/** Gives the route table of the moment. */
export class RouteTables {
  readonly #options: RouteTableOptions;
  #table: RouteTable | undefined;
  #revision = -1;
  #priced = false;

  constructor(options: RouteTableOptions) {
    this.#options = options;
  }

  /** The same table as before until the configuration, a list of models or the price table changes. */
  current(): RouteTable {
    const { directory, pricer, facts } = this.#options;
    const config = this.#options.config();
    const { revision } = directory;
    const priced = pricer.isReady;
    if (this.#table === undefined || this.#table.config !== config || this.#revision !== revision || this.#priced !== priced) {
      this.#table = new RouteTable({ config, directory, facts });
      this.#revision = revision;
      this.#priced = priced;
    }
    return this.#table;
  }
}

/** Facts, names and listed prices are read when the target is made; the rest is derived when it is first asked for, from what was read then. */
class Target implements ResolvedTarget {
  readonly name: string;
  readonly endpoint: EndpointConfig;
  readonly model: string;
  readonly upstreamModel: string;
  readonly facts: ModelFacts;
  readonly #listedPrices: PriceTerms['listedPrices'];
  readonly #listedAt: number | undefined;
  readonly #canonical: string;
  #protocols: TargetProtocols | undefined;
  #price: PriceTerms | undefined;
  #planned: PlannedTarget | undefined;

  constructor(endpoint: EndpointConfig, model: string, { directory, facts }: RouteSources) {
    this.name = targetName(endpoint.name, model);
    this.endpoint = endpoint;
    this.model = model;
    this.upstreamModel = directory.upstreamName(endpoint.name, model);
    this.facts = facts(endpoint.name, model);
    this.#canonical = directory.canonicalName(model);
    this.#listedPrices = directory.listedFacts(endpoint.name, model)?.prices;
    this.#listedAt = this.#listedPrices === undefined ? undefined : directory.listedAt?.(endpoint.name);
  }

  get dialect(): Dialect {
    return this.endpoint.provider.dialect;
  }

  get protocols(): TargetProtocols {
    return this.#protocols ??= protocolsOf(this.endpoint, this.#canonical, this.upstreamModel);
  }

  get price(): PriceTerms {
    const { endpoint, model, upstreamModel } = this;
    return this.#price ??= {
      model: this.#canonical, upstreamModel, endpointName: endpoint.name, provider: endpoint.provider,
      configPrices: (modelSettings(endpoint, model) ?? modelSettings(endpoint, this.#canonical))?.prices,
      listedPrices: this.#listedPrices, priceFactor: priceFactorOf(endpoint, upstreamModel),
      ...(this.#listedAt === undefined ? {} : { listedAt: this.#listedAt }), ...(endpoint.billing === undefined ? {} : { billing: endpoint.billing }),
    };
  }

  get planned(): PlannedTarget {
    return this.#planned ??= Object.freeze({ target: this.name, endpoint: this.endpoint.name, model: this.model, upstreamModel: this.upstreamModel });
  }
}

/** What list prices are multiplied with in the endpoint's region, or at the place that its address stands for. */
function priceFactorOf({ provider, region, baseUrl }: EndpointConfig, upstreamModel: string): number | undefined {
  const ofRegion = provider.regions?.find(one => one.id === region)?.priceFactor;
  if (ofRegion !== undefined) return ofRegion;
  const ofPlace = placeFactor(provider.pricesId, baseUrl, upstreamModel);
  return ofPlace === 1 ? undefined : ofPlace;
}
