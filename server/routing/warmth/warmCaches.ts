import type { TokenUsage } from '../../api/conversation.ts';
import { workKinds, type WorkKind } from '../../api/purpose.ts';
import { promptTokens } from '../../api/usage.ts';
import { cacheRule, longLifetimeMs } from '../../catalog/cacheLifetimes.ts';

/** A target that answered a conversation, and what its cache holds of it. */
export interface Place {
  readonly target: string;
  /** When the last request there began, in milliseconds since the epoch: from then on the cache ages. */
  readonly at: number;
  readonly lifetimeMs: number;
  /** Tokens of the prompt that lie in the cache. */
  readonly cachedTokens: number;
  /** The conversation went elsewhere because it could not stay. */
  readonly leftByForce: boolean;
}

/** What is known of a conversation; figures are those of its last answer. */
export interface KnownConversation {
  /** The target that answered last. */
  readonly last: string;
  /** The one that answered last comes last. */
  readonly places: readonly Place[];
  readonly promptTokens: number;
  /** The estimate of that prompt, as its request had it. */
  readonly estimatedTokens: number;
  /** The average answer. */
  readonly outputTokens: number;
  readonly turns: number;
  /** The highest kind of work that it was taken for since it came to the last target; undefined where its route does not go by it. */
  readonly kind?: WorkKind | undefined;
  /** For how many turns a lower kind of work lasts here until a higher one follows; undefined where its route does not go by it. */
  readonly lowerStay?: LowerStay | undefined;
}

/** Stretches of lower work in a conversation: each begins where the kind falls, and ends where it rises. */
interface LowerStay {
  readonly kind: WorkKind;
  /** Turns of the stretch that runs; 0: none does. */
  readonly running: number;
  /** Those that ended, and their turns. */
  readonly count: number;
  readonly turns: number;
}

/** An attempt whose provider has read the prompt. */
export interface Answered {
  readonly conversation: string;
  readonly target: string;
  /** The id of its provider in the catalog. */
  readonly provider: string;
  readonly upstreamModel: string;
  readonly startedAt: number;
  readonly usage: TokenUsage;
  /** Of the prompt, as the request had it. */
  readonly estimatedTokens: number;
  /** It is the answer that the caller got; else the attempt only left a cache behind. */
  readonly led: boolean;
  /** The target that was planned first could not serve, or the one before was out. */
  readonly forced: boolean;
  readonly kind?: WorkKind | undefined;
}

/** More conversations than anyone has open at once. */
const mostKept = 2000;
const mostPlaces = 4;
const kindsInOrder = Object.keys(workKinds) as WorkKind[];

/** Where the prompts of conversations lie in caches, as the usage of their last answers says. Bounded; it reads no clock, and nothing of a prompt is in it. */
export class WarmCaches {
  /** By conversation, the one used longest ago first. */
  readonly #known = new Map<string, KnownConversation>();
  /** Stretches of lower work in all conversations. The first guess is a question or two. */
  #lowerStays = { count: 1, turns: 2 };
  #departures = 0;
  #returns = 0;
  #coldReturns = 0;

  of(conversation: string): KnownConversation | undefined {
    return this.#known.get(conversation);
  }

  /**
   * The chance that a conversation that leaves a target comes back to it after its cache is gone: learnt from the ones that
   * left, with a guess of one in four that comes back, and one in ten of those that comes back late.
   */
  get coldReturnChance(): number {
    return ((this.#returns + 1) / (this.#departures + 4)) * ((this.#coldReturns + 1) / (this.#returns + 10));
  }

  /** For how many turns lower work is likely to last in a conversation: as long as it did before, here and elsewhere, and at least as long as it has. */
  lowerTurns({ lowerStay }: KnownConversation): number {
    const { count, turns } = this.#lowerStays;
    const { running = 0, count: own = 0, turns: ownTurns = 0 } = lowerStay ?? {};
    return Math.max(running + 1, (ownTurns + 2 * (turns / count)) / (own + 2));
  }

  answered(answer: Answered): void {
    const before = this.#known.get(answer.conversation);
    const prompt = promptTokens(answer.usage);
    if (prompt === undefined && before === undefined) return;
    const place = this.#placeAfter(answer, before, prompt ?? 0);
    if (!answer.led && place.cachedTokens === 0) return;
    const others = (before?.places ?? []).filter(({ target }) => target !== answer.target);
    const moved = answer.led && before !== undefined && before.last !== answer.target;
    const left = moved ? others.map(one => (one.target === before.last ? { ...one, leftByForce: answer.forced } : one)) : others;
    if (moved) this.#count(before, answer);
    const led = answer.led ? answer : undefined;
    this.#keep(answer.conversation, {
      last: led?.target ?? before?.last ?? answer.target,
      places: [...left, place].slice(-mostPlaces),
      promptTokens: led === undefined ? before?.promptTokens ?? prompt ?? 0 : prompt ?? before?.promptTokens ?? 0,
      estimatedTokens: led === undefined ? before?.estimatedTokens ?? answer.estimatedTokens : answer.estimatedTokens,
      outputTokens: averageOutput(before, led?.usage.outputTokens),
      turns: (before?.turns ?? 0) + (led === undefined ? 0 : 1),
      lowerStay: led?.kind === undefined ? before?.lowerStay : this.#stayAfter(before?.lowerStay, led.kind),
      kind: led === undefined ? before?.kind : moved ? answer.kind : higherKind(before?.kind, answer.kind),
    });
  }

