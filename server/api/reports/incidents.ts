import { shownOf } from '../localization/said.ts';
import { t } from '@vscode/l10n';
import { clockText, saidOfFailure } from '../condition.ts';
import type { FailureClass } from '../failure.ts';
import { markdownTable, markdownText, usdText } from './reportText.ts';

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
  return causes.map(({ failureClass, status, times }) => {
    const words = shownOf(saidOfFailure(failureClass));
    const cause = status === undefined ? words : `${words} (${String(status)})`;
    return times === 1 ? cause : t('{0} {1} times', cause, times);
  }).join(', ');
}

/** `for 3 min`, `not seen to answer since`. */
export function lengthText({ from, until }: Pick<Incident, 'from' | 'until'>): string {
  return until === undefined ? t('not seen to answer since') : t('for {0}', spanText(until - from));
}

function spanText(ms: number): string {
  const seconds = Math.max(1, Math.round(ms / 1000));
  if (seconds < 100) return t('{0} s', seconds);
  const minutes = Math.round(seconds / 60);
  return minutes < 100 ? t('{0} min', minutes) : t('{0} h', Math.round(minutes / 60));
}

/** `2 requests, answered by south (2)`, `3 requests, answered by south (1), 2 unanswered`, `no request`. */
export function answersText({ requests, unanswered, answeredBy }: Pick<Incident, 'requests' | 'unanswered' | 'answeredBy'>): string {
  if (requests === 0) return t('no request');
  return [
    requests === 1 ? t('{0} request', requests) : t('{0} requests', requests),
    ...(answeredBy.length === 0 ? [] : [t('answered by {0}', answeredBy.map(one => `${one.endpoint} (${String(one.requests)})`).join(', '))]),
    ...(unanswered === 0 ? [] : [t('{0} unanswered', unanswered)]),
  ].join(', ');
}

/** `~$0.0012+`: `~` where a part is an estimate, `+` where a part is unknown; `unknown` where all of it is. */
export function extraText({ extraMicroUsd, extraEstimated, extraUnknown, requests }: Pick<Incident, 'extraMicroUsd' | 'extraEstimated' | 'extraUnknown' | 'requests'>): string {
  if (requests > 0 && extraUnknown >= requests) return t('unknown');
  return `${extraEstimated ? '~' : ''}${usdText(extraMicroUsd)}${extraUnknown > 0 ? '+' : ''}`;
}

/** What a report found, in one sentence. */
export function incidentsVerdict({ incidents, left, days }: IncidentReport): string {
  const period = days === 1 ? t('the last day') : t('the last {0} days', days);
  if (incidents.length === 0) return t('No endpoint failed in {0}.', period);
  const open = incidents.filter(({ until }) => until === undefined).length;
  const all = incidents.length + left;
  const found = all === 1 ? t('{0} incident in {1}', all, period) : t('{0} incidents in {1}', all, period);
  return open === 0 ? t('{0}, all over.', found) : open === 1 ? t('{0}, {1} endpoint not seen to answer since.', found, open) : t('{0}, {1} endpoints not seen to answer since.', found, open);
}

/** The whole report as Markdown. */
export function incidentsMarkdown(report: IncidentReport): string {
  const { at, incidents, left } = report;
  const row = (one: Incident): string[] => [
    clockText(one.from, at, 'down'), markdownText(one.endpoint), markdownText(lengthText(one)), markdownText(causesText(one)), markdownText(answersText(one)), one.requests === 0 ? '' : markdownText(extraText(one)),
  ];
  return [
    `# ${t('Incidents')}`, '', incidentsVerdict(report), '',
    ...(incidents.length === 0 ? [] : markdownTable([t('When'), t('Endpoint'), t('How long'), t('What failed'), t('Who answered'), t('Extra cost')], [false, false, false, false, false, true], incidents.map(row))),
    ...(left === 0 ? [] : ['', left === 1 ? t('{0} older incident left out.', left) : t('{0} older incidents left out.', left)]),
    ...incidents.filter(({ message, touched }) => message !== undefined || touched.length > 0).flatMap(one => [
      '', `## ${markdownText(one.endpoint)}, ${clockText(one.from, at, 'down')}`, '',
      ...(one.message === undefined ? [] : [markdownText(one.message), '']),
      ...one.touched.map(({ id, startedAt, answeredBy }) => `- ${clockText(startedAt, at, 'down')} \`${id}\` ${answeredBy === undefined ? t('was not answered') : t('answered by {0}', markdownText(answeredBy))}`),
    ]),
    '', `## ${t('How it is counted')}`, '',
    `- ${t('An incident begins when an attempt or a probe fails at an endpoint for a reason that is not the request, and ends when the endpoint answers again. Failures within two minutes of that belong to it, too.')}`,
    `- ${t('Fire drills and copies of shadows do not count, nor does what this machine ran short of.')}`,
    `- ${t('The extra cost is what its requests cost, less what the same tokens would have cost at the target that failed first. A request that several incidents touched counts for the first of them.')}`, '',
  ].join('\n');
}
