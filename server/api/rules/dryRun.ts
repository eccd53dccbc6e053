import { t } from '@vscode/l10n';
import { requestType } from '../messageTypes.ts';
import type { ConfigProblem } from '../status.ts';

/** A sum of money: what has no known price is counted beside it. */
export interface DryRunMoney {
  /** Millionths of a US dollar. */
  microUsd: number;
  /** Requests whose cost is not known and so not in the sum. */
  unknown: number;
}

export interface DryRunTarget { target: string; requests: number; cost: DryRunMoney }

/** Requests that would have gone from one target to another. */
export interface DryRunMove {
  from: string;
  to: string;
  requests: number;
  before: DryRunMoney;
  after: DryRunMoney;
  /** Ids of a few of them. */
  examples: string[];
}

/** What would have become of the requests that asked for one name. */
export interface DryRunRoute {
  /** A route, a model or a target, as it was asked for. */
  name: string;
  requests: number;
  moved: number;
  /** Requests that nothing could have served. */
  unserved: number;
  /** Why, the most frequent reasons first. */
  unservedWhy: string[];
  before: DryRunTarget[];
  after: DryRunTarget[];
  moves: DryRunMove[];
}

export interface DryRunReport {
  /** Milliseconds since the epoch; half-open. */
  from: number;
  to: number;
  requests: number;
  moved: number;
  unserved: number;
  before: DryRunMoney;
  after: DryRunMoney;
  /** Those with the most requests that move first. */
  routes: DryRunRoute[];
  /** One sentence each. */
  assumptions: string[];
  /** What is wrong in the file; what it concerns is left out. */
  problems: ConfigProblem[];
}

export interface DryRunParams {
  /** The text of the file as it is in the editor. */
  text: string;
  /** Its name, for problems. */
  file?: string | undefined;
  /** Of recorded requests; default 1. */
  days?: number | undefined;
}
/** A dry run that is not possible is an answer with one sentence. */
export type DryRunResult = { report: DryRunReport } | { refused: string };

/** Client -> server, request: what would have become of the recorded requests with other rules. Cancelled by the request's token. */
export const dryRunRequest = requestType<DryRunParams, DryRunResult>('waybill/dryRun');

/** The most days that a dry run looks at. */
export const mostDryRunDays = 31;

/** `3 of 120 requests would have gone elsewhere; $0.52 would have become about $0.31.` */
export function dryRunHeadline({ requests, moved, unserved, before, after }: DryRunReport): string {
  if (requests === 0) return t('No requests are recorded in this time, so there is nothing to try the rules on.');
  return [
    t('{0} of {1} requests would have gone elsewhere.', moved, requests),
    ...(unserved === 0 ? [] : [t('Waybill would have refused {0}, because no target could serve them.', unserved)]),
    moved + unserved === 0 ? t('The cost stays {0}.', moneyText(before)) : t('The cost goes from {0} to about {1}.', moneyText(before), moneyText(after)),
  ].join(' ');
}

/** A report as plain text. */
export function dryRunText(report: DryRunReport): string {
  return [
    `${rangeText(report)}: ${dryRunHeadline(report)}`,
    ...report.problems.map(({ file, line, message }) => `${file ?? 'file'}${line === undefined ? '' : `:${line}`}: ${message}`),
    ...changed(report).flatMap(route => [
      '', `${route.name}: ${routeLine(route)}`,
      ...route.moves.map(move => `  ${moveLine(move)}`),
      ...route.after.map(({ target, requests, cost }) => `  then ${target}: ${requests} ${requests === 1 ? 'request' : 'requests'}, ${moneyText(cost)}`),
      ...route.unservedWhy.map(why => `  Waybill refuses: ${why}`),
    ]),
    '', 'Assumptions:', ...report.assumptions.map(sentence => `  ${sentence}`),
  ].join('\n');
}

