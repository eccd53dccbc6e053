import type { LimitSettings } from '../../api/settings.ts';
import { promptTokens } from '../../api/usage.ts';
import type { Attempt, Receipt } from '../../api/receipt.ts';
import type { LimitClaim } from '../../limits/limitClaims.ts';
import { isLimited } from '../../limits/rateLimiter.ts';
import { atOnceRefusal, RateWindow, type Refusal } from '../../limits/rateWindow.ts';
import type { CountHold } from '../../limits/replicas/countCalls.ts';
import type { HoldEnd } from '../../limits/replicas/countOrders.ts';
import type { ReplicaCounts } from '../../limits/replicas/replicaCounts.ts';
import type { LimitCounts, SharedCounts } from '../../limits/replicas/sharedCounts.ts';
import type { KnownToken } from './tokenBook.ts';

/** How soon a limit of requests at once is worth another look. */
const atOnceLookMs = 1_000;
const whose = 'the limit of the token';
const none: readonly LimitClaim[] = [];
const unsent: HoldEnd = { isSent: false, tokens: 0, microUsd: 0, isAll: true };

interface TokenUse { limits: LimitSettings; readonly window: RateWindow; running: number }
interface Ticket {
  readonly use: TokenUse;
  readonly scope: string;
  readonly at: number;
  readonly tokens: number;
  readonly claims: readonly LimitClaim[];
  /** Whose it is. */
  readonly name: string;
  /** What a store that servers on several machines share holds for it. */
  held?: { readonly hold: CountHold; readonly counts: ReplicaCounts } | undefined;
}

/**
 * Requests and tokens a minute and requests at once of tokens, counted over all servers of a data folder as limits of endpoints are (see
 * limits/sharedLimits.ts). A request counts from its arrival to its end, with the tokens that it may take until those that it took are known.
 */
export class TokenLimits {
  readonly #shared: Pick<LimitCounts, 'take' | 'release'> | undefined;
  readonly #uses = new Map<string, TokenUse>();
  /** By exchange; only of tokens with limits. */
  readonly #running = new Map<string, Ticket>();

  readonly #replicas: Pick<SharedCounts, 'counts'> | undefined;

  constructor(shared?: Pick<LimitCounts, 'take' | 'release'>, replicas?: Pick<SharedCounts, 'counts'>) {
    this.#shared = shared;
    this.#replicas = replicas;
  }

  /** What servers on other machines have to admit before an exchange is sent; undefined: nothing, or they did. */
  claimsOf(exchange: string): { readonly claims: readonly LimitClaim[]; readonly name: string } | undefined {
    const ticket = this.#running.get(exchange);
    return ticket === undefined || ticket.held !== undefined || ticket.claims.length === 0 ? undefined : ticket;
  }

  /** They admitted it. */
  taken(exchange: string, hold: CountHold, counts: ReplicaCounts): void {
    const ticket = this.#running.get(exchange);
    // It ended meanwhile, or a hedge took it already.
    if (ticket === undefined || ticket.held !== undefined) counts.settle(hold, unsent);
    else ticket.held = { hold, counts };
  }

  /** Asks them for an exchange without an attempt. @returns why it may not go on; no promise where they are not asked */
  admit(exchange: string, now: () => number): Promise<Refusal | undefined> | undefined {
    const counts = this.#replicas?.counts;
    const ofToken = counts === undefined ? undefined : this.claimsOf(exchange);
    if (counts === undefined || ofToken === undefined) return undefined;
    return counts.take({ claims: [], ofToken: ofToken.claims, allowances: [], microUsd: 0 }).then(answer => {
      if (!answer.taken) return answer.kind === 'limit' ? answer.refusal : { admitted: false, retryAt: now() + atOnceLookMs, reason: answer.kind === 'away' ? answer.reason : whose };
      counts.settle(answer.hold, unsent);
      if (answer.token !== undefined) this.taken(exchange, answer.token, counts);
      return undefined;
    });
  }

  /** Forgets tokens that have no limits any more. @returns whether any has */
  follow(tokens: Iterable<KnownToken>): boolean {
    const limited = new Set<string>();
    for (const token of tokens) if (token.revokedAt === undefined && isLimited(token)) limited.add(token.id);
    for (const [id, { running }] of this.#uses) if (!limited.has(id) && running === 0) this.#uses.delete(id);
    return limited.size > 0;
  }

  /** @param prompt tokens of it @param tokens of the prompt, and of the answer as far as the request bounds it @returns why the request may not begin now; undefined: it counts from now on, until `ended` */
  enter(token: KnownToken, exchange: string, prompt: number, tokens: number, now: number): Refusal | undefined {
    if (!isLimited(token)) return undefined;
    const use = this.#useOf(token);
    const { concurrency } = token;
    const own = this.#replicas?.counts?.look(`token/${token.id}`, prompt, now) ?? use.window.look(tokens, now) ?? (concurrency === undefined || use.running < concurrency ? undefined : atOnceRefusal(whose, concurrency, now + atOnceLookMs));
    if (own !== undefined) return own;
    const scope = `token/${token.id}`;
    const claims = this.#shared === undefined ? none : [{ scope, limits: use.limits, whose, tokens, promptTokens: prompt, running: use.running }];
    const refused = this.#shared?.take(claims, now);
    if (refused !== undefined) return refused.refusal;
    use.running += 1;
    use.window.add(tokens, now);
    this.#running.set(exchange, { use, scope, at: now, tokens, claims, name: token.name });
    return undefined;
  }

  /** An exchange ended, with the tokens that its attempts took. */
  ended({ id, attempts }: Pick<Receipt, 'id' | 'attempts'>): void {
    if (this.#running.size === 0) return;
    const ticket = this.#running.get(id);
    if (ticket === undefined) return;
    this.#running.delete(id);
    const { use, scope, at, tokens, claims } = ticket;
    use.running -= 1;
    const used = tokensOf(attempts);
    // What nobody knows counts as it was reserved.
    const more = used === undefined ? 0 : used - tokens;
    use.window.correct(at, more);
    const { held } = ticket;
    if (held !== undefined) held.counts.settle(held.hold, { isSent: true, tokens: used, microUsd: undefined, isAll: true });
    this.#shared?.release({ scope, running: use.running, claims, at, requests: 0, tokens: more });
  }

  #useOf({ id, requestsPerMinute, tokensPerMinute, concurrency }: KnownToken): TokenUse {
    let use = this.#uses.get(id);
    const limits = use?.limits;
    if (use !== undefined && limits?.requestsPerMinute === requestsPerMinute && limits?.tokensPerMinute === tokensPerMinute && limits?.concurrency === concurrency) return use;
    const now = { requestsPerMinute, tokensPerMinute, concurrency };
    if (use === undefined) this.#uses.set(id, use = { limits: now, window: new RateWindow(now, whose), running: 0 });
    use.limits = use.window.limits = now;
    return use;
  }
}

/** Undefined where the tokens of an attempt that a provider may have answered are not known. */
function tokensOf(attempts: readonly Attempt[]): number | undefined {
  let sum = 0;
  for (const { usage, outcome } of attempts) {
    if (usage.inputTokens === undefined && usage.outputTokens === undefined) {
      if (outcome === 'failed') continue;
      return undefined;
    }
    sum += (promptTokens(usage) ?? 0) + (usage.outputTokens ?? 0);
  }
  return sum;
}
