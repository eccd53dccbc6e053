import type { Strategy } from './strategy.ts';

/** Each entry comes first in turn; the others follow as they are listed after it. */
export const roundRobin: Strategy = (choices, { route, request, signals }) => {
  const first = signals.turn(route, request) % choices.length;
  const order = [...choices.slice(first), ...choices.slice(0, first)];
  return { order, why: `round-robin: it is the turn of ${order[0]?.name ?? ''}` };
};
