import type { Subscription } from '../../../base/emitter.ts';
import { Guard } from '../../../base/guarded.ts';
import type { Log } from '../../../base/log.ts';
import type { RouteStateOutcome, RouteStateStore } from '../../../ledger/routeStateStore.ts';
import { isStateAway, type StateReply, type StateScript, type StateStore } from '../../../state/stateStore.ts';

/** What the data folder has of the states, and where a copy is kept. */
export interface KeptRouteStates {
  kept(route: string): string | undefined;
  keep(route: string, text: string): void;
}

export interface SharedRouteStatesOptions {
  store: StateStore;
  folder: KeptRouteStates;
  /** Names the states in the store. */
  name: 'canaries' | 'shadows';
  log: Log;
  /** Another replica changed a state. */
  changed(): void;
}

type Change = (stored: string | undefined) => string | undefined;
/** The text of a route and its version, which grows by one with each change; 0: the store has none. */
interface Known { readonly version: number; readonly text: string | undefined }
/** A change that the store may not have yet. @property base the text that it was made on */
interface Waiting { readonly number: number; readonly change: Change; readonly base: string | undefined; readonly result: string | undefined }

const keptS = 90 * 86_400;
/** So long a change that was sent is told apart from one that was not. */
const numbersKeptS = 3_600;
/** States are read this often although no replica said that one changed, in ticks. */
const ticksOfLook = 5;

/**
 * KEYS: states, number of this replica's last change. ARGV: route, version that the text was made on, first and last number of its changes,
 * text, seconds, seconds of numbers. A version that the store has lost is taken over.
 */
const putScript: StateScript = {
  name: 'change the state of a route',
  source: `
local stored = redis.call('HGET', KEYS[1], ARGV[1])
local version, text = 0, ''
if stored then
  local head, rest = string.match(stored, '^(%d+) (.*)$')
  version, text = tonumber(head), rest
end
local applied = tonumber(redis.call('GET', KEYS[2]) or '0')
if applied >= tonumber(ARGV[3]) and tonumber(ARGV[3]) > 0 then return {'applied', applied, version, text} end
if version > tonumber(ARGV[2]) then return {'conflict', applied, version, text} end
if version == tonumber(ARGV[2]) and text == ARGV[5] then return {'stored', applied, version, text} end
version = tonumber(ARGV[2]) + 1
redis.call('HSET', KEYS[1], ARGV[1], string.format('%.0f', version) .. ' ' .. ARGV[5])
redis.call('EXPIRE', KEYS[1], ARGV[6])
if tonumber(ARGV[4]) > 0 then redis.call('SET', KEYS[2], ARGV[4], 'EX', ARGV[7]) end
return {'stored', tonumber(ARGV[4]), version, ARGV[5]}`,
};

/** KEYS: states. */
const readScript: StateScript = { name: 'read the states of routes', source: `return redis.call('HGETALL', KEYS[1])` };

/**
 * The states of canaries, or of shadows, as one state of all replicas. A change counts here at once; in the background it is made again on
 * what others stored meanwhile, so that nothing of theirs is lost. While the store is away nothing is changed, and what is known stays.
 */
export class SharedRouteStates implements RouteStateStore {
  readonly #options: SharedRouteStatesOptions;
  readonly #guard: Guard;
  readonly #ends: Subscription[];
  readonly #known = new Map<string, Known>();
  readonly #waiting = new Map<string, Waiting[]>();
  #number = 0;
  #isRead = false;
  #hasNews = true;
  #isRunning = false;
  #isDue: 'no' | 'put' | 'read' = 'no';
  #ticks = 0;