  #placeAfter({ target, provider, upstreamModel, startedAt, usage }: Answered, before: KnownConversation | undefined, prompt: number): Place {
    const rule = cacheRule(provider, upstreamModel);
    const { cacheReadTokens = 0, cacheWriteTokens = 0, cacheWrite1hTokens = 0 } = usage;
    const known = before?.places.find(one => one.target === target);
    const reported = cacheReadTokens + cacheWriteTokens + cacheWrite1hTokens;
    // A prompt that was taken for kept and was not read is one whose beginning changes with each request.
    const missed = known !== undefined && isWarm(known, startedAt) && cacheReadTokens === 0;
    const keepsAll = rule.automatic && !missed && prompt >= rule.leastTokens;
    return {
      target, at: startedAt, cachedTokens: keepsAll ? Math.max(reported, prompt) : reported, leftByForce: false,
      // What is read keeps the lifetime that it was written with.
      lifetimeMs: cacheWrite1hTokens > 0 ? longLifetimeMs : cacheReadTokens > 0 && known !== undefined ? Math.max(rule.lifetimeMs, known.lifetimeMs) : rule.lifetimeMs,
    };
  }

  #stayAfter(before: LowerStay | undefined, kind: WorkKind): LowerStay {
    if (before === undefined) return { kind, running: 0, count: 0, turns: 0 };
    const { running, count, turns } = before;
    if (isHigherKind(before.kind, kind)) return { ...before, kind, running: running + 1 };
    if (!isHigherKind(kind, before.kind)) return running === 0 ? before : { ...before, running: running + 1 };
    if (running === 0) return { ...before, kind };
    this.#lowerStays = { count: this.#lowerStays.count + 1, turns: this.#lowerStays.turns + running };
    return { kind, running: 0, count: count + 1, turns: turns + running };
  }

  #count({ places }: KnownConversation, { target, startedAt }: Answered): void {
    this.#departures += 1;
    const back = places.find(one => one.target === target);
    if (back === undefined) return;
    this.#returns += 1;
    if (!isWarm(back, startedAt)) this.#coldReturns += 1;
  }

  #keep(conversation: string, known: KnownConversation): void {
    this.#known.delete(conversation);
    this.#known.set(conversation, known);
    if (this.#known.size > mostKept) for (const oldest of this.#known.keys()) { this.#known.delete(oldest); break; }
  }
}

/** The part that plans read. */
export type WarmCachesReader = Pick<WarmCaches, 'of' | 'coldReturnChance' | 'lowerTurns'>;

/** @param now milliseconds since the epoch */
export function isWarm({ at, lifetimeMs, cachedTokens }: Place, now: number): boolean {
  return cachedTokens > 0 && now - at < lifetimeMs;
}

/** Whether a kind is worth more than another one; one that is not known is taken for neither. */
export function isHigherKind(kind: WorkKind, than: WorkKind | undefined): boolean {
  return than !== undefined && kindsInOrder.indexOf(kind) > kindsInOrder.indexOf(than);
}

function higherKind(one: WorkKind | undefined, other: WorkKind | undefined): WorkKind | undefined {
  return other !== undefined && isHigherKind(other, one) ? other : one ?? other;
}

/** It follows its last five values. */
function averageOutput(before: KnownConversation | undefined, output: number | undefined): number {
  if (before === undefined || before.turns === 0) return output ?? 0;
  return output === undefined ? before.outputTokens : before.outputTokens + (output - before.outputTokens) * Math.max(0.2, 1 / (before.turns + 1));
}
