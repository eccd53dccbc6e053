import { TextMemo } from '../base/textMemo.ts';
import { canonicalModelName } from '../catalog/modelNames.ts';
import type { Config, RouteConfig, RouteTarget } from '../config/config.ts';
import type { Log } from '../base/log.ts';
import { EndpointModels } from './endpointModels.ts';
import type { CachedList, ModelCache } from './modelCache.ts';
import type { ListedFacts, ListedModel } from './listedFacts.ts';
import { ModelServers } from './modelServers.ts';

/** So many spellings have their canonical name remembered at least; more where more models are known. */
const rememberedNames = 5000;
const rewriteMs = 60 * 60 * 1000;

/**
 * Which models each endpoint serves, and what its provider lists of them. Known are the models that are configured, that
 * routes name, and that the provider lists. Lists outlive the process where there is a cache.
 */
export class ModelDirectory {
  #config: Config;
  #lists = new Map<string, CachedList>();
  #models = new Map<string, EndpointModels>();
  #servers: ModelServers | undefined;
  #inRoutes = new Map<string, string[]>();
  #names = new TextMemo<string>(rememberedNames);
  #revision = 0;
  #remembered: Map<string, CachedList> | undefined;
  #cache: ModelCache | undefined;
  #log: Log | undefined;

  constructor(config: Config, stored: { cache: ModelCache; log: Log } | undefined = undefined) {
    this.#config = config;
    this.#cache = stored?.cache;
    this.#log = stored?.log;
  }

  configure(config: Config): void {
    this.#config = config;
    if (config.endpoints.size > 0) this.#remembered ??= this.#cache?.read() ?? new Map();
    for (const [name, { baseUrl }] of config.endpoints) {
      const list = this.#lists.get(name) ?? this.#remembered?.get(name);
      if (list?.baseUrl === baseUrl) this.#lists.set(name, list);
      else this.#lists.delete(name);
    }
    this.#names.clear();
    this.#inRoutes = spellingsInRoutes(config);
    this.#models.clear();
    this.#servers = undefined;
    this.#revision += 1;
  }

  /** The directory of another configuration, with the lists that are known now. It stores nothing. */
  withConfig(config: Config): ModelDirectory {
    const made = new ModelDirectory(config);
    made.#remembered = new Map([...this.#remembered ?? [], ...this.#lists]);
    made.configure(config);
    return made;
  }

  /** Grows whenever what is known of any model may have changed. */
  get revision(): number {
    return this.#revision;
  }

