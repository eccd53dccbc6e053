import { createHash } from 'node:crypto';
import type { ProtocolName } from '../api/conversation.ts';
import type { Operation } from '../catalog/operations.ts';
import type { EndpointConfig } from '../config/config.ts';
import type { RepairNote } from '../ledger/peerNotes.ts';
import { repairKey, repairWords, type Repair } from '../protocols/repairs/repair.ts';
import { readRepair, repairText } from '../protocols/repairs/storedRepair.ts';
import type { RequestBody } from './request.ts';

/** What was learnt is forgotten after a day: the provider may have been mended. */
const forgottenAfterMs = 24 * 60 * 60 * 1000;
const mostTargets = 2000;
const mostOfTarget = 32;

interface KnownRepair { readonly repair: Repair; readonly until: number }

interface Known {
  readonly model: string;
  readonly repairs: readonly KnownRepair[];
  /** As the way of a request reads it. */
  readonly list: readonly Repair[];
  /** When the first of them is forgotten. */
  readonly until: number;
}

/** Where an endpoint is: what another provider or address refuses is another matter. */
export type RepairPlace = Pick<EndpointConfig, 'name' | 'baseUrl'> & { readonly provider: Pick<EndpointConfig['provider'], 'id'> };

/** The form of a request: the same field means another thing, or has another name, in another one. */
export type RequestForm = ProtocolName | Operation;

/** The form in which a request goes to a target that speaks a protocol. */
export function formOf(kind: RequestBody['kind'], protocol: ProtocolName): RequestForm {
  return kind === 'conversation' ? protocol : kind;
}

/** The requests that repairs hold for. */
export interface RepairTarget {
  /** As it is spoken to. */
  readonly endpoint: RepairPlace;
  readonly form: RequestForm;
  /** The provider's own name. */
  readonly model: string;
}

/** What targets refused by name, so that it is refused once. Kept for a day; peers and the next start learn it through notes. */
export class LearntRepairs {
  /** By place, then by form and model. */
  readonly #known = new Map<string, Map<string, Known>>();
  /** Digests of places, made once for each endpoint of a configuration. */
  readonly #digests = new WeakMap<RepairPlace, string>();
  readonly #onNote: (note: RepairNote) => void;
  /** Names of endpoints by the places where they are. */
  #places: ReadonlyMap<string, string> = new Map();
  #size = 0;

  /** @param onNote takes what peers and the next start are to learn; absent: this process alone knows it */
  constructor(onNote: (note: RepairNote) => void = () => {}) {
    this.#onNote = onNote;
  }

