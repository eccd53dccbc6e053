import type { Downtime, EndpointStatus, LatestHour, LimitLeft } from '../../server/api/status.ts';
import { clockText } from '../../server/api/condition.ts';
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
  if (failures === 0) return `${requests}, none failed`;
  const worst = spans.reduce((most, span, index) => (span.failures > (spans[most]?.failures ?? 0) ? index : most), 0);
  const from = until - (spans.length - worst) * spanMs;
  return `${requests}, ${String(failures)} failed, ${spans[worst]?.failures === failures ? 'all' : 'most'} of them from ${clockText(from, now, 'down')} on`;
}

/** Short enough for a narrow sidebar: `2/7 failed`. */
export function failedText({ spans }: LatestHour): string {
  const [failures, requests] = spans.reduce<readonly [number, number]>(([failed, all], span) => [failed + span.failures, all + span.requests], [0, 0]);
  return `${String(failures)}/${String(requests)} failed`;
}

/** `Hour to 18:05`. */
export function hourTitle({ until }: LatestHour, now: number): string {
  return `Hour to ${clockText(until, now, 'down')}`;
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
  return `Up ${String(Math.floor(up / (up + down) * 1000) / 10)} % since ${clockText(watchedSince, now, 'down')}`;
}

/** `12 of 60 requests left, until 12:05`. */
export function limitText({ kind, remaining, limit, resetAt }: LimitLeft, now: number): string {
  const words = { requests: 'requests', tokens: 'tokens', inputTokens: 'input tokens', outputTokens: 'output tokens' }[kind];
  const left = limit === undefined ? `${remaining.toLocaleString('en-US')} ${words} left` : `${remaining.toLocaleString('en-US')} of ${limit.toLocaleString('en-US')} ${words} left`;
  return resetAt === undefined || resetAt <= now ? left : `${left}, reset at ${clockText(resetAt, now, 'up')}`;
}

/** The breaker in words; undefined while it is closed. */
export function breakerText({ breaker, retryAt }: Pick<EndpointStatus, 'breaker' | 'retryAt'>, now: number): string | undefined {
  switch (breaker) {
    case 'closed': return undefined;
    case 'half-open': return 'Breaker half-open: single requests find out whether it answers again';
    case 'open': return `Breaker open${retryAt === undefined || retryAt <= now ? ', tried with the next request' : `, next try at ${clockText(retryAt, now, 'up')}`}`;
  }
}
