import type { EndpointConfig } from '../config/config.ts';

/** Which endpoints serve a model, by priority, then the larger weight, then name. The list of one endpoint can change by itself. */
export class ModelServers {
  readonly #ranks: ReadonlyMap<string, number>;
  readonly #servers = new Map<string, Set<string>>();
  /** `#servers` in order, as far as it was asked for since it changed. */
  readonly #ordered = new Map<string, readonly string[]>();

  constructor(endpoints: Iterable<EndpointConfig>) {
    const ranked = [...endpoints].sort((a, b) => a.priority - b.priority || b.weight - a.weight || (a.name < b.name ? -1 : 1));
    this.#ranks = new Map(ranked.map(({ name }, rank) => [name, rank]));
  }

  /** How many models some endpoint serves. */
  get models(): number {
    return this.#servers.size;
  }

  /** The endpoints that serve a model, in order. @param model canonical */
  of(model: string): readonly string[] {
    const known = this.#ordered.get(model);
    if (known !== undefined) return known;
    const servers = this.#servers.get(model);
    if (servers === undefined) return [];
    const rankOf = (endpoint: string): number => this.#ranks.get(endpoint) ?? Infinity;
    const ordered = [...servers].sort((a, b) => rankOf(a) - rankOf(b));
    this.#ordered.set(model, ordered);
    return ordered;
  }

  /** Replaces the models that an endpoint serves. @param before those it served @param now those it serves */
  serves(endpoint: string, before: readonly string[], now: readonly string[]): void {
    const gone = new Set(before);
    for (const model of now) {
      if (gone.delete(model)) continue;
      const servers = this.#servers.get(model);
      if (servers === undefined) this.#servers.set(model, new Set([endpoint]));
      else servers.add(endpoint);
      this.#ordered.delete(model);
    }
    for (const model of gone) {
      const servers = this.#servers.get(model);
      servers?.delete(endpoint);
      if (servers?.size === 0) this.#servers.delete(model);
      this.#ordered.delete(model);
    }
  }
}
