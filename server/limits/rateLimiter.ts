import { readRateHeaders, type CountedKind, type ReportedFigure } from '../base/headers/rateHeaders.ts';
import type { ResponseHeaders } from '../base/headers/retryAfter.ts';
import type { Provider } from '../catalog/provider.ts';
import type { EndpointConfig } from '../config/config.ts';
import type { Admission } from '../health/healthReader.ts';
import type { LimitClaim } from './limitClaims.ts';
import { ProviderLimits, type CountingRules } from './providerLimits.ts';
import type { SharedLimits } from './sharedLimits.ts';
import { atOnceRefusal, RateWindow, type Refusal } from './rateWindow.ts';

/** What an entry reserved; handed back to `leave` exactly once. */
export interface RateTicket {
  readonly endpoint: string;
  readonly at: number;
  /** What the user's windows reserved. */
  readonly tokens: number;
  /** What the provider's figures were reduced by. */
  readonly promptTokens: number;
  readonly key: RateWindow | undefined;
  readonly reported: ProviderLimits | undefined;
  readonly reportedVersion: number;
  /** What was taken from the limits that all windows share. */
  readonly claims: readonly LimitClaim[];
}

/** `ofKey`: only the key stands in the way; another one may be free. */
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
  /** Tokens that may be written at most; reserved in the user's limits, and nothing to the provider's figures. 0 where unknown. */
  readonly writableTokens: number;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** What the limiter needs of an endpoint's configuration; an `EndpointConfig` has it all. */
export type LimitedEndpoint = Pick<EndpointConfig, 'limits'> & { provider?: Pick<Provider, 'rateLimits'> | undefined };

/** A request another window sent. */
export interface ForeignUse { endpoint: string; keyId?: string | undefined; model: string; /** When it was sent. */ at: number; tokens: number }

/** Figures of a provider that other windows should know, or that one of them made known. */
export interface ReportedLimit { endpoint: string; keyId: string | undefined; model: string; kind: CountedKind; at: number; reported: ReportedFigure }

export interface RateLimiterOptions {
  /** The account whose limits a key shares with others, where that is known; their figures are then kept together. */
  accountOf?(endpoint: string, keyId: string): string | undefined;
  /** A provider said that little is left of a limit. */
  onLittleLeft?(reported: ReportedLimit): void;
  /** Counts the limits of all windows of a data folder; absent: other windows' requests come in through `adopt` only. */
  shared?: SharedLimits | undefined;
  /** What a key is known by in all windows; absent or empty: its id. */
  keyFingerprint?(endpoint: string, keyId: string): string;
}

/**
 * Keeps requests back that would break a limit of the user's, or that their provider is bound to refuse.
 *
 * The user's limits hold for any sixty seconds, and for requests at once, of an endpoint and of each of its keys. What the
 * provider says is left (see providerLimits.ts) is kept for each key and model, or for the account where keys are known
 * to share one. Endpoints without keys count as having one. Where windows count together (see sharedLimits.ts), an entry is
 * taken from the common count after this process's own; looks go by its own count and by the last refusal.
 */
export interface RateLimiter {
  /** Adopts limits; what endpoints that stay have used is kept. */
  configure(endpoints: ReadonlyMap<string, LimitedEndpoint>): void;
  /** A look at the endpoint's own windows, without taking anything. @param writableTokens as for `enter` */
  admission(endpoint: string, estimatedTokens: number, now: number, writableTokens?: number): Admission;
  /** A look at what holds for one key: the user's limits for it, and what the provider says is left. Takes nothing. */
  keyAdmission(request: RateRequest): Admission;
  /** Takes a place and reserves the tokens, in one step, of the endpoint and of the key. */
  enter(request: RateRequest): RateEntry;
  /** The attempt ended: frees its place and puts the real number of tokens for the estimate; undefined keeps the estimate. */
  release(ticket: RateTicket, usedTokens: number | undefined): void;
  /** The attempt ended without a byte having been sent: its place and all it reserved are given back. Instead of `leave`. */
  refund(ticket: RateTicket): void;
  /** An attempt was answered. @param status HTTP status; a 429 confirms what its headers say */
  observed(endpoint: string, keyId: string | undefined, model: string, headers: ResponseHeaders, now: number, status?: number): void;
  /** Another window sent a request. */
  applyRemote(use: ForeignUse): void;
  /** Another window, or the process before this one, was told what is left. */
  applyReported(reported: ReportedLimit): void;
  /** The limit at which a key is now, for any request; of several the one that lasts longest. */
  keyTrouble(endpoint: string, keyId: string, now: number): Refusal | undefined;
  /** To be called about once a second: the heartbeat by which windows that count together know of each other. */
  beat(now: number): void;
  /** This process ends: others no longer count its running requests. */
  close(): void;
}

