import type { RequestRole } from '../../api/purpose.ts';
import type { PlannedCache } from '../../api/receipt.ts';
import { charactersPerToken } from '../../api/tokenEstimate.ts';
import { leastCachedTokens } from '../../catalog/cacheLifetimes.ts';
import { defaultWarmCache, type WarmCacheConfig } from '../../config/config.ts';
import { dollars } from '../moneyText.ts';
import type { PlanResult, RoutingRequest, RoutingView } from '../plan.ts';
import type { Resolved } from '../resolveName.ts';
import type { Candidate, ResolvedTarget } from '../routeTable.ts';
import { breakEven, turnOf, type Turn } from './breakEven.ts';
import { isHigherKind, isWarm, type KnownConversation, type Place } from './warmCaches.ts';

/** Of a prompt with so many tokens at least, as estimates of requests count, some may be kept. */
const leastEstimate = leastCachedTokens * (charactersPerToken.likely / charactersPerToken.lower);
/** Errands that a conversation comes back from after one request. */
const errands: ReadonlySet<RequestRole> = new Set<RequestRole>(['compaction', 'auxiliary', 'inline']);
/** Agents only add to a prompt: one that is shorter than this part of what lay in a cache was written anew. */
const rewrittenBelow = 0.9;
/** Its tools and instructions are still found there: a third of it at least, in the recordings of docs/warm-caches.md. */
const keptOfRewritten = 1 / 3;
/** A target that begins to answer in this part of the time is worth its cold cache where the route wants the fastest. */
const muchSooner = 0.5;

/** A plan that is ordered, and how it may be changed. */
export interface OrderedPlan {
  readonly resolved: Resolved;
  readonly request: RoutingRequest;
  readonly view: RoutingView;
  readonly result: PlanResult;
  /** What the purpose of the request, or the arm of a canary, leads to before anything else; absent: the route's own targets. */
  readonly lead: { readonly candidates: readonly Candidate[] } | undefined;
  /** A target of the route that can serve now; undefined where it is out, or may not come first. */
  serving(target: string): ResolvedTarget | undefined;
}

/**
 * Puts the target whose cache holds the prompt of the conversation in front, unless leaving it pays: whatever put the first
 * target there only proposes it. The plan says what caches had to do with its order. The conversation of a request is found out
 * only where there is something to choose and the prompt is long enough for a cache.
 */
export function keepWarm(plan: OrderedPlan): void {
  const { resolved, request, view, result } = plan;
  const { warm } = view;
  const { estimatedInputTokens: estimatedTokens } = request.requirements;
  if (warm === undefined || estimatedTokens < leastEstimate || request.rehearsal === true || !isChoice(resolved, view)) return;
  const settings = (resolved.route === undefined ? undefined : view.table.config.routes.get(resolved.route)?.warmCache) ?? defaultWarmCache;
  if (!settings.enabled) return;
  const role = resolved.purposes === undefined ? undefined : request.purpose?.role;
  const errand = role !== undefined && errands.has(role);
  const cache: PlannedCache = { conversation: errand ? `${request.conversation}.${role}` : request.conversation, estimatedTokens, turn: 'first', ...(errand ? { errand: true } : {}) };
  result.plan.cache = cache;
  const known = warm.of(request.conversation);
  const [first] = result.targets;
  if (known === undefined || first === undefined) return;
  if (first.name !== known.last) {
    const turn = turnOf(known, estimatedTokens, errand);
    const { keep, why } = decide({ ...plan, settings, known, first, turn, chance: warm.coldReturnChance, lasts: resolved.purposes === undefined || settings.higherKinds !== 'at-once' ? undefined : warm.lowerTurns(known) });
    if (why !== undefined) cache.why = why;
    if (keep !== undefined) {
      result.targets = [keep, ...result.targets.filter(target => target !== keep)];
      result.plan.why = why;
    } else if (plan.serving(known.last) === undefined) cache.forced = true;
  }
  const chosen = result.targets[0]?.name;
  cache.turn = chosen === known.last ? 'stays' : known.places.some(({ target }) => target === chosen) ? 'returns' : 'switches';
}

/** Whether a request of this name can go to more than one target. */
function isChoice({ route, strategy, purposes, candidates }: Resolved, { table }: RoutingView): boolean {
  return strategy !== 'pinned' && (candidates.length > 1 || purposes !== undefined || (route !== undefined && table.canaryTargets(route).length > 0));
}

interface Proposal extends OrderedPlan {
  readonly settings: WarmCacheConfig;
  readonly known: KnownConversation;
  /** The target that was proposed. */
  readonly first: ResolvedTarget;
  readonly turn: Turn;
  readonly chance: number;
  /** For how many turns the conversation is likely to stay away before a higher kind of work leads it back; undefined where none does. */
  readonly lasts: number | undefined;
}

/** `keep`: the target that comes first instead of the one that was proposed. `why`: what caches had to do with it. */
interface Decision { readonly keep?: ResolvedTarget | undefined; readonly why?: string | undefined }

