import type { EndpointConfig } from '../config/config.ts';
import type { Admission } from './board.ts';
import { grouped, waitWords } from './wording.ts';

/** What an entry reserved; handed back to `leave` exactly once. */
export interface RateTicket { readonly endpoint: string; readonly at: number; readonly tokens: number }

export type RateEntry =
  | { admitted: true; ticket: RateTicket }
  | Extract<Admission, { admitted: false }>;

/** The limits the user set for endpoints: requests and tokens over any sixty seconds, and requests at once. */
export interface RateLimiter {
  /** Adopts limits; what endpoints that stay have used is kept. */
  configure(endpoints: ReadonlyMap<string, Pick<EndpointConfig, 'limits'>>): void;
  /** A look without taking anything. */
  admission(endpoint: string, estimatedTokens: number, now: number): Admission;
  /** Takes a place and reserves the tokens (prompt estimate plus what may be written), in one step. */
  enter(endpoint: string, estimatedTokens: number, now: number): RateEntry;
  /** The attempt ended: frees its place and puts the real number of tokens for the estimate; undefined keeps the estimate. */
  leave(ticket: RateTicket, usedTokens: number | undefined): void;
}

const windowSeconds = 60;
/** When a place becomes free nobody knows; this is how soon it is worth another look. */
const concurrencyPollMs = 250;

interface Second { second: number; requests: number; tokens: number }
interface Usage { limits: EndpointConfig['limits']; running: number; seconds: Second[] }

/**
 * A limiter without limits until `configure`. Usage is counted by the second and forgotten only when the whole second is
 * a minute old, so that no sixty seconds ever hold more than the limit. A request whose tokens alone exceed the token
 * limit is let through when nothing else was used, for otherwise it could never be.
 */
export function createRateLimiter(): RateLimiter {
  const usages = new Map<string, Usage>();

  function look(usage: Usage, tokens: number, now: number): Admission {
    const { requestsPerMinute, tokensPerMinute, concurrency } = usage.limits;
    forget(usage, now);
    const refusals: Extract<Admission, { admitted: false }>[] = [];
    if (concurrency !== undefined && usage.running >= concurrency) {
      refusals.push({ admitted: false, retryAt: now + concurrencyPollMs, reason: `its own limit of ${concurrency} ${concurrency === 1 ? 'request' : 'requests'} at once is reached` });
    }
    if (requestsPerMinute !== undefined) {
      const freeAt = whenFits(usage, requestsPerMinute, 1, (second) => second.requests);
      if (freeAt !== undefined) refusals.push(refusal(`${grouped(requestsPerMinute)} requests a minute`, freeAt, now));
    }
    if (tokensPerMinute !== undefined) {
      const freeAt = whenFits(usage, tokensPerMinute, tokens, (second) => second.tokens);
      if (freeAt !== undefined) refusals.push(refusal(`${grouped(tokensPerMinute)} tokens a minute`, freeAt, now));
    }
    return refusals.sort((a, b) => b.retryAt - a.retryAt)[0] ?? { admitted: true, trial: false };
  }

  return {
    configure(endpoints) {
      for (const name of usages.keys()) if (!endpoints.has(name)) usages.delete(name);
      for (const [name, { limits }] of endpoints) {
        const known = usages.get(name);
        if (known === undefined) usages.set(name, { limits, running: 0, seconds: [] });
        else known.limits = limits;
      }
    },
    admission(endpoint, estimatedTokens, now) {
      const usage = usages.get(endpoint);
      return usage === undefined || unlimited(usage) ? { admitted: true, trial: false } : look(usage, estimatedTokens, now);
    },
    enter(endpoint, estimatedTokens, now) {
      const ticket = { endpoint, at: now, tokens: estimatedTokens };
      const usage = usages.get(endpoint);
      if (usage === undefined) return { admitted: true, ticket };
      if (!unlimited(usage)) {
        const admission = look(usage, estimatedTokens, now);
        if (!admission.admitted) return admission;
      }
      usage.running += 1;
      if (counted(usage)) {
        const second = secondAt(usage, now);
        second.requests += 1;
        second.tokens += estimatedTokens;
      }
      return { admitted: true, ticket };
    },
    leave(ticket, usedTokens) {
      const usage = usages.get(ticket.endpoint);
      if (usage === undefined) return;
      usage.running = Math.max(0, usage.running - 1);
      if (usedTokens === undefined) return;
      const second = usage.seconds.find((candidate) => candidate.second === Math.floor(ticket.at / 1000));
      if (second !== undefined) second.tokens = Math.max(0, second.tokens + usedTokens - ticket.tokens);
    },
  };
}

function unlimited({ limits }: Usage): boolean {
  return limits.concurrency === undefined && limits.requestsPerMinute === undefined && limits.tokensPerMinute === undefined;
}

function counted({ limits }: Usage): boolean {
  return limits.requestsPerMinute !== undefined || limits.tokensPerMinute !== undefined;
}

function forget(usage: Usage, now: number): void {
  const current = Math.floor(now / 1000);
  // The clock was set back: what was used lately counts as used now, so that it is forgotten a minute from now.
  if ((usage.seconds.at(-1)?.second ?? -Infinity) > current + 1) {
    const ahead = usage.seconds.filter(({ second }) => second >= current);
    usage.seconds = usage.seconds.filter(({ second }) => second < current);
    usage.seconds.push(ahead.reduce((sum, one) => ({ second: current, requests: sum.requests + one.requests, tokens: sum.tokens + one.tokens })));
  }
  const oldest = Math.floor(now / 1000) - windowSeconds;
  while ((usage.seconds[0]?.second ?? Infinity) < oldest) usage.seconds.shift();
}

function secondAt(usage: Usage, now: number): Second {
  const second = Math.floor(now / 1000);
  const last = usage.seconds.at(-1);
  // A clock set back counts into the last second: too much rather than too little.
  if (last !== undefined && last.second >= second) return last;
  const fresh = { second, requests: 0, tokens: 0 };
  usage.seconds.push(fresh);
  return fresh;
}

/** When `wanted` more fits under the limit; undefined: now. */
function whenFits(usage: Usage, limit: number, wanted: number, amount: (second: Second) => number): number | undefined {
  let used = 0;
  for (const second of usage.seconds) used += amount(second);
  for (const second of usage.seconds) {
    if (used === 0 || used + wanted <= limit) break;
    used -= amount(second);
    if (used === 0 || used + wanted <= limit) return (second.second + windowSeconds + 1) * 1000;
  }
  return undefined;
}

function refusal(limit: string, retryAt: number, now: number): Extract<Admission, { admitted: false }> {
  return { admitted: false, retryAt, reason: `its own limit of ${limit} is used up for another ${waitWords(retryAt - now)}` };
}
