import { createHash, randomBytes } from 'node:crypto';
import type { Random } from '../base/clock.ts';
import { Emitter, type Subscription } from '../base/emitter.ts';
import { Guard } from '../base/guarded.ts';
import type { Log } from '../base/log.ts';
import { shownAddress, type RedisConfig, type StateConfig } from '../config/state/stateConfig.ts';
import { AnswerTimes, tooLate } from './answerTimes.ts';
import { loadRedis } from './loadRedis.ts';
import type { OpenDriver, StateDriver } from './stateDriver.ts';
import { StateFigures } from './stateFigures.ts';
import { beatScript, generationKey, goneAfterMs, membersKey } from './stateScripts.ts';
import { isStateAway, StateAwayError, type StateChange, type StateReply, type StateScript, type StateStore } from './stateStore.ts';

export interface StateConnectionOptions {
  log: Log;
  random: Random;
  /** What a person sees may have changed. */
  changed(): void;
  /** Absent: Redis, which is loaded when it is first configured. */
  load?(): Promise<OpenDriver>;
}

/** So many calls in a row that are not answered in time open the breaker: the store counts as away. */
const unansweredAtMost = 3;
/** Between two attempts to connect: the first wait, and the longest. */
const firstRetryMs = 100;
const longestRetryMs = 5_000;
/** Answers that say that the store cannot do its work now, whatever it is asked. */
const unusable = /^(?:READONLY|LOADING|MASTERDOWN|CLUSTERDOWN|MISCONF|OOM|BUSY|NOREPLICAS|NOAUTH|NOPERM|WRONGPASS|TRYAGAIN)\b/;

/**
 * The connection to the store that servers share, and the breaker around it. Calls are sent while it is up, one after the other on one
 * connection, and given up after a timeout; after three of these in a row, or with the connection, the store is away. Then calls fail at
 * once, and a new connection is tried at growing distance until a heartbeat is answered.
 */
export class StateConnection implements StateStore {
  readonly name = 'The heartbeat in the shared store';
  readonly replica = randomBytes(9).toString('base64url');
  readonly figures = new StateFigures();
  readonly #options: StateConnectionOptions;
  readonly #guard: Guard;
  readonly #changes: Emitter<StateChange>;
  readonly #times = new AnswerTimes();
  readonly #digests = new WeakMap<StateScript, string>();
  readonly #listeners = new Map<string, Set<(message: string) => void>>();
  readonly #receiver: { driver: StateDriver | undefined; isOpening: boolean } = { driver: undefined, isOpening: false };
  #config: StateConfig | undefined;
  #driver: StateDriver | undefined;
  #isUp = false;
  #replicas = 1;
  #generation: string | undefined;
  #unanswered = 0;
  #isBeating = false;
  #retries = 0;
  #retryTimer: NodeJS.Timeout | undefined;
  /** Grows with each connection and its end, so that what belongs to an earlier one is told apart. */
  #epoch = 0;
  #first: Promise<void> | undefined;
  #isToldAway = false;

  constructor(options: StateConnectionOptions) {
    this.#options = options;
    this.#guard = new Guard('The shared store', options.log);
    this.#changes = new Emitter('A change of the shared store', options.log);
  }

  get isConfigured(): boolean {
    return this.#config !== undefined;
  }

  get isUp(): boolean {
    return this.#isUp;
  }

  get replicas(): number {
    return this.#replicas;
  }

  get timeoutMs(): number {
    return this.#config?.redis?.commandTimeoutMs ?? 100;
  }

  get prefix(): string {
    return this.#nameOf('');
  }

  /** What holds while the store is away. */
  get whenAway(): StateConfig['whenAway'] {
    return this.#config?.whenAway ?? { limits: 'share', budgets: 'share' };
  }

  readonly changes = (listen: (change: StateChange) => void): Subscription => this.#changes.subscribe(listen);

