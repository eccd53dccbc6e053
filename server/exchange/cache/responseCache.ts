import type { ClearResponseCacheResult, ResponseCacheStatus } from '../../api/cache/responseCache.ts';
import type { CacheUse, Receipt } from '../../api/receipt.ts';
import type { Clock } from '../../base/clock.ts';
import type { Config, RouteConfig } from '../../config/config.ts';
import { AnswerStore } from './answerStore.ts';
import { LayerFigures } from './layerFigures.ts';
import type { AnswersElsewhere } from './replicas/answersElsewhere.ts';
import type { FoundAnswer } from './replicas/replicaAnswers.ts';
import { policyVersion } from './policyVersion.ts';
import type { SharedAnswer } from './sharedAnswer.ts';

/** What became of the requests of a route since the server started. */
interface Figures { hits: number; shared: number; misses: number; savedMicroUsd: number; unknownSaved: number }

/** A route's kept answers, and its figures. */
interface OfRoute { readonly store: AnswerStore; readonly figures: Figures }

/** The most answers whose cost is awaited: a price that never comes must not keep them. */
const mostUnpriced = 1000;

/**
 * The answers that routes keep, in the memory of this process, and the calls under way that equal requests share. All of them are
 * dropped when the configuration changes, because what may be sent where is part of it.
 */
export class ResponseCache {
  readonly #clock: Clock;
  readonly #config: () => Config;
  readonly #elsewhere: AnswersElsewhere | undefined;
  /** What was asked, by layer. */
  readonly layers: LayerFigures;
  readonly #routes = new Map<string, OfRoute>();
  readonly #running = new Map<string, SharedAnswer>();
  /** Answers without a cost yet, by the exchange that pays. */
  readonly #unpriced = new Map<string, SharedAnswer>();
  #seen: Config | undefined;
  #policy = '';

  /** @param elsewhere answers of other replicas; absent: there are none */
  constructor(clock: Clock, config: () => Config, elsewhere?: AnswersElsewhere) {
    this.#clock = clock;
    this.#config = config;
    this.#elsewhere = elsewhere;
    this.layers = elsewhere?.figures ?? new LayerFigures();
  }

