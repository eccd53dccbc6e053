import { modelFacts } from '../catalog/modelFacts.ts';
import type { Config } from '../config/config.ts';
import type { Pricer } from '../pricing/pricing.ts';
import { mergedFacts, type ModelFacts } from './mergedFacts.ts';
import type { ModelDirectory } from './modelDirectory.ts';
import { modelSettings } from './modelSettings.ts';
import { pricePerMillion } from '../pricing/priceText.ts';

export interface ModelFactsCacheOptions {
  directory: ModelDirectory;
  pricer: Pick<Pricer, 'contextWindow' | 'isReady'>;
  config(): Config;
  /** Milliseconds since the epoch. */
  now(): number;
}

/**
 * What is known of each model at each endpoint, merged once: the user's settings win over the provider's list, and the list
 * over our table of makers' figures. Kept until a list, the configuration or the price library changes.
 */
export class ModelFactsCache {
  readonly #options: ModelFactsCacheOptions;
  readonly #known = new Map<string, Map<string, ModelFacts>>();
  #revision = -1;
  #priced = false;

  constructor(options: ModelFactsCacheOptions) {
    this.#options = options;
  }

  /** @param model any spelling @returns shared between callers, not to be changed */
  facts(endpoint: string, model: string): ModelFacts {
    const { directory, pricer } = this.#options;
    if (this.#revision !== directory.revision || this.#priced !== pricer.isReady) {
      this.#known.clear();
      this.#revision = directory.revision;
      this.#priced = pricer.isReady;
    }
    const known = this.#known.get(endpoint)?.get(model);
    if (known !== undefined) return known;
    const made = this.#made(endpoint, model);
    // Callers name models as they like; facts of models that no endpoint has are not kept.
    if (directory.serves(endpoint, model)) this.#keep(endpoint, model, made);
    return made;
  }

  #keep(endpoint: string, model: string, facts: ModelFacts): void {
    const models = this.#known.get(endpoint);
    if (models === undefined) this.#known.set(endpoint, new Map([[model, facts]]));
    else models.set(model, facts);
  }

  #made(endpoint: string, model: string): ModelFacts {
    const { directory, pricer, now } = this.#options;
    const config = this.#options.config().endpoints.get(endpoint);
    const canonical = directory.canonicalName(model);
    const listed = directory.listedFacts(endpoint, model);
    const known = mergedFacts(modelSettings(config, model) ?? modelSettings(config, canonical), listed, modelFacts(canonical));
    if (known.contextWindow === undefined && config !== undefined) {
      known.contextWindow = pricer.contextWindow({ provider: config.provider, model: canonical, upstreamModel: directory.upstreamName(endpoint, model), at: now() });
    }
    if (listed?.prices !== undefined) known.pricing = pricePerMillion(listed.prices, directory.listedAt(endpoint));
    return known;
  }
}
