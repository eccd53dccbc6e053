import type { LimitSettings } from '../api/settings.ts';
import type { LimitLeft } from '../api/status.ts';
import { readRateHeaders, type CountedKind, type ReportedFigure } from '../base/headers/rateHeaders.ts';
import type { ResponseHeaders } from '../base/headers/responseHeaders.ts';
import { askedForMs } from '../base/headers/retryAfter.ts';
import type { Provider } from '../catalog/provider.ts';
import type { EndpointConfig } from '../config/config.ts';
import type { Admission } from '../health/healthReader.ts';
import type { LimitClaim } from './limitClaims.ts';
import { ProviderLimits, type CountingRules } from './providerLimits.ts';
import type { LimitCounts } from './replicas/sharedCounts.ts';
import { atOnceRefusal, RateWindow, type Refusal } from './rateWindow.ts';

/** What an entry reserved; given back exactly once, to `release` or to `refund`. */
export interface RateTicket {
  readonly endpoint: string;
  readonly at: number;
  /** Tokens that are reserved under the user's limits. */
  readonly tokens: number;
  /** Tokens that the provider's figures were reduced by. */
  readonly promptTokens: number;
  readonly key: RateWindow | undefined;
  readonly reported: ProviderLimits | undefined;
  readonly reportedVersion: number;
  /** What was taken from the limits that all peers share. */
  readonly claims: readonly LimitClaim[];
}

/** `ofKey`: only a limit of the key refuses; another key may be free. */
export type RateEntry = { admitted: true; ticket: RateTicket } | (Refusal & { ofKey?: boolean });

