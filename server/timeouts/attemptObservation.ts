import type { Attempt } from '../api/receipt.ts';
import type { TimerPhase } from '../base/failureCodes.ts';
import type { TimedAttempt } from './adaptiveTimeouts.ts';

/** How an attempt ended, as far as its record does not tell. */
export interface AttemptEnding {
  /** The timer that ended it. */
  timedOut?: TimerPhase | undefined;
  /** It was cancelled because another attempt of its exchange was faster. */
  beaten?: boolean | undefined;
  /** Where it was measured; else it is worked out from the record. */
  tokensPerSecond?: number | undefined;
}

/** Shorter or smaller answers say nothing about pace. */
const measurableMs = 1_000;
const measurableTokens = 20;

/**
 * What can be learnt from an attempt's record, live or from the ledger; undefined where it is nothing. A fire drill is no
 * experience, and an attempt that a caller gave up proves nothing. What failed teaches what it measured before: an error
 * comes faster than an answer, so that the time to its headers does not count.
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

/** Tokens a second after the first one. Reasoning may have come before it unseen, and does not count. */
function paceOf({ usage, usageEstimated, firstTokenMs, totalMs }: Attempt): number | undefined {
  if (usage.outputTokens === undefined || usageEstimated || firstTokenMs === undefined) return undefined;
  const tokens = usage.outputTokens - (usage.reasoningTokens ?? 0);
  const writtenMs = totalMs - firstTokenMs;
  return tokens < measurableTokens || writtenMs < measurableMs ? undefined : tokens / (writtenMs / 1000);
}
