import type { Attempt } from '../api/receipt.ts';
import type { TimerPhase } from '../base/failureCodes.ts';
import type { TimedAttempt } from './adaptiveTimeouts.ts';

/** What the record of an attempt does not hold about its end. */
export interface AttemptEnding {
  /** The timer that ended it. */
  timedOut?: TimerPhase | undefined;
  /** The attempt was cancelled because another one of its exchange was faster. */
  beaten?: boolean | undefined;
  /** Present where it was measured; otherwise it is computed from the record. */
  tokensPerSecond?: number | undefined;
}

/** Shorter answers, in time or in tokens, say nothing about pace. */
const measurableMs = 1_000;
const measurableTokens = 20;

/**
 * What can be learnt from an attempt's record, live or from the ledger; undefined where that is nothing. A drilled attempt and
 * one that its caller gave up prove nothing. A failed attempt teaches what it measured before it failed; an error comes
 * faster than an answer, so the time to the headers of an error does not count.
 * @param stream whether the caller wanted a stream
 */
export function observationOf(attempt: Attempt, stream: boolean, ending: AttemptEnding = {}): TimedAttempt | undefined {
  const { outcome, connectMs, headersMs, firstTokenMs, longestGapMs, totalMs } = attempt;
  const { timedOut } = ending;
  if (attempt.drill === true || outcome === 'interrupted') return undefined;
  const common = { endpoint: attempt.endpoint, model: attempt.model, kind: attempt.kind ?? 'normal', stream, at: attempt.startedAt + totalMs, connectMs };
  if (outcome === 'cancelled') {
    if (ending.beaten !== true || firstTokenMs !== undefined) return undefined;
    return { ...common, headersMs: stream ? headersMs : undefined, atLeastFirstTokenMs: totalMs };
  }
  if (outcome === 'failed' && firstTokenMs === undefined) {
    switch (timedOut) {
      case 'connect': return { ...common, connectMs: totalMs, timedOut };
      case 'headers': return { ...common, headersMs: totalMs, timedOut };
      case 'first-token': return { ...common, headersMs: stream ? headersMs : undefined, firstTokenMs: totalMs, timedOut };
      default: return connectMs === undefined ? undefined : common;
    }
  }
  const tokensPerSecond = ending.tokensPerSecond ?? paceOf(attempt);
  return { ...common, headersMs, firstTokenMs, longestGapMs, tokensPerSecond, timedOut };
}

/** Tokens a second after the first one. Reasoning may precede it without being sent, so it does not count. */
function paceOf({ usage, usageEstimated, firstTokenMs, totalMs }: Attempt): number | undefined {
  if (usage.outputTokens === undefined || usageEstimated || firstTokenMs === undefined) return undefined;
  const tokens = usage.outputTokens - (usage.reasoningTokens ?? 0);
  const writtenMs = totalMs - firstTokenMs;
  return tokens < measurableTokens || writtenMs < measurableMs ? undefined : tokens / (writtenMs / 1000);
}
