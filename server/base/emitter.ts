import { Guard } from './guarded.ts';
import type { Log } from './log.ts';

/** Something that ends when it is disposed of. Disposing twice is safe. */
export interface Subscription { dispose(): void }

/** Adds a listener behind those that are there. */
export type Subscribe<Value> = (listen: (value: Value) => void) => Subscription;

interface Entry<Value> { readonly guard: Guard; readonly listen: (value: Value) => void }

/**
 * An event with any number of listeners, called synchronously in the order of their subscription. What one of them throws
 * is logged at growing distance, and reaches neither the emitter's owner nor the other listeners.
 */
export class Emitter<Value> {
  readonly #name: string;
  readonly #log: Pick<Log, 'error'>;
  /** Replaced at each change: a listener that is added during an event takes part from the next one on. */
  #entries: readonly Entry<Value>[] = [];

  /** @param name what fails when a listener throws, as the subject of a sentence: "The update of the status" */
  constructor(name: string, log: Pick<Log, 'error'>) {
    this.#name = name;
    this.#log = log;
  }

  /** Lets an owner leave out the making of a value that has no listener. */
  get hasListeners(): boolean {
    return this.#entries.length > 0;
  }

  /** @param guard owns what the listener throws; absent: one of its own, with the emitter's name */
  subscribe(listen: (value: Value) => void, guard: Guard = new Guard(this.#name, this.#log)): Subscription {
    const entry: Entry<Value> = { guard, listen };
    this.#entries = [...this.#entries, entry];
    return { dispose: () => { this.#entries = this.#entries.filter(one => one !== entry); } };
  }

  /** Calls every listener. Never throws. */
  emit(value: Value): void {
    for (const { guard, listen } of this.#entries) guard.call(listen, value);
  }
}
