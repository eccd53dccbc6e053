/** How long a prompt cache holds a prompt that nobody reads: the shortest lifetime in use (Anthropic: five minutes, renewed by each use). */
const cacheLifetimeMs = 300_000;
/** Shorter prompts are cached nowhere (OpenAI and Anthropic: 1,024 tokens and more). */
const leastTokens = 1_024;
const mostConversations = 5_000;

/** One turn of a conversation. */
export interface Turn {
  /** What tells conversations apart; undefined: nothing does. */
  conversation: string | undefined;
  startedAt: number;
  endedAt: number;
  /** Where it was answered. */
  target: string;
  /** Where the baseline would have answered it. */
  baseline: string;
  promptTokens: number;
}

/**
 * Knows of each conversation its turn before. Where a turn is answered by another target than the one before, its prompt is read
 * anew there, while a baseline that stays where it is would still have it in its cache.
 */
export class WarmTurns {
  readonly #last = new Map<string, Turn>();

  /** Takes the next turn, in the order of their start. @returns how many tokens of its prompt the baseline's cache would hold beyond what it was seen to read; 0 where target and cache stayed */
  next(turn: Turn): number {
    const { conversation } = turn;
    if (conversation === undefined) return 0;
    const before = this.#last.get(conversation);
    this.#last.delete(conversation);
    this.#last.set(conversation, turn);
    if (this.#last.size > mostConversations) for (const oldest of this.#last.keys()) { this.#last.delete(oldest); break; }
    if (before === undefined || before.target === turn.target || before.baseline !== turn.baseline) return 0;
    if (turn.startedAt - before.endedAt > cacheLifetimeMs || turn.startedAt < before.endedAt) return 0;
    // A prompt that became shorter is another one: it was summed up, or a part of the tool asks that has a prompt of its own.
    return before.promptTokens < leastTokens || before.promptTokens > turn.promptTokens ? 0 : before.promptTokens;
  }
}
