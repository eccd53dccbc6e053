import { t } from '@vscode/l10n';
import type { Downtime, EndpointStatus, LatestHour, LimitLeft } from '../../server/api/status.ts';
import { clockText } from '../../server/api/condition.ts';
import { formatCount } from './figures.ts';
import { count } from './format.ts';

const bars = '▁▂▃▄▅▆▇█';
const spanMs = 300_000;
/** A share of a shorter time means nothing. */
const enoughWatchedMs = 600_000;

/** The hour in twelve characters, oldest first: `·` without requests, else the share that failed, from `▁` (none) to `█` (all). */
export function sparkline({ spans }: LatestHour): string {
  return spans.map(({ requests, failures }) => (requests === 0 ? '·' : failures === 0 ? bars.slice(0, 1) : bars.charAt(Math.min(bars.length - 1, 1 + Math.floor(failures / requests * (bars.length - 2)))))).join('');
}

/** The same in words: `34 requests, 3 failed, most of them from 12:05 on`. @param now milliseconds since the epoch */
export function hourText({ spans, until }: LatestHour, now: number): string {
  const failures = spans.reduce((sum, span) => sum + span.failures, 0);
  const requests = count(spans.reduce((sum, span) => sum + span.requests, 0), 'request');
  if (failures === 0) return t('{0}, none failed', requests);
  const worst = spans.reduce((most, span, index) => (span.failures > (spans[most]?.failures ?? 0) ? index : most), 0);
  const from = until - (spans.length - worst) * spanMs;
  const since = clockText(from, now, 'down');
  return spans[worst]?.failures === failures ? t('{0}, {1} failed, all of them from {2} on', requests, failures, since) : t('{0}, {1} failed, most of them from {2} on', requests, failures, since);
}

/** Short enough for a narrow sidebar: `2/7 failed`. */
export function failedText({ spans }: LatestHour): string {
  const [failures, requests] = spans.reduce<readonly [number, number]>(([failed, all], span) => [failed + span.failures, all + span.requests], [0, 0]);
  return t('{0}/{1} failed', failures, requests);
}

/** `Hour to 18:05`. */
export function hourTitle({ until }: LatestHour, now: number): string {
  return t('Hour to {0}', clockText(until, now, 'down'));
}

/**
 * `Up 99.2 % since 09:12`; undefined where it is watched for less than ten minutes. What is not known, because this machine was offline, is left out.
 * @param checkedAt when something was last observed: the share is as of then, so that it stands still while nothing happens
 */
export function uptimeText({ watchedSince, pastMs, downSince, upMs = 0, upSince }: Downtime, now: number, checkedAt = now): string | undefined {
  const up = upMs + (upSince === undefined ? 0 : Math.max(0, checkedAt - upSince));
  const down = pastMs + (downSince === undefined ? 0 : Math.max(0, checkedAt - downSince));
  if (up + down < enoughWatchedMs) return undefined;
  // Rounded down: 100 % is said only where it was never down.
  return t('Up {0} % since {1}', Math.floor(up / (up + down) * 1000) / 10, clockText(watchedSince, now, 'down'));
}

/** `12 of 60 requests left, until 12:05`. */
export function limitText({ kind, remaining, limit, resetAt }: LimitLeft, now: number): string {
  const words = { requests: t('requests'), tokens: t('tokens'), inputTokens: t('input tokens'), outputTokens: t('output tokens') }[kind];
  const left = limit === undefined ? t('{0} {1} left', formatCount(remaining), words) : t('{0} of {1} {2} left', formatCount(remaining), formatCount(limit), words);
  return resetAt === undefined || resetAt <= now ? left : t('{0}, reset at {1}', left, clockText(resetAt, now, 'up'));
}

/** The breaker in words; undefined while it is closed. */
export function breakerText({ breaker, retryAt }: Pick<EndpointStatus, 'breaker' | 'retryAt'>, now: number): string | undefined {
  switch (breaker) {
    case 'closed': return undefined;
    case 'half-open': return t('Breaker half-open: single requests find out whether it answers again');
    case 'open': return retryAt === undefined || retryAt <= now ? t('Breaker open, tried with the next request') : t('Breaker open, next try at {0}', clockText(retryAt, now, 'up'));
  }
}
