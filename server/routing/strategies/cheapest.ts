import { dollars } from '../moneyText.ts';
import type { Choice, Strategy } from './strategy.ts';

/**
 * The entry whose target is expected to cost least for this very request comes first: its prompt, the answer that this caller
 * usually gets of the model, what of it is read from the cache, at the prices of the moment with their tiers. Entries
 * without a known price come last, and equals stand as they are listed.
 */
export const cheapest: Strategy = (choices, { request, signals }) => {
  const priced = choices.map((choice): { choice: Choice; microUsd: number } => ({ choice, microUsd: signals.expectedCostMicroUsd(choice.first, request) ?? Infinity }));
  priced.sort((a, b) => (a.microUsd === b.microUsd ? 0 : a.microUsd - b.microUsd));
  const order = priced.map(({ choice }) => choice);
  const [first, next] = priced;
  if (first === undefined || first.microUsd === Infinity) return { order, why: 'cheapest: no price is known, so the targets stand as they are listed' };
  const beside = next === undefined ? '' : next.microUsd === Infinity ? ', next unknown' : `, next ${dollars(next.microUsd)}`;
  return { order, why: `cheapest: ${first.choice.name} is expected to cost ${dollars(first.microUsd)}${beside}` };
};
