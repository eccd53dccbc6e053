import type { Random } from '../../../server/base/clock.ts';

/** Numbers that look random and are the same in every run with the same seed (a 32-bit xorshift). */
export function seededRandom(seed: number): Random {
  let state = (seed * 2654435761) >>> 0 || 1;
  return () => {
    state ^= state << 13; state >>>= 0;
    state ^= state >>> 17;
    state ^= state << 5; state >>>= 0;
    return state / 2 ** 32;
  };
}
