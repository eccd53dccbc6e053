import type { Choice, Strategy } from './strategy.ts';

/** Multiples of it, without their whole part, fill the unit interval evenly from the first few on (golden ratio, a sequence of low discrepancy). */
const goldenRatio = (Math.sqrt(5) - 1) / 2;

/**
 * Each entry comes first in the share of requests that its weight is of all weights, evenly spread over time. The others
 * follow by the same rule among themselves, so the share of one that fails goes to the others in proportion.
 */
export const weighted: Strategy = (choices, { route, request, signals }) => {
  let at = (signals.turn(route, request) * goldenRatio) % 1;
  const left = [...choices];
  const order: Choice[] = [];
  let total = 0;
  for (const { weight } of choices) total += weight;
  const share = (of: Choice | undefined): string => `${Math.round(100 * (of?.weight ?? 0) / total)} %`;
  let rest = total;
  while (left.length > 0) {
    let from = 0;
    let index = 0;
    for (; index < left.length - 1; index++) {
      const width = (left[index]?.weight ?? 0) / rest;
      if (at < from + width) break;
      from += width;
    }
    const [drawn] = left.splice(index, 1);
    if (drawn === undefined) break;
    order.push(drawn);
    // What is left of the position within the entry's own share is a position for the next draw.
    at = Math.min(1 - Number.EPSILON, Math.max(0, (at - from) / (drawn.weight / rest)));
    rest -= drawn.weight;
  }
  return { order, why: `weighted: ${order[0]?.name ?? ''} has ${share(order[0])} of the requests` };
};
