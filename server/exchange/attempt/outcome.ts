import type { Attempt } from '../../api/receipt.ts';
import type { WaybillError } from '../../base/failure.ts';
import { failureCodes } from '../../base/failureCodes.ts';
import type { PriceRequest } from '../../pricing/pricing.ts';
import { promptTokens } from '../../api/usage.ts';
import type { AttemptEnd } from './attempt.ts';
import { attemptRecord, priceRequest, settleUsage, type RecordedAttempt } from './record.ts';
import type { AttemptEnded } from '../events.ts';
import type { RunningAttempt } from './runningAttempt.ts';
import type { ExchangeServices } from '../services.ts';

/** How an attempt ended. `cancelled`: the caller went away; `slower`: another target began to answer first. */
export type AttemptVerdict = AttemptEnd | 'cancelled' | 'slower';

/** The record of an attempt as it stands, for the ledger of a long stream. */
export function runningRecord({ origin, run }: RunningAttempt, estimatedInputTokens: number): RecordedAttempt {
  return attemptRecord(origin.started, run.figures, run.elapsedMs(), 'open', settleUsage(run.figures, undefined, estimatedInputTokens));
}

/** The final record of an attempt and what its price is found by; gives its permit back. */
export function settleAttempt(services: ExchangeServices, { origin, run }: RunningAttempt, verdict: AttemptVerdict, estimatedInputTokens: number): { record: RecordedAttempt; price: PriceRequest } {
  const end = verdict === 'slower' ? 'cancelled' : verdict;
  const settled = settleUsage(run.figures, end === 'cancelled' ? undefined : end, estimatedInputTokens);
  const record = attemptRecord(origin.started, run.figures, run.elapsedMs(), end, settled);
  if (verdict === 'slower') record.message = 'Another target began to answer first.';
  if (run.resent) record.message ??= 'The connection that was kept was gone; the request went out on a fresh one.';
  if (run.longestGapMs !== undefined) record.longestGapMs = run.longestGapMs;
  if (run.drilled) record.drill = true;
  const price = priceRequest(record, origin.endpoint, run.figures);
  const unsent = run.unsent || record.neverSent === true;
  // Known to the pricer now; receipts say it in words.
  delete record.neverSent;
  const prompt = promptTokens(settled.usage);
  const used = unsent ? 'unsent' : prompt === undefined ? 'unknown' : prompt + (settled.usage.outputTokens ?? 0);
  if (typeof verdict === 'object') origin.permit.settle(used);
  else origin.permit.release(used);
  if (run.unreadable > 0) {
    services.log.warn(`${origin.target.target} sent ${run.unreadable} ${run.unreadable === 1 ? 'event that could not be read and was' : 'events that could not be read and were'} left out of its answer.`);
  }
  return { record, price };
}

/** Whether a timer ended an attempt sooner than it would have with nobody to take over. */
export function wasCutShort({ origin }: RunningAttempt, error: WaybillError): boolean {
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
export function attemptEnded({ origin, run }: RunningAttempt, record: Attempt, verdict: AttemptVerdict, at: number): AttemptEnded {
  const error = typeof verdict === 'object' && verdict.kind === 'failed' ? verdict.error : undefined;
  return {
    attempt: origin.announced, record, verdict: verdictOf(verdict), error, status: run.figures.status,
    timedOut: error === undefined ? undefined : failureCodes[error.code].timer, tokensPerSecond: run.tokensPerSecond, at,
  };
}

function verdictOf(verdict: AttemptVerdict): AttemptEnded['verdict'] {
  switch (verdict) {
    case 'cancelled': return 'abandoned';
    case 'slower': return 'beaten';
    default: return verdict.kind;
  }
}