  /** What is changed in requests to a target; undefined where nothing is. @param now milliseconds since the epoch */
  of(endpoint: RepairPlace, form: RequestForm, model: string, now: number): readonly Repair[] | undefined {
    // Most servers never learn anything.
    if (this.#size === 0) return undefined;
    const place = this.#digestOf(endpoint);
    const known = this.#known.get(place)?.get(formAndModel(form, model));
    return known === undefined ? undefined : this.#current(place, known, now)?.list;
  }

  /** Remembers what was refused. @returns the same, as it was remembered: a field under both of its names is left out */
  learn({ endpoint, form, model }: RepairTarget, refused: readonly Repair[], now: number): readonly Repair[] {
    const place = this.#digestOf(endpoint);
    const target = formAndModel(form, model);
    const known = this.of(endpoint, form, model, now) ?? [];
    const keys = new Set(known.map(repairKey));
    const repairs = refused.map((repair): Repair => (repair.kind === 'rename' && keys.has(repairKey({ kind: 'rename', name: repair.to, to: repair.name })) ? { kind: 'drop', name: repair.name } : repair));
    const added = repairs.filter(repair => !keys.has(repairKey(repair))).slice(0, mostOfTarget - known.length);
    if (added.length === 0) return repairs;
    const until = now + forgottenAfterMs;
    this.#set(place, target, [...this.#repairsOf(place, target), ...added.map(repair => ({ repair, until }))]);
    for (const repair of added) this.#publish({ endpoint: endpoint.name, place, model: target, at: now, until }, repair);
    return repairs;
  }

  /** They did not help. */
  forget({ endpoint, form, model }: RepairTarget, repairs: readonly Repair[], now: number): void {
    this.#drop(endpoint.name, this.#digestOf(endpoint), formAndModel(form, model), repairs, now);
  }

  /** A peer, or a server before this one, learnt something or took it back. */
  applyRemote({ place, model, repair: text, until }: RepairNote, now: number): void {
    const repair = readRepair(text);
    if (repair === undefined) return;
    const others = this.#repairsOf(place, model).filter(known => repairKey(known.repair) !== text);
    if (until === undefined || until <= now) this.#set(place, model, others);
    else if (others.length < mostOfTarget) this.#set(place, model, [...others, { repair, until: Math.min(until, now + forgottenAfterMs) }]);
  }

  /** Forgets what was learnt of endpoints that are elsewhere by now, or gone. */
  configure(endpoints: Iterable<EndpointConfig>, now: number): void {
    const places = new Map<string, string>();
    for (const endpoint of endpoints) for (const place of this.#digestsOf(endpoint)) places.set(place, endpoint.name);
    for (const [place, name] of this.#places) {
      if (!places.has(place)) for (const [target, { list }] of [...this.#known.get(place) ?? []]) this.#drop(name, place, target, list, now);
    }
    this.#places = places;
  }

  /** In words, what is known of an endpoint, by model. */
  wordsOf(endpoint: EndpointConfig, now: number): string[] {
    const words = this.#digestsOf(endpoint).flatMap(place => [...this.#known.get(place)?.values() ?? []]
      .flatMap(known => (this.#current(place, known, now)?.list ?? []).map(repair => `${modelOf(known.model)}: ${repairWords(repair)}`)));
    return [...new Set(words)];
  }

  /** Without what is forgotten by now. */
  #current(place: string, known: Known, now: number): Known | undefined {
    if (now < known.until) return known;
    this.#set(place, known.model, known.repairs.filter(({ until }) => until > now));
    return this.#known.get(place)?.get(known.model);
  }

  #drop(name: string, place: string, target: string, repairs: readonly Repair[], now: number): void {
    const known = this.#repairsOf(place, target);
    const keys = new Set(repairs.map(repairKey));
    const left = known.filter(({ repair }) => !keys.has(repairKey(repair)));
    if (left.length === known.length) return;
    this.#set(place, target, left);
    for (const { repair } of known) if (!left.some(kept => kept.repair === repair)) this.#publish({ endpoint: name, place, model: target, at: now }, repair);
  }

  #publish(about: Omit<RepairNote, 'kind' | 'repair'>, repair: Repair): void {
    const text = repairText(repair);
    if (text !== undefined) this.#onNote({ kind: 'repair', ...about, repair: text });
  }

  #repairsOf(place: string, target: string): readonly KnownRepair[] {
    return this.#known.get(place)?.get(target)?.repairs ?? [];
  }

  /** An endpoint is at more than one address where protocols have their own. */
  #digestsOf(endpoint: EndpointConfig): string[] {
    const { name, provider } = endpoint;
    const addresses = new Set([endpoint.baseUrl, ...(endpoint.protocolRules ?? []).map(({ baseUrl }) => baseUrl)]);
    return [...addresses].map(baseUrl => digestOf({ name, provider, baseUrl }));
  }

  #digestOf(endpoint: RepairPlace): string {
    let digest = this.#digests.get(endpoint);
    if (digest === undefined) this.#digests.set(endpoint, digest = digestOf(endpoint));
    return digest;
  }

  #set(place: string, target: string, repairs: readonly KnownRepair[]): void {
    const models = this.#known.get(place) ?? new Map<string, Known>();
    if (models.delete(target)) this.#size -= 1;
    if (repairs.length > 0) {
      models.set(target, { model: target, repairs, list: repairs.map(({ repair }) => repair), until: Math.min(...repairs.map(({ until }) => until)) });
      this.#size += 1;
    }
    if (models.size > 0) this.#known.set(place, models);
    else this.#known.delete(place);
    while (this.#size > mostTargets) this.#dropOldest();
  }

  #dropOldest(): void {
    for (const [place, models] of this.#known) {
      for (const target of models.keys()) {
        this.#set(place, target, []);
        return;
      }
    }
  }
}

function formAndModel(form: RequestForm, model: string): string {
  return `${form} ${model}`;
}

function modelOf(target: string): string {
  return target.slice(target.indexOf(' ') + 1);
}

function digestOf({ name, provider, baseUrl }: RepairPlace): string {
  return createHash('sha256').update(JSON.stringify([name, provider.id, baseUrl])).digest('base64url').slice(0, 22);
}
