import type { TokenUsage } from '../api/conversation.ts';
import type { RequestKind } from '../api/receipt.ts';
import { promptTokens } from '../api/usage.ts';

/** Whose request it is, as far as its use of tokens goes. */
export interface UsageOf {
  readonly tool: string;
  readonly kind: RequestKind;
  readonly endpoint: string;
  /** Canonical model name. */
  readonly model: string;
}

/** Of a kind of work of which nothing was seen yet, in tokens. */
const firstGuess: Readonly<Record<RequestKind, number>> = { fast: 100, normal: 600, complex: 1200 };
/** An average follows its last ten values, and its first ones by their number. */
const slowest = 0.1;
/** So many requests of a caller at one target say more than those at all targets. */
const fewest = 3;
const mostEntries = 1000;

interface Average { value: number; count: number }

/**
 * How many tokens the answers of a caller usually have, and how much of its prompts a target reads from its cache: what the
 * cost of a request is expected from before it is sent. Bounded; it reads no clock.
 */
export class ExpectedUsage {
  readonly #output = new Map<string, Average>();
  readonly #cached = new Map<string, Average>();

  /** An attempt ended with this usage. */
  observe({ tool, kind, endpoint, model }: UsageOf, usage: TokenUsage): void {
    const { outputTokens, cacheReadTokens } = usage;
    if (outputTokens !== undefined) {
      learn(this.#output, outputOf(tool, kind, model), outputTokens);
      learn(this.#output, outputOf(tool, kind, ''), outputTokens);
    }
    const prompt = promptTokens(usage);
    if (cacheReadTokens === undefined || prompt === undefined || prompt <= 0) return;
    const share = Math.min(1, cacheReadTokens / prompt);
    learn(this.#cached, cachedOf(tool, endpoint, model), share);
    learn(this.#cached, cachedOf(tool, '', ''), share);
  }

  /** Tokens of an answer: of this caller and model, else of this caller, else a guess. */
  outputTokens({ tool, kind, model }: Pick<UsageOf, 'tool' | 'kind' | 'model'>): number {
    const own = this.#output.get(outputOf(tool, kind, model));
    const known = own !== undefined && own.count >= fewest ? own : this.#output.get(outputOf(tool, kind, '')) ?? own;
    return Math.round(known?.value ?? firstGuess[kind]);
  }

  /** The share of a prompt that is read from the cache, 0 to 1: of this caller at this target, else of this caller anywhere. */
  cachedShare({ tool, endpoint, model }: Pick<UsageOf, 'tool' | 'endpoint' | 'model'>): number {
    const own = this.#cached.get(cachedOf(tool, endpoint, model));
    const known = own !== undefined && own.count >= fewest ? own : this.#cached.get(cachedOf(tool, '', '')) ?? own;
    return known?.value ?? 0;
  }
}

function outputOf(tool: string, kind: RequestKind, model: string): string {
  return `${kind}\n${tool}\n${model}`;
}

function cachedOf(tool: string, endpoint: string, model: string): string {
  return `${tool}\n${endpoint}\n${model}`;
}

function learn(averages: Map<string, Average>, key: string, value: number): void {
  const known = averages.get(key);
  if (known === undefined) {
    if (averages.size >= mostEntries) for (const oldest of averages.keys()) { averages.delete(oldest); break; }
    averages.set(key, { value, count: 1 });
    return;
  }
  known.count += 1;
  known.value += Math.max(slowest, 1 / known.count) * (value - known.value);
}