/** One request as limits see it. A look or an entry keeps no reference to it, so one object may serve several of them. */
export interface RateRequest {
  readonly endpoint: string;
  /** Id of the key; undefined where the endpoint has none. */
  keyId: string | undefined;
  /** Canonical name of the model. */
  readonly model: string;
  /** Estimated tokens of the prompt, a lower bound. */
  readonly promptTokens: number;
  /** Nothing else can serve: what the provider says is left does not refuse the request, the user's limits do. */
  lastResort?: boolean;
  /** Tokens that may be written at most; reserved in the user's limits, and nothing to the provider's figures. 0 where unknown. */
  readonly writableTokens: number;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** What the limiter needs of an endpoint's configuration; an `EndpointConfig` has it all. */
export type LimitedEndpoint = Pick<EndpointConfig, 'limits'> & { provider?: Pick<Provider, 'rateLimits'> | undefined };

/** A request that a peer sent. */
export interface PeerUse { endpoint: string; keyId?: string | undefined; model: string; /** When it was sent. */ at: number; tokens: number }

/** Figures of a provider that are published to peers, or that a peer published. */
export interface ReportedLimit { endpoint: string; keyId: string | undefined; model: string; kind: CountedKind; at: number; reported: ReportedFigure }

export interface RateLimiterOptions {
  /** The account whose limits a key shares with other keys, where that is known; their figures are kept together. */
  accountOf?(endpoint: string, keyId: string): string | undefined;
  /** Called when a provider reported that little is left of a limit. */
  onLittleLeft?(reported: ReportedLimit): void;
  /** Counts the limits of all peers of a data folder; absent: requests of peers come in through `applyRemote` only. */
  shared?: LimitCounts | undefined;
  /** Identifies a key in all peers; absent or empty: its id does. */
  keyFingerprint?(endpoint: string, keyId: string): string;
}

/**
 * Refuses requests that would break a limit of the user's, or that their provider is bound to refuse.
 *
 * The user's limits hold for any sixty seconds, and for requests at once, of an endpoint and of each of its keys. What the
 * provider reports as left (see providerLimits.ts) is kept for each key and model, or for the account where keys are known
 * to share one. An endpoint without keys counts as having one. Where peers count together (see sharedLimits.ts), an entry is
 * taken from the common count after this process's own; looks use this process's count and the last refusal.
 */
export interface RateLimiter {
  /** Takes over configured limits. What endpoints that stay have used is kept. */
  configure(endpoints: ReadonlyMap<string, LimitedEndpoint>): void;
  /** A look at the limits of the endpoint as a whole. Takes nothing. @param writableTokens as in RateRequest; default 0 */
  admission(endpoint: string, estimatedTokens: number, now: number, writableTokens?: number): Admission;
  /** A look at what holds for one key: the user's limits for it, and what the provider says is left. Takes nothing. */
  keyAdmission(request: RateRequest): Admission;
  /** Takes a place and reserves the tokens, in one step, of the endpoint and of the key. */
  enter(request: RateRequest): RateEntry;
  /** Ends an entry: frees its place and replaces the estimate by what was used; undefined keeps the estimate. */
  release(ticket: RateTicket, usedTokens: number | undefined): void;
  /** Ends an entry of which no byte was sent: its place and all it reserved are given back. Instead of `release`. */
  refund(ticket: RateTicket): void;
  /** Reads what an answer's headers report of the provider's limits. @param status HTTP status; a 429 confirms the headers */
  observed(endpoint: string, keyId: string | undefined, model: string, headers: ResponseHeaders, now: number, status?: number): void;
  /** Counts a request that a peer sent. */
  applyRemote(use: PeerUse): void;
  /** Applies figures that a peer, or the process before this one, received from the provider. */
  applyReported(reported: ReportedLimit): void;
  /** Forgets what the provider of an endpoint reported up to a moment. The user's limits stay. */
  forgetReported(endpoint: string, at: number): void;
  /** The limit that a key is at now, for any request; of several the one that lasts longest. */
  keyTrouble(endpoint: string, keyId: string, now: number): Refusal | undefined;
  /** What the provider of an endpoint said is left of its limits, of each kind the least of all keys and models; undefined: nothing. */
  left(endpoint: string, now: number): LimitLeft[] | undefined;
  /** When `left` changes by time alone; Infinity: never. */
  leftChangesAt(endpoint: string, now: number): number;
  /** The heartbeat by which peers that count together find each other. To be called about once a second. */
  beat(now: number): void;
  /** Ends the counting of this process: peers no longer count its running requests. */
  close(): void;
}

/** When a place becomes free cannot be foreseen. This is how soon another look is worth while. */
const concurrencyPollMs = 250;
/** The most models remembered for one key. Callers choose model names freely, so there must be a bound. */
const mostModels = 200;

const admitted: Admission = { admitted: true, trial: false };
const ofEndpoint = 'its own limit';
const ofEachKey = 'the limit set for each key';
const nothingShared: readonly LimitClaim[] = [];

/** What is known of one endpoint. */
interface EndpointLimits {
  limits: EndpointConfig['limits'];
  rules: CountingRules;
  /** Requests of this process under way. */
  running: number;
  readonly rateWindow: RateWindow;
  /** By key id; only while the user limits keys. */
  readonly keys: Map<string, RateWindow>;
  /** By account or key id, then by model. */
  readonly reported: Map<string, Map<string, ProviderLimits>>;
}

/** A limiter without limits until `configure`. */
export function createRateLimiter(options: RateLimiterOptions = {}): RateLimiter {
  const limitsByEndpoint = new Map<string, EndpointLimits>();

  function keyRateWindow(endpoint: EndpointLimits, keyId: string): RateWindow | undefined {
    const { perKey } = endpoint.limits;
    if (perKey === undefined) return undefined;
    const known = endpoint.keys.get(keyId);
    if (known !== undefined) return known;
    const made = new RateWindow(perKey, ofEachKey);
    endpoint.keys.set(keyId, made);
    return made;
  }

  function scopeOf(endpoint: string, keyId: string): string {
    const account = options.accountOf?.(endpoint, keyId);
    return account === undefined ? `key ${keyId}` : `account ${account}`;
  }

  function reportedOf(endpoint: string, entry: EndpointLimits, keyId: string, model: string): ProviderLimits | undefined {
    return entry.reported.size === 0 ? undefined : entry.reported.get(scopeOf(endpoint, keyId))?.get(model);
  }

  function reportedOrNew(endpoint: string, entry: EndpointLimits, keyId: string, model: string): ProviderLimits {
    const scope = scopeOf(endpoint, keyId);
    let models = entry.reported.get(scope);
    if (models === undefined) entry.reported.set(scope, models = new Map<string, ProviderLimits>());
    const known = models.get(model);
    if (known !== undefined) return known;
    const oldest = models.size >= mostModels ? models.keys().next().value : undefined;
    if (oldest !== undefined) models.delete(oldest);
    const made = new ProviderLimits(entry.rules);
    models.set(model, made);
    return made;
  }

  function keyScope(endpoint: string, keyId: string): string {
    return JSON.stringify([endpoint, options.keyFingerprint?.(endpoint, keyId) || keyId]);
  }

  /** What a request takes from the limits that peers share, the endpoint's first. */
  function claimsOf(endpoint: string, { limits, running }: EndpointLimits, keyId: string, tokens: number, promptTokens: number): readonly LimitClaim[] {
    if (options.shared === undefined || !isLimited(limits)) return nothingShared;
    const claims: LimitClaim[] = [];
    const { perKey, ...own } = limits;
    if (isLimited(own)) claims.push({ scope: endpoint, limits: own, whose: ofEndpoint, tokens, promptTokens, running });
    if (perKey !== undefined) claims.push({ scope: keyScope(endpoint, keyId), limits: perKey, whose: ofEachKey, tokens, promptTokens, running: undefined });
    return claims;
  }

  function lookAtKey(entry: EndpointLimits, { endpoint, keyId = '', model, promptTokens, writableTokens, now, lastResort }: RateRequest): Refusal | undefined {
    const rateWindow = keyRateWindow(entry, keyId);
    const own = rateWindow === undefined ? undefined : later(rateWindow.look(promptTokens + writableTokens, now), options.shared?.look(keyScope(endpoint, keyId), promptTokens, now));
    const shortage = lastResort === true ? undefined : reportedOf(endpoint, entry, keyId, model)?.shortage(promptTokens, now);
    if (own === undefined) return shortage === undefined ? undefined : { admitted: false, cause: 'rate-limit', ...shortage };
    return { ...(shortage === undefined ? own : later(own, { admitted: false, cause: 'rate-limit', ...shortage }) ?? own), ownLimit: true };
  }

  return {
    configure(endpoints) {
      for (const [name, entry] of limitsByEndpoint) {
        if (endpoints.has(name)) continue;
        // Requests that still run count again when the endpoint comes back.
        if (entry.running === 0) limitsByEndpoint.delete(name);
        else entry.limits = entry.rateWindow.limits = {};
      }
      options.shared?.configure([...endpoints.values()].some(({ limits }) => isLimited(limits)));
      for (const [name, { limits, provider }] of endpoints) {
        const rules = provider?.rateLimits ?? {};
        const known = limitsByEndpoint.get(name);
        if (known === undefined) {
          limitsByEndpoint.set(name, { limits, rules, running: 0, rateWindow: new RateWindow(limits, ofEndpoint), keys: new Map(), reported: new Map() });
          continue;
        }
        known.limits = limits;
        known.rateWindow.limits = limits;
        if (known.rules.refills !== rules.refills || known.rules.cachedFree !== rules.cachedFree) known.reported.clear();
        known.rules = rules;
        if (limits.perKey === undefined) known.keys.clear();
        else for (const rateWindow of known.keys.values()) rateWindow.limits = limits.perKey;
      }
    },

    admission(endpoint, estimatedTokens, now, writableTokens = 0) {
      const entry = limitsByEndpoint.get(endpoint);
      if (entry === undefined) return admitted;
      return later(lookAtEndpoint(entry, estimatedTokens + writableTokens, now), usersOwn(options.shared?.look(endpoint, estimatedTokens, now))) ?? admitted;
    },

    keyAdmission(request) {
      const entry = limitsByEndpoint.get(request.endpoint);
      return entry === undefined ? admitted : lookAtKey(entry, request) ?? admitted;
    },

    enter(request) {
      const { endpoint, keyId = '', model, promptTokens, now } = request;
      const tokens = promptTokens + request.writableTokens;
      const entry = limitsByEndpoint.get(endpoint);
      if (entry === undefined) return { admitted: true, ticket: { endpoint, at: now, tokens, promptTokens: 0, key: undefined, reported: undefined, reportedVersion: 0, claims: nothingShared } };
      const ofWhole = lookAtEndpoint(entry, tokens, now);
      const refusal = later(ofWhole, lookAtKey(entry, request));
      if (refusal !== undefined) return ofWhole === undefined ? refusal : { ...refusal, ownLimit: true };
      const claims = claimsOf(endpoint, entry, keyId, tokens, promptTokens);
      const refused = claims.length === 0 ? undefined : options.shared?.take(claims, now);
      if (refused !== undefined) return { ...refused.refusal, ownLimit: true, ofKey: refused.claim?.whose === ofEachKey };
      entry.running += 1;
      entry.rateWindow.add(tokens, now);
      const key = keyRateWindow(entry, keyId);
      key?.add(tokens, now);
      const reported = reportedOf(endpoint, entry, keyId, model);
      reported?.sent(promptTokens, now);
      return { admitted: true, ticket: { endpoint, at: now, tokens, promptTokens, key, reported, reportedVersion: reported?.version ?? 0, claims } };
    },

    release(ticket, usedTokens) {
      const entry = limitsByEndpoint.get(ticket.endpoint);
      if (entry === undefined) return;
      entry.running = Math.max(0, entry.running - 1);
      options.shared?.release({ scope: ticket.endpoint, running: entry.running, claims: ticket.claims, at: ticket.at, requests: 0, tokens: usedTokens === undefined ? 0 : usedTokens - ticket.tokens });
      if (usedTokens === undefined) return;
      entry.rateWindow.correct(ticket.at, usedTokens - ticket.tokens);
      ticket.key?.correct(ticket.at, usedTokens - ticket.tokens);
      // Newer figures of the provider hold already what the attempt used.
      if (ticket.reported !== undefined && ticket.reported.version === ticket.reportedVersion) ticket.reported.corrected(usedTokens - ticket.promptTokens);
    },

    refund(ticket) {
      const entry = limitsByEndpoint.get(ticket.endpoint);
      if (entry === undefined) return;
      entry.running = Math.max(0, entry.running - 1);
      options.shared?.release({ scope: ticket.endpoint, running: entry.running, claims: ticket.claims, at: ticket.at, requests: -1, tokens: -ticket.tokens });
      entry.rateWindow.refund(ticket.at, ticket.tokens);
      ticket.key?.refund(ticket.at, ticket.tokens);
      if (ticket.reported !== undefined && ticket.reported.version === ticket.reportedVersion) ticket.reported.corrected(-ticket.promptTokens);
    },

    observed(endpoint, keyId, model, headers, now, status) {
      const entry = limitsByEndpoint.get(endpoint);
      if (entry === undefined) return;
      const limits = readRateHeaders(headers, now);
      // Beside a wait that is asked for in so many words, resets and figures hold no longer than that.
      const refused = status === 429;
      const askedWaitMs = refused ? askedForMs(headers, now) : undefined;
      if (limits === undefined) {
        if (askedWaitMs !== undefined) reportedOf(endpoint, entry, keyId ?? '', model)?.believedUntil(now + askedWaitMs);
        return;
      }
      const known = reportedOrNew(endpoint, entry, keyId ?? '', model);
      const little = known.observe(limits, now, refused);
      if (askedWaitMs !== undefined) known.believedUntil(now + askedWaitMs);
      for (const kind of little) {
        const reported = known.reportedOf(kind);
        if (reported !== undefined) options.onLittleLeft?.({ endpoint, keyId, model, kind, at: now, reported });
      }
    },

    applyRemote({ endpoint, keyId = '', model, at, tokens }) {
      const entry = limitsByEndpoint.get(endpoint);
      if (entry === undefined) return;
      entry.rateWindow.applyRemote(tokens, at);
      keyRateWindow(entry, keyId)?.applyRemote(tokens, at);
      reportedOf(endpoint, entry, keyId, model)?.sent(tokens, at);
    },

    applyReported({ endpoint, keyId = '', model, kind, at, reported }) {
      const entry = limitsByEndpoint.get(endpoint);
      if (entry !== undefined) reportedOrNew(endpoint, entry, keyId, model).applyRemote(kind, reported, at);
    },

    forgetReported(endpoint, at) {
      for (const models of limitsByEndpoint.get(endpoint)?.reported.values() ?? []) for (const reported of models.values()) reported.forget(at);
    },

    keyTrouble(endpoint, keyId, now) {
      const entry = limitsByEndpoint.get(endpoint);
      if (entry === undefined) return undefined;
      let longest = keyRateWindow(entry, keyId)?.look(1, now);
      for (const [model, reported] of entry.reported.get(scopeOf(endpoint, keyId)) ?? []) {
        const shortage = reported.shortage(1, now);
        if (shortage !== undefined) longest = later(longest, { admitted: false, retryAt: shortage.retryAt, reason: `${model}: ${shortage.reason}`, limit: `${model}: ${shortage.limit}` });
      }
      return longest;
    },

    left(endpoint, now) {
      const entry = limitsByEndpoint.get(endpoint);
      if (entry === undefined || entry.reported.size === 0) return undefined;
      const least = new Map<LimitLeft['kind'], LimitLeft>();
      for (const models of entry.reported.values()) for (const reported of models.values()) for (const one of reported.left(now)) {
        const before = least.get(one.kind);
        if (before === undefined || one.remaining / (one.limit ?? one.remaining) < before.remaining / (before.limit ?? before.remaining)) least.set(one.kind, one);
      }
      return least.size === 0 ? undefined : [...least.values()];
    },

    leftChangesAt(endpoint, now) {
      let first = Infinity;
      for (const models of limitsByEndpoint.get(endpoint)?.reported.values() ?? []) for (const reported of models.values()) first = Math.min(first, reported.changesAt(now));
      return first;
    },

    beat(now) {
      options.shared?.beat(now);
    },

    close() {
      options.shared?.close();
    },
  };
}

/** Whether there is a limit at all. */
export function isLimited({ requestsPerMinute, tokensPerMinute, concurrency, perKey }: LimitSettings): boolean {
  return requestsPerMinute !== undefined || tokensPerMinute !== undefined || concurrency !== undefined || (perKey !== undefined && isLimited(perKey));
}

function lookAtEndpoint(entry: EndpointLimits, tokens: number, now: number): Refusal | undefined {
  const { concurrency } = entry.limits;
  const atOnce: Refusal | undefined = concurrency === undefined || entry.running < concurrency ? undefined
    : atOnceRefusal(ofEndpoint, concurrency, now + concurrencyPollMs);
  return usersOwn(entry.rateWindow.limited ? later(atOnce, entry.rateWindow.look(tokens, now)) : atOnce);
}

function usersOwn(refusal: Refusal | undefined): Refusal | undefined {
  return refusal === undefined ? undefined : { ...refusal, ownLimit: true };
}

function later(one: Refusal | undefined, other: Refusal | undefined): Refusal | undefined {
  if (one === undefined) return other;
  return other !== undefined && other.retryAt > one.retryAt ? other : one;
}
