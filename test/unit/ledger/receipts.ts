import type { Attempt, Cost, Receipt } from '../../../server/api/receipt.ts';
import type { TokenUsage } from '../../../server/api/conversation.ts';
import { sumCost, sumUsage } from '../../../server/pricing/sums.ts';

/** A moment in the middle of a UTC day. */
export const noon = Date.UTC(2026, 10, 20, 12, 0, 0);

/** A complete attempt; a test gives the fields that it is about. */
export function anAttempt(overrides: Partial<Attempt> = {}): Attempt {
  const endpoint = overrides.endpoint ?? 'openai';
  const model = overrides.model ?? 'gpt-4.1';
  return {
    number: 1, target: `${endpoint}/${model}`, endpoint, provider: 'openai', model, upstreamModel: model, protocol: 'openai-chat',
    keyLabel: 'main', keyLast4: 'wxyz', startedAt: noon, headersMs: 120, firstTokenMs: 250.5, totalMs: 900, status: 200, outcome: 'ok',
    usage: { inputTokens: 1_000, cacheReadTokens: 0, outputTokens: 100 }, usageEstimated: false, cost: exact(2_800),
    ...overrides,
  };
}

export function exact(microUsd: number): Cost {
  return { microUsd, certainty: 'exact', priceSource: 'config', priceUsed: { inputPerMTok: 2, outputPerMTok: 8 } };
}

export function tokens(inputTokens: number, outputTokens: number): TokenUsage {
  return { inputTokens, outputTokens };
}

/** A finished exchange around its attempts, its sums made as the server makes them. */
export function aReceipt(id: string, overrides: Partial<Receipt> = {}): Receipt {
  const attempts = overrides.attempts ?? [anAttempt({ startedAt: overrides.startedAt ?? noon })];
  const target = attempts.at(-1)?.target;
  return {
    id, inbound: 'http', protocol: 'openai-chat', stream: true,
    caller: { tool: 'claude-code', workspace: 'shop', branch: 'main', conversation: 'c-1', purpose: 'agent', extension: 'acme.helper', token: 'ci-x4k2', user: 'mai', team: 'shop' },
    startedAt: noon, firstTokenMs: 260, totalMs: 910, outcome: 'ok', features: 5,
    ...(target === undefined ? {} : { target }),
    plan: {
      requestedModel: 'auto', kind: 'route', strategy: 'priority',
      targets: [{ target: 'openai/gpt-4.1', endpoint: 'openai', model: 'gpt-4.1', upstreamModel: 'gpt-4.1' }],
      excluded: [{ target: 'local/llama', reason: 'The prompt is longer than its context window.' }],
    },
    attempts, usage: sumUsage(attempts), cost: sumCost(attempts),
    ...overrides,
  };
}

/** The same exchange while it still runs. */
export function running(receipt: Receipt): Receipt {
  const attempts = receipt.attempts.map((attempt, index) => (index === receipt.attempts.length - 1 ? { ...attempt, outcome: 'interrupted' as const } : attempt));
  return { ...receipt, outcome: 'open', attempts };
}
