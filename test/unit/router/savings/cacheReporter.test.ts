import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { TokenUsage } from '../../../../server/api/conversation.ts';
import { cacheMarkdown } from '../../../../server/api/reports/cacheReport.ts';
import { localDay } from '../../../../server/base/localDay.ts';
import type { UsedExchange } from '../../../../server/ledger/usedExchange.ts';
import { CacheReporter } from '../../../../server/router/savings/cacheReporter.ts';
import { anAttempt, noon } from '../../ledger/receipts.ts';
import { FakeRoutingView } from '../../routing/routingFixture.ts';

const priceUsed = { inputPerMTok: 3, outputPerMTok: 15, cacheReadPerMTok: 0.3, cacheWritePerMTok: 3.75 };

function exchange(minute: number, endpoint: string, usage: TokenUsage, changed: Partial<UsedExchange> = {}): UsedExchange {
  const startedAt = noon + minute * 60_000;
  const attempt = { ...anAttempt({}), endpoint, model: 'm', target: `${endpoint}/m`, upstreamModel: 'm', startedAt, usage, outcome: 'ok' as const, failureClass: undefined, cost: { certainty: 'exact' as const, microUsd: 1, priceUsed } };
  return { id: `x${minute}`, protocol: 'openai-chat', stream: true, caller: { tool: 't' }, startedAt, totalMs: 1, outcome: 'ok', target: attempt.target, requestedModel: 'r', attempts: [attempt], unreadable: 0, cacheConversation: 'c', ...changed };
}

async function reportOf(exchanges: readonly UsedExchange[]) {
  const view = new FakeRoutingView({ a: { models: ['m'] }, b: { models: ['m'] } });
  const reporter = new CacheReporter({ routeTable: () => view.table, used: () => Promise.resolve({ exchanges: [...exchanges] }), clock: { now: () => noon } });
  const result = await reporter.report({ fromDay: localDay(noon), toDay: localDay(noon) });
  return 'report' in result ? result.report : assert.fail(result.problem);
}

describe('the report of prompt caches', () => {
  it('sorts requests by where they stand in their conversations, and prices what was read anew', async () => {
    const report = await reportOf([
      exchange(0, 'a', { cacheWriteTokens: 10_000 }),
      exchange(1, 'a', { cacheReadTokens: 10_000, cacheWriteTokens: 1000 }),
      exchange(2, 'b', { cacheWriteTokens: 12_000 }),
      exchange(3, 'a', { cacheReadTokens: 11_000, cacheWriteTokens: 2000 }),
      exchange(20, 'a', { cacheWriteTokens: 14_000 }),
    ]);
    const { first, stayed, switched, returned } = report.turns;
    assert.deepEqual([first.requests, stayed.requests, switched.requests, returned.requests], [1, 2, 1, 1]);
    assert.equal(first.rewrittenTokens, 0);
    assert.equal(stayed.readTokens, 10_000);
    assert.equal(stayed.rewrittenTokens, 0, 'after 17 minutes the cache was cold');
    // 11,000 tokens at 3.75 instead of 0.30 US dollars for a million.
    assert.deepEqual([switched.rewrittenTokens, switched.rewrittenMicroUsd], [11_000, 37_950]);
    // The way back wrote 1,000 tokens anew that lay in the cache at b.
    assert.deepEqual([returned.rewrittenTokens, returned.rewrittenMicroUsd], [1000, 3450]);
    assert.match(cacheMarkdown(report), /\| switched \| 1 \| 12,000 \| 0 \| 0 % \| 12,000 \| 11,000 \| \$0\.03795 \|/);
  });

  it('counts nothing as avoidable where a target failed, and gives no figure where no price is known', async () => {
    const failed = exchange(1, 'b', { cacheWriteTokens: 12_000 });
    failed.attempts.unshift({ ...anAttempt({}), target: 'a/m', endpoint: 'a', outcome: 'failed' });
    assert.equal((await reportOf([exchange(0, 'a', { cacheWriteTokens: 10_000 }), failed])).turns.switched.rewrittenTokens, 0);
    const unpriced = exchange(1, 'b', { inputTokens: 12_000 });
    for (const attempt of unpriced.attempts) attempt.cost = { certainty: 'unknown' };
    const { switched } = (await reportOf([exchange(0, 'a', { cacheWriteTokens: 10_000 }), unpriced])).turns;
    assert.deepEqual([switched.rewrittenTokens, switched.rewrittenMicroUsd, switched.unpriced], [10_000, 0, 1]);
  });

  it('knows a conversation by the id of its caller where the plan did not look for caches, and says so where there is none', async () => {
    const own = { cacheConversation: undefined, caller: { tool: 't', conversation: 's' } };
    assert.equal((await reportOf([exchange(0, 'a', { cacheWriteTokens: 10_000 }, own), exchange(1, 'a', { cacheReadTokens: 10_000 }, own)])).conversations, 1);
    assert.match(cacheMarkdown(await reportOf([])), /No request of a known conversation was answered in these days\./);
  });
});
