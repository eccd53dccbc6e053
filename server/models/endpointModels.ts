import { listedNames, upstreamModelName, type ListedNames } from '../catalog/modelNames.ts';
import type { EndpointConfig } from '../config/config.ts';
import type { ListedFacts, ListedModel } from './listedFacts.ts';

export interface EndpointModelsOptions {
  endpoint: EndpointConfig;
  /** Models that routes name at this endpoint, as they are written there. */
  inRoutes: readonly string[];
  /** What the provider lists. */
  listed: readonly ListedModel[];
  /** The canonical name of a spelling. */
  nameOf(spelling: string): string;
  /** The user gave this name to a model, so it is not a provider's. */
  isAlias(name: string): boolean;
}

/** The models of one endpoint, ordered once so that each question is one look-up, however many models there are. */
export class EndpointModels {
  /** Canonical names: configured ones, those routes name, and listed ones. */
  readonly names: readonly string[];
  readonly #known: ReadonlySet<string>;
  readonly #endpoint: EndpointConfig;
  readonly #nameOf: (spelling: string) => string;
  readonly #listed: ListedNames;
  /** By the provider's own name. */
  readonly #facts: ReadonlyMap<string, ListedFacts | undefined>;
  /** What to ask for in the place of a model, by canonical name: the user's order. */
  readonly #ordered = new Map<string, string>();
  /** Spellings written on purpose, by canonical name: a deployment, or a model that no list names. */
  readonly #written = new Map<string, string>();
  /** Upstream names found, of known models. */
  readonly #upstream = new Map<string, string>();

  constructor({ endpoint, inRoutes, listed, nameOf, isAlias }: EndpointModelsOptions) {
    this.#endpoint = endpoint;
    this.#nameOf = nameOf;
    const names = new Set<string>();
    const written = [...Object.keys(endpoint.models), ...inRoutes];
    for (const spelling of written) {
      const name = nameOf(spelling);
      names.add(name);
      const upstream = endpoint.models[spelling]?.upstream;
      if (upstream !== undefined && !this.#ordered.has(name)) this.#ordered.set(name, upstream);
      if (name !== spelling && !this.#written.has(name) && !isAlias(spelling)) this.#written.set(name, spelling);
    }
    this.#facts = new Map(listed.map(({ name, facts }) => [name, facts]));
    this.#listed = listedNames(this.#facts.keys(), nameOf);
    for (const name of this.#listed.preferred.keys()) names.add(name);
    this.#known = names;
    this.names = [...names];
  }

  /** Whether the endpoint has a model. @param model canonical */
  has(model: string): boolean {
    return this.#known.has(model);
  }

  /** The provider's own name for a model. @param model any spelling */
  upstreamName(model: string): string {
    const known = this.#upstream.get(model);
    if (known !== undefined) return known;
    const name = this.#resolve(model);
    if (this.#known.has(model)) this.#upstream.set(model, name);
    return name;
  }

  /** What the provider's list says of a model; undefined where it does not name it. @param model any spelling */
  listedFacts(model: string): ListedFacts | undefined {
    if (this.#facts.size === 0) return undefined;
    const name = this.upstreamName(model);
    return this.#facts.has(name) ? this.#facts.get(name) ?? {} : undefined;
  }

  #resolve(model: string): string {
    const canonical = this.#nameOf(model);
    const ordered = this.#ordered.get(canonical);
    if (ordered !== undefined) return ordered;
    const written = this.#listed.preferred.has(canonical) ? undefined : this.#written.get(canonical);
    return written ?? upstreamModelName(model, this.#endpoint.provider, this.#listed, this.#nameOf);
  }
}
