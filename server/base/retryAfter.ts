/** Response headers as Node and undici give them; names in any case. */
export type ResponseHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

/**
 * How long a failed answer asks us to wait, in milliseconds; undefined when it does not say. Never negative.
 *
 * Read in this order: `retry-after-ms`; `retry-after` (whole or decimal seconds, or an HTTP date, RFC 9110 section
 * 10.2.3); then any `…ratelimit…reset…` header: durations (`6m0s`, `12ms`), seconds, epoch times, RFC 3339 moments.
 * A reset whose own `remaining` is above 0 is not what stopped us and is passed over; an RFC 3339 reset (Anthropic
 * sends them with every answer) counts only where `remaining` says 0. Of several that count the longest is taken.
 *
 * @param now milliseconds since the epoch, for values that are moments
 */
export function parseRetryAfter(headers: ResponseHeaders, now: number): number | undefined {
  const byName = new Map<string, string>();
  for (const [name, value] of Object.entries(headers)) {
    const text = typeof value === 'string' ? value : value?.[0];
    if (text !== undefined) byName.set(name.toLowerCase(), text.trim());
  }
  return plainNumber(byName.get('retry-after-ms'))
    ?? retryAfterValueMs(byName.get('retry-after'), now)
    ?? longestReset(byName, now);
}

function plainNumber(text: string | undefined): number | undefined {
  return text !== undefined && /^\d+(\.\d+)?$/.test(text) ? Number(text) : undefined;
}

function retryAfterValueMs(text: string | undefined, now: number): number | undefined {
  if (text === undefined) return undefined;
  const seconds = plainNumber(text);
  if (seconds !== undefined) return Math.ceil(seconds * 1000);
  return durationMs(text) ?? untilMomentMs(text, now);
}

function longestReset(byName: ReadonlyMap<string, string>, now: number): number | undefined {
  let longest: number | undefined;
  for (const [name, text] of byName) {
    if (!name.includes('ratelimit') || !name.includes('reset')) continue;
    const remaining = plainNumber(byName.get(name.replace('reset', 'remaining')));
    if (remaining !== undefined && remaining > 0) continue;
    const waitMs = durationMs(text) ?? numericResetMs(text, now) ?? (remaining === 0 ? untilMomentMs(text, now) : undefined);
    if (waitMs !== undefined && (longest === undefined || waitMs > longest)) longest = waitMs;
  }
  return longest;
}

/** Providers write a bare number for seconds to go, for epoch seconds or for epoch milliseconds; the size tells which. */
function numericResetMs(text: string, now: number): number | undefined {
  const value = plainNumber(text);
  if (value === undefined) return undefined;
  if (value >= 1e12) return Math.max(0, Math.ceil(value - now));
  if (value >= 1e9) return Math.max(0, Math.ceil(value * 1000 - now));
  return Math.ceil(value * 1000);
}

const unitMs: Readonly<Record<string, number>> = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1000, ms: 1 };

/** A duration such as `1s`, `6m0s`, `2m59.56s`, `12ms`, in milliseconds; undefined when the text is none. */
export function durationMs(text: string): number | undefined {
  if (text.length > 40 || !/^(\d+(\.\d+)?(ms|d|h|m|s))+$/.test(text)) return undefined;
  let sum = 0;
  for (const match of text.matchAll(/(\d+(?:\.\d+)?)(ms|d|h|m|s)/g)) sum += Number(match[1]) * (unitMs[match[2] ?? ''] ?? 0);
  return Math.ceil(sum);
}

function untilMomentMs(text: string, now: number): number | undefined {
  // A number Date.parse would take for a year is no moment.
  if (!/^[A-Za-z]{3}|^\d{4}-\d{2}-\d{2}T/.test(text)) return undefined;
  // The oldest HTTP date form names no zone and means GMT; Date.parse would take it for local time.
  const moment = Date.parse(/(GMT|UTC|Z|[+-]\d{2}:?\d{2})$/i.test(text) ? text : `${text}${text.includes('T') && text.includes('-') ? 'Z' : ' GMT'}`);
  return Number.isNaN(moment) ? undefined : Math.max(0, moment - now);
}