  /** Takes a configuration over. Where the address or what belongs to it is another one, the connection is made anew. */
  configure(config: StateConfig | undefined): void {
    const before = this.#config;
    this.#config = config;
    if (JSON.stringify(before?.redis) === JSON.stringify(config?.redis) && (before === undefined) === (config === undefined)) return;
    this.#drop();
    this.#generation = undefined;
    this.#replicas = 1;
    this.#retries = 0;
    this.#isToldAway = false;
    if (config?.redis !== undefined) this.#first = this.#connect(config.redis);
    this.#options.changed();
  }

  /** Resolves once the first connection was made, or failed. */
  async ready(): Promise<void> {
    await this.#first;
  }

  /** To be called about once a second. */
  tick(): void {
    if (!this.#isUp) return;
    if (this.#listeners.size > 0) this.#guard.start(() => this.#receive());
    if (this.#isBeating) return;
    this.#isBeating = true;
    this.#guard.start(async () => {
      try {
        await this.#beat();
      } catch (error) {
        if (!isStateAway(error)) throw error;
      } finally {
        this.#isBeating = false;
      }
    });
  }

  async run(script: StateScript, keys: readonly string[], args: readonly (string | number)[]): Promise<StateReply> {
    let digest = this.#digests.get(script);
    if (digest === undefined) this.#digests.set(script, digest = createHash('sha1').update(script.source).digest('hex'));
    const named = keys.map(key => this.#nameOf(key));
    const rest = [String(keys.length), ...named, ...args.map(String)];
    const key = named[0] ?? '';
    try {
      return await this.#send(key, ['EVALSHA', digest, ...rest]).catch((error: unknown) => {
        if (error instanceof Error && error.message.startsWith('NOSCRIPT')) return this.#send(key, ['EVAL', script.source, ...rest]);
        throw error;
      });
    } catch (error) {
      throw namedError(error, script.name);
    }
  }

  command(name: string, key: string, ...args: readonly (string | number)[]): Promise<StateReply> {
    const named = this.#nameOf(key);
    return this.#send(named, [name, named, ...args.map(String)]);
  }

  async publish(channel: string, message: string): Promise<void> {
    await this.command('PUBLISH', channel, message);
  }

