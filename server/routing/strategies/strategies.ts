import { priority } from './priority.ts';
import type { Strategies } from './strategy.ts';

/** The strategies that routes can name; `routeStrategies` in server/api/settings.ts says what each is, for people. */
export const strategies: Strategies = { priority };
