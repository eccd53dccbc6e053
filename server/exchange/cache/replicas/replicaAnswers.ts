import type { Log } from '../../../base/log.ts';
import type { AnswersConfig } from '../../../config/state/stateConfig.ts';
import { isStateAway, type StateReply, type StateStore } from '../../../state/stateStore.ts';
import type { LayerFigures, ReadOutcome } from '../layerFigures.ts';
import type { AnswerCost, SharedAnswer } from '../sharedAnswer.ts';
import { answerFrom, contentOf } from './answerContent.ts';
import { clearAnswersScript, keepAnswerScript, readAnswerScript } from './answerScripts.ts';
import { AnswerSeal, UnreadableAnswer } from './answerSeal.ts';

export interface ReplicaAnswersOptions {
  store: Pick<StateStore, 'isUp' | 'run'>;
  config: AnswersConfig;
  /** Of Waybill. */
  version: string;
  figures: LayerFigures;
  /** Milliseconds since the epoch. */
  now(): number;
  log: Pick<Log, 'warn'>;
}

/** An answer of another replica. @property place of its key among those that were asked for */
export interface FoundAnswer { readonly answer: SharedAnswer; readonly place: number }

interface Reading { readonly outcome: ReadOutcome; readonly found?: FoundAnswer }

/** After so many questions in a row that were not answered in time, none is asked for a while. */
const lateAtMost = 3;
const pauseMs = 10_000;
/** An answer takes no more room when it is not compressed. */
const mostExpanded = 64 * 1024 * 1024;
const tablesKeptMs = 31 * 86_400_000;
const tables = ['answers', 'answers:sizes', 'answers:bytes'] as const;

/** Makes the part of the response cache that replicas share. */
export function createReplicaAnswers(options: ReplicaAnswersOptions): ReplicaAnswers {
  return new ReplicaAnswers(options);
}

/**
 * The answers that replicas keep for each other in the store they share: named by a digest that only who has the secret can make, encrypted,
 * bounded in age and bytes. A request waits for them for a bounded time, once, and not at all while the store is away.
 */
export class ReplicaAnswers {
  readonly #options: ReplicaAnswersOptions;
  readonly #seal: AnswerSeal;
  #late = 0;
  #pausedUntil = -Infinity;
  #isReported = false;

  constructor(options: ReplicaAnswersOptions) {
    this.#options = options;
    this.#seal = new AnswerSeal(options.config.secret, options.version);
  }

  /**
   * Looks for an answer.
   * @param keys the best first @returns undefined where nothing can be asked now; else what was found, in time, and never an error
   */
  find(route: string, keys: readonly string[], maxAgeMs: number): Promise<FoundAnswer | undefined> | undefined {
    const { store, figures, now } = this.#options;
    if (!store.isUp) {
      figures.read('replicas', 'away');
      return undefined;
    }
    const waitMs = this.#pausedUntil - now();
    if (waitMs > 0 && waitMs <= pauseMs) {
      figures.read('replicas', 'late');
      return undefined;
    }
    return this.#inTime(this.#read(route, keys, maxAgeMs));
  }

  /** Keeps a whole answer for others. Never throws. @param cost what it had cost; undefined: unknown */
  async keep(route: string, key: string, answer: SharedAnswer, cost: AnswerCost | undefined, maxAgeMs: number): Promise<void> {
    const { store, config, figures } = this.#options;
    const content = store.isUp ? contentOf(answer, cost) : undefined;
    if (content === undefined) return;
    try {
      const name = this.#nameOf(route, key);
      const sealed = content.length > mostExpanded ? undefined : await this.#seal.seal(name, Buffer.from(content));
      if (sealed === undefined || sealed.length > config.maxAnswerBytes) {
        figures.wrote('too-large');
        return;
      }
      const reply = await store.run(keepAnswerScript, [...tables, name], [sealed, maxAgeMs, config.maxBytes, tablesKeptMs]);
      figures.wrote(reply === 1 ? 'stored' : 'too-large');
    } catch (error) {
      figures.wrote('error');
      this.#failed(error);
    }
  }

  /** Forgets the answers of a route, for all replicas. Never throws. */
  async clear(route: string): Promise<void> {
    try {
      if (this.#options.store.isUp) await this.#options.store.run(clearAnswersScript, [this.#clearedOf(route)], [tablesKeptMs]);
    } catch (error) {
      this.#failed(error);
    }
  }

  async #read(route: string, keys: readonly string[], maxAgeMs: number): Promise<Reading> {
    const { store, now } = this.#options;
    try {
      const names = keys.map(key => this.#nameOf(route, key));
      const reply = await store.run(readAnswerScript, [this.#clearedOf(route), ...names], [maxAgeMs]);
      if (reply === null) return { outcome: 'miss' };
      const [place, ageMs, sealed] = Array.isArray(reply) ? reply as readonly StateReply[] : [];
      const name = names[Number(place)];
      if (name === undefined || typeof sealed !== 'string' || !Number.isFinite(Number(ageMs))) throw new UnreadableAnswer('It is no answer.');
      const answer = answerFrom((await this.#seal.open(name, sealed, mostExpanded)).toString('utf8'), route);
      if (answer === undefined) throw new UnreadableAnswer('It is no answer.');
      answer.keptAt = now() - Number(ageMs);
      return { outcome: 'hit', found: { answer, place: Number(place) } };
    } catch (error) {
      this.#failed(error);
      return { outcome: isStateAway(error) ? 'away' : error instanceof UnreadableAnswer ? 'unreadable' : 'error' };
    }
  }

  /** What was found within the time that a request may wait. What comes later is not used. */
  #inTime(reading: Promise<Reading>): Promise<FoundAnswer | undefined> {
    const { config, figures, now } = this.#options;
    return new Promise(resolve => {
      let isOver = false;
      const timer = setTimeout(() => {
        isOver = true;
        this.#late += 1;
        figures.read('replicas', 'late');
        if (this.#late >= lateAtMost) {
          this.#late = 0;
          this.#pausedUntil = now() + pauseMs;
        }
        resolve(undefined);
      }, config.waitMs);
      void reading.then(({ outcome, found }) => {
        clearTimeout(timer);
        if (isOver) return;
        this.#late = 0;
        figures.read('replicas', outcome);
        resolve(found);
      });
    });
  }

  #nameOf(route: string, key: string): string {
    return `answers:${this.#seal.nameOf('answer', `${route}\n${key}`)}`;
  }

  #clearedOf(route: string): string {
    return `answers:cleared:${this.#seal.nameOf('route', route)}`;
  }

  /** That the store is away is told by its connection. */
  #failed(error: unknown): void {
    if (isStateAway(error) || this.#isReported) return;
    this.#isReported = true;
    const why = error instanceof UnreadableAnswer ? 'one in Redis cannot be read; give all replicas the same "secret" in state.answers' : error instanceof Error ? error.message : String(error);
    this.#options.log.warn(`Answers of other replicas cannot be used as they should: ${why}.`);
  }
}
