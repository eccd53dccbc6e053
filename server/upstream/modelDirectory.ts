import { canonicalModelName, upstreamModelName } from '../catalog/modelNames.ts';
import type { Config, EndpointConfig } from '../config/config.ts';

/** Which models each endpoint serves: configured ones, those routes name, and those the provider lists. */
export class ModelDirectory {
  #config: Config;
  #listed = new Map<string, readonly string[]>();
  #canonical = new Map<string, readonly string[]>();
  #upstream = new Map<string, string>();

  constructor(config: Config) {
    this.#config = config;
  }

  configure(config: Config): void {
    for (const [name, endpoint] of config.endpoints) {
      const before = this.#config.endpoints.get(name);
      if (before !== undefined && before.baseUrl !== endpoint.baseUrl) this.#listed.delete(name);
    }
    this.#config = config;
    this.#forget();
  }

  /** Adopts the model list a provider gave. */
  adopt(endpoint: string, upstreamNames: readonly string[]): void {
    const before = this.#listed.get(endpoint);
    if (before !== undefined && before.length === upstreamNames.length && before.every((name, index) => name === upstreamNames[index])) return;
    this.#listed.set(endpoint, [...upstreamNames]);
    this.#forget();
  }

  /** What the provider listed, in its own spelling; undefined before it was asked. */
  listed(endpoint: string): readonly string[] | undefined {
    return this.#listed.get(endpoint);
  }

  /** Canonical names of the models known at an endpoint. */
  modelsOf(endpoint: string): readonly string[] {
    const known = this.#canonical.get(endpoint);
    if (known !== undefined) return known;
    const config = this.#config.endpoints.get(endpoint);
    if (config === undefined) return [];
    const names = new Set<string>(Object.keys(config.models).map(canonicalModelName));
    for (const route of this.#config.routes.values()) {
      for (const target of route.targets) if (target.endpoint === endpoint) names.add(canonicalModelName(target.model));
    }
    for (const name of this.#listed.get(endpoint) ?? []) names.add(canonicalModelName(name));
    const result = [...names];
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
    this.#upstream.set(key, name);
    return name;
  }

  #resolve(endpoint: EndpointConfig, model: string): string {
    const canonical = canonicalModelName(model);
    for (const [name, settings] of Object.entries(endpoint.models)) {
      if (settings.upstream !== undefined && (name === model || canonicalModelName(name) === canonical)) return settings.upstream;
    }
    return upstreamModelName(model, endpoint.provider, this.#listed.get(endpoint.name) ?? []);
  }

  #forget(): void {
    this.#canonical.clear();
    this.#upstream.clear();
  }
}