/** A report as Markdown. */
export function dryRunMarkdown(report: DryRunReport): string {
  const cell = (text: string): string => text.replace(/[\\|`*_<>[\]]/g, '\\$&').replace(/\r?\n/g, ' ');
  const shown = changed(report);
  return [
    `# ${t('Dry run')}`, '', `${rangeText(report)}.`, '', `**${cell(dryRunHeadline(report))}**`, '',
    ...(report.problems.length === 0 ? [] : [`## ${t('What is wrong in the file')}`, '', ...report.problems.map(({ line, message }) => (line === undefined ? `- ${cell(message)}` : `- ${t('line {0}: {1}', line, cell(message))}`)), '']),
    ...(shown.length === 0 || report.requests === 0 ? [] : [`| ${t('asked for')} | ${t('from')} | ${t('to')} | ${t('requests')} | ${t('cost then')} | ${t('cost with these rules')} |`, '|---|---|---|--:|--:|--:|', ...shown.flatMap(route => route.moves.map(move => (
      `| ${cell(route.name)} | ${cell(move.from)} | ${cell(move.to)} | ${move.requests} | ${moneyText(move.before)} | ${moneyText(move.after)} |`
    ))), '']),
    ...shown.flatMap(route => [
      `## ${cell(route.name)}`, '', cell(routeLine(route)), '', `| ${t('target')} | ${t('requests then')} | ${t('cost then')} | ${t('requests with these rules')} | ${t('cost')} |`, '|---|--:|--:|--:|--:|',
      ...targetsOf(route).map(({ target, before, after }) => `| ${cell(target)} | ${before?.requests ?? 0} | ${before === undefined ? '' : moneyText(before.cost)} | ${after?.requests ?? 0} | ${after === undefined ? '' : moneyText(after.cost)} |`),
      '', ...route.unservedWhy.map(why => `- ${t('Waybill refuses: {0}', cell(why))}`), ...(route.unservedWhy.length === 0 ? [] : ['']),
    ]),
    ...(report.assumptions.length === 0 ? [] : [`## ${t('What this assumes')}`, '', ...report.assumptions.map(sentence => `- ${cell(sentence)}`), '']),
  ].join('\n');
}

function changed({ routes }: DryRunReport): DryRunRoute[] {
  return routes.filter(({ moved, unserved }) => moved + unserved > 0);
}

function routeLine({ requests, moved, unserved }: DryRunRoute): string {
  return unserved === 0 ? t('{0} of {1} requests would have gone elsewhere.', moved, requests)
    : t('{0} of {1} requests would have gone elsewhere, and Waybill would have refused {2}.', moved, requests, unserved);
}

function moveLine({ from, to, requests, before, after }: DryRunMove): string {
  return `${requests} from ${from} to ${to}: ${moneyText(before)} would have been about ${moneyText(after)}`;
}

function targetsOf({ before, after }: DryRunRoute): { target: string; before: DryRunTarget | undefined; after: DryRunTarget | undefined }[] {
  const names = new Set([...before, ...after].map(({ target }) => target));
  return [...names].map(target => ({ target, before: before.find(one => one.target === target), after: after.find(one => one.target === target) }));
}

/** `$1.20`, `$0.0042 and 3 requests of unknown cost`, `unknown`. */
function moneyText({ microUsd, unknown }: DryRunMoney): string {
  const usd = microUsd / 1e6;
  const text = microUsd === 0 ? '$0' : usd >= 1 ? `$${usd.toFixed(2)}` : `$${usd.toPrecision(2)}`;
  if (unknown === 0) return text;
  return microUsd === 0 ? t('unknown') : t('{0} and {1} of unknown cost', text, unknown);
}

function rangeText({ from, to }: DryRunReport): string {
  const minute = (at: number): string => new Date(at).toISOString().slice(0, 16).replace('T', ' ');
  return t('Recorded requests from {0} to {1} UTC', minute(from), minute(to));
}