  constructor(options: SharedRouteStatesOptions) {
    const { store, name, log } = options;
    this.#options = options;
    this.#guard = new Guard(`The shared state of ${name}`, log);
    this.#ends = [
      store.subscribe(name, by => { if (by !== store.replica) this.#start('read'); }),
      store.changes(change => { if (change !== 'down') this.#start('read'); }),
    ];
    this.#start('read');
  }

  update(route: string, change: Change): RouteStateOutcome {
    const base = this.#view(route);
    const result = change(base);
    if (result === undefined) return { done: true };
    if (!this.#options.store.isUp || !this.#isRead) return { done: false, busy: false };
    const waiting = { number: this.#number += 1, change, base, result };
    const before = this.#waiting.get(route);
    if (before === undefined) this.#waiting.set(route, [waiting]);
    else before.push(waiting);
    this.#start('put');
    return { done: true };
  }

  poll(): ReadonlyMap<string, string> | undefined {
    if (!this.#hasNews) return undefined;
    this.#hasNews = false;
    const views = new Map<string, string>();
    for (const route of new Set([...this.#known.keys(), ...this.#waiting.keys()])) {
      const text = this.#view(route);
      if (text !== undefined) views.set(route, text);
    }
    return views;
  }

  /** About once a second. */
  tick(): void {
    this.#ticks = (this.#ticks + 1) % ticksOfLook;
    if (this.#ticks === 0) this.#start('read');
    else if (this.#waiting.size > 0) this.#start('put');
  }

  close(): void {
    for (const end of this.#ends) end.dispose();
  }

  /** Stores what is not stored yet. */
  async flush(): Promise<void> {
    try {
      if (this.#isRead && this.#options.store.isUp) await this.#put();
    } catch (error) {
      if (!isStateAway(error)) throw error;
    }
  }

  /** What is stored, with what is not stored yet. */
  #view(route: string): string | undefined {
    return made(this.#waiting.get(route) ?? [], this.#of(route).text);
  }

  /** What the store has of a route, as far as that is known; before that, what the data folder has. */
  #of(route: string): Known {
    let known = this.#known.get(route);
    if (known !== undefined) return known;
    this.#known.set(route, known = { version: 0, text: this.#options.folder.kept(route) });
    if (known.text !== undefined) this.#start('read');
    return known;
  }

  #start(what: 'put' | 'read'): void {
    if (this.#isDue !== 'read') this.#isDue = what;
    if (this.#isRunning || !this.#options.store.isUp) return;
    this.#isRunning = true;
    this.#guard.start(async () => {
      try {
        while (this.#isDue !== 'no') {
          const due = this.#isDue;
          this.#isDue = 'no';
          if (due === 'read') await this.#read();
          await this.#put();
        }
      } catch (error) {
        if (!isStateAway(error)) throw error;
      } finally {
        this.#isRunning = false;
      }
    });
  }

  async #read(): Promise<void> {
    const { store, name } = this.#options;
    const reply = await store.run(readScript, [name], []);
    const fields = Array.isArray(reply) ? reply as readonly StateReply[] : [];
    const stored = new Map<string, Known>();
    for (let index = 0; index + 1 < fields.length; index += 2) {
      const [, version, text] = /^(\d+) ([^]*)$/.exec(String(fields[index + 1])) ?? [];
      if (version !== undefined) stored.set(String(fields[index]), { version: Number(version), text });
    }
    for (const [route, known] of stored) this.#learn(route, known);
    // What the store does not have, or an older version of it: it was emptied, or this replica is the first.
    for (const [route, { version, text }] of [...this.#known]) {
      if (text !== undefined && (stored.get(route)?.version ?? -1) < version) await this.#send(route, { version, text }, 0, 0);
    }
    this.#isRead = true;
  }

  async #put(): Promise<void> {
    for (const [route, waiting] of [...this.#waiting]) {
      while (waiting.length > 0) {
        const known = this.#of(route);
        const [first, last] = [waiting[0]?.number ?? 0, waiting.at(-1)?.number ?? 0];
        const text = made(waiting, known.text);
        // Made on what others stored, the change is none.
        const applied = text === undefined || text === known.text ? last : await this.#send(route, { version: known.version, text }, first, last);
        while (waiting.length > 0 && (waiting[0]?.number ?? 0) <= applied) waiting.shift();
      }
      if (this.#waiting.get(route)?.length === 0) this.#waiting.delete(route);
    }
  }

  /** @returns the number of the last change of this replica that the store has */
  async #send(route: string, { version, text }: { version: number; text: string }, first: number, last: number): Promise<number> {
    const { store, name } = this.#options;
    const reply = await store.run(putScript, [name, `${name}:${store.replica}:${route}`], [route, version, first, last, text, keptS, numbersKeptS]);
    const [state, applied, storedVersion, storedText] = Array.isArray(reply) ? reply as readonly StateReply[] : [];
    this.#learn(route, { version: Number(storedVersion), text: Number(storedVersion) === 0 ? undefined : String(storedText) }, state === 'stored');
    if (state === 'stored' && Number(storedVersion) !== version) await store.publish(name, store.replica);
    return Number(applied);
  }

  #learn(route: string, stored: Known, isOwn = false): void {
    const before = this.#known.get(route);
    if (before !== undefined && (before.version > stored.version || (before.version === stored.version && before.text === stored.text))) return;
    this.#known.set(route, stored);
    if (before?.text === stored.text) return;
    const { text } = stored;
    if (text !== undefined) this.#options.folder.keep(route, text);
    this.#hasNews = true;
    if (!isOwn) this.#options.changed();
  }
}

/** What changes make of a text. One whose base is the same is not made again. */
function made(waiting: readonly Waiting[], text: string | undefined): string | undefined {
  return waiting.reduce((before, { change, base, result }) => (before === base ? result : change(before) ?? before), text);
}
