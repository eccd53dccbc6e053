import type { TokenUsage } from '../../api/conversation.ts';
import type { Attempt } from '../../api/receipt.ts';
import { hasFigures } from '../../api/usage.ts';
import { failureCodes } from '../../base/failureCodes.ts';
import type { PriceRequest, PriceTerms } from '../../pricing/pricing.ts';
import { charsPerToken, type AttemptFigures } from '../answer/usageMeter.ts';
import type { AttemptEnd } from './machine.ts';

/** What an attempt used, with estimates where the provider gave no count, and whether there are any. */
export interface SettledUsage { usage: TokenUsage; estimated: boolean }

/**
 * Completes the usage of an attempt that was answered. A complete answer with its counts is taken as it is; a broken
 * or cancelled one keeps what it cost, with the generated text counted by its length.
 * @param ended undefined for an attempt that was cancelled or still runs
 */
export function settleUsage(figures: AttemptFigures, ended: AttemptEnd | undefined, estimatedInputTokens: number): SettledUsage {
  const reported = figures.usage;
  if (figures.generatedChars === 0 && !hasFigures(reported)) return { usage: {}, estimated: false };
  const usage: TokenUsage = { ...reported };
  let estimated = figures.contradictory;
  if (usage.inputTokens === undefined && usage.cacheReadTokens === undefined && usage.cacheWriteTokens === undefined) {
    usage.inputTokens = estimatedInputTokens;
    estimated = true;
  }
  const byLength = Math.ceil(figures.generatedChars / charsPerToken);
  const complete = ended?.kind === 'ok';
  const implausible = usage.outputTokens !== undefined && usage.outputTokens * 40 < figures.generatedChars;
  if (usage.outputTokens === undefined || implausible || (!complete && usage.outputTokens < byLength)) {
    usage.outputTokens = byLength;
    estimated = true;
  }
  return { usage, estimated: estimated || !complete };
}

/** The part of an attempt's record that is known when it starts. */
export type StartedAttempt = { /** Hosted tools this target cannot run. */ leftOut?: readonly string[]; /** What was changed for this target, in words. */ changes?: readonly string[] } & Pick<Attempt, 'number' | 'target' | 'endpoint' | 'provider' | 'model' | 'upstreamModel' | 'protocol' | 'keyLabel' | 'keyLast4' | 'keyId' | 'role' | 'kind' | 'startedAt'>;

/** Whether an attempt failed before its request left this machine. Then it cost nothing. */
export function wasNeverSent(end: AttemptEnd | 'cancelled', figures: Pick<AttemptFigures, 'status' | 'headersMs'>): boolean {
  return end !== 'cancelled' && end.kind === 'failed' && figures.status === undefined && figures.headersMs === undefined && failureCodes[end.error.code].beforeSending === true;
}

/** An answer in which the model declines: it went well as far as the provider is concerned, and is marked by its failure class. */
export function isRefusal(end: AttemptEnd | 'cancelled' | 'open'): boolean {
  return typeof end === 'object' && end.kind === 'ok' && end.reason === 'refusal';
}

/** The record of an attempt that has ended, still without its price. */
export function attemptRecord(
  started: StartedAttempt, figures: AttemptFigures, totalMs: number, end: AttemptEnd | 'cancelled' | 'open', settled: SettledUsage,
): Attempt {
  const failure = typeof end === 'object' && end.kind === 'failed' ? end.error : undefined;
  // Field by field: a copy of the rest of an object costs more than everything else that is done at the end of an attempt.
  const { number, target, endpoint, provider, model, upstreamModel, protocol, keyLabel, keyLast4, keyId, startedAt, role, kind, leftOut, changes } = started;
  return {
    number, target, endpoint, provider, model, upstreamModel, protocol, keyLabel, keyLast4, keyId, startedAt, role, kind,
    connectMs: figures.connectMs,
    headersMs: figures.headersMs,
    firstTokenMs: figures.firstTokenMs,
    answeredModel: figures.answeredModel,
    totalMs,
    status: figures.status ?? failure?.status,
    retryAfterMs: failure?.retryAfterMs,
    outcome: end === 'cancelled' ? 'cancelled' : end === 'open' ? 'interrupted' : end.kind === 'ok' ? 'ok' : 'failed',
    failureClass: end === 'cancelled' ? 'cancelled' : isRefusal(end) ? 'content-policy' : failure?.failureClass,
    message: failure?.storedMessage ?? changesNote(leftOut, changes),
    usage: settled.usage,
    usageEstimated: settled.estimated,
    cost: { certainty: 'unknown' },
  };
}

const toolTypeShape = /^[A-Za-z][\w.:-]{0,63}$/;

/** Nothing is changed or left out silently. */
function changesNote(leftOut: readonly string[] | undefined, changes: readonly string[] | undefined): string | undefined {
  const left = leftOutNote(leftOut);
  if (changes === undefined || changes.length === 0) return left;
  const changed = `Changed for this target: ${changes.join('; ')}.`;
  return left === undefined ? changed : `${left} ${changed}`;
}

/** Tools that only another provider can run. */
function leftOutNote(leftOut: readonly string[] | undefined): string | undefined {
  if (leftOut === undefined || leftOut.length === 0) return undefined;
  // A type that is no name may be any text of the caller's.
  const names = leftOut.map(type => (toolTypeShape.test(type) ? type : 'another tool'));
  return `Sent without ${names.join(', ')}: only the caller's own provider can run ${leftOut.length === 1 ? 'it' : 'them'}.`;
}

/** What the price of an attempt is found by. @param terms of its target when it began @param neverSent its request never left this machine */
export function priceRequest(attempt: Attempt, terms: PriceTerms, figures: Pick<AttemptFigures, 'generatedChars' | 'contradictory' | 'extras'>, neverSent: boolean): PriceRequest {
  return {
    ...terms,
    usage: attempt.usage,
    usageEstimated: attempt.usageEstimated,
    upstreamModel: attempt.upstreamModel,
    at: attempt.startedAt,
    status: attempt.status,
    // An answer that refuses is an answer, and paid for as one.
    failureClass: attempt.outcome === 'ok' ? undefined : attempt.failureClass,
    neverSent,
    contradictory: figures.contradictory,
    extras: figures.extras,
    generated: figures.generatedChars > 0,
  };
}