/** When a place becomes free nobody knows; this is how soon it is worth another look. */
const concurrencyPollMs = 250;
/** Names of models come from callers: no more are remembered for one key. */
const mostModels = 200;

const admitted: Admission = { admitted: true, trial: false };
const ofEndpoint = 'its own limit';
const ofEachKey = 'the limit set for each key';
const nothingShared: readonly LimitClaim[] = [];

interface Watched {
  limits: EndpointConfig['limits'];
  rules: CountingRules;
  running: number;
  readonly window: RateWindow;
  /** By key id; only while the user limits keys. */
  readonly keys: Map<string, RateWindow>;
  /** By account or key id, then by model. */
  readonly reported: Map<string, Map<string, ProviderLimits>>;
}

/** A limiter without limits until `configure`. */
export function createRateLimiter(options: RateLimiterOptions = {}): RateLimiter {
  const watched = new Map<string, Watched>();

  function keyWindow(endpoint: Watched, keyId: string): RateWindow | undefined {
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

  function reportedOf(endpoint: string, entry: Watched, keyId: string, model: string): ProviderLimits | undefined {
    return entry.reported.size === 0 ? undefined : entry.reported.get(scopeOf(endpoint, keyId))?.get(model);
  }

  function reportedMade(endpoint: string, entry: Watched, keyId: string, model: string): ProviderLimits {
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

  /** What a request takes from the limits that windows share, the endpoint's first. */
  function claimsOf(endpoint: string, { limits, running }: Watched, keyId: string, tokens: number, promptTokens: number): readonly LimitClaim[] {
    if (options.shared === undefined || !isLimited(limits)) return nothingShared;
    const claims: LimitClaim[] = [];
    const { perKey, ...own } = limits;
    if (isLimited(own)) claims.push({ scope: endpoint, limits: own, whose: ofEndpoint, tokens, promptTokens, running });
    if (perKey !== undefined) claims.push({ scope: keyScope(endpoint, keyId), limits: perKey, whose: ofEachKey, tokens, promptTokens, running: undefined });
    return claims;
  }

  function lookAtKey(entry: Watched, { endpoint, keyId = '', model, promptTokens, writableTokens, now }: RateRequest): Refusal | undefined {
    const window = keyWindow(entry, keyId);
    const own = window === undefined ? undefined : later(window.look(promptTokens + writableTokens, now), options.shared?.look(keyScope(endpoint, keyId), promptTokens, now));
    const shortage = reportedOf(endpoint, entry, keyId, model)?.shortage(promptTokens, now);
    return shortage === undefined ? own : later(own, { admitted: false, ...shortage });
  }

  return {
    configure(endpoints) {
      for (const [name, entry] of watched) {
        if (endpoints.has(name)) continue;
        // What still runs there counts again should the endpoint come back.
        if (entry.running === 0) watched.delete(name);
        else entry.limits = entry.window.limits = {};
      }
      options.shared?.configure([...endpoints.values()].some(({ limits }) => isLimited(limits)));
      for (const [name, { limits, provider }] of endpoints) {
        const rules = provider?.rateLimits ?? {};
        const known = watched.get(name);
        if (known === undefined) {
          watched.set(name, { limits, rules, running: 0, window: new RateWindow(limits, ofEndpoint), keys: new Map(), reported: new Map() });
          continue;
        }
        known.limits = limits;
        known.window.limits = limits;
        if (known.rules.refills !== rules.refills || known.rules.cachedFree !== rules.cachedFree) known.reported.clear();
        known.rules = rules;
        if (limits.perKey === undefined) known.keys.clear();
        else for (const window of known.keys.values()) window.limits = limits.perKey;
      }
    },

    admission(endpoint, estimatedTokens, now, writableTokens = 0) {
      const entry = watched.get(endpoint);
      if (entry === undefined) return admitted;
      return later(lookAtEndpoint(entry, estimatedTokens + writableTokens, now), options.shared?.look(endpoint, estimatedTokens, now)) ?? admitted;
    },

    keyAdmission(request) {
      const entry = watched.get(request.endpoint);
      return entry === undefined ? admitted : lookAtKey(entry, request) ?? admitted;
    },

    enter(request) {
      const { endpoint, keyId = '', model, promptTokens, now } = request;
      const tokens = promptTokens + request.writableTokens;
      const entry = watched.get(endpoint);
      if (entry === undefined) return { admitted: true, ticket: { endpoint, at: now, tokens, promptTokens: 0, key: undefined, reported: undefined, reportedVersion: 0, claims: nothingShared } };
      const refusal = later(lookAtEndpoint(entry, tokens, now), lookAtKey(entry, request));
      if (refusal !== undefined) return refusal;
      const claims = claimsOf(endpoint, entry, keyId, tokens, promptTokens);
      const refused = claims.length === 0 ? undefined : options.shared?.take(claims, now);
      if (refused !== undefined) return { ...refused.refusal, ofKey: refused.claim?.whose === ofEachKey };
      entry.running += 1;
      entry.window.add(tokens, now);
      const key = keyWindow(entry, keyId);
      key?.add(tokens, now);
      const reported = reportedOf(endpoint, entry, keyId, model);
      reported?.sent(promptTokens, now);
      return { admitted: true, ticket: { endpoint, at: now, tokens, promptTokens, key, reported, reportedVersion: reported?.version ?? 0, claims } };
    },

    release(ticket, usedTokens) {
      const entry = watched.get(ticket.endpoint);
      if (entry === undefined) return;
      entry.running = Math.max(0, entry.running - 1);
      options.shared?.left(ticket.endpoint, entry.running, ticket.claims, ticket.at, 0, usedTokens === undefined ? 0 : usedTokens - ticket.tokens);
      if (usedTokens === undefined) return;
      entry.window.correct(ticket.at, usedTokens - ticket.tokens);
      ticket.key?.correct(ticket.at, usedTokens - ticket.tokens);
      // Where figures came since, they hold what it used already.
      if (ticket.reported !== undefined && ticket.reported.version === ticket.reportedVersion) ticket.reported.corrected(usedTokens - ticket.promptTokens);
    },

    refund(ticket) {
      const entry = watched.get(ticket.endpoint);
      if (entry === undefined) return;
      entry.running = Math.max(0, entry.running - 1);
      options.shared?.left(ticket.endpoint, entry.running, ticket.claims, ticket.at, -1, -ticket.tokens);
      entry.window.refund(ticket.at, ticket.tokens);
      ticket.key?.refund(ticket.at, ticket.tokens);
      if (ticket.reported !== undefined && ticket.reported.version === ticket.reportedVersion) ticket.reported.corrected(-ticket.promptTokens);
    },

    observed(endpoint, keyId, model, headers, now, status) {
      const entry = watched.get(endpoint);
      if (entry === undefined) return;
      const limits = readRateHeaders(headers, now);
      if (limits === undefined) return;
      const known = reportedMade(endpoint, entry, keyId ?? '', model);
      for (const kind of known.reported(limits, now, status === 429)) {
        const reported = known.reportedOf(kind);
        if (reported !== undefined) options.onLittleLeft?.({ endpoint, keyId, model, kind, at: now, reported });
      }
    },

    applyRemote({ endpoint, keyId = '', model, at, tokens }) {
      const entry = watched.get(endpoint);
      if (entry === undefined) return;
      entry.window.applyRemote(tokens, at);
      keyWindow(entry, keyId)?.applyRemote(tokens, at);
      reportedOf(endpoint, entry, keyId, model)?.sent(tokens, at);
    },

    applyReported({ endpoint, keyId = '', model, kind, at, reported: stated }) {
      const entry = watched.get(endpoint);
      if (entry !== undefined) reportedMade(endpoint, entry, keyId, model).observe(kind, stated, at);
    },

    keyTrouble(endpoint, keyId, now) {
      const entry = watched.get(endpoint);
      if (entry === undefined) return undefined;
      let longest = keyWindow(entry, keyId)?.look(1, now);
      for (const [model, reported] of entry.reported.get(scopeOf(endpoint, keyId)) ?? []) {
        const shortage = reported.shortage(1, now);
        if (shortage !== undefined) longest = later(longest, { admitted: false, retryAt: shortage.retryAt, reason: `${model}: ${shortage.reason}`, limit: `${model}: ${shortage.limit}` });
      }
      return longest;
    },

    beat(now) {
      options.shared?.beat(now);
    },

    close() {
      options.shared?.close();
    },
  };
}

function isLimited({ requestsPerMinute, tokensPerMinute, concurrency, perKey }: EndpointConfig['limits']): boolean {
  return requestsPerMinute !== undefined || tokensPerMinute !== undefined || concurrency !== undefined || (perKey !== undefined && isLimited(perKey));
}

function lookAtEndpoint(entry: Watched, tokens: number, now: number): Refusal | undefined {
  const { concurrency } = entry.limits;
  const atOnce: Refusal | undefined = concurrency === undefined || entry.running < concurrency ? undefined
    : atOnceRefusal(ofEndpoint, concurrency, now + concurrencyPollMs);
  return entry.window.limited ? later(atOnce, entry.window.look(tokens, now)) : atOnce;
}

function later(one: Refusal | undefined, other: Refusal | undefined): Refusal | undefined {
  if (one === undefined) return other;
  return other !== undefined && other.retryAt > one.retryAt ? other : one;
}