function decide(proposal: Proposal): Decision {
  const { known, first, turn, view, settings, chance, lasts } = proposal;
  const warmPlaces = known.places.filter(place => isWarm(place, view.now));
  const there = warmPlaces.find(({ target }) => target === first.name);
  const found = warmestOf(warmPlaces, proposal);
  if (found === undefined) return { why: whyFree(proposal) };
  const { place, target } = found;
  const cached = cachedText(place, turn);
  // What drove the conversation away is over, and the way back costs what it said in the meantime at most.
  if (there?.leftByForce === true && !isRewritten(there, turn)) return { why: `returned to ${first.name}: ${tokensText(there.cachedTokens)} cached tokens are still there` };
  const reason = wins(proposal, target);
  if (reason !== undefined) return { why: `left ${target.name} with ${cached}: ${reason}` };
  const stayed = `${place.target === known.last ? 'stayed at' : 'returned to'} ${target.name}: ${cached}`;
  const even = breakEven({ target, cachedTokens: usefulTokens(place, turn) }, { target: first, cachedTokens: there === undefined ? 0 : usefulTokens(there, turn) }, turn, chance, view.signals);
  if (even === undefined) {
    const priced = [target, first].some(one => view.signals.costMicroUsd(one, { inputTokens: turn.promptTokens, outputTokens: 0 }) !== undefined);
    return priced ? { why: `left ${target.name} with ${cached}: what that costs is not known` } : { keep: target, why: `${stayed}, and no price is known` };
  }
  const { extraMicroUsd, payBackTurns } = even;
  if (payBackTurns <= Math.min(settings.payBackTurns, lasts ?? Infinity)) {
    return { why: extraMicroUsd <= 0 ? `left ${target.name} with ${cached}: that costs nothing` : `left ${target.name} with ${cached}: that costs ${dollars(extraMicroUsd)} and pays back after ${payBackTurns} turns` };
  }
  if (extraMicroUsd <= 0) return { keep: target, why: `${stayed}, and leaving for ${first.name} saves nothing` };
  const back = turn.single ? 'for one request' : Number.isFinite(payBackTurns) ? `and pays back after ${payBackTurns} turns${lasts === undefined || payBackTurns > settings.payBackTurns ? '' : `, and such work lasts about ${Math.round(lasts)} here`}` : 'and never pays back';
  return { keep: target, why: `${stayed}, leaving for ${first.name} costs ${dollars(extraMicroUsd)} ${back}` };
}

/** The last target while it is warm and can serve, else the one that was left last of those that are. */
function warmestOf(places: readonly Place[], { serving, first }: Proposal): { place: Place; target: ResolvedTarget } | undefined {
  for (let index = places.length - 1; index >= 0; index--) {
    const place = places[index];
    const target = place === undefined || place.target === first.name ? undefined : serving(place.target);
    if (place !== undefined && target !== undefined) return { place, target };
  }
  return undefined;
}

/** Why the proposal wins over a warm cache whatever that costs; undefined where it has to pay. */
function wins({ result: { plan: { purpose } }, known, settings, resolved, lead, view, request, first }: Proposal, warm: ResolvedTarget): string | undefined {
  // Among the targets that are meant for the kind of work, each is good enough.
  if (purpose !== undefined && isHigherKind(purpose.kind, known.kind) && !(lead ?? resolved).candidates.some(({ name }) => name === warm.name)) {
    if (purpose.stalled === true) return 'its loop of tool calls is stuck, and a higher kind of work has other targets';
    if (settings.higherKinds === 'at-once') return `it is not meant for work of a higher kind (${purpose.kind})`;
  }
  if (resolved.strategy !== 'fastest') return undefined;
  const [here, there] = [warm, first].map(target => view.signals.firstTokenAverage(target, request)?.ms);
  return here !== undefined && there !== undefined && there < muchSooner * here ? `${first.name} begins to answer in ${Math.round(there)} ms, and it in ${Math.round(here)} ms` : undefined;
}

/** Why nothing was there to keep; undefined where no cache was there before. */
function whyFree({ known, serving, view: { now } }: Proposal): string | undefined {
  const last = known.places.find(({ target }) => target === known.last);
  if (last === undefined || last.cachedTokens === 0) return undefined;
  const tokens = tokensText(last.cachedTokens);
  if (serving(last.target) === undefined) return `left ${last.target}, which cannot serve this request now${isWarm(last, now) ? `, with ${tokens} cached tokens` : ''}`;
  return isWarm(last, now) ? undefined : `the cache at ${last.target} (${tokens} tokens) has gone cold`;
}

function isRewritten({ cachedTokens }: Place, { promptTokens }: Turn): boolean {
  return promptTokens < rewrittenBelow * cachedTokens;
}

/** Tokens of the prompt that are likely found there. */
function usefulTokens(place: Place, turn: Turn): number {
  return isRewritten(place, turn) ? Math.round(keptOfRewritten * turn.promptTokens) : Math.min(place.cachedTokens, turn.promptTokens);
}

function cachedText(place: Place, turn: Turn): string {
  const tokens = tokensText(usefulTokens(place, turn));
  return isRewritten(place, turn) ? `about ${tokens} cached tokens of a conversation that was written anew` : `${tokens} cached tokens`;
}

/** `48k`. */
function tokensText(tokens: number): string {
  return tokens < 1000 ? String(tokens) : `${Number((tokens / 1000).toPrecision(2))}k`;
}
