import { cacheMarkdown } from '../../../api/reports/cacheReport.ts';
import { incidentsMarkdown, usualIncidentDays } from '../../../api/reports/incidents.ts';
import { migrationMarkdown } from '../../../api/reports/migrationText.ts';
import { savingsMarkdown } from '../../../api/reports/savingsText.ts';
import { localDay } from '../../../base/localDay.ts';
import { untilGone } from '../untilGone.ts';
import type { HttpRoute } from './httpRoute.ts';

const usualDays = 30;
const wrongDays = 'Give days=30, or from and until like 2026-11-01.';

/** What requests cost beside what they would have cost elsewhere. */
export const savingsRoute: HttpRoute = {
  methods: ['GET'], path: '/waybill/savings', access: 'owner',
  handle: (call, { router }) => untilGone(call, async (parameters, signal) => {
    const range = dayRange(parameters, router.clock.now());
    if (range === undefined) return call.refuse(400, wrongDays);
    const result = await router.reports.savings.report({ ...range, baseline: parameters.get('baseline') ?? 'first' }, signal);
    if ('problem' in result) return call.refuse(400, result.problem);
    return parameters.get('format') === 'markdown' ? call.text(200, savingsMarkdown(result.report), 'text/markdown') : call.json(200, result.report);
  }),
};

/** What was used, what it would cost elsewhere, and how to move there. */
export const migrationRoute: HttpRoute = {
  methods: ['GET'], path: '/waybill/migration', access: 'owner',
  handle: (call, { router }) => untilGone(call, async (parameters, signal) => {
    const range = dayRange(parameters, router.clock.now());
    if (range === undefined) return call.refuse(400, wrongDays);
    const of = parameters.get('of');
    const result = await router.reports.migration.report({ ...range, to: parameters.get('to') ?? '', ...(of === null ? {} : { of }) }, signal);
    if ('problem' in result) return call.refuse(400, result.problem);
    return parameters.get('format') === 'markdown' ? call.text(200, migrationMarkdown(result.report), 'text/markdown') : call.json(200, result.report);
  }),
};

/** What prompt caches held, by where requests stand in their conversations. */
export const cacheReportRoute: HttpRoute = {
  methods: ['GET'], path: '/waybill/cache', access: 'owner',
  handle: (call, { router }) => untilGone(call, async (parameters, signal) => {
    const range = dayRange(parameters, router.clock.now());
    if (range === undefined) return call.refuse(400, wrongDays);
    const result = await router.reports.cache.report(range, signal);
    if ('problem' in result) return call.refuse(400, result.problem);
    return parameters.get('format') === 'markdown' ? call.text(200, cacheMarkdown(result.report), 'text/markdown') : call.json(200, result.report);
  }),
};

/** When endpoints failed, for how long, who answered instead, and what that cost. */
export const incidentsRoute: HttpRoute = {
  methods: ['GET'], path: '/waybill/incidents', access: 'owner',
  handle: (call, { router }) => untilGone(call, async (parameters, signal) => {
    const endpoint = parameters.get('endpoint');
    const result = await router.reports.incidents.report({ days: Number(parameters.get('days') ?? usualIncidentDays), ...(endpoint === null ? {} : { endpoint }) }, signal);
    if ('problem' in result) return call.refuse(400, result.problem);
    return parameters.get('format') === 'markdown' ? call.text(200, incidentsMarkdown(result.report), 'text/markdown') : call.json(200, result.report);
  }),
};

/** The local days that a query asks for; undefined where it is none. */
function dayRange(parameters: URLSearchParams, now: number): { fromDay: string; toDay: string } | undefined {
  const [from, until] = [parameters.get('from'), parameters.get('until')];
  if (from !== null) return { fromDay: from, toDay: until ?? localDay(now) };
  const days = Number(parameters.get('days') ?? usualDays);
  return until === null && Number.isInteger(days) && days >= 1 && days <= 10_000 ? { fromDay: localDay(daysBefore(now, days - 1)), toDay: localDay(now) } : undefined;
}

function daysBefore(now: number, days: number): number {
  const date = new Date(now);
  return new Date(date.getFullYear(), date.getMonth(), date.getDate() - days).getTime();
}
