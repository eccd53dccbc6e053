import type { TokenUsage } from '../../api/conversation.ts';
import type { Attempt, Receipt } from '../../api/receipt.ts';
import { promptTokens, tokenBuckets } from '../../api/usage.ts';
import { addUsage } from '../sums.ts';

/** An exchange that has ended, as far as its money is concerned. */
export interface PaidExchange extends Pick<Receipt, 'outcome' | 'target' | 'cache'> {
  attempts: readonly Attempt[];
  /** Attempts that cannot be read: what they cost is unknown. */
  unreadable: number;
}

/** Which of an exchange's attempts made what the caller got, and what the others were for. */
export interface SplitAttempts {
  /** In their order; more than one where an answer was resumed. None: nothing was answered. */
  answer: Attempt[];
  failed: Attempt[];
  /** Sent beside another attempt, or given up because another one was faster. */
  second: Attempt[];
  shadow: Attempt[];
}

/** Splits the attempts of an exchange: each is in exactly one part. */
export function splitAttempts(exchange: PaidExchange): SplitAttempts {
  const parts: SplitAttempts = { answer: answerOf(exchange), failed: [], second: [], shadow: [] };
  for (const attempt of exchange.attempts) {
    if (parts.answer.includes(attempt)) continue;
    if (isShadow(attempt)) parts.shadow.push(attempt);
    else if (attempt.role === 'hedge' || attempt.outcome === 'cancelled') parts.second.push(attempt);
    else parts.failed.push(attempt);
  }
  return parts;
}

function answerOf({ outcome, target, attempts }: PaidExchange): Attempt[] {
  const own = attempts.filter(attempt => !isShadow(attempt));
  if (outcome !== 'ok' && outcome !== 'cancelled') return [];
  const leading = outcome === 'ok'
    ? own.findLast(attempt => attempt.outcome === 'ok' && (target === undefined || attempt.target === target)) ?? own.findLast(attempt => attempt.outcome === 'ok')
    // Of an answer that its caller gave up, what had come by then was paid for.
    : own.filter(attempt => attempt.outcome === 'cancelled' && tokenBuckets.some(bucket => attempt.usage[bucket] !== undefined)).sort((one, other) => (other.usage.outputTokens ?? 0) - (one.usage.outputTokens ?? 0))[0];
  if (leading === undefined) return [];
  const answer = [leading];
  // What goes on from where another one broke off holds only the rest of the answer.
  for (let at = own.indexOf(leading); at > 0 && own[at]?.role === 'resume'; at -= 1) {
    const broken = own[at - 1];
    if (broken?.outcome !== 'failed' || broken.usage.outputTokens === undefined) break;
    answer.unshift(broken);
  }
  return answer;
}

/** The caller got an answer of another request: a kept one, or that of a call which ran for an equal one. */
export function isFromCache({ cache, outcome }: Pick<Receipt, 'cache' | 'outcome'>): boolean {
  return (cache?.state === 'hit' || cache?.state === 'shared') && outcome !== 'failed';
}

function isShadow({ role }: Pick<Attempt, 'role'>): boolean {
  return (role as string | undefined)?.startsWith('shadow') === true;
}

/**
 * What one attempt would have used in place of those that made an answer: the prompt once, and every part of the answer. A
 * part that was told to another target to go on from is no prompt of the caller's.
 */
export function answerUsage(answer: readonly Attempt[]): TokenUsage {
  const usage: TokenUsage = {};
  answer.forEach((attempt, index) => {
    const { inputTokens, cacheReadTokens, cacheWriteTokens, cacheWrite1hTokens, outputTokens, reasoningTokens } = attempt.usage;
    addUsage(usage, index === 0 ? { inputTokens, cacheReadTokens, cacheWriteTokens, cacheWrite1hTokens, outputTokens, reasoningTokens } : { outputTokens, reasoningTokens });
  });
  return usage;
}

/** Moves up to so many tokens of a prompt into those that a cache held; what was read from one stays. */
export function warmUsage(usage: TokenUsage, warmTokens: number): TokenUsage {
  let move = Math.min(warmTokens, promptTokens(usage) ?? 0) - (usage.cacheReadTokens ?? 0);
  if (move <= 0) return usage;
  const warm: TokenUsage = { ...usage, cacheReadTokens: (usage.cacheReadTokens ?? 0) + move };
  for (const bucket of ['cacheWrite1hTokens', 'cacheWriteTokens', 'inputTokens'] as const) {
    const taken = Math.min(move, warm[bucket] ?? 0);
    if (taken === 0) continue;
    warm[bucket] = (warm[bucket] ?? 0) - taken;
    move -= taken;
  }
  return warm;
}

/** A usage as another tokenizer may count it. */
export function scaledUsage(usage: TokenUsage, factor: number): TokenUsage {
  const scaled: TokenUsage = {};
  for (const bucket of tokenBuckets) {
    const count = usage[bucket];
    if (count !== undefined) scaled[bucket] = Math.round(count * factor);
  }
  return scaled;
}
