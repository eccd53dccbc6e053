import type { HedgeConfig } from '../config/config.ts';

/** Says whether a second target may be asked. */
export interface HedgePolicy {
  /** A request of the route began that may be hedged; each lets the budget grow. */
  requested(route: string): void;
  /**
   * Whether a second target may be asked for a request now; a yes is taken from the route's budget. After a no it is worth
   * asking again for the same request (`AdaptiveTimeouts.hedgeAfterMs` says when). Whether the route hedges such requests at all is
   * the caller's to know.
   * @param spentTodayMicroUsd what second requests of the route cost today, in all windows; asked for only where it decides
   * @param asked how often was asked before for the same request; where the user wrote the moment down there is only one
   */
  mayHedge(route: string, config: Pick<HedgeConfig, 'afterMs' | 'dailyCapMicroUsd'>, spentTodayMicroUsd: () => number, asked: number): boolean;
}

/**
 * Six second requests in a hundred at most, with a little less entered, for what is put by is spent too. The store is
 * as large as it takes for stalls that come in bunches; a new route has enough for the first ones.
 */
const sharePerRequest = 0.0575;
const store = 10;
const storeAtFirst = 2;
/** What has to be there for a request that is merely later than most; below it, what is left is kept for stalls. */
const storeForEarly = 8;

/** More routes than anybody writes; a name that left the configuration is forgotten some day. */
const mostRoutes = 200;

/**
 * A policy that has seen nothing. It bounds second requests in number as well as in money, since the moment from which a
 * request counts as late is learnt and therefore uncertain. Where the user wrote that moment down, the number is theirs.
 */
export function createHedgePolicy(): HedgePolicy {
  const stores = new Map<string, number>();

  function put(route: string, held: number): void {
    if (stores.size >= mostRoutes && !stores.has(route)) stores.clear();
    stores.set(route, held);
  }

  return {
    requested(route) {
      put(route, Math.min(store, (stores.get(route) ?? storeAtFirst) + sharePerRequest));
    },
    mayHedge(route, config, spentTodayMicroUsd, asked) {
      const counted = config.afterMs === undefined;
      const held = stores.get(route) ?? storeAtFirst;
      if (counted && held < (asked === 0 ? storeForEarly : 1)) return false;
      if (spentTodayMicroUsd() >= config.dailyCapMicroUsd) return false;
      if (counted) put(route, held - 1);
      return true;
    },
  };
}
