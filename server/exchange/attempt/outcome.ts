import type { Attempt } from '../../api/receipt.ts';
import type { WaybillError } from '../../base/failure.ts';
import { failureCodes } from '../../base/failureCodes.ts';
import type { PriceRequest } from '../../pricing/pricing.ts';
import { promptTokens } from '../../api/usage.ts';
import type { UpstreamAttempt } from './attempt.ts';
import { isDrilled, isResent, isUnsent } from './callFacts.ts';
import type { AttemptEnd } from './machine.ts';
import { attemptRecord, priceRequest, settleUsage, wasNeverSent } from './record.ts';
import type { AttemptEnded } from '../events.ts';
import type { ExchangeServices } from '../services.ts';

/** How an attempt ended. `cancelled`: the caller went away; `slower`: another target began to answer first. */
export type AttemptVerdict = AttemptEnd | 'cancelled' | 'slower';

/** The record of an attempt as it stands, for the ledger of a long stream. */
export function runningRecord(attempt: UpstreamAttempt, estimatedInputTokens: number): Attempt {
  const { origin, figures } = attempt;
  return attemptRecord(origin.started, figures, attempt.elapsedMs(), 'open', settleUsage(figures, undefined, estimatedInputTokens));
}

/** The final record of an attempt and what its price is found by; gives its permit back. */
export function settleAttempt(services: ExchangeServices, attempt: UpstreamAttempt, verdict: AttemptVerdict, estimatedInputTokens: number): { record: Attempt; price: PriceRequest } {
  const { origin, figures } = attempt;
  const end = verdict === 'slower' ? 'cancelled' : verdict;
  const settled = settleUsage(figures, end === 'cancelled' ? undefined : end, estimatedInputTokens);
  const record = attemptRecord(origin.started, figures, attempt.elapsedMs(), end, settled);
  if (verdict === 'slower') record.message = 'Another target began to answer first.';
  if (isResent(attempt.call)) record.message ??= 'The connection that was kept was gone; the request went out on a fresh one.';
  if (attempt.longestGapMs !== undefined) record.longestGapMs = attempt.longestGapMs;
  if (isDrilled(attempt.call)) record.drill = true;
  const neverSent = wasNeverSent(end, figures);
  const price = priceRequest(record, origin.resolved.price, figures, neverSent);
  const unsent = isUnsent(attempt.call) || neverSent;
  const prompt = promptTokens(settled.usage);
  const used = unsent ? 'unsent' : prompt === undefined ? 'unknown' : prompt + (settled.usage.outputTokens ?? 0);
  const cost = origin.permit.reserves ? services.spending.cost(price) : undefined;
  if (typeof verdict === 'object') origin.permit.settle(used, cost);
  else origin.permit.release(used, cost);
  if (attempt.unreadable > 0) {
    services.log.warn(`${origin.target.target} sent ${attempt.unreadable} ${attempt.unreadable === 1 ? 'event that could not be read and was' : 'events that could not be read and were'} left out of its answer.`);
  }
  return { record, price };
}

/** Whether a timer ended an attempt sooner than it would have without another target to take over. */
export function wasCutShort({ origin }: UpstreamAttempt, error: WaybillError): boolean {
  const phase = failureCodes[error.code].timer;
  if (phase === undefined) return false;
  const { timeouts } = origin;
  const fullTimeouts = origin.fullTimeouts();
  switch (phase) {
    case 'connect': return timeouts.connectMs < fullTimeouts.connectMs;
    case 'headers': return timeouts.headersMs < fullTimeouts.headersMs || timeouts.bufferedHeadersMs < fullTimeouts.bufferedHeadersMs;
    case 'first-token': return timeouts.firstTokenMs < fullTimeouts.firstTokenMs || timeouts.bufferedHeadersMs < fullTimeouts.bufferedHeadersMs;
    case 'idle': return timeouts.idleMs < fullTimeouts.idleMs;
    case 'throughput': return timeouts.minTokensPerSecond > fullTimeouts.minTokensPerSecond;
    case 'total': return timeouts.totalMs < fullTimeouts.totalMs;
  }
}

/** The event of an attempt's end. @param record its final record @param at milliseconds since the epoch */
export function attemptEnded(attempt: UpstreamAttempt, record: Attempt, verdict: AttemptVerdict, at: number): AttemptEnded {
  const error = typeof verdict === 'object' && verdict.kind === 'failed' ? verdict.error : undefined;
  return {
    attempt: attempt.origin.announced, record, verdict: verdictOf(verdict), error, status: attempt.figures.status,
    timedOut: error === undefined ? undefined : failureCodes[error.code].timer, tokensPerSecond: attempt.tokensPerSecond, at,
  };
}

function verdictOf(verdict: AttemptVerdict): AttemptEnded['verdict'] {
  switch (verdict) {
    case 'cancelled': return 'abandoned';
    case 'slower': return 'beaten';
    default: return verdict.kind;
  }
}
