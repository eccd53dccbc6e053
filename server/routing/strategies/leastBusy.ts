import type { Strategy } from './strategy.ts';

/** The entry with the fewest attempts under way for its weight comes first; among equals it is the one whose turn it is. */
export const leastBusy: Strategy = (choices, { route, request, signals }) => {
  const start = signals.turn(route, request) % choices.length;
  const loads = choices.map((_, index) => {
    const choice = choices[(start + index) % choices.length] as (typeof choices)[number];
    const inFlight = signals.inFlight(choice.first);
    return { choice, inFlight, load: inFlight / choice.weight };
  });
  loads.sort((a, b) => a.load - b.load);
  const [first, next] = loads;
  return { order: loads.map(({ choice }) => choice), why: `least-busy: ${first?.choice.name ?? ''} has ${first?.inFlight ?? 0} requests under way, next ${next?.inFlight ?? 0}` };
};