  /** The version of the configuration, which is part of each key. */
  policy(): string {
    const config = this.#config();
    if (config === this.#seen) return this.#policy;
    this.#seen = config;
    const version = policyVersion(config);
    if (version !== this.#policy) {
      this.#policy = version;
      for (const { store } of this.#routes.values()) store.clear();
      this.#running.clear();
    }
    return version;
  }

  find({ name, responseCache }: RouteConfig, key: string): SharedAnswer | undefined {
    return responseCache === undefined ? undefined : this.#of(name).store.find(key, this.#clock.now(), responseCache.maxAgeMs);
  }

  /** The call under way for an equal request. */
  running(key: string): SharedAnswer | undefined {
    return this.#running.get(key);
  }

  /** A call starts that equal requests can share. */
  lead(key: string, answer: SharedAnswer): void {
    this.#running.set(key, answer);
  }

  /** Nobody can join the call any more. */
  leave(key: string, answer: SharedAnswer): void {
    if (this.#running.get(key) === answer) this.#running.delete(key);
  }

  /** Keeps a whole answer. @param policy the version that its request was asked under */
  keep({ name, responseCache }: RouteConfig, policy: string, key: string, answer: SharedAnswer): void {
    if (responseCache === undefined || policy !== this.policy()) return;
    answer.keptAt = this.#clock.now();
    this.#of(name).store.keep(key, answer, responseCache.maxBytes);
    if (!responseCache.replicas) return;
    // What it had cost goes with it.
    answer.price.whenSet(cost => { if (policy === this.policy() && answer.keepable) this.#elsewhere?.keep(name, key, answer, cost, responseCache.maxAgeMs); });
  }

  /** Looks for an answer that another replica keeps. @param keys the best first @returns undefined where none can be asked; else what was found in time */
  findElsewhere({ name, responseCache }: RouteConfig, keys: readonly string[]): Promise<FoundAnswer | undefined> | undefined {
    return responseCache?.replicas === true ? this.#elsewhere?.find(name, keys, responseCache.maxAgeMs) : undefined;
  }

  /** Keeps an answer of another replica, as old as it is. @param policy the version that its request was asked under */
  adopt({ name, responseCache }: RouteConfig, policy: string, key: string, answer: SharedAnswer): void {
    if (responseCache !== undefined && policy === this.policy()) this.#of(name).store.keep(key, answer, responseCache.maxBytes);
  }

  /** The cost of an answer comes after it. */
  awaitsCost(answer: SharedAnswer): void {
    this.#unpriced.set(answer.of, answer);
    for (const oldest of this.#unpriced.keys()) {
      if (this.#unpriced.size <= mostUnpriced) break;
      this.#unpriced.delete(oldest);
    }
  }

  /** An exchange has its price: those who got its answer for nothing learn what that saved. */
  priced({ id, attempts }: Receipt): void {
    const answer = this.#unpriced.get(id);
    if (answer === undefined) return;
    this.#unpriced.delete(id);
    const cost = attempts.find(({ outcome }) => outcome === 'ok')?.cost;
    answer.price.set(cost?.microUsd === undefined ? undefined : { microUsd: cost.microUsd, estimated: cost.certainty === 'estimated' });
  }

  /** Counts what became of a request; comes once its price, and so what it saved, is known. */
  count(route: string, { state, savedMicroUsd }: CacheUse): void {
    const { figures } = this.#of(route);
    switch (state) {
      case 'miss':
      case 'refresh': figures.misses += 1; return;
      case 'hit': figures.hits += 1; break;
      case 'shared': figures.shared += 1; break;
      case 'bypass': return;
    }
    if (savedMicroUsd === undefined) figures.unknownSaved += 1;
    else figures.savedMicroUsd += savedMicroUsd;
  }

  /** The routes that keep answers, with what they keep and saved. */
  statuses(): ResponseCacheStatus[] {
    const statuses: ResponseCacheStatus[] = [];
    for (const { name, responseCache } of this.#config().routes.values()) {
      if (responseCache === undefined) continue;
      const { store, figures } = this.#of(name);
      statuses.push({ route: name, answers: store.size, bytes: store.bytes, maxBytes: responseCache.maxBytes, ...figures });
    }
    return statuses;
  }

  /** Forgets the answers of a route, or of all; calls under way go on, and what they bring is not kept. */
  clear(route?: string): ClearResponseCacheResult {
    if (route !== undefined && this.#config().routes.get(route)?.responseCache === undefined) return { refused: `There is no route "${route}" that keeps answers.` };
    let answers = 0;
    for (const [name, { store }] of this.#routes) {
      if (route !== undefined && name !== route) continue;
      answers += store.size;
      store.clear();
    }
    for (const { name, responseCache } of this.#config().routes.values()) if (responseCache?.replicas === true && (route === undefined || name === route)) this.#elsewhere?.clear(name);
    for (const [key, answer] of this.#running) {
      if (route !== undefined && answer.route !== route) continue;
      answer.keepable = false;
      this.#running.delete(key);
    }
    return { answers };
  }

  /** Drops what is too old, so that no content stays in memory for longer than its route says. */
  tick(now: number): void {
    if (this.#routes.size === 0) return;
    this.policy();
    for (const [name, { store }] of this.#routes) {
      const rules = this.#config().routes.get(name)?.responseCache;
      if (rules === undefined) this.#routes.delete(name);
      else store.expire(now, rules.maxAgeMs);
    }
  }

  #of(route: string): OfRoute {
    let of = this.#routes.get(route);
    if (of === undefined) this.#routes.set(route, of = { store: new AnswerStore(), figures: { hits: 0, shared: 0, misses: 0, savedMicroUsd: 0, unknownSaved: 0 } });
    return of;
  }
}