  subscribe(channel: string, listen: (message: string) => void): Subscription {
    const guarded = this.#guard.wrap(listen);
    let listeners = this.#listeners.get(channel);
    if (listeners === undefined) {
      this.#listeners.set(channel, listeners = new Set());
      if (this.#receiver.driver === undefined) this.#guard.start(() => this.#receive());
      else this.#guard.start(() => this.#subscribeMore(channel));
    }
    listeners.add(guarded);
    return {
      dispose: () => {
        listeners.delete(guarded);
        if (listeners.size > 0 || this.#listeners.get(channel) !== listeners) return;
        this.#listeners.delete(channel);
        this.#guard.start(() => this.#receiver.driver?.unsubscribe(this.#nameOf(channel)));
      },
    };
  }

  /** Takes this server out of the store and ends the connection. */
  async close(): Promise<void> {
    try {
      if (this.#isUp) await this.command('ZREM', membersKey, this.replica);
    } catch {
      // Others count this server for some seconds more.
    }
    this.#config = undefined;
    this.#drop();
  }

  /** In a cluster the braces keep all keys of a prefix in one slot, so that one script can use them together. */
  #nameOf(key: string): string {
    return `{${this.#config?.redis?.prefix ?? ''}}:${key}`;
  }

  async #send(key: string, args: readonly string[]): Promise<StateReply> {
    const driver = this.#driver;
    if (driver === undefined || !this.#isUp) {
      this.figures.called('away');
      throw new StateAwayError('The shared store is away.', false);
    }
    return this.#sendTo(driver, key, args);
  }

  async #sendTo(driver: StateDriver, key: string, args: readonly string[]): Promise<StateReply> {
    const commandTimeoutMs = this.timeoutMs;
    const begun = performance.now();
    const ended = (outcome: 'ok' | 'timeout' | 'error'): void => { this.figures.called(outcome, (performance.now() - begun) / 1000); };
    try {
      const reply = await this.#times.within(driver.send(key, args), commandTimeoutMs);
      if (reply === tooLate) {
        ended('timeout');
        this.#unanswered += 1;
        if (this.#unanswered >= unansweredAtMost) this.#lost(driver, new Error(`it did not answer within ${String(commandTimeoutMs)} ms, ${String(unansweredAtMost)} times in a row`));
        throw new StateAwayError('The shared store did not answer in time.', true);
      }
      ended('ok');
      this.#unanswered = 0;
      return reply;
    } catch (error) {
      if (isStateAway(error)) throw error;
      const message = error instanceof Error ? error.message : String(error);
      // A script that the store does not know yet is sent whole behind this.
      ended(message.startsWith('NOSCRIPT') ? 'ok' : 'error');
      // An answer of the store begins with a word in capitals; anything else is an end of the connection.
      const isAnswer = /^[A-Z]{2,}\b/.test(message);
      if (isAnswer && !unusable.test(message)) throw error;
      this.#lost(driver, error instanceof Error ? error : new Error(message));
      throw new StateAwayError('The shared store cannot be used.', !isAnswer);
    }
  }

  async #connect(config: RedisConfig): Promise<void> {
    const epoch = this.#epoch += 1;
    const isCurrent = (): boolean => this.#epoch === epoch;
    let driver: StateDriver | undefined;
    try {
      const open = await (this.#options.load ?? loadRedis)();
      if (!isCurrent()) return;
      driver = await this.#opened(config, open(config, cause => { if (driver !== undefined) this.#lost(driver, cause); }));
      if (!isCurrent()) {
        driver.close();
        return;
      }
      this.#driver = driver;
      this.#unanswered = 0;
      await this.#beat(driver);
      if (!isCurrent()) return;
      this.#isUp = true;
      this.#retries = 0;
      this.#isToldAway = false;
      this.#options.log.info(`The shared store at ${shownAddress(config)} is used, by ${this.#replicas === 1 ? '1 server' : `${String(this.#replicas)} servers`}.`);
      this.#changes.emit('up');
      this.#options.changed();
      if (this.#listeners.size > 0) this.#guard.start(() => this.#receive());
    } catch (cause) {
      if (isCurrent()) this.#failed(config, cause);
      else driver?.close();
    }
  }

  async #beat(driver = this.#driver): Promise<void> {
    if (driver === undefined) return;
    const keys = [this.#nameOf(membersKey), this.#nameOf(generationKey)];
    const reply = await this.#sendTo(driver, keys[0] ?? '', ['EVAL', beatScript.source, '2', ...keys, this.replica, randomBytes(9).toString('base64url'), String(goneAfterMs)]);
    if (driver !== this.#driver || !Array.isArray(reply)) return;
    const [, replicas, generation] = reply as readonly StateReply[];
    this.#replicas = Math.max(1, Number(replicas));
    const before = this.#generation;
    this.#generation = String(generation);
    if (before !== undefined && before !== this.#generation) {
      this.#options.log.warn('The shared store lost what it held: servers tell it again what they know.');
      this.#changes.emit('emptied');
    }
  }

  /** An open connection is of no use any more. */
  #lost(driver: StateDriver, cause: Error): void {
    if (driver !== this.#driver) return;
    const { redis } = this.#config ?? {};
    this.#epoch += 1;
    if (redis !== undefined) this.#failed(redis, cause);
  }

  #failed(config: RedisConfig, cause: unknown): void {
    const wasUp = this.#isUp;
    this.#drop();
    if (!this.#isToldAway) this.#options.log.warn(`The shared store at ${shownAddress(config)} is away: ${reasonOf(cause)}. It is tried again until it answers.`);
    this.#isToldAway = true;
    // Servers that lost it at once do not come back at once.
    const waitMs = Math.min(longestRetryMs, firstRetryMs * 2 ** this.#retries) * (0.5 + this.#options.random() / 2);
    this.#retries = Math.min(this.#retries + 1, 10);
    this.#retryTimer = setTimeout(() => { this.#guard.start(() => this.#connect(config)); }, waitMs);
    this.#retryTimer.unref();
    if (!wasUp) return;
    this.figures.losses += 1;
    this.#changes.emit('down');
    this.#options.changed();
  }

  #drop(): void {
    clearTimeout(this.#retryTimer);
    this.#epoch += 1;
    this.#isUp = false;
    this.#driver?.close();
    this.#driver = undefined;
    this.#receiver.driver?.close();
    this.#receiver.driver = undefined;
  }

  /** Opens the connection for messages, where there is none. */
  async #receive(): Promise<void> {
    const redis = this.#config?.redis;
    const receiver = this.#receiver;
    if (redis === undefined || !this.#isUp || receiver.driver !== undefined || receiver.isOpening) return;
    receiver.isOpening = true;
    const epoch = this.#epoch;
    let driver: StateDriver | undefined;
    let isLost = false;
    try {
      const open = await (this.#options.load ?? loadRedis)();
      driver = await this.#opened(redis, open(redis, () => {
        isLost = true;
        if (receiver.driver === driver) receiver.driver = undefined;
      }));
      // Channels that are added meanwhile are in the list, too.
      for (const channel of this.#listeners.keys()) await this.#subscribeAt(driver, channel);
      if (isLost || epoch !== this.#epoch) {
        driver.close();
        return;
      }
      receiver.driver = driver;
      this.#changes.emit('subscribed');
    } catch (cause) {
      this.#giveUpReceiver(driver, cause);
    } finally {
      receiver.isOpening = false;
    }
  }

  /** @throws where there is no connection within its time limit; one that comes later is closed */
  async #opened({ connectTimeoutMs, commandTimeoutMs }: RedisConfig, opening: Promise<StateDriver>): Promise<StateDriver> {
    const opened = await this.#times.within(opening, connectTimeoutMs + 2 * commandTimeoutMs);
    if (opened !== tooLate) return opened;
    opening.then(late => { late.close(); }, () => undefined);
    throw new Error(`no connection within ${String(connectTimeoutMs)} ms`);
  }

  /** @throws where it is not confirmed in time */
  async #subscribeAt(driver: StateDriver, channel: string): Promise<void> {
    const subscribed = await this.#times.within(driver.subscribe(this.#nameOf(channel), message => { this.#heard(channel, message); }), this.timeoutMs);
    if (subscribed === tooLate) throw new Error(`no answer to a subscription within ${String(this.timeoutMs)} ms`);
  }

  /** One more channel on the connection for messages. Where that fails, the next tick makes another connection, for all channels. */
  async #subscribeMore(channel: string): Promise<void> {
    const { driver } = this.#receiver;
    if (driver === undefined) return;
    try {
      await this.#subscribeAt(driver, channel);
    } catch (cause) {
      this.#giveUpReceiver(driver, cause);
    }
  }

  #giveUpReceiver(driver: StateDriver | undefined, cause: unknown): void {
    driver?.close();
    if (this.#receiver.driver === driver) this.#receiver.driver = undefined;
    this.#options.log.debug(`Messages of the shared store cannot be received: ${reasonOf(cause)}.`);
  }

  #heard(channel: string, message: string): void {
    for (const listen of this.#listeners.get(channel) ?? []) listen(message);
  }
}

function namedError(error: unknown, script: string): unknown {
  return isStateAway(error) || !(error instanceof Error) ? error : new Error(`The script "${script}" failed in the shared store: ${error.message}`, { cause: error });
}

/** The end of a sentence. */
function reasonOf(cause: unknown): string {
  const text = cause instanceof Error ? cause.message || cause.name : String(cause);
  let end = text.length;
  while (end > 0 && ' .\r\n\t'.includes(text.charAt(end - 1))) end -= 1;
  return text.slice(0, end);
}
