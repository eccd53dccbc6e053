import { savingsMarkdown } from '../../../api/reports/savingsText.ts';
import { localDay } from '../../../base/localDay.ts';
import type { HttpCall } from '../httpCall.ts';
import type { HttpRoute } from './httpRoute.ts';

const dayMs = 86_400_000;
const usualDays = 30;

/** What requests cost beside what they would have cost elsewhere. */
export const savingsRoute: HttpRoute = {
  methods: ['GET'], path: '/waybill/savings', access: 'token',
  handle: (call, { router }) => untilGone(call, async (parameters, signal) => {
    const range = dayRange(parameters, router.clock.now());
    if (range === undefined) return call.refuse(400, 'Give days=30, or from and to like 2026-11-01.');
    const result = await router.reports.savings.report({ ...range, baseline: parameters.get('baseline') ?? 'first' }, signal);
    if ('problem' in result) return call.refuse(400, result.problem);
    return parameters.get('format') === 'markdown' ? call.text(200, savingsMarkdown(result.report), 'text/markdown') : call.json(200, result.report);
  }),
};

/** Runs what ends early when the caller is gone. */
export async function untilGone(call: HttpCall, answer: (parameters: URLSearchParams, signal: AbortSignal) => Promise<void>): Promise<void> {
  const aborter = new AbortController();
  const gone = (): void => aborter.abort();
  call.response.once('close', gone);
  try {
    await answer(new URLSearchParams(call.query), aborter.signal);
  } catch (error) {
    if (!aborter.signal.aborted) throw error;
  } finally {
    call.response.off('close', gone);
  }
}

/** The local days that a query asks for; undefined where it is none. */
export function dayRange(parameters: URLSearchParams, now: number): { fromDay: string; toDay: string } | undefined {
  const [from, to] = [parameters.get('from'), parameters.get('to')];
  if (from !== null) return { fromDay: from, toDay: to ?? localDay(now) };
  const days = Number(parameters.get('days') ?? usualDays);
  return to === null && Number.isInteger(days) && days >= 1 && days <= 10_000 ? { fromDay: localDay(now - (days - 1) * dayMs), toDay: localDay(now) } : undefined;
}
