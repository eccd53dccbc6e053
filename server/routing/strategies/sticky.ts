import type { Choice, Strategy } from './strategy.ts';

/**
 * A conversation always has the same entry first, by rendezvous hashing with weights: each pair of conversation and entry has
 * a score, and the highest wins. Where an entry is missing, only its own conversations go elsewhere, each to its second score.
 */
export const sticky: Strategy = (choices, { request }) => {
  const seed = hashed(request.conversation, 0x811c9dc5);
  const scored = choices.map(choice => ({ choice, score: scoreOf(seed, choice) }));
  scored.sort((a, b) => b.score - a.score);
  const order = scored.map(({ choice }) => choice);
  return { order, why: `sticky: this conversation belongs to ${order[0]?.name ?? ''}` };
};

/** Weighted rendezvous hashing (Schindelhauer and Schomaker, 2005): an entry wins in the share that its weight is of all. */
function scoreOf(seed: number, { name, weight }: Choice): number {
  const unit = (mixed(hashed(name, seed)) + 0.5) / 0x1_0000_0000;
  return -weight / Math.log(unit);
}

/** FNV-1a over UTF-16 units. */
function hashed(text: string, seed: number): number {
  let hash = seed;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash >>> 0;
}

/** The finaliser of MurmurHash3: each bit of the argument changes half of the bits of the result. */
function mixed(hash: number): number {
  let bits = hash;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}
