import type { ResponseHeaders } from './responseHeaders.ts';

/** No provider means a longer wait than a year: what is beyond it is a mistake, and counts as not said. */
const longestBelievedWaitMs = 366 * 86_400_000;

/** A wait in milliseconds as it may be kept and shown: whole, between 0 and a year; undefined for any other number. */
export function believedWaitMs(ms: number): number | undefined {
  return ms >= 0 && ms <= longestBelievedWaitMs ? Math.ceil(ms) : undefined;
}

/**
 * How long a failed answer asks us to wait, in milliseconds; undefined when it does not say. Never negative.
 *
 * What the provider asks for in so many words counts first: `retry-after-ms` and `retry-after` (whole or decimal seconds,
 * a duration, or an HTTP date in any of the three forms of RFC 9110 section 5.6.7), also with a prefix, as in
 * `x-ratelimit-retry-after`. Of several, and of repeated ones, the longest is taken, but for a `retry-after` that is only
 * the milliseconds beside it, rounded up to whole seconds.
 *
 * Without these, any `…ratelimit…reset…` header: durations (`6m0s`, `12ms`), seconds, epoch times, RFC 3339 moments. A
 * reset whose own `remaining` is above 0, or whose `status` is `allowed`, is not what stopped us and is passed over; an
 * RFC 3339 reset (Anthropic sends them with every answer) counts only where `remaining` says 0. Beside a wait that was
 * asked for, resets count nothing: several providers give the moment at which a limit is full again, long after the first
 * request could be served. What is left until then is the limiter's to know (limits/providerLimits.ts).
 *
 * @param now milliseconds since the epoch, for values that are moments
 */
export function parseRetryAfter(headers: ResponseHeaders, now: number): number | undefined {
  const byName = textsByName(headers);
  return askedFor(byName, now) ?? longestReset(byName, now);
}

/** The wait that headers ask for in so many words, in milliseconds; undefined where they do not, whatever resets they name. */
export function askedForMs(headers: ResponseHeaders, now: number): number | undefined {
  return askedFor(textsByName(headers), now);
}

function textsByName(headers: ResponseHeaders): ReadonlyMap<string, readonly string[]> {
  const byName = new Map<string, readonly string[]>();
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) byName.set(name.toLowerCase(), typeof value === 'string' ? [value.trim()] : value.map(text => text.trim()));
  }
  return byName;
}

function askedFor(byName: ReadonlyMap<string, readonly string[]>, now: number): number | undefined {
  let precise: number | undefined;
  let rounded: number | undefined;
  for (const [name, texts] of byName) {
    if (!name.includes('retry-after')) continue;
    const inMs = name.endsWith('-ms');
    for (const text of texts) {
      const waitMs = inMs ? plainNumber(text) : retryAfterValueMs(text, now);
      if (waitMs === undefined) continue;
      if (inMs) precise = longestWaitMs(precise, believedWaitMs(waitMs));
      else rounded = longestWaitMs(rounded, waitMs);
    }
  }
  const same = precise !== undefined && rounded !== undefined && Math.ceil(precise / 1000) * 1000 === rounded;
  return same ? precise : longestWaitMs(precise, rounded);
}

/** The longer of two waits, where there are two. */
export function longestWaitMs(one: number | undefined, other: number | undefined): number | undefined {
  if (one === undefined) return other;
  return other === undefined ? one : Math.max(one, other);
}

/** A number of 0 or more, as headers write it; undefined when the text is none, or a negative one. */
export function plainNumber(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,20}(\.\d+)?$/.test(text) ? Number(text) : undefined;
}

function retryAfterValueMs(text: string, now: number): number | undefined {
  const seconds = plainNumber(text);
  // No wait in seconds is that long: it is a moment.
  if (seconds !== undefined) return seconds >= 1e9 ? numericResetMs(text, now) : believedWaitMs(seconds * 1000);
  return durationMs(text) ?? untilMomentMs(text, now);
}

function longestReset(byName: ReadonlyMap<string, readonly string[]>, now: number): number | undefined {
  let longest: number | undefined;
  for (const [name, [text]] of byName) {
    if (text === undefined || !name.includes('ratelimit') || !name.includes('reset')) continue;
    const remaining = plainNumber(byName.get(name.replace('reset', 'remaining'))?.[0]);
    if (remaining !== undefined && remaining > 0) continue;
    if (byName.get(name.replace('reset', 'status'))?.[0]?.startsWith('allowed') === true) continue;
    const waitMs = durationMs(text) ?? numericResetMs(text, now) ?? (remaining === 0 ? untilMomentMs(text, now) : undefined);
    longest = longestWaitMs(longest, waitMs);
  }
  return longest;
}

/** Until a limit is reset, in milliseconds, from a duration, a number or a moment; 0 when it is over, undefined for nonsense. */
export function resetWaitMs(text: string, now: number): number | undefined {
  return durationMs(text) ?? numericResetMs(text, now) ?? untilMomentMs(text, now);
}

