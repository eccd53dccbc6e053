import type { ResolvedTarget } from '../routeTable.ts';
import type { Signals } from '../signals.ts';
import type { KnownConversation } from './warmCaches.ts';

/** One turn of a conversation at a target. */
export interface TurnAt {
  readonly target: ResolvedTarget;
  /** Tokens of its prompt that lie in the cache there now. */
  readonly cachedTokens: number;
}

/** A turn as both targets would get it. */
export interface Turn {
  readonly promptTokens: number;
  readonly outputTokens: number;
  /** Tokens by which the prompt has grown since the turn before. */
  readonly grownBy: number;
  /** The conversation comes back after this turn: what a later turn would save does not count. */
  readonly single: boolean;
}

/** What leaving a warm cache costs; undefined where a price is not known. */
export interface BreakEven {
  /** What this turn costs more than it would in the warm cache, with the chance of a cold return, in millionths of a US dollar; negative where it costs less. */
  readonly extraMicroUsd: number;
  /** After how many turns, this one included, what later turns save has paid for it; `Infinity`: never. 1: at once. */
  readonly payBackTurns: number;
}

/** The likely prompt of this turn: the last one, as its provider counted it, changed in proportion to the estimates. */
export function turnOf({ promptTokens, estimatedTokens, outputTokens }: KnownConversation, estimatedNow: number, single: boolean): Turn {
  const prompt = estimatedTokens === 0 ? promptTokens : Math.round(promptTokens * (estimatedNow / estimatedTokens));
  return { promptTokens: prompt, outputTokens: Math.round(outputTokens), grownBy: Math.max(0, prompt - promptTokens), single };
}

/**
 * Compares a turn at the target whose cache is warm with one at another target. A cold prompt is written to the cache, which
 * some providers charge more for than for reading it; in later turns what the prompt grew by is written at either target.
 *
 * @param coldReturnChance that the conversation comes back when the cache it leaves is gone
 */
export function breakEven(warm: TurnAt, other: TurnAt, turn: Turn, coldReturnChance: number, signals: Pick<Signals, 'costMicroUsd'>): BreakEven | undefined {
  const cost = ({ target }: TurnAt, promptTokens: number, cachedTokens: number, outputTokens: number): number | undefined => {
    const cacheReadTokens = Math.min(promptTokens, cachedTokens);
    return signals.costMicroUsd(target, { inputTokens: 0, cacheReadTokens, cacheWriteTokens: promptTokens - cacheReadTokens, outputTokens });
  };
  const { promptTokens, outputTokens, grownBy, single } = turn;
  const here = cost(warm, promptTokens, warm.cachedTokens, outputTokens);
  const there = cost(other, promptTokens, other.cachedTokens, outputTokens);
  const laterHere = cost(warm, promptTokens, promptTokens - grownBy, outputTokens);
  const laterThere = cost(other, promptTokens, promptTokens - grownBy, outputTokens);
  const coldAgain = cost(warm, promptTokens, 0, 0);
  const warmAgain = cost(warm, promptTokens, promptTokens, 0);
  if (here === undefined || there === undefined || laterHere === undefined || laterThere === undefined || coldAgain === undefined || warmAgain === undefined) return undefined;
  const extraMicroUsd = there - here + coldReturnChance * (coldAgain - warmAgain);
  if (extraMicroUsd < 0) return { extraMicroUsd, payBackTurns: 1 };
  const saved = laterHere - laterThere;
  return { extraMicroUsd, payBackTurns: single || saved <= 0 ? Infinity : 1 + Math.ceil(extraMicroUsd / saved) };
}
