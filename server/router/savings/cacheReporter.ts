import type { Attempt } from '../../api/receipt.ts';
import { cacheTurns, type CacheReport, type CacheReportParams, type CacheReportResult, type CacheTurn, type CacheTurnSums } from '../../api/reports/cacheReport.ts';
import { promptTokens } from '../../api/usage.ts';
import { cacheRule, longLifetimeMs } from '../../catalog/cacheLifetimes.ts';
import type { UsedExchange } from '../../ledger/usedExchange.ts';
import { daysOf, pagesOf, type SavingsReporterOptions } from './savingsReporter.ts';

/** What the last request of a conversation left behind. */
interface Left { readonly target: string; readonly at: number; readonly cachedTokens: number; readonly lifetimeMs: number }
interface Conversation { readonly targets: Set<string>; left: Left | undefined }

/** A prompt shorter than this part of what lay in the cache was written anew. */
const rewrittenBelow = 0.5;

/** Sums what prompt caches held, from the rows of the ledger: by where requests stand in their conversations. */
export class CacheReporter {
  readonly #options: Pick<SavingsReporterOptions, 'routeTable' | 'used' | 'clock'>;

  constructor(options: Pick<SavingsReporterOptions, 'routeTable' | 'used' | 'clock'>) {
    this.#options = options;
  }

  async report({ fromDay, toDay }: CacheReportParams, signal?: AbortSignal): Promise<CacheReportResult> {
    const days = daysOf(fromDay, toDay);
    if ('problem' in days) return days;
    const turns = Object.fromEntries(cacheTurns.map(turn => [turn, noSums()])) as Record<CacheTurn, CacheTurnSums>;
    const conversations = new Map<string, Conversation>();
    for await (const page of pagesOf(this.#options.used, days, signal)) for (const exchange of page) this.#add(exchange, conversations, turns);
    const report: CacheReport = { fromDay, toDay, at: this.#options.clock.now(), conversations: conversations.size, turns };
    return { report };
  }

  #add(exchange: UsedExchange, conversations: Map<string, Conversation>, turns: Record<CacheTurn, CacheTurnSums>): void {
    const name = exchange.cacheConversation ?? (exchange.caller.conversation === undefined ? undefined : `${exchange.caller.tool} ${exchange.caller.conversation}`);
    const answer = exchange.attempts.findLast(({ target, outcome }) => target === exchange.target && outcome !== 'failed');
    const prompt = answer === undefined ? undefined : promptTokens(answer.usage);
    if (name === undefined || answer === undefined || prompt === undefined) return;
    let conversation = conversations.get(name);
    if (conversation === undefined) conversations.set(name, conversation = { targets: new Set(), left: undefined });
    const { targets, left } = conversation;
    const turn: CacheTurn = left === undefined ? 'first' : left.target === answer.target ? 'stayed' : targets.has(answer.target) ? 'returned' : 'switched';
    const sums = turns[turn];
    const { cacheReadTokens: read = 0, cacheWriteTokens: write = 0, cacheWrite1hTokens: write1h = 0 } = answer.usage;
    sums.requests += 1;
    sums.promptTokens += prompt;
    sums.readTokens += read;
    sums.writtenTokens += write + write1h;
    const isForced = exchange.attempts.some(({ outcome }) => outcome === 'failed');
    const held = left !== undefined && !isForced && answer.startedAt - left.at < left.lifetimeMs && prompt >= rewrittenBelow * left.cachedTokens ? Math.min(left.cachedTokens, prompt) : 0;
    const rewritten = Math.max(0, held - read);
    sums.rewrittenTokens += rewritten;
    const rate = rateOfRewrite(answer);
    if (rewritten > 0 && rate === undefined) sums.unpriced += 1;
    sums.rewrittenMicroUsd += Math.round(rewritten * (rate ?? 0));
    targets.add(answer.target);
    const rule = cacheRule(this.#options.routeTable().target(answer.endpoint, answer.model)?.endpoint.provider.id ?? '', answer.upstreamModel);
    conversation.left = {
      target: answer.target, at: answer.startedAt, cachedTokens: rule.automatic && read > 0 ? prompt : read + write + write1h, lifetimeMs: write1h > 0 ? longLifetimeMs : rule.lifetimeMs,
    };
  }
}

/** Micro-dollars that a token costs more than one from the cache; undefined where the price is not known. */
function rateOfRewrite({ usage, cost: { priceUsed } }: Attempt): number | undefined {
  if (priceUsed === undefined) return undefined;
  const { inputPerMTok, cacheReadPerMTok = inputPerMTok, cacheWritePerMTok = inputPerMTok } = priceUsed;
  return Math.max(0, ((usage.cacheWriteTokens ?? 0) > 0 ? cacheWritePerMTok : inputPerMTok) - cacheReadPerMTok);
}

function noSums(): CacheTurnSums {
  return { requests: 0, promptTokens: 0, readTokens: 0, writtenTokens: 0, rewrittenTokens: 0, rewrittenMicroUsd: 0, unpriced: 0 };
}