/** Providers write a bare number for seconds to go, for epoch seconds or for epoch milliseconds; the size tells which. */
function numericResetMs(text: string, now: number): number | undefined {
  const value = plainNumber(text);
  if (value === undefined) return undefined;
  if (value >= 1e12) return believedWaitMs(Math.max(0, value - now));
  return believedWaitMs(value >= 1e9 ? Math.max(0, value * 1000 - now) : value * 1000);
}

const unitMs: Readonly<Record<string, number>> = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1000, ms: 1 };

/** A duration such as `1s`, `6m0s`, `2m59.56s`, `12ms`, in milliseconds; undefined when the text is none. */
export function durationMs(text: string): number | undefined {
  if (text.length > 40 || !/^(\d+(\.\d+)?(ms|d|h|m|s))+$/.test(text)) return undefined;
  let sum = 0;
  for (const match of text.matchAll(/(?<!\d)(\d+(?:\.\d+)?)(ms|d|h|m|s)/g)) sum += Number(match[1]) * (unitMs[match[2] ?? ''] ?? 0);
  return believedWaitMs(sum);
}

const spelledUnit: Readonly<Record<string, string>> = { millisecond: 'ms', second: 's', sec: 's', minute: 'm', min: 'm', hour: 'h', day: 'd' };

/**
 * The wait that a sentence of an error asks for: "try again in 6m0s", "retry in 34.07s", "retry after 6 seconds", "wait 2
 * minutes". In milliseconds; undefined when there is none. Of several the longest.
 */
export function waitInWordsMs(sentence: string): number | undefined {
  let longest: number | undefined;
  for (const match of sentence.matchAll(waitWords)) {
    const compact = match[1] === undefined
      ? `${match[2] ?? ''}${spelledUnit[(match[3] ?? '').toLowerCase()] ?? ''}`
      : match[1].toLowerCase();
    longest = longestWaitMs(longest, durationMs(compact));
  }
  return longest;
}

const waitWords = /(?:try again|retry|wait)(?:ing)?(?: (?:in|after|for|at least|about))* (?:((?:\d{1,6}(?:\.\d{1,12})?(?:ms|d|h|m|s))+)(?![a-z])|(\d{1,6}(?:\.\d{1,12})?) ?(millisecond|second|sec|minute|min|hour|day)s?\b)/gi;

/**
 * The wait until the moment that a sentence of an error names: "resets at 2026-05-15T15:00:00Z" (MiniMax-AI/MiniMax-M2.7#36), "try
 * again at 2026-05-15 15:00:00 UTC". In milliseconds; undefined where there is none, or none with its zone. Of several the longest.
 */
export function momentInWordsMs(sentence: string, now: number): number | undefined {
  let longest: number | undefined;
  for (const [, moment = ''] of sentence.matchAll(momentWords)) longest = longestWaitMs(longest, untilMomentMs(moment, now));
  return longest;
}

const momentWords = /\b(?:resets?|again|retry|available|until|renews?)(?: (?:at|on|after|until|again))? (\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z| ?(?:UTC|GMT)| ?[+-]\d\d:?\d\d))(?![\w:])/gi;

const months: readonly string[] = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
/** `Sunday, 06-Nov-94 08:49:37 GMT`: the obsolete form of RFC 850, whose year has two figures. */
const obsoleteDate = /^[A-Za-z]+, (\d{2})-([A-Za-z]{3})-(\d{2}) (\d{2}):(\d{2}):(\d{2}) GMT$/i;

function untilMomentMs(text: string, now: number): number | undefined {
  // A number Date.parse would take for a year is no moment.
  if (text.length > 100 || !/^[A-Za-z]{3}|^\d{4}-\d{2}-\d{2}[T ]/.test(text)) return undefined;
  const moment = obsoleteMoment(text, now) ?? Date.parse(withZone(text));
  return believedWaitMs(Math.max(0, moment - now));
}

/** The oldest HTTP date form names no zone and means GMT; Date.parse would take it for local time. */
function withZone(text: string): string {
  if (/(GMT|UTC|Z|[+-]\d{2}:?\d{2})(?: \([^)]*\))?$/i.test(text)) return text;
  return `${text}${/^\d/.test(text) ? 'Z' : ' GMT'}`;
}

function obsoleteMoment(text: string, now: number): number | undefined {
  const match = obsoleteDate.exec(text);
  if (match === null) return undefined;
  const [day, month, year, hour, minute, second] = [Number(match[1]), months.indexOf((match[2] ?? '').toLowerCase()), Number(match[3]), Number(match[4]), Number(match[5]), Number(match[6])];
  if (month < 0) return undefined;
  const century = Math.floor(new Date(now).getUTCFullYear() / 100) * 100;
  const moment = Date.UTC(century + year, month, day, hour, minute, second);
  // A year that seems more than fifty years ahead is the last one that ended in these figures (RFC 9110).
  return moment - now > fiftyYearsMs ? Date.UTC(century - 100 + year, month, day, hour, minute, second) : moment;
}

const fiftyYearsMs = 50 * 365.25 * 86_400_000;
