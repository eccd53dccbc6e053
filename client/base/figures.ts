import { t } from '@vscode/l10n';
import { counted, type Counted } from './counts.ts';
import { textLanguage } from '../../server/api/localization/localization.ts';
import type { TokenUsage } from '../../server/api/conversation.ts';

/** How moments are written: a BCP 47 language and an IANA time zone (absent: the machine's). */
export interface TimeStyle {
  locale?: string | undefined;
  timeZone?: string | undefined;
}

/** One bucket of tokens, ready to be shown. */
export interface TokenFigure {
  label: string;
  /** Short: `1.2K`; `–` when unknown. */
  text: string;
  /** In full: `1,234`; `unknown` when unknown. */
  exact: string;
}

/** A duration in milliseconds: `840 ms`, `1.2 s`, `14 s`, `2 min 5 s`, `1 h 3 min`. */
export function formatDuration(milliseconds: number): string {
  if (milliseconds < 999.5) return t('{0} ms', Math.round(milliseconds));
  const tenths = Math.round(milliseconds / 100);
  if (tenths < 100) return t('{0} s', tenth(tenths / 10));
  const seconds = Math.round(milliseconds / 1000);
  if (seconds < 60) return t('{0} s', seconds);
  if (seconds < 3600) return t('{0} min {1} s', Math.floor(seconds / 60), seconds % 60);
  const minutes = Math.round(seconds / 60);
  return t('{0} h {1} min', Math.floor(minutes / 60), minutes % 60);
}

/** A token count, shortened: `532`, `1.2K`, `45K`, `1.2M`; `–` when unknown. */
export function formatTokens(count: number | undefined): string {
  if (count === undefined) return '–';
  if (count < 1000) return String(Math.round(count));
  for (const [unit, suffix] of [[1e3, 'K'], [1e6, 'M'], [1e9, 'B']] as const) {
    const tenths = Math.round(count / (unit / 10));
    if (tenths < 100) return `${tenth(tenths / 10)}${suffix}`;
    const whole = Math.round(count / unit);
    if (whole < 1000) return `${whole}${suffix}`;
  }
  return `${Math.round(count / 1e9)}B`;
}

/** A number with one decimal place: `1.2`. */
function tenth(value: number): string {
  return value.toLocaleString(textLanguage(), { minimumFractionDigits: 1, maximumFractionDigits: 1 });
}

/** A whole number with grouping: `1,234`; `unknown` when unknown. */
export function formatCount(count: number | undefined): string {
  return count === undefined ? t('unknown') : Math.round(count).toLocaleString(textLanguage());
}

/** `1 request`, `2 requests`. */
export function countOf(count: number, thing: Counted): string {
  return counted(count, thing, formatCount(count));
}

/** A share of 0..1 in whole per cent, without claiming 0 % or 100 % for what is only near it. */
export function formatShare(share: number): string {
  if (share > 0 && share < 0.01) return '<1%';
  if (share < 1 && share > 0.99) return '>99%';
  return `${Math.round(share * 100)}%`;
}

/**
 * The share of prompt tokens that came from a cache, 0..1. Undefined when the fresh or the cached count is
 * unknown, or nothing was sent. Not every provider has cache writes: a missing write bucket adds nothing.
 */
export function cacheHitShare(usage: TokenUsage): number | undefined {
  const { inputTokens, cacheReadTokens } = usage;
  if (inputTokens === undefined || cacheReadTokens === undefined) return undefined;
  const prompt = inputTokens + cacheReadTokens + (usage.cacheWriteTokens ?? 0) + (usage.cacheWrite1hTokens ?? 0);
  return prompt > 0 ? cacheReadTokens / prompt : undefined;
}

/** All known tokens of a usage; undefined when no bucket is known. */
export function totalTokens(usage: TokenUsage): number | undefined {
  const buckets = [usage.inputTokens, usage.cacheReadTokens, usage.cacheWriteTokens, usage.cacheWrite1hTokens, usage.outputTokens];
  const known = buckets.filter((count) => count !== undefined);
  return known.length === 0 ? undefined : known.reduce((sum, count) => sum + count, 0);
}

const figureOrder: readonly { bucket: keyof TokenUsage; label: () => string; always?: true }[] = [
  { bucket: 'inputTokens', label: () => t('Fresh input'), always: true },
  { bucket: 'cacheReadTokens', label: () => t('From cache'), always: true },
  { bucket: 'cacheWriteTokens', label: () => t('Written to cache') },
  { bucket: 'cacheWrite1hTokens', label: () => t('Written to 1 h cache') },
  { bucket: 'outputTokens', label: () => t('Output'), always: true },
  { bucket: 'reasoningTokens', label: () => t('Reasoning (in output)') },
];

/**
 * The buckets of a usage in reading order. Fresh, cached and output always; the others only where they occur.
 * @param incomplete buckets that are known in part: `1.2K+`, or unknown where the known part is nothing
 */
export function tokenFigures(usage: TokenUsage, incomplete: readonly (keyof TokenUsage)[] = []): TokenFigure[] {
  return figureOrder.filter(({ bucket, always }) => always === true || (usage[bucket] ?? 0) > 0)
    .map(({ bucket, label }) => figure(label(), usage[bucket], incomplete.includes(bucket)));
}

/** The moment with date and seconds, for a receipt. */
export function formatMoment(at: number, style: TimeStyle): string {
  return new Intl.DateTimeFormat(style.locale, { dateStyle: 'medium', timeStyle: 'medium', timeZone: style.timeZone }).format(at);
}

/** The moment as a list shows it: only the time today, with the date on other days. */
export function formatListTime(at: number, now: number, style: TimeStyle): string {
  const day = new Intl.DateTimeFormat('en-CA', { year: 'numeric', month: '2-digit', day: '2-digit', timeZone: style.timeZone });
  const today = day.format(at) === day.format(now);
  const options: Intl.DateTimeFormatOptions = { hour: 'numeric', minute: '2-digit', timeZone: style.timeZone };
  return new Intl.DateTimeFormat(style.locale, today ? options : { ...options, month: 'short', day: 'numeric' }).format(at);
}

/** A local day, such as `2026-11-20`. @param at milliseconds since the epoch */
export function dayName(at: number): string {
  const date = new Date(at);
  return [String(date.getFullYear()).padStart(4, '0'), String(date.getMonth() + 1).padStart(2, '0'), String(date.getDate()).padStart(2, '0')].join('-');
}

/** A calendar day `2026-11-20`, written with its weekday (`long`) or only as date (`short`). */
export function formatDay(day: string, length: 'short' | 'long', style: TimeStyle): string {
  // A calendar day belongs to no time zone: read and written as UTC it cannot slip to its neighbour.
  const options: Intl.DateTimeFormatOptions = { month: 'short', day: 'numeric', timeZone: 'UTC' };
  return new Intl.DateTimeFormat(style.locale, length === 'long' ? { ...options, weekday: 'short' } : options).format(new Date(`${day}T00:00:00Z`));
}

function figure(label: string, count: number | undefined, incomplete: boolean): TokenFigure {
  if (!incomplete || count === undefined) return { label, text: formatTokens(count), exact: formatCount(count) };
  return count === 0 ? figure(label, undefined, false) : { label, text: `${formatTokens(count)}+`, exact: t('at least {0}', formatCount(count)) };
}
