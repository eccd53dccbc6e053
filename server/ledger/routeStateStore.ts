/** `busy`: another server holds the store at this moment; otherwise it cannot be used at all. */
export type RouteStateOutcome = { done: true } | { done: false; busy: boolean };

/** Where the servers of one data folder keep the states of canaries, or those of shadows, one text for each route. */
export interface RouteStateStore {
  /**
   * Changes the text of a route in one transaction that no other server can come between. Never throws but for what
   * `change` throws, and then nothing is stored.
   * @param change computes from its argument alone: it may be called again, with another text, after this call, where replicas share the store. Gets the stored text, and gives the one to store; undefined: nothing is written
   */
  update(route: string, change: (stored: string | undefined) => string | undefined): RouteStateOutcome;
  /** All texts by route, where any may have changed since the last call; undefined where none has, or while the store cannot be used. Cheap when nothing changed. */
  poll(): ReadonlyMap<string, string> | undefined;
  close(): void;
}
