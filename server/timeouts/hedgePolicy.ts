import type { HedgeConfig } from '../config/config.ts';

/** Decides whether a second target may be asked. */
export interface HedgePolicy {
  /** A request of the route that may be hedged began. Each one adds to the route's budget. */
  requested(route: string): void;
  /**
   * Whether a second target may be asked for a request now; a yes is taken from the route's budget. After a no the caller may
   * ask again for the same request (`AdaptiveTimeouts.hedgeAfterMs` says when). The caller knows whether the route hedges
   * such requests at all.
   * @param spentTodayMicroUsd what second requests of the route cost today, in all processes; called only where it decides
   * @param asked how many questions for the same request came before; where the user set the delay there is only one question
   */
  mayHedge(route: string, config: Pick<HedgeConfig, 'afterMs' | 'dailyCapMicroUsd'>, spentTodayMicroUsd: () => number, asked: number): boolean;
}

/**
 * At most six second requests in a hundred. A little less is added for each request, because the initial budget is spent
 * too. The budget is large enough for stalls that come in groups; a new route starts with enough for the first ones.
 */
const sharePerRequest = 0.0575;
const largestBudget = 10;
const initialBudget = 2;
/** The budget that a request needs which is merely later than most; what is below it is kept for stalls. */
const budgetForEarly = 8;

/** More routes than a configuration has. At this number all budgets are reset, so that removed names take no memory. */
const mostRoutes = 200;

/**
 * A policy without history. It bounds second requests in number as well as in money, because the learnt delay is uncertain.
 * Where the user set the delay, only money bounds them.
 */
export function createHedgePolicy(): HedgePolicy {
  const budgets = new Map<string, number>();

  function setBudget(route: string, budget: number): void {
    if (budgets.size >= mostRoutes && !budgets.has(route)) budgets.clear();
    budgets.set(route, budget);
  }

  return {
    requested(route) {
      setBudget(route, Math.min(largestBudget, (budgets.get(route) ?? initialBudget) + sharePerRequest));
    },
    mayHedge(route, config, spentTodayMicroUsd, asked) {
      const isCounted = config.afterMs === undefined;
      const budget = budgets.get(route) ?? initialBudget;
      if (isCounted && budget < (asked === 0 ? budgetForEarly : 1)) return false;
      if (spentTodayMicroUsd() >= config.dailyCapMicroUsd) return false;
      if (isCounted) setBudget(route, budget - 1);
      return true;
    },
  };
}
