import type { TimeRange } from '../../api/receipt.ts';
import { requestFilterFields, readRequestFilter, type RequestFilter } from '../../api/reports/requestFilter.ts';
import { localDay, nextLocalDay, startOfLocalDay } from '../../base/localDay.ts';
import { suggestion } from '../../config/nearest.ts';
import { wrong, type Asked, type AskedRequests, type Wrong } from './command.ts';
import type { Given, OptionSpec } from './commandSpec.ts';

const largestPort = 65_535;

/** Options that many commands have. */
export const json: Readonly<Record<string, OptionSpec>> = { json: { text: 'Prints JSON, for programs.' } };
export const data: Readonly<Record<string, OptionSpec>> = { data: { value: 'DIR', text: 'The data folder. Default: the usual place of the system for data of a user.' } };
/** Of commands that ask a running server. */
export const place: Readonly<Record<string, OptionSpec>> = {
  port: { value: 'N', text: 'Asks at this port of the machine alone. Default: the running server is found by the data folder.' },
  ...data, ...json,
};
export const range: Readonly<Record<string, OptionSpec>> = {
  days: { value: 'N', text: 'The last N days, today included. Default 30.' },
  from: { value: 'DAY', text: 'The first day, such as 2026-11-01, in place of --days.' },
  until: { value: 'DAY', text: 'The last day. Default: today.' },
};
/** The fields that `--where` knows. */
export const whereFields = requestFilterFields.filter(field => field !== 'fromMs' && field !== 'toMs');
export const where: Readonly<Record<string, OptionSpec>> = {
  where: { value: 'FIELD=VALUE', many: true, text: 'Only requests of which this holds, such as model=gpt-5 or tool=codex. Several hold together.' },
};

export function placeOf(given: Given): Asked | Wrong {
  const port = portOf(given);
  return typeof port === 'object' ? port : { port, dataDir: given.value('data'), json: given.has('json') };
}

/** @returns undefined where none is given */
function portOf(given: Given): number | undefined | Wrong {
  const text = given.value('port');
  if (text === undefined) return undefined;
  const port = Number(text);
  return Number.isInteger(port) && port >= 0 && port <= largestPort ? port : wrong(`--port wants a number from 0 to ${largestPort}, not "${text}".`);
}

/** A number of days. @param usual where none is given */
export function daysOf(given: Given, usual: number, most: number): number | Wrong {
  const text = given.value('days');
  const days = text === undefined ? usual : Number(text);
  return Number.isInteger(days) && days >= 1 && days <= most ? days : wrong(`--days wants a whole number from 1 to ${most}, not "${text ?? ''}".`);
}

/** The requests of commands that have `range`, `where` and `place`. */
export function requestsOf(given: Given): AskedRequests | Wrong {
  const [at, span, filter] = [placeOf(given), rangeOf(given), filterOf(given)];
  if (isWrong(at)) return at;
  if (isWrong(span)) return span;
  return isWrong(filter) ? filter : { range: span, filter, ...at };
}

/** Whole local days as a half-open range in milliseconds since the epoch; of today, what has been until now. */
function rangeOf(given: Given): TimeRange | Wrong {
  const [from, until] = [given.value('from'), given.value('until')];
  if (from === undefined && until === undefined) {
    const days = daysOf(given, 30, 10_000);
    if (typeof days === 'object') return days;
    const today = new Date(given.now);
    return { from: new Date(today.getFullYear(), today.getMonth(), today.getDate() - days + 1).getTime(), to: given.now + 1 };
  }
  if (given.has('days')) return wrong('Give --days, or --from with --until, and not both.');
  if (from === undefined) return wrong('--until needs --from, the first day.');
  const first = startOfLocalDay(from);
  const last = startOfLocalDay(until ?? localDay(given.now));
  if (first === undefined) return wrong(`--from wants a day such as 2026-11-01, not "${from}".`);
  if (last === undefined) return wrong(`--until wants a day such as 2026-11-30, not "${until ?? ''}".`);
  return first <= last ? { from: first, to: Math.min(nextLocalDay(last), given.now + 1) } : wrong('--until names a day before --from.');
}

/** What `--where` asks for. */
function filterOf(given: Given): RequestFilter | Wrong {
  const written: Record<string, string> = {};
  for (const text of given.all('where')) {
    const at = text.indexOf('=');
    const [field, value] = [text.slice(0, Math.max(at, 0)), text.slice(at + 1)];
    if (at < 1 || value === '') return wrong(`--where wants FIELD=VALUE, such as model=gpt-5, not "${text}".`);
    if (!whereFields.some(one => one === field)) return wrong(`Requests have no field "${field}"${suggestion(field, whereFields, `; fields are ${whereFields.join(', ')}.`)}`);
    if (written[field] !== undefined) return wrong(`--where gives ${field} twice; give it once.`);
    written[field] = value;
  }
  const filter = readRequestFilter(written);
  return typeof filter === 'string' ? wrong(`--where: ${filter}`) : filter;
}

export function isWrong(value: unknown): value is Wrong {
  return typeof value === 'object' && value !== null && 'command' in value && value.command === 'wrong';
}
