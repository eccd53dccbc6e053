import type { Attempt } from '../../api/receipt.ts';
import type { WaybillError } from '../../base/failure.ts';
import { observationOf, timerPhaseOf } from '../../timeouts/attemptObservation.ts';
import { networkKindOf } from '../../health/network/networkState.ts';
import type { PriceRequest } from '../../pricing/pricing.ts';
import { promptTokens } from '../../protocols/events.ts';
import type { AttemptEnd } from './attempt.ts';
import { attemptRecord, priceRequest, settleUsage, type RecordedAttempt } from './record.ts';
import { isAboutKey } from '../failover.ts';
import type { RunningAttempt } from './runningAttempt.ts';
import type { ExchangeServices } from '../services.ts';

/** How an attempt ended. `cancelled`: the caller went away; `slower`: another target began to answer first. */
export type AttemptVerdict = AttemptEnd | 'cancelled' | 'slower';

const none: ReadonlySet<string> = new Set();

/** The record of an attempt as it stands, for the ledger of a long stream. */
export function runningRecord({ origin, run }: RunningAttempt, estimatedInputTokens: number): RecordedAttempt {
  return attemptRecord(origin.started, run.figures, run.elapsedMs(), 'open', settleUsage(run.figures, undefined, estimatedInputTokens));
}

/** The final record of an attempt and what its price is found by; gives its place at the endpoint back. */
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
  if (unsent) services.limiter.refund(origin.ticket);
  else services.limiter.release(origin.ticket, prompt === undefined ? undefined : prompt + (settled.usage.outputTokens ?? 0));
  if (run.unreadable > 0) {
    services.log.warn(`${origin.target.target} sent ${run.unreadable} ${run.unreadable === 1 ? 'event that could not be read and was' : 'events that could not be read and were'} left out of its answer.`);
  }
  return { record, price };
}

/** Whether a timer ended an attempt sooner than it would have with nobody to take over. */
export function wasCutShort({ origin }: RunningAttempt, error: WaybillError): boolean {
  const phase = timerPhaseOf(error.code);
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

/** Tells health, keys and timers what an attempt proved. @param record its final record */
export function proveAttempt(services: ExchangeServices, { origin, run }: RunningAttempt, record: Attempt, verdict: AttemptVerdict, stream: boolean): void {
  const { healthRegistry, keys, clock, timers } = services;
  const { target, key, trial, endpoint, started } = origin;
  const now = clock.now();
  const error = typeof verdict === 'object' && verdict.kind === 'failed' ? verdict.error : undefined;
  const phase = error === undefined ? undefined : timerPhaseOf(error.code);
  const observed = observationOf(record, stream, { timedOut: phase, beaten: verdict === 'slower', tokensPerSecond: run.tokensPerSecond });
  if (observed !== undefined) timers.observe(observed);
  if (typeof verdict !== 'object') {
    healthRegistry.release(target.endpoint, target.model, trial);
    return;
  }
  if (key !== undefined) keys.report(target.endpoint, key.id, error?.failureClass ?? 'ok', now, error?.retryAfterMs, { model: target.model, drill: run.drilled });
  const keyScoped = error !== undefined && isAboutKey(error.failureClass) && keys.pick(target.endpoint, none, now, undefined, target.model) !== undefined;
  healthRegistry.record({
    endpoint: target.endpoint, model: target.model, at: now, startedAt: started.startedAt, kind: 'traffic', trial, keyScoped, phase,
    failureClass: error?.failureClass, code: error?.code, status: run.figures.status, message: error?.storedMessage,
    firstTokenMs: run.figures.firstTokenMs, totalMs: run.elapsedMs(), retryAfterMs: error?.retryAfterMs,
    networkKind: error === undefined ? undefined : networkKindOf(error.systemCode),
    drill: run.drilled ? true : undefined,
  });
  if (error !== undefined && !run.drilled) services.failed(endpoint, error.failureClass, error.storedMessage, error.helpUrl, error.code);
}
