import type { Strategy } from './strategy.ts';

/** The order of the configuration. */
export const priority: Strategy = candidates => candidates;
