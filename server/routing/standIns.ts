import type { Config } from '../config/config.ts';

/** A target as far as it is looked at here. */
interface Named { readonly name: string; readonly model: string }

/** What stand-ins are found in: the route table. */
interface NamedTargets<Target extends Named> {
  readonly config: Config;
  targetsOfRoute(name: string): readonly Named[] | undefined;
  targetsOfModel(model: string): readonly Target[];
  targetsOfName(spelling: string): readonly Target[];
  canonicalName(spelling: string): string;
}

/** A target that takes over where the model that was asked for cannot be had. */
export interface StandIn<Target extends Named> {
  readonly target: Target;
  /** What it is, in a few words. */
  readonly why: string;
}

const none: readonly never[] = [];

/**
 * What takes over when the targets of a route, or all endpoints that serve a model, are out: the same model elsewhere, and then
 * models that were declared to be equivalent, in the order in which they are written. A model that was not declared never does.
 */
export class StandIns<Target extends Named> {
  readonly #table: NamedTargets<Target>;
  readonly #ofRoute = new Map<string, readonly StandIn<Target>[]>();
  readonly #ofModel = new Map<string, readonly StandIn<Target>[]>();
  #declared: ReadonlyMap<string, readonly string[]> | undefined;

  constructor(table: NamedTargets<Target>) {
    this.#table = table;
  }

  ofRoute(name: string): readonly StandIn<Target>[] {
    const known = this.#ofRoute.get(name);
    if (known !== undefined) return known;
    const made = this.#madeForRoute(name);
    this.#ofRoute.set(name, made);
    return made;
  }

  ofName(spelling: string): readonly StandIn<Target>[] {
    if (this.#table.config.equivalents === undefined) return none;
    const model = this.#table.canonicalName(spelling);
    const known = this.#ofModel.get(model);
    if (known !== undefined) return known;
    const made: StandIn<Target>[] = [];
    const names = this.#declaredFor(model);
    if (names.length === 0) return none;
    this.#add(made, new Set(this.#table.targetsOfName(spelling).map(target => target.name)), names, model);
    this.#ofModel.set(model, made);
    return made;
  }

  #madeForRoute(name: string): readonly StandIn<Target>[] {
    const { config } = this.#table;
    const own = config.routes.get(name)?.equivalents;
    if (own === undefined && config.equivalents === undefined) return none;
    const targets = this.#table.targetsOfRoute(name) ?? [];
    const models = [...new Set(targets.map(({ model }) => this.#table.canonicalName(model)))];
    const made: StandIn<Target>[] = [];
    const seen = new Set(targets.map(target => target.name));
    for (const model of models) {
      if ((own ?? this.#declaredFor(model)).length === 0) continue;
      for (const target of this.#table.targetsOfModel(model)) add(made, seen, target, 'the same model at another endpoint');
    }
    if (own !== undefined) this.#add(made, seen, own, undefined);
    else for (const model of models) this.#add(made, seen, this.#declaredFor(model), model);
    return made;
  }

  /** @param model the one they stand in for; absent: those of the route */
  #add(made: StandIn<Target>[], seen: Set<string>, names: readonly string[], model: string | undefined): void {
    for (const name of names) {
      for (const target of this.#table.targetsOfName(name)) add(made, seen, target, `${target.model} stands in for ${model ?? "the route's models"}`);
    }
  }

  /** What the configuration declares of a model, whatever its spelling there. */
  #declaredFor(model: string): readonly string[] {
    this.#declared ??= new Map([...this.#table.config.equivalents ?? []].map(([name, names]) => [this.#table.canonicalName(name), names]));
    return this.#declared.get(model) ?? [];
  }
}

function add<Target extends Named>(made: StandIn<Target>[], seen: Set<string>, target: Target, why: string): void {
  if (seen.has(target.name)) return;
  seen.add(target.name);
  made.push({ target, why });
}