  /**
   * Takes the model list that a provider gave. Facts of a model that the new list leaves out stay known.
   * @param at milliseconds since the epoch
   */
  apply(endpoint: string, models: readonly ListedModel[], at: number): void {
    const baseUrl = this.#config.endpoints.get(endpoint)?.baseUrl;
    if (baseUrl === undefined) return;
    const before = this.#lists.get(endpoint);
    const known = new Map(before?.models.map(model => [model.name, model.facts]));
    const merged = models.map((model): ListedModel => {
      const facts = { ...known.get(model.name), ...model.facts };
      return Object.keys(facts).length === 0 ? { name: model.name } : { name: model.name, facts };
    });
    const list = { baseUrl, at, models: merged };
    const changed = JSON.stringify(before?.models) !== JSON.stringify(merged);
    this.#lists.set(endpoint, list);
    if (changed) this.#relisted(endpoint);
    // An old time on disk costs one more call after the next start, so a list that did not change is seldom written.
    if (changed || at - (this.#remembered?.get(endpoint)?.at ?? 0) > rewriteMs) this.#store(endpoint, list);
  }

  /** The models that the provider listed, in its own spelling; undefined before it was asked. */
  listed(endpoint: string): readonly string[] | undefined {
    return this.#lists.get(endpoint)?.models.map(model => model.name);
  }

  /** When the provider was last asked, in milliseconds since the epoch. */
  listedAt(endpoint: string): number | undefined {
    return this.#lists.get(endpoint)?.at;
  }

  /** The facts that the provider lists of a model. @param model any spelling */
  listedFacts(endpoint: string, model: string): ListedFacts | undefined {
    return this.#modelsAt(endpoint)?.listedFacts(model);
  }

  /** The one name of a model, the user's aliases included. */
  canonicalName(spelling: string): string {
    const known = this.#names.get(spelling);
    if (known !== undefined) return known;
    const aliases = this.#config.aliases;
    const canonical = canonicalModelName(spelling);
    const meant = aliases?.get(spelling.trim().toLowerCase()) ?? aliases?.get(canonical);
    const name = meant === undefined ? canonical : canonicalModelName(meant);
    this.#names.set(spelling, name);
    return name;
  }

  /** Canonical names of the models known at an endpoint. */
  modelsOf(endpoint: string): readonly string[] {
    return this.#modelsAt(endpoint)?.names ?? [];
  }

  /** Whether a model is known at an endpoint. @param model canonical, or the provider's own id */
  serves(endpoint: string, model: string): boolean {
    return this.#modelsAt(endpoint)?.has(model) ?? false;
  }

  /** The endpoints that serve a model: by priority, then the larger weight, then name. @param model canonical */
  servedBy(model: string): readonly string[] {
    return this.#allServers().of(model);
  }

  /**
   * The model that a spelling means at an endpoint: the canonical name, or the provider's own id where the spelling means
   * another one than the canonical name does, such as a snapshot.
   * @param named the spelling was written for this endpoint
   */
  modelAt(endpoint: string, spelling: string, named: boolean): string {
    const meant = this.#config.aliases?.get(spelling.trim().toLowerCase()) ?? spelling;
    return this.#modelsAt(endpoint)?.modelOf(meant, named) ?? this.canonicalName(meant);
  }

  /** The provider's own name for a model. @param model canonical, or as `modelAt` gives it */
  upstreamName(endpoint: string, model: string): string {
    return this.#modelsAt(endpoint)?.upstreamName(model) ?? model;
  }

  #modelsAt(endpoint: string): EndpointModels | undefined {
    const known = this.#models.get(endpoint);
    if (known !== undefined) return known;
    const config = this.#config.endpoints.get(endpoint);
    if (config === undefined) return undefined;
    const made = new EndpointModels({
      endpoint: config, inRoutes: this.#inRoutes.get(endpoint) ?? [], listed: this.#lists.get(endpoint)?.models ?? [],
      nameOf: spelling => this.canonicalName(spelling), isAlias: name => this.#isAlias(name),
    });
    this.#models.set(endpoint, made);
    return made;
  }

  #allServers(): ModelServers {
    if (this.#servers !== undefined) return this.#servers;
    const made = new ModelServers(this.#config.endpoints.values());
    for (const endpoint of this.#config.endpoints.keys()) made.serves(endpoint, [], this.modelsOf(endpoint));
    this.#servers = made;
    this.#names.most = Math.max(rememberedNames, 2 * made.models);
    return made;
  }

  /** Only what this endpoint serves is indexed again, because a thousand endpoints may list their models one after the other. */
  #relisted(endpoint: string): void {
    const before = this.#servers === undefined ? [] : this.modelsOf(endpoint);
    this.#models.delete(endpoint);
    this.#servers?.serves(endpoint, before, this.modelsOf(endpoint));
    this.#revision += 1;
  }

  #isAlias(name: string): boolean {
    return this.#config.aliases?.has(name.toLowerCase()) === true;
  }

  #store(endpoint: string, list: CachedList): void {
    this.#remembered?.set(endpoint, list);
    try {
      this.#cache?.write(endpoint, list);
    } catch {
      this.#log?.warn('The list of models could not be stored; it is asked for again at the next start.');
    }
  }
}

function targetsOfPurposes({ purposes }: RouteConfig): RouteTarget[] {
  if (purposes === undefined) return [];
  return [...Object.values(purposes.byRole), ...Object.values(purposes.byKind)].flatMap(({ target }) => target ?? []);
}

/** The models that routes name at each endpoint, as they are written there. */
function spellingsInRoutes(config: Config): Map<string, string[]> {
  const spellings = new Map<string, string[]>();
  for (const route of config.routes.values()) {
    for (const { endpoint, model } of [...route.targets, ...(route.canary?.targets ?? []), ...(route.shadow === undefined ? [] : [route.shadow.target]), ...targetsOfPurposes(route)]) {
      const known = spellings.get(endpoint);
      if (known === undefined) spellings.set(endpoint, [model]);
      else known.push(model);
    }
  }
  return spellings;
}
