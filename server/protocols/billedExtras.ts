import type { BilledExtras, TokenUsage } from '../api/conversation.ts';
import type { JsonValue } from '../base/json.ts';
import { isObject } from '../base/json.ts';
import { tokenCountOf } from './usageFigures.ts';

type ModalityCount = 'audioInputTokens' | 'audioCacheReadTokens' | 'audioOutputTokens' | 'imageOutputTokens' | 'videoOutputTokens';

/** Gathers what an answer is charged for beside its tokens. Nothing is made where nothing is. */
export class ExtrasGatherer {
  #extras: BilledExtras | undefined;

  /** Of everything so far; undefined where there is nothing. */
  get extras(): BilledExtras | undefined {
    return this.#extras;
  }

  /** A hosted tool ran. @param runs how often; replaces an earlier count */
  setRuns(tool: string, runs: JsonValue | undefined): void {
    const count = tokenCountOf(runs);
    if (count === undefined || count === 0) return;
    this.#extras = { ...this.#extras, tools: { ...this.#extras?.tools, [tool]: count } };
  }

  /** Replaces what was billed besides before. */
  setAlsoBilled(alsoBilled: TokenUsage): void {
    this.#extras = { ...this.#extras, alsoBilled };
  }

  addRun(tool: string): void {
    this.setRuns(tool, (this.#extras?.tools?.[tool] ?? 0) + 1);
  }

  setTier(tier: JsonValue | undefined): void {
    if (typeof tier === 'string' && isTermName(tier)) this.#extras = { ...this.#extras, serviceTier: tier };
  }

  setSpeed(speed: JsonValue | undefined): void {
    if (typeof speed === 'string' && speed !== 'standard' && isTermName(speed)) this.#extras = { ...this.#extras, speed };
  }

  setGeo(geo: JsonValue | undefined): void {
    if (typeof geo === 'string' && geo !== 'global' && geo !== 'not_available' && isTermName(geo)) this.#extras = { ...this.#extras, geo };
  }

  /** Tokens of the prompt or the answer that have another price than text. */
  setTokens(kind: ModalityCount, count: JsonValue | undefined): void {
    const tokens = tokenCountOf(count);
    if (tokens !== undefined && tokens > 0) this.#extras = { ...this.#extras, [kind]: tokens };
  }
}

/** The tokens of one modality in Google's details. */
export function modalityTokens(details: JsonValue | undefined, modality: string): number {
  if (!Array.isArray(details)) return 0;
  let sum = 0;
  for (const entry of details) if (isObject(entry) && entry.modality === modality) sum += tokenCountOf(entry.tokenCount) ?? 0;
  return sum;
}

/** A term of a provider is stored and shown, so it is a short name and never free text. */
function isTermName(text: string): boolean {
  return /^[A-Za-z][\w-]{0,39}$/.test(text);
}
