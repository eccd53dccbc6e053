import type { Strategy } from './strategy.ts';

/** The order of the configuration. */
export const priority: Strategy = choices => ({ order: choices, why: `priority: ${choices[0]?.name ?? ''} is listed first` });
