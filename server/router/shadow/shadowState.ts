import type { RouteStateStore } from '../../ledger/routeStateStore.ts';
import { fromStored, storedForm, type ShadowRun } from '../../shadow/shadowRun.ts';

export interface ShadowStateOptions {
  route: string;
  /** The target that is tried. */
  target: string;
  /** Absent: the state lives as long as the process. */
  store: RouteStateStore | undefined;
  /** The phase changed. */
  changed(): void;
}

type Change = (run: ShadowRun) => ShadowRun;
/** @property of the run that it says something of; absent: of whichever there is */
interface Pending { readonly of: string | undefined; readonly apply: Change }

/** While the store cannot be used, older changes than these are only in memory. */
const mostPending = 5_000;
const notStored = 'The state of the shadow could not be stored; try again in a moment.';

/**
 * The state of one shadow in this process: what the store has, and on top of it what is not stored yet. That counts for this
 * process at once, and is applied again, in a transaction, to what peers stored meanwhile.
 */
export class ShadowState {
  readonly #options: ShadowStateOptions;
  #local: ShadowRun | undefined;
  #pending: Pending[] = [];
  #read = false;

  constructor(options: ShadowStateOptions) {
    this.#options = options;
  }

  get target(): string {
    return this.#options.target;
  }

  /** Undefined where it was never started with this target. */
  get current(): ShadowRun | undefined {
    const run = this.latest;
    return run?.target === this.#options.target ? run : undefined;
  }

  /** With whichever target it was started last. */
  get latest(): ShadowRun | undefined {
    this.#readOnce();
    return this.#local;
  }

  /** @param of id of the run that the change belongs to; absent: whichever there is */
  take(of: string | undefined, apply: Change): void {
    if (this.latest === undefined) return;
    const pending = { of, apply };
    this.#pending.push(pending);
    if (this.#pending.length > mostPending) this.#pending.shift();
    this.#set(applied(this.#local, pending));
  }

  /** A peer changed something. @param stored the text of this shadow now */
  learn(stored: string | undefined): void {
    this.#set(withPending(parsed(stored), this.#pending));
  }

  /** Stores what is not stored yet. */
  commit(): void {
    const { store, route } = this.#options;
    if (this.#pending.length === 0) return;
    if (store === undefined) {
      this.#pending = [];
      return;
    }
    let result: ShadowRun | undefined;
    const pending = this.#pending;
    const { done } = store.update(route, stored => {
      result = withPending(parsed(stored), pending);
      return result === undefined ? undefined : storedForm(result);
    });
    if (!done) return;
    this.#pending = [];
    this.#set(result);
  }

  /** Does what a person asked for, and stores it. @returns why that cannot be done, in one sentence */
  act(change: (run: ShadowRun | undefined) => ShadowRun | { refused: string }): string | undefined {
    const { store, route } = this.#options;
    let result: ShadowRun | { refused: string } = { refused: notStored };
    if (store === undefined) {
      result = change(this.latest);
    } else {
      const pending = this.#pending;
      const { done } = store.update(route, stored => {
        result = change(withPending(parsed(stored), pending));
        return 'refused' in result ? undefined : storedForm(result);
      });
      if (!done) return notStored;
    }
    if ('refused' in result) return result.refused;
    this.#pending = [];
    this.#read = true;
    this.#set(result);
    return undefined;
  }

  #set(next: ShadowRun | undefined): void {
    const before = this.#local;
    this.#local = next;
    if (before?.phase !== next?.phase || before?.id !== next?.id) this.#options.changed();
  }

  #readOnce(): void {
    const { store, route } = this.#options;
    if (this.#read || store === undefined) return;
    let stored: string | undefined;
    if (!store.update(route, text => { stored = text; return undefined; }).done) return;
    this.#read = true;
    this.#set(parsed(stored));
  }
}

/** A store may apply a change once more after others are pending, so these are handed in. */
function withPending(run: ShadowRun | undefined, pending: readonly Pending[]): ShadowRun | undefined {
  return pending.reduce(applied, run);
}

/** What an earlier run found out says nothing about a later one. */
function applied(run: ShadowRun | undefined, { of, apply }: Pending): ShadowRun | undefined {
  return run === undefined || (of !== undefined && run.id !== of) ? run : apply(run);
}

function parsed(stored: string | undefined): ShadowRun | undefined {
  return stored === undefined ? undefined : fromStored(stored);
}
