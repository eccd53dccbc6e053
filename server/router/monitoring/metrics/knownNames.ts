import type { Config, RouteTarget } from '../../../config/config.ts';

/** The label of every model that the configuration does not name. */
const otherName = 'other';

/** Names of the configuration: a label has one of these, so that callers cannot make new ones. */
export class KnownNames {
  readonly #models = new Map<string, string>();
  readonly #asked = new Map<string, string>();

  /** @param models names that have a label beside those of the configuration */
  constructor({ endpoints, routes, aliases, equivalents }: Config, models: readonly string[]) {
    const known = (name: string): void => { this.#models.set(name.toLowerCase(), name); };
    const target = ({ model }: RouteTarget): void => { known(model); };
    models.forEach(known);
    for (const endpoint of endpoints.values()) Object.keys(endpoint.models).forEach(known);
    for (const [model, others] of equivalents ?? []) [model, ...others].forEach(known);
    for (const model of aliases?.values() ?? []) known(model);
    for (const route of routes.values()) {
      route.targets.forEach(target);
      route.canary?.targets.forEach(target);
      route.lastResort?.targets.forEach(target);
      route.equivalents?.forEach(known);
      for (const { target: one } of [...Object.values(route.purposes?.byRole ?? {}), ...Object.values(route.purposes?.byKind ?? {})]) if (one !== undefined) target(one);
      if (route.shadow !== undefined) target(route.shadow.target);
    }
    for (const [name, model] of this.#models) this.#asked.set(name, model);
    for (const alias of aliases?.keys() ?? []) this.#asked.set(alias.toLowerCase(), alias);
    for (const route of routes.keys()) this.#asked.set(route.toLowerCase(), route);
  }

  /** The label of a model. */
  model(name: string): string {
    return this.#models.get(name.toLowerCase()) ?? otherName;
  }

  /** The label of a name that a caller asked for: a route, an alias or a model. */
  asked(name: string): string {
    return this.#asked.get(name.toLowerCase()) ?? otherName;
  }
}
