import type { EndpointConfig } from '../config/config.ts';
import { repairKey, repairWords, type Repair } from '../protocols/repairs/repair.ts';

/** What was learnt is forgotten after a day: the provider may have been mended. */
const forgottenAfterMs = 24 * 60 * 60 * 1000;
const mostTargets = 2000;
const mostOfTarget = 32;

interface Known {
  /** Where the endpoint was then: what another address refuses is another matter. */
  readonly baseUrl: string;
  repairs: readonly { readonly repair: Repair; readonly until: number }[];
  /** As the way of a request reads it. */
  list: readonly Repair[];
  /** When the first of them is forgotten. */
  until: number;
}

export type RepairPlace = Pick<EndpointConfig, 'name' | 'baseUrl'>;

/** What targets refused by name, for each endpoint and model, so that it is refused once. Kept in memory for a day. */
export class LearntRepairs {
  readonly #known = new Map<string, Map<string, Known>>();
  #size = 0;

  /** What is changed in requests to a model at an endpoint; undefined where nothing is. @param model the provider's own name @param now milliseconds since the epoch */
  of(endpoint: RepairPlace, model: string, now: number): readonly Repair[] | undefined {
    // Most servers never learn anything.
    if (this.#size === 0) return undefined;
    const known = this.#known.get(endpoint.name)?.get(model);
    if (known === undefined || known.baseUrl !== endpoint.baseUrl) return undefined;
    if (now >= known.until) this.#set(endpoint, model, known.repairs.filter(({ until }) => until > now));
    return known.list.length === 0 ? undefined : this.#known.get(endpoint.name)?.get(model)?.list;
  }

  /** Remembers what was refused. @returns the same, as it was remembered: a field under both of its names is left out */
  learn(endpoint: RepairPlace, model: string, refused: readonly Repair[], now: number): readonly Repair[] {
    const known = this.of(endpoint, model, now) ?? [];
    const keys = new Set(known.map(repairKey));
    const repairs = refused.map((repair): Repair => (repair.kind === 'rename' && keys.has(repairKey({ kind: 'rename', name: repair.to, to: repair.name })) ? { kind: 'drop', name: repair.name } : repair));
    const added = repairs.filter(repair => !keys.has(repairKey(repair))).slice(0, mostOfTarget - known.length);
    if (added.length === 0) return repairs;
    const before = this.#known.get(endpoint.name)?.get(model);
    this.#set(endpoint, model, [
      ...(before?.baseUrl === endpoint.baseUrl ? before.repairs : []), ...added.map(repair => ({ repair, until: now + forgottenAfterMs })),
    ]);
    return repairs;
  }

  /** They did not help. */
  forget(endpoint: RepairPlace, model: string, repairs: readonly Repair[]): void {
    const keys = new Set(repairs.map(repairKey));
    const known = this.#known.get(endpoint.name)?.get(model);
    if (known !== undefined && repairs.length > 0) this.#set(endpoint, model, known.repairs.filter(({ repair }) => !keys.has(repairKey(repair))));
  }

  /** In words, what is known of an endpoint, by model. */
  wordsOf(endpoint: RepairPlace, now: number): string[] {
    const models = this.#known.get(endpoint.name) ?? new Map<string, Known>();
    return [...models.keys()].flatMap(model => (this.of(endpoint, model, now) ?? []).map(repair => `${model}: ${repairWords(repair)}`));
  }

  #set({ name, baseUrl }: RepairPlace, model: string, repairs: Known['repairs']): void {
    const models = this.#known.get(name) ?? new Map<string, Known>();
    if (models.delete(model)) this.#size -= 1;
    if (repairs.length > 0) {
      models.set(model, { baseUrl, repairs, list: repairs.map(({ repair }) => repair), until: Math.min(...repairs.map(({ until }) => until)) });
      this.#size += 1;
    }
    if (models.size > 0) this.#known.set(name, models);
    else this.#known.delete(name);
    while (this.#size > mostTargets) this.#dropOldest();
  }

  #dropOldest(): void {
    for (const [name, models] of this.#known) {
      for (const model of models.keys()) {
        models.delete(model);
        this.#size -= 1;
        if (models.size === 0) this.#known.delete(name);
        return;
      }
    }
  }
}
