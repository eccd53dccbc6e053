import { canonicalModelName, upstreamModelName } from '../catalog/modelNames.ts';
import type { Config, EndpointConfig } from '../config/config.ts';
import type { Log } from '../base/log.ts';
import type { CachedList, ModelCache } from './modelCache.ts';
import type { ListedFacts, ListedModel } from './listedFacts.ts';

/**
 * Which models each endpoint serves, and what its provider says of them: configured ones, those routes name, and those
 * the provider lists. Lists outlive the process where there is a cache.
 */
export class ModelDirectory {
  #config: Config;
  #lists = new Map<string, CachedList>();
  #canonical = new Map<string, readonly string[]>();
  #upstream = new Map<string, string>();
  #facts = new Map<string, ReadonlyMap<string, ListedFacts>>();
  #names = new Map<string, string>();
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
    this.#forget();
  }

  /**
   * Adopts the model list a provider gave. What was known of a model and is not said again stays.
   * @param at milliseconds since the epoch
   */
  adopt(endpoint: string, models: readonly ListedModel[], at: number): void {
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
    if (changed) this.#forget();
    this.#lists.set(endpoint, list);
    // An old time on disk costs one question more after the next start, so not every question is written down.
    if (changed || at - (this.#remembered?.get(endpoint)?.at ?? 0) > rewriteMs) this.#store(endpoint, list);
  }

  /** What the provider listed, in its own spelling; undefined before it was asked. */
  listed(endpoint: string): readonly string[] | undefined {
    return this.#lists.get(endpoint)?.models.map(model => model.name);
  }

  /** When the provider was last asked, in milliseconds since the epoch. */
  listedAt(endpoint: string): number | undefined {
    return this.#lists.get(endpoint)?.at;
  }

  /** What the provider's list says of a model. @param model any spelling */
  listedFacts(endpoint: string, model: string): ListedFacts | undefined {
    let facts = this.#facts.get(endpoint);
    if (facts === undefined) {
      facts = new Map((this.#lists.get(endpoint)?.models ?? []).map(({ name, facts: said }) => [name, said ?? {}]));
      this.#facts.set(endpoint, facts);
    }
    return facts.size === 0 ? undefined : facts.get(this.upstreamName(endpoint, model));
  }

  /** The one name of a model, the user's aliases included. */
  canonicalName(spelling: string): string {
    const known = this.#names.get(spelling);
    if (known !== undefined) return known;
    const aliases = this.#config.aliases;
    const canonical = canonicalModelName(spelling);
    const meant = aliases?.get(spelling.trim().toLowerCase()) ?? aliases?.get(canonical);
    const name = meant === undefined ? canonical : canonicalModelName(meant);
    // Names come from outside as well: what is remembered stays bounded.
    if (this.#names.size >= 5000) this.#names.clear();
    this.#names.set(spelling, name);
    return name;
  }

  /** Canonical names of the models known at an endpoint. */
  modelsOf(endpoint: string): readonly string[] {
    const known = this.#canonical.get(endpoint);
    if (known !== undefined) return known;
    const config = this.#config.endpoints.get(endpoint);
    if (config === undefined) return [];
    const spellings = [...Object.keys(config.models), ...this.#routeSpellings(endpoint), ...this.listed(endpoint) ?? []];
    const result = [...new Set(spellings.map(name => this.canonicalName(name)))];
    this.#canonical.set(endpoint, result);
    return result;
  }

  /** The provider's own name for a model. */
  upstreamName(endpoint: string, model: string): string {
    const key = `${endpoint}\n${model}`;
    const known = this.#upstream.get(key);
    if (known !== undefined) return known;
    const config = this.#config.endpoints.get(endpoint);
    const name = config === undefined ? model : this.#resolve(config, model);
    if (this.#upstream.size >= 5000) this.#upstream.clear();
    this.#upstream.set(key, name);
    return name;
  }

  #resolve(endpoint: EndpointConfig, model: string): string {
    const canonical = this.canonicalName(model);
    for (const [name, settings] of Object.entries(endpoint.models)) {
      if (settings.upstream !== undefined && (name === model || this.canonicalName(name) === canonical)) return settings.upstream;
    }
    const listed = this.listed(endpoint.name) ?? [];
    const nameOf = (spelling: string): string => this.canonicalName(spelling);
    if (listed.some(name => nameOf(name) === canonical)) return upstreamModelName(model, endpoint.provider, listed, nameOf);
    // Somebody wrote the provider's own name on purpose: a deployment, or a model no list tells of.
    const written = [...Object.keys(endpoint.models), ...this.#routeSpellings(endpoint.name)]
      .find(name => nameOf(name) === canonical && name !== canonical && !this.#isAlias(name));
    return written ?? upstreamModelName(model, endpoint.provider, listed, nameOf);
  }

  #isAlias(name: string): boolean {
    return this.#config.aliases?.has(name.toLowerCase()) === true;
  }

  #routeSpellings(endpoint: string): string[] {
    return [...this.#config.routes.values()].flatMap(route => route.targets.filter(target => target.endpoint === endpoint).map(target => target.model));
  }

  #store(endpoint: string, list: CachedList): void {
    this.#remembered?.set(endpoint, list);
    try {
      this.#cache?.write(endpoint, list);
    } catch {
      this.#log?.warn('The list of models could not be stored; it is asked for again at the next start.');
    }
  }

  #forget(): void {
    this.#canonical.clear();
    this.#upstream.clear();
    this.#facts.clear();
  }
}

const rewriteMs = 60 * 60 * 1000;
