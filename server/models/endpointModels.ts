import { isBedrockId, presumedBedrockId } from '../catalog/bedrockNames.ts';
import { isUndatedId, listedNames, snapshotName, spelledSnapshot, upstreamModelName, type ListedNames } from '../catalog/modelNames.ts';
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
  /** All spellings that settings use. */
  readonly #spellings: ReadonlySet<string>;
  /** Those with a date, by the name of their snapshot. */
  readonly #writtenSnapshots = new Map<string, string>();
  /** Upstream names of known models, as far as they were asked for. */
  readonly #upstream = new Map<string, string>();

  constructor({ endpoint, inRoutes, listed, nameOf, isAlias }: EndpointModelsOptions) {
    this.#endpoint = endpoint;
    this.#nameOf = nameOf;
    const names = new Set<string>();
    const written = [...Object.keys(endpoint.models), ...inRoutes];
    this.#spellings = new Set(written.filter(spelling => !isAlias(spelling)));
    for (const spelling of written) {
      const name = nameOf(spelling);
      names.add(name);
      const snapshot = snapshotName(spelling, nameOf);
      if (snapshot !== undefined && !this.#writtenSnapshots.has(snapshot)) this.#writtenSnapshots.set(snapshot, spelling);
      const upstream = settingsOf(endpoint, spelling)?.upstream;
      if (upstream !== undefined && (spelling === name || !this.#configured.has(name))) this.#configured.set(name, upstream);
      // What the user calls a deployment is its id. Elsewhere a snapshot does not stand for the name without a date that leads to the newest one.
      const standsFor = snapshot === undefined || endpoint.provider.addressing === 'azure' || !isUndatedId(name);
      if (name !== spelling && standsFor && !this.#written.has(name) && !isAlias(spelling)) this.#written.set(name, spelling);
    }
    this.#facts = new Map(listed.map(({ name, facts }) => [name, facts]));
    this.#listed = listedNames(this.#facts.keys(), nameOf);
    for (const name of this.#listed.preferred.keys()) names.add(name);
    this.#known = names;
    this.names = [...names];
  }

  /** Whether the endpoint has a model. @param model canonical, or the provider's own id */
  has(model: string): boolean {
    return this.#known.has(model) || this.#listed.own.has(model) || this.#spellings.has(model);
  }

  /**
   * The model that a spelling means here: the canonical name, or, where the spelling means another id than the canonical
   * name does, that id as it stands: a snapshot is no alias.
   * @param named it was written for this endpoint, so it counts as an id where the provider lists nothing
   */
  modelOf(spelling: string, named: boolean): string {
    const canonical = this.#nameOf(spelling);
    if (spelling === canonical) return canonical;
    const id = this.#idOf(spelling.trim(), canonical, named);
    return id === undefined || this.#idName(id) === this.upstreamName(canonical) ? canonical : id;
  }

  /** The provider's own name for a model. @param model canonical, or as `modelOf` gives it */
  upstreamName(model: string): string {
    const known = this.#upstream.get(model);
    if (known !== undefined) return known;
    const name = this.#resolve(model);
    if (this.has(model)) this.#upstream.set(model, name);
    return name;
  }

  /** The facts that the provider lists of a model; undefined where its list does not name the model. @param model any spelling */
  listedFacts(model: string): ListedFacts | undefined {
    if (this.#facts.size === 0) return undefined;
    const name = this.upstreamName(model);
    return this.#facts.has(name) ? this.#facts.get(name) ?? {} : undefined;
  }

  /** The id that a spelling is, or a name of settings that has one; undefined where it is only another spelling of the canonical name. */
  #idOf(spelling: string, canonical: string, named: boolean): string | undefined {
    if (this.#listed.own.has(spelling) || settingsOf(this.#endpoint, spelling)?.upstream !== undefined) return spelling;
    // Profiles of one model differ in price and in where they compute, and accounts have some that no list names.
    if (this.#endpoint.provider.addressing === 'bedrock' && isBedrockId(spelling)) return spelling;
    const snapshot = snapshotName(spelling, this.#nameOf);
    const listed = snapshot === undefined ? undefined : this.#listed.snapshots.get(snapshot);
    if (listed !== undefined) return listed;
    // The provider has the model, and not this snapshot of it, or the user named the deployment.
    if (this.#listed.preferred.has(canonical) || this.#configured.has(canonical)) return undefined;
    if (this.#spellings.has(spelling)) return spelling;
    if (snapshot === undefined) return named && !this.#known.has(canonical) ? spelling : undefined;
    return this.#writtenSnapshots.get(snapshot) ?? (named ? spelling : spelledSnapshot(spelling, this.#endpoint.provider));
  }

  #idName(id: string): string {
    return settingsOf(this.#endpoint, id)?.upstream ?? id;
  }

  #resolve(model: string): string {
    const canonical = this.#nameOf(model);
    const id = model === canonical ? undefined : this.#idOf(model, canonical, true);
    if (id !== undefined) return this.#idName(id);
    const configured = this.#configured.get(canonical);
    if (configured !== undefined) return configured;
    const written = this.#listed.preferred.has(canonical) ? undefined : this.#written.get(canonical);
    if (written === undefined && this.#endpoint.awsRegion !== undefined && this.#facts.size === 0) return presumedBedrockId(canonical, this.#endpoint.awsRegion);
    return written ?? upstreamModelName(canonical, this.#endpoint.provider, this.#listed, this.#nameOf);
  }
}

function settingsOf({ models }: EndpointConfig, spelling: string): EndpointConfig['models'][string] | undefined {
  return Object.hasOwn(models, spelling) ? models[spelling] : undefined;
}
