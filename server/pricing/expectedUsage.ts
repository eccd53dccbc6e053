import type { TokenUsage } from '../api/conversation.ts';
import type { RequestKind } from '../api/receipt.ts';
import { promptTokens } from '../api/usage.ts';

/** Whose request it is, as far as its use of tokens goes. */
export interface UsageOf {
  readonly tool: string;
  readonly kind: RequestKind;
  /** `endpoint/model`. */
  readonly target: string;
  /** Canonical model name. */
  readonly model: string;
}

/** Of a kind of work of which nothing was seen yet, in tokens. */
const firstGuess: Readonly<Record<RequestKind, number>> = { fast: 100, normal: 600, complex: 1200 };
/** An average follows its last ten values, and its first ones by their number. */
const slowest = 0.1;
/** So many requests of a caller at one target say more than those at all targets. */
const fewest = 3;
const mostTools = 200;
const mostOfTool = 500;

interface Average { value: number; count: number }
/** The averages of a caller: of each place, and of all places together. */
interface Averages { readonly all: Average; readonly each: Map<string, Average> }
type ByTool = Map<string, Averages>;

/**
 * How many tokens the answers of a caller usually have, and how much of its prompts a target reads from its cache: what the
 * cost of a request is expected from before it is sent. Bounded; it reads no clock.
 */
export class ExpectedUsage {
  /** By model. */
  readonly #output: Readonly<Record<RequestKind, ByTool>> = { fast: new Map(), normal: new Map(), complex: new Map() };
  /** By target. */
  readonly #cached: ByTool = new Map();

  /** An attempt ended with this usage. @param answers how many it brought, whose tokens are counted together */
  observe({ tool, kind, target, model }: UsageOf, usage: TokenUsage, answers = 1): void {
    const { outputTokens, cacheReadTokens } = usage;
    if (outputTokens !== undefined) learn(this.#output[kind], tool, model, outputTokens / answers);
    const prompt = promptTokens(usage);
    if (cacheReadTokens !== undefined && prompt !== undefined && prompt > 0) learn(this.#cached, tool, target, Math.min(1, cacheReadTokens / prompt));
  }

  /** Learns what was used before this process began, oldest first; what it has learnt itself since then is newer. */
  recall(past: readonly { readonly of: UsageOf; readonly usage: TokenUsage; readonly answers?: number | undefined }[]): void {
    const earlier = new ExpectedUsage();
    for (const { of, usage, answers } of past) earlier.observe(of, usage, answers);
    for (const kind of ['fast', 'normal', 'complex'] as const) takeOver(this.#output[kind], earlier.#output[kind]);
    takeOver(this.#cached, earlier.#cached);
  }

  /** Tokens of an answer: of this caller and model, else of this caller, else a guess. */
  outputTokens({ tool, kind, model }: Omit<UsageOf, 'target'>): number {
    return Math.round(known(this.#output[kind].get(tool), model) ?? firstGuess[kind]);
  }

  /** The share of a prompt that is read from the cache, 0 to 1: of this caller at this target, else of this caller anywhere. */
  cachedShare({ tool, target }: Pick<UsageOf, 'tool' | 'target'>): number {
    return known(this.#cached.get(tool), target) ?? 0;
  }
}

function known(averages: Averages | undefined, place: string): number | undefined {
  if (averages === undefined) return undefined;
  const own = averages.each.get(place);
  return own !== undefined && own.count >= fewest ? own.value : averages.all.value;
}

function learn(byTool: ByTool, tool: string, place: string, value: number): void {
  let averages = byTool.get(tool);
  if (averages === undefined) {
    dropOldest(byTool, mostTools);
    averages = { all: { value: 0, count: 0 }, each: new Map() };
    byTool.set(tool, averages);
  }
  let own = averages.each.get(place);
  if (own === undefined) {
    dropOldest(averages.each, mostOfTool);
    own = { value: 0, count: 0 };
    averages.each.set(place, own);
  }
  follow(averages.all, value);
  follow(own, value);
}

function follow(average: Average, value: number): void {
  average.count += 1;
  average.value += Math.max(slowest, 1 / average.count) * (value - average.value);
}

/** Adds averages of an earlier time: what was seen since then goes on from them. */
function takeOver(now: ByTool, earlier: ByTool): void {
  for (const [tool, before] of earlier) {
    const known = now.get(tool);
    if (known === undefined) {
      dropOldest(now, mostTools);
      now.set(tool, before);
      continue;
    }
    goOnFrom(known.all, before.all);
    for (const [place, average] of before.each) {
      const own = known.each.get(place);
      if (own !== undefined) goOnFrom(own, average);
      else {
        dropOldest(known.each, mostOfTool);
        known.each.set(place, average);
      }
    }
  }
}

/** The earlier values first, and then those since, of which only their average is known. */
function goOnFrom(average: Average, before: Average): void {
  const later = { ...average };
  average.value = before.value;
  average.count = before.count;
  for (let index = 0; index < Math.min(later.count, 1 / slowest); index += 1) follow(average, later.value);
}

function dropOldest(map: Map<string, unknown>, most: number): void {
  if (map.size < most) return;
  for (const oldest of map.keys()) { map.delete(oldest); break; }
}
