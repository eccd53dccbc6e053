import { cheapest } from './cheapest.ts';
import { fastest } from './fastest.ts';
import { leastBusy } from './leastBusy.ts';
import { priority } from './priority.ts';
import { roundRobin } from './roundRobin.ts';
import { sticky } from './sticky.ts';
import type { Strategies } from './strategy.ts';
import { weighted } from './weighted.ts';

/** The strategies that routes can name; `routeStrategies` in server/api/settings.ts says what each is, for people. */
export const strategies: Strategies = { priority, weighted, 'round-robin': roundRobin, 'least-busy': leastBusy, fastest, cheapest, sticky };
