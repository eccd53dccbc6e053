import type { Attempt } from '../../../server/api/receipt.ts';

/** What an attempt was doing: waiting for the headers, for the first token, or receiving. */
export const timelinePhases = ['headers', 'first-token', 'answer'] as const;
export type TimelinePhase = (typeof timelinePhases)[number];

/** Where an attempt lies in its exchange. All measures are shares (0..1) of the exchange's whole time. */
export interface AttemptTimeline {
  left: number;
  width: number;
  /** Side by side from `left`; their widths add up to `width`. */
  phases: { phase: TimelinePhase; width: number }[];
}

/** Places an attempt on the time line of its exchange. A phase that was not reached takes no room. */
export function attemptTimeline(
  attempt: Pick<Attempt, 'startedAt' | 'headersMs' | 'firstTokenMs' | 'totalMs'>,
  exchangeStartedAt: number,
  spanMs: number,
): AttemptTimeline {
  const share = (milliseconds: number): number => Math.min(1, Math.max(0, milliseconds / Math.max(1, spanMs)));
  const left = share(attempt.startedAt - exchangeStartedAt);
  const end = Math.max(left, share(attempt.startedAt - exchangeStartedAt + attempt.totalMs));
  const bounds: { phase: TimelinePhase; endMs: number }[] = [{ phase: 'headers', endMs: attempt.headersMs ?? attempt.firstTokenMs ?? attempt.totalMs }];
  if (attempt.headersMs !== undefined) bounds.push({ phase: 'first-token', endMs: attempt.firstTokenMs ?? attempt.totalMs });
  if (attempt.firstTokenMs !== undefined) bounds.push({ phase: 'answer', endMs: attempt.totalMs });
  const phases: AttemptTimeline['phases'] = [];
  let reached = left;
  for (const { phase, endMs } of bounds) {
    const until = Math.min(end, Math.max(reached, share(attempt.startedAt - exchangeStartedAt + endMs)));
    if (until > reached) phases.push({ phase, width: until - reached });
    reached = until;
  }
  return { left, width: end - left, phases };
}
