import type { RequestKind } from '../api/receipt.ts';
import type { EndpointConfig, Timeouts } from '../config/config.ts';

/** A timer whose limit is learnt from how long the same thing took before. */
export type LearntPhase = 'headers' | 'plain' | 'firstToken' | 'gap' | 'pace';

/** Whose history a limit is taken from: the same kind of work, the model's, or the whole endpoint's. */
export type HistoryScope = 'kind' | 'model' | 'endpoint';

/** How much of a history it takes before it says anything. */
export const fewest: Readonly<Record<HistoryScope, number>> = { kind: 10, model: 20, endpoint: 30 };

/** A connection says the same about every request, so few of them tell. */
export const fewestConnections = 3;

/**
 * Parts of the default bounds. A small request that takes as long as a large one may is in trouble; reasoning is allowed
 * to think. On this machine every kind may have to wait until the model is loaded.
 */
const boundParts: Readonly<Record<RequestKind, number>> = { fast: 0.5, normal: 1, complex: 2 };

/**
 * No learnt limit is shorter than this, however quick an endpoint was: a queue, a cold cache or a long prompt take their
 * time anywhere. Before the first token a wrong alarm costs a second request that nobody sees, so that these are
 * short; a plain answer is lost whole, and a gap in mid-answer (a provider that makes up a tool call in silence) ends in
 * sight of the reader, so that those are long.
 */
const lowestMs: Readonly<Record<Exclude<LearntPhase, 'pace'>, Readonly<Record<RequestKind, number>>>> = {
  headers: { fast: 1_500, normal: 4_000, complex: 15_000 },
  firstToken: { fast: 1_500, normal: 4_000, complex: 15_000 },
  plain: { fast: 10_000, normal: 60_000, complex: 120_000 },
  gap: { fast: 10_000, normal: 20_000, complex: 30_000 },
};

/** Times the slow end of what is usual. The further the kin, the less it tells. */
const margins: Readonly<Record<HistoryScope, number>> = { kind: 4, model: 6, endpoint: 10 };

/** An answer that comes at a tenth of the slow end of what is usual is as good as broken off. */
export const paceMargins: Readonly<Record<Exclude<HistoryScope, 'endpoint'>, number>> = { kind: 10, model: 15 };
/** Never demanded by itself, however fast an endpoint is: a reader can follow an answer that comes at this pace. */
export const mostTokensPerSecond = 2;

/** Tokens of an answer that is long for its kind. */
export const longAnswerTokens: Readonly<Record<RequestKind, number>> = { fast: 1_000, normal: 16_000, complex: 32_000 };
/** How far a slow endpoint may stretch the time of a whole answer. */
export const totalStretch = 3;

/**
 * Beside the usual time, what a new connection is given at least. A lost first packet is sent again after one second
 * (RFC 6298), so there are two sensible limits. Where connections are usually made in a blink, giving up well before that second and asking
 * elsewhere is faster than waiting for the second packet; it still leaves room for a dual-stack host whose first address
 * family does not answer (300 ms). Where they are not, a limit near one second would give up just as the answer to
 * the second packet is on its way, so it lies beyond.
 */
const quickConnectMs = 100;
const connectAllowanceMs = { quick: 400, slow: 1_000 };
export const connectMargin = 4;

/** @param usualMs the slow end of what connecting usually takes */
export function connectAllowance(usualMs: number): number {
  return usualMs <= quickConnectMs ? connectAllowanceMs.quick : connectAllowanceMs.slow;
}

/** The timers of a kind of work while nothing is known of an endpoint; what the user wrote is put in their place later. */
export function boundsOf(endpoint: Pick<EndpointConfig, 'timeouts' | 'writtenTimeouts' | 'provider'>, route: Partial<Timeouts> | undefined, kind: RequestKind): Timeouts {
  const { timeouts, provider } = endpoint;
  const part = provider.local === true ? Math.max(1, boundParts[kind]) : boundParts[kind];
  return {
    connectMs: timeouts.connectMs,
    headersMs: timeouts.headersMs * part,
    // A plain answer may take as long as the user gives the whole.
    bufferedHeadersMs: route?.totalMs ?? endpoint.writtenTimeouts.totalMs ?? timeouts.bufferedHeadersMs * part,
    firstTokenMs: timeouts.firstTokenMs * part,
    idleMs: timeouts.idleMs * part,
    totalMs: timeouts.totalMs * part,
    minTokensPerSecond: timeouts.minTokensPerSecond,
  };
}

/** What a learnt limit may be, for one timer and one history. */
export function limitRule(
  phase: Exclude<LearntPhase, 'pace'>, kinship: HistoryScope, kind: RequestKind, highest: number, local: boolean,
): { margin: number; lowest: number; highest: number } {
  // What a request that reasons needs cannot be told from those that do not; nor one model's time from another's.
  const far = kinship === 'endpoint' || (kinship === 'model' && kind === 'complex');
  // A model that was put away meanwhile is loaded again, and history does not say when.
  const loading = local && phase !== 'gap' ? highest / 5 : 0;
  const own = lowestMs[phase][kind] * (kinship === 'kind' ? 1 : 2);
  return { margin: margins[far ? 'endpoint' : kinship], lowest: Math.min(highest, Math.max(own, loading, far ? highest / 2 : 0)), highest };
}
