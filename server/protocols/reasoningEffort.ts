import { reasoningEfforts } from '../api/conversation.ts';
import type { ReasoningEffort, ReasoningRequest } from '../api/conversation.ts';

/** The effort of this name; undefined when there is none. */
export function parseEffort(name: unknown): ReasoningEffort | undefined {
  return reasoningEfforts.find((effort) => effort === name);
}

/** Thresholds of the effort a thinking budget, in tokens, amounts to. */
export function effortOfBudget(budgetTokens: number): ReasoningEffort {
  if (budgetTokens <= 0) return 'none';
  if (budgetTokens < 2_048) return 'low';
  if (budgetTokens < 8_192) return 'medium';
  if (budgetTokens < 24_576) return 'high';
  return 'xhigh';
}

/** A thinking budget, in tokens, for an effort; each lies within the thresholds of {@link effortOfBudget}. */
export function budgetOfEffort(effort: ReasoningEffort): number {
  return budgets[effort];
}

const budgets: Readonly<Record<ReasoningEffort, number>> = {
  none: 0, minimal: 1_024, low: 1_024, medium: 4_096, high: 16_384, xhigh: 32_768, max: 65_536,
};

/** The effort a request asks for, by name or by budget; undefined: the model's own default. */
export function requestedEffort(reasoning: ReasoningRequest | undefined): ReasoningEffort | undefined {
  if (reasoning === undefined) return undefined;
  return reasoning.effort ?? (reasoning.budgetTokens === undefined ? undefined : effortOfBudget(reasoning.budgetTokens));
}

/**
 * The accepted effort nearest to the wanted one. Between two equally near ones the one nearer to `high` wins:
 * that is how providers with a coarse scale map the fine one themselves (medium and xhigh become high).
 * An effort other than `none` never becomes `none` while anything else is accepted.
 * @param accepted names in the server's own spelling; unknown names count as `medium` (such as Groq's `default`)
 */
export function nearestEffort(wanted: ReasoningEffort, accepted: readonly string[]): string | undefined {
  if (accepted.includes(wanted)) return wanted;
  const candidates = accepted.some((name) => name !== 'none') ? accepted.filter((name) => name !== 'none') : accepted;
  let best: string | undefined;
  for (const name of candidates) {
    if (best === undefined || isNearer(rank(name), rank(best), rank(wanted))) best = name;
  }
  return best;
}

function isNearer(candidate: number, best: number, wanted: number): boolean {
  const difference = Math.abs(candidate - wanted) - Math.abs(best - wanted);
  return difference < 0 || (difference === 0 && Math.abs(candidate - high) < Math.abs(best - high));
}

function rank(name: string): number {
  const index = reasoningEfforts.findIndex((effort) => effort === name);
  return index === -1 ? reasoningEfforts.indexOf('medium') : index;
}

const high = reasoningEfforts.indexOf('high');
