import { Emitter, type Subscribe } from '../../base/emitter.ts';
import type { Log } from '../../base/log.ts';

export interface StatusChangesOptions {
  log: Pick<Log, 'error'>;
  /** Some exchange runs; while one does, its cost so far grows. */
  isBusy(): boolean;
  /**
   * What can change without a call of `changed` or `touched`, as a short text that is compared from one tick to the next: the
   * revisions of stores, and whether the machine reaches the network.
   */
  signs(): string;
}

/**
 * Knows when the state that a person sees may have changed. Three things change it: events (`changed` at once, `touched` at the
 * next tick), signs that are compared at each tick, and time. For time, each reader of the state says when the state that was
 * read changes by time alone; before that moment a tick is no change.
 */
export class StatusChanges {
  readonly #options: StatusChangesOptions;
  readonly #changes: Emitter<void>;
  #isTouched = false;
  #signs: string | undefined;
  /** When the state that was last read changes by time alone, in milliseconds since the epoch. */
  #dueAt = Infinity;
  #lastTickAt = -Infinity;

  constructor(options: StatusChangesOptions) {
    this.#options = options;
    this.#changes = new Emitter('The update of the status', options.log);
  }

  readonly subscribe: Subscribe<void> = listen => this.#changes.subscribe(listen);

  /** The state changed: listeners are called now. */
  changed(): void {
    this.#changes.emit();
  }

  /** The state changed in passing, on the way of a request: listeners are called at the next tick. */
  touched(): void {
    this.#isTouched = true;
  }

  /** The state was read. @param changesAt when it changes by time alone, in milliseconds since the epoch; Infinity: never */
  read(changesAt: number): void {
    // An earlier moment stays: it belongs to a state that another reader has not read again since.
    this.#dueAt = Math.min(this.#dueAt, changesAt);
  }

  /** Calls listeners when the state may have changed since the last tick. @param now milliseconds since the epoch */
  tick(now: number): void {
    const signs = this.#options.signs();
    // Where the clock was set back, every moment means something else.
    const isDue = now >= this.#dueAt || now < this.#lastTickAt;
    const isChanged = isDue || this.#isTouched || this.#options.isBusy() || signs !== this.#signs;
    this.#signs = signs;
    this.#lastTickAt = now;
    if (!isChanged) return;
    this.#isTouched = false;
    if (isDue) this.#dueAt = Infinity;
    this.changed();
  }
}
