import { clockText, failureClassWords } from '../condition.ts';
import type { FailureClass } from '../failure.ts';
import { countText, markdownTable, markdownText, usdText } from './reportText.ts';

/** A request that an incident touched. */
export interface TouchedRequest {
  id: string;
  /** Milliseconds since the epoch. */
  startedAt: number;
  /** The target that answered; absent: nothing did. */
  answeredBy?: string | undefined;
}

/** A time in which an endpoint failed. Moments are milliseconds since the epoch. */
export interface Incident {
  endpoint: string;
  /** When it first failed. */
  from: number;
  /** When it answered again; absent: it has not been seen to answer since. */
  until?: number | undefined;
  lastFailureAt: number;
  /** What failed and how often, the commonest first; attempts and probes together. */
  causes: { failureClass: FailureClass; status?: number | undefined; times: number }[];
  /** The latest failure in one sentence. */
  message?: string | undefined;
  requests: number;
  /** Of them, those that nothing answered. */
  unanswered: number;
  /** Endpoints that answered in its place, those that answered most first. */
  answeredBy: { endpoint: string; requests: number }[];
  /** What its requests cost more than they would have cost there, in micro-dollars; less than nothing where others are cheaper. */
  extraMicroUsd: number;
  extraEstimated: boolean;
  /** Requests whose extra cost is unknown and so not in the figure. */
  extraUnknown: number;
  /** The latest of its requests, newest first; at most `mostTouched`. */
  touched: TouchedRequest[];
}

export interface IncidentReport {
  at: number;
  days: number;
  /** The newest first. */
  incidents: Incident[];
  /** How many older ones are left out. */
  left: number;
}

export type IncidentResult = { report: IncidentReport } | { problem: string };

/** @property days the last so many times 24 hours, up to now @property endpoint absent: of all */
export interface IncidentParams { days: number; endpoint?: string | undefined }

/** How far back a report goes where nobody says it. */
export const usualIncidentDays = 7;
export const mostIncidentDays = 92;
export const mostIncidents = 200;
export const mostTouched = 50;

/** `rate limited (429) 4 times, timed out once`. */
export function causesText({ causes }: Pick<Incident, 'causes'>): string {
  return causes.map(({ failureClass, status, times }) => `${failureClassWords[failureClass]}${status === undefined ? '' : ` (${String(status)})`}${times === 1 ? '' : ` ${String(times)} times`}`).join(', ');
}

/** `for 3 min`, `not seen to answer since`. */
export function lengthText({ from, until }: Pick<Incident, 'from' | 'until'>): string {
  return until === undefined ? 'not seen to answer since' : `for ${spanText(until - from)}`;
}

function spanText(ms: number): string {
  const seconds = Math.max(1, Math.round(ms / 1000));
  if (seconds < 100) return `${String(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 100 ? `${String(minutes)} min` : `${String(Math.round(minutes / 60))} h`;
}

/** `2 requests, answered by south (2)`, `3 requests, answered by south (1), 2 unanswered`, `no request`. */
export function answersText({ requests, unanswered, answeredBy }: Pick<Incident, 'requests' | 'unanswered' | 'answeredBy'>): string {
  if (requests === 0) return 'no request';
  return [
    countText(requests, 'request'),
    ...(answeredBy.length === 0 ? [] : [`answered by ${answeredBy.map(one => `${one.endpoint} (${String(one.requests)})`).join(', ')}`]),
    ...(unanswered === 0 ? [] : [`${String(unanswered)} unanswered`]),
  ].join(', ');
}

/** `~$0.0012+`: `~` where a part is an estimate, `+` where a part is unknown; `unknown` where all of it is. */
export function extraText({ extraMicroUsd, extraEstimated, extraUnknown, requests }: Pick<Incident, 'extraMicroUsd' | 'extraEstimated' | 'extraUnknown' | 'requests'>): string {
  if (requests > 0 && extraUnknown >= requests) return 'unknown';
  return `${extraEstimated ? '~' : ''}${usdText(extraMicroUsd)}${extraUnknown > 0 ? '+' : ''}`;
}

/** What a report found, in one sentence. */
export function incidentsVerdict({ incidents, left, days }: IncidentReport): string {
  const period = days === 1 ? 'the last day' : `the last ${String(days)} days`;
  if (incidents.length === 0) return `No endpoint failed in ${period}.`;
  const open = incidents.filter(({ until }) => until === undefined).length;
  return `${countText(incidents.length + left, 'incident')} in ${period}${open === 0 ? ', all over' : `, ${countText(open, 'endpoint')} not seen to answer since`}.`;
}

/** The whole report as Markdown. */
export function incidentsMarkdown(report: IncidentReport): string {
  const { at, incidents, left } = report;
  const row = (one: Incident): string[] => [
    clockText(one.from, at, 'down'), markdownText(one.endpoint), markdownText(lengthText(one)), markdownText(causesText(one)), markdownText(answersText(one)), one.requests === 0 ? '' : markdownText(extraText(one)),
  ];
  return [
    '# Incidents', '', incidentsVerdict(report), '',
    ...(incidents.length === 0 ? [] : markdownTable(['When', 'Endpoint', 'How long', 'What failed', 'Who answered', 'Extra cost'], [false, false, false, false, false, true], incidents.map(row))),
    ...(left === 0 ? [] : ['', `${countText(left, 'older incident')} left out.`]),
    ...incidents.filter(({ message, touched }) => message !== undefined || touched.length > 0).flatMap(one => [
      '', `## ${markdownText(one.endpoint)}, ${clockText(one.from, at, 'down')}`, '',
      ...(one.message === undefined ? [] : [markdownText(one.message), '']),
      ...one.touched.map(({ id, startedAt, answeredBy }) => `- ${clockText(startedAt, at, 'down')} \`${id}\` ${answeredBy === undefined ? 'was not answered' : `answered by ${markdownText(answeredBy)}`}`),
    ]),
    '', '## How it is counted', '',
    '- An incident begins when an attempt or a probe fails at an endpoint for a reason that is not the request, and ends when the endpoint answers again. Failures within two minutes of that belong to it, too.',
    '- Fire drills and copies of shadows do not count, nor does what this machine ran short of.',
    '- The extra cost is what its requests cost, less what the same tokens would have cost at the target that failed first. A request that several incidents touched counts for the first of them.', '',
  ].join('\n');
}
