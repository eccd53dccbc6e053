import { momentText, spanMs } from '../localization/times.ts';
import type { AccessSettings, AllowedNames, TokenAccess } from './tokenAccess.ts';

const mostNamed = 8;

/** What a token may ask for, as the end of a sentence: `the routes best and cheap, and every model`. */
export function allowedText({ routes, models }: Pick<AccessSettings, 'routes' | 'models'>): string {
  const parts = [listOf('route', routes), listOf('model', models)].filter(part => part !== undefined);
  return parts.length === 0 ? 'nothing' : parts.join(', and ');
}

function listOf(kind: string, names: AllowedNames): string | undefined {
  if (names === 'all') return `every ${kind}`;
  const [first, ...rest] = names;
  if (first === undefined) return undefined;
  if (rest.length === 0) return `the ${kind} ${first}`;
  const shown = names.slice(0, mostNamed);
  return names.length > mostNamed ? `the ${kind}s ${shown.join(', ')} and ${String(names.length - mostNamed)} more` : `the ${kind}s ${shown.slice(0, -1).join(', ')} and ${shown.at(-1) ?? ''}`;
}

/** The budgets of a token: `$5.00 a day, $50.00 a month`; undefined: it has none. */
export function budgetText({ dayMicroUsd, monthMicroUsd }: Pick<AccessSettings, 'dayMicroUsd' | 'monthMicroUsd'>): string | undefined {
  const parts = [dayMicroUsd === undefined ? [] : `${usdText(dayMicroUsd)} a day`, monthMicroUsd === undefined ? [] : `${usdText(monthMicroUsd)} a month`].flat();
  return parts.length === 0 ? undefined : parts.join(', ');
}

/** The limits of a token: `60 requests a minute, 4 at once`; undefined: it has none. */
export function limitsText({ requestsPerMinute, tokensPerMinute, concurrency }: Pick<AccessSettings, 'requestsPerMinute' | 'tokensPerMinute' | 'concurrency'>): string | undefined {
  const parts = [
    requestsPerMinute === undefined ? [] : `${String(requestsPerMinute)} ${requestsPerMinute === 1 ? 'request' : 'requests'} a minute`,
    tokensPerMinute === undefined ? [] : `${String(tokensPerMinute)} tokens a minute`,
    concurrency === undefined ? [] : `${String(concurrency)} at once`,
  ].flat();
  return parts.length === 0 ? undefined : parts.join(', ');
}

/** Whether a token works now: `works`, `works until 2026-12-01 00:00`, `expired on …`, `revoked on …`. @param now milliseconds since the epoch */
export function stateText({ expiresAt, revokedAt }: Pick<TokenAccess, 'expiresAt' | 'revokedAt'>, now: number): string {
  if (revokedAt !== undefined) return `revoked on ${momentText(revokedAt)}`;
  if (expiresAt === undefined) return 'works';
  return expiresAt <= now ? `expired on ${momentText(expiresAt)}` : `works until ${momentText(expiresAt)}`;
}

/** `$5.00`, with up to six decimals where there are as many. */
export function usdText(microUsd: number): string {
  return `$${(microUsd / 1e6).toFixed(6).replace(/0{1,4}$/, '')}`;
}

/** What `readExpiry` wants, for people. */
export const wrongExpiry = 'Write when access ends as 12h, 7d, a day in the future such as 2026-12-24, or never.';

/**
 * When access ends: `never`, a span such as `12h` or `7d`, or a local day such as `2026-12-24`, at whose end it ends.
 * @param now milliseconds since the epoch @returns undefined where the text is none of these
 */
export function readExpiry(text: string, now: number): { readonly at?: number } | undefined {
  if (text === 'never') return {};
  const span = spanMs(text);
  if (span !== undefined) return { at: now + span };
  const [, year, month, day] = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text)?.map(Number) ?? [];
  if (year === undefined || month === undefined || day === undefined) return undefined;
  const date = new Date(year, month - 1, day);
  if (date.getMonth() !== month - 1 || date.getDate() !== day) return undefined;
  const at = new Date(year, month - 1, day + 1).getTime();
  return at > now ? { at } : undefined;
}
