import type { RequestKind } from '../api/receipt.ts';
import type { EndpointConfig, Timeouts } from '../config/config.ts';

/** A timer whose limit is learnt. `buffered` waits for the headers of an answer that is no stream. */
export type LearntPhase = 'headers' | 'buffered' | 'firstToken' | 'gap' | 'pace';

/** Which history a limit is taken from: that of the same kind of work, of the model, or of the whole endpoint. */
export type HistoryScope = 'kind' | 'model' | 'endpoint';

/** How many measurements a history needs before a limit is taken from it. */
export const fewest: Readonly<Record<HistoryScope, number>> = { kind: 10, model: 20, endpoint: 30 };

/** Connections do not depend on the request, so few measurements are enough. */
export const fewestConnections = 3;

/**
 * Parts of the default bounds. A small request that takes as long as a large one is in trouble; a request that reasons gets
 * twice the time. At a local endpoint every kind may have to wait until the model is loaded.
 */
const boundParts: Readonly<Record<RequestKind, number>> = { fast: 0.5, normal: 1, complex: 2 };

/**
 * The shortest learnt limits, however quick an endpoint was: a queue, a cold cache or a long prompt takes its time anywhere.
 * Before the first token a wrong timeout costs a second request and stays invisible, so these limits are short. A wrong
 * timeout of a buffered answer loses all of it, and one in mid-answer (a provider that writes a tool call sends nothing
 * meanwhile) is visible to the reader, so those limits are long.
 */
const lowestMs: Readonly<Record<Exclude<LearntPhase, 'pace'>, Readonly<Record<RequestKind, number>>>> = {
  headers: { fast: 1_500, normal: 4_000, complex: 15_000 },
  firstToken: { fast: 1_500, normal: 4_000, complex: 15_000 },
  buffered: { fast: 10_000, normal: 60_000, complex: 120_000 },
  gap: { fast: 10_000, normal: 20_000, complex: 30_000 },
};

/** Factors of the slow end of the usual time. The wider the scope, the less exact its history. */
const margins: Readonly<Record<HistoryScope, number>> = { kind: 4, model: 6, endpoint: 10 };

/** An answer at a tenth of the slow end of the usual pace counts as broken off. */
export const paceMargins: Readonly<Record<Exclude<HistoryScope, 'endpoint'>, number>> = { kind: 10, model: 15 };
/** The highest learnt minimum pace, however fast an endpoint is: a reader can follow an answer at this pace. */
export const mostTokensPerSecond = 2;

/** How many tokens a long answer of each kind has. */
export const longAnswerTokens: Readonly<Record<RequestKind, number>> = { fast: 1_000, normal: 16_000, complex: 32_000 };
/** The most by which a slow endpoint lengthens the time of a whole answer. */
export const totalStretch = 3;

/**
 * What a new connection gets at least, added to the usual time. A lost first packet is sent again after one second
 * (RFC 6298), so there are two sensible limits. Where connections are usually quick, to give up well before that second and
 * ask another target is faster than to wait for the second packet; the limit still leaves room for a dual-stack host whose
 * first address family does not answer (300 ms). Where connections are slow, a limit near one second would give up while the
 * answer to the second packet is on its way, so the limit lies beyond it.
 */
const quickConnectMs = 100;
const connectAllowanceMs = { quick: 400, slow: 1_000 };
export const connectMargin = 4;

/** @param usualMs the slow end of the usual time of connecting */
export function connectAllowance(usualMs: number): number {
  return usualMs <= quickConnectMs ? connectAllowanceMs.quick : connectAllowanceMs.slow;
}

/** The timeouts of a kind of work at an endpoint without history. The caller puts what the user wrote in their place. */
export function boundsOf(endpoint: Pick<EndpointConfig, 'timeouts' | 'writtenTimeouts' | 'local'>, route: Partial<Timeouts> | undefined, kind: RequestKind): Timeouts {
  const { timeouts, local } = endpoint;
  const part = local === true ? Math.max(1, boundParts[kind]) : boundParts[kind];
  return {
    connectMs: timeouts.connectMs,
    headersMs: timeouts.headersMs * part,
    // The headers of a buffered answer may take as long as the user allows for the whole.
    bufferedHeadersMs: route?.totalMs ?? endpoint.writtenTimeouts.totalMs ?? timeouts.bufferedHeadersMs * part,
    firstTokenMs: timeouts.firstTokenMs * part,
    idleMs: timeouts.idleMs * part,
    totalMs: timeouts.totalMs * part,
    minTokensPerSecond: timeouts.minTokensPerSecond,
  };
}

/**
 * The bounds where no other target can take over: an answer that comes late is better than none, so the first sign of one
 * may take as long as the whole. A connection that is dead meanwhile is noticed by the system's own probes.
 */
export function patient(bounds: Timeouts): Timeouts {
  return { ...bounds, headersMs: Math.max(bounds.headersMs, bounds.totalMs), firstTokenMs: Math.max(bounds.firstTokenMs, bounds.totalMs) };
}

/** The bounds of a learnt limit, for one timer and one history. */
export function limitRule(
  phase: Exclude<LearntPhase, 'pace'>, scope: HistoryScope, kind: RequestKind, highest: number, local: boolean,
): { margin: number; lowest: number; highest: number } {
  // Other kinds of work say little about a request that reasons, and other models say little about this one.
  const far = scope === 'endpoint' || (scope === 'model' && kind === 'complex');
  // A local server may have unloaded the model, and the history does not say when it loads again.
  const loading = local && phase !== 'gap' ? highest / 5 : 0;
  const own = lowestMs[phase][kind] * (scope === 'kind' ? 1 : 2);
  return { margin: margins[far ? 'endpoint' : scope], lowest: Math.min(highest, Math.max(own, loading, far ? highest / 2 : 0)), highest };
}
