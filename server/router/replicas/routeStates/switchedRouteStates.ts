import type { RouteStateOutcome, RouteStateStore } from '../../../ledger/routeStateStore.ts';
import type { KeptRouteStates, SharedRouteStates } from './sharedRouteStates.ts';

/** The states of canaries, or of shadows: those of the data folder, or those of all replicas once a store is shared. */
export class SwitchedRouteStates implements RouteStateStore, KeptRouteStates {
  readonly #local: RouteStateStore;
  #isClosed = false;
  #shared: SharedRouteStates | undefined;

  constructor(local: RouteStateStore) {
    this.#local = local;
  }

  /** @param shared undefined: the data folder's again */
  use(shared: SharedRouteStates | undefined): void {
    this.#shared = shared;
  }

  update(route: string, change: (stored: string | undefined) => string | undefined): RouteStateOutcome {
    return (this.#shared ?? this.#local).update(route, change);
  }

  poll(): ReadonlyMap<string, string> | undefined {
    return (this.#shared ?? this.#local).poll();
  }

  /** What the data folder has of a route. */
  kept(route: string): string | undefined {
    let text: string | undefined;
    this.#local.update(route, stored => { text = stored; return undefined; });
    return text;
  }

  /** Keeps a state in the data folder, so that a start without the shared store knows it. */
  keep(route: string, text: string): void {
    if (!this.#isClosed) this.#local.update(route, () => text);
  }

  close(): void {
    this.#isClosed = true;
    this.#local.close();
  }
}
