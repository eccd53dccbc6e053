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

/** The models of one endpoint, indexed once: each question is one look-up, however many models there are. */
export class EndpointModels {
  /** Canonical names of the models that are configured, that routes name, or that the provider lists. */
  readonly names: readonly string[];
  readonly #known: ReadonlySet<string>;
  readonly #endpoint: EndpointConfig;
  readonly #nameOf: (spelling: string) => string;
  readonly #listed: ListedNames;
  /** By the provider's own name. */
  readonly #facts: ReadonlyMap<string, ListedFacts | undefined>;
  /** The upstream names that the user configured, by canonical name. */
  readonly #configured = new Map<string, string>();
  /** Spellings that settings use, by canonical name: the name of a deployment, or of a model that no list names. */
  readonly #written = new Map<string, string>();
  /** Upstream names of known models, as far as they were asked for. */
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
      if (upstream !== undefined && !this.#configured.has(name)) this.#configured.set(name, upstream);
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

  /** The facts that the provider lists of a model; undefined where its list does not name the model. @param model any spelling */
  listedFacts(model: string): ListedFacts | undefined {
    if (this.#facts.size === 0) return undefined;
    const name = this.upstreamName(model);
    return this.#facts.has(name) ? this.#facts.get(name) ?? {} : undefined;
  }

  #resolve(model: string): string {
    const canonical = this.#nameOf(model);
    const configured = this.#configured.get(canonical);
    if (configured !== undefined) return configured;
    const written = this.#listed.preferred.has(canonical) ? undefined : this.#written.get(canonical);
    return written ?? upstreamModelName(model, this.#endpoint.provider, this.#listed, this.#nameOf);
  }
}
