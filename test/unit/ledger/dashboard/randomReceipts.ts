import type { Attempt, Cost, Receipt } from '../../../../server/api/receipt.ts';
import type { TokenUsage } from '../../../../server/api/conversation.ts';
import type { Random } from '../../../../server/base/clock.ts';
import { aReceipt, anAttempt } from '../receipts.ts';

/** Where random receipts begin, and how far they reach. */
export interface ReceiptSpan { from: number; to: number }

/** Receipts of every kind: prices that are exact, estimated, unknown or partly missing, failovers, retries, hedges, shadows, kept answers, and names that are not recorded. */
export function randomReceipts(count: number, random: Random, { from, to }: ReceiptSpan): Receipt[] {
  const pick = <Value>(...values: readonly Value[]): Value => values[Math.floor(random() * values.length)] as Value;
  const maybe = <Value>(value: Value, chance = 0.5): Value | undefined => (random() < chance ? value : undefined);
  const whole = (most: number): number => Math.floor(random() * most);
  const cost = (): Cost => {
    const microUsd = whole(500_000);
    const priceUsed = { inputPerMTok: pick(0.1, 3), outputPerMTok: 15, ...(random() < 0.7 ? { cacheReadPerMTok: 0.01 } : {}), ...(random() < 0.5 ? { cacheWritePerMTok: 3.75 } : {}) };
    const kind = random();
    if (kind < 0.5) return { certainty: 'exact', microUsd, priceSource: 'config', priceUsed };
    if (kind < 0.7) return { certainty: 'estimated', microUsd, priceSource: 'config', priceUsed };
    if (kind < 0.8) return { certainty: 'estimated', microUsd, priceSource: 'config', priceUsed, unpriced: ['code execution'] };
    if (kind < 0.9) return { certainty: 'exact', microUsd: 0, priceSource: pick('subscription', 'free', 'local', 'simulated') };
    return { certainty: 'unknown' };
  };
  const usage = (): TokenUsage => {
    const made: TokenUsage = {};
    if (random() < 0.85) made.inputTokens = whole(50_000);
    if (random() < 0.6) made.cacheReadTokens = whole(100_000);
    if (random() < 0.3) made.cacheWriteTokens = whole(10_000);
    if (random() < 0.1) made.cacheWrite1hTokens = whole(10_000);
    if (random() < 0.85) made.outputTokens = whole(4_000);
    return made;
  };
  return Array.from({ length: count }, (_, index): Receipt => {
    const startedAt = from + whole(to - from);
    const outcome = pick('ok', 'ok', 'ok', 'failed', 'cancelled', 'interrupted');
    const attempts = Array.from({ length: pick(0, 1, 1, 1, 2, 3) }, (_none, at): Attempt => {
      const endpoint = pick('openai', 'claude', 'local');
      const made = anAttempt({
        number: at + 1, endpoint, model: pick('small', 'large'), startedAt: startedAt + at * pick(0, 10, 3_600_000), cost: cost(), usage: usage(), usageEstimated: random() < 0.2,
        outcome: pick('ok', 'failed', 'cancelled', 'interrupted'), ...(random() < 0.3 ? { role: pick('hedge', 'resume', 'restart') } : {}),
      });
      const provider = maybe(endpoint === 'claude' ? 'anthropic' : endpoint, 0.8);
      delete made.provider;
      return provider === undefined ? made : { ...made, provider };
    });
    const caller: Receipt['caller'] = { tool: pick('claude-code', 'vscode-chat', '=odd,"name"') };
    const [workspace, branch, conversation, purpose, extension] = [maybe('shop'), maybe(pick('main', 'fix')), maybe(`c-${whole(20)}`, 0.8), maybe(pick('agent', 'main')), maybe('acme.helper', 0.2)];
    if (workspace !== undefined) caller.workspace = workspace;
    if (branch !== undefined) caller.branch = branch;
    if (conversation !== undefined) caller.conversation = conversation;
    if (purpose !== undefined) caller.purpose = purpose;
    if (extension !== undefined) caller.extension = extension;
    const kind = maybe(pick('low-cost', 'balanced'), 0.3);
    const base = aReceipt(`r-${index}`);
    return {
      ...base, caller, startedAt, outcome, attempts,
      plan: { ...base.plan, ...(random() < 0.5 ? { route: pick('auto', 'deep') } : {}), ...(kind === undefined ? {} : { purpose: { role: 'main', kind, why: 'it says so' } }) },
      ...(random() < 0.05 ? { shadow: { of: 'r-0', route: 'auto', arm: 'shadow' } } : {}),
      ...(attempts.length === 0 ? { cache: { state: 'hit', ...(random() < 0.7 ? { savedMicroUsd: whole(9_000) } : {}), ...(random() < 0.3 ? { savedEstimated: true as const } : {}) } } : {}),
    };
  });
}
