import type { PriceUsed } from '../api/receipt.ts';
import { plausiblePrices, tokenLimit } from '../base/figures.ts';
import { asString, isObject } from '../base/json.ts';
import { fitsAsModelName } from '../base/names.ts';

/** The facts that a provider's own list has of a model; absent fields are unknown. */
export interface ListedFacts {
  contextWindow?: number;
  maxOutputTokens?: number;
  tools?: boolean;
  images?: boolean;
  documents?: boolean;
  jsonSchema?: boolean;
  thinking?: boolean;
  prices?: PriceUsed;
}

/** A model as a provider lists it, under the provider's own name. */
export interface ListedModel { name: string; facts?: ListedFacts }

/** The most models of one list that are used; the longest known list has about 3,000. */
export const maxListedModels = 10_000;

/** The facts that can be true, of those that a provider or a file claims of a model. An implausible fact counts as absent. */
export function plausibleFacts(value: unknown): ListedFacts {
  if (!isObject(value)) return {};
  const facts: ListedFacts = {};
  for (const name of ['contextWindow', 'maxOutputTokens'] as const) {
    const tokens = tokenLimit(value[name]);
    if (tokens !== undefined) facts[name] = tokens;
  }
  for (const name of ['tools', 'images', 'documents', 'jsonSchema', 'thinking'] as const) {
    const flag = value[name];
    if (typeof flag === 'boolean') facts[name] = flag;
  }
  const prices = plausiblePrices(value.prices);
  if (prices !== undefined) facts.prices = prices;
  return facts;
}

/**
 * The models of a list of `{ name, facts }`, in its order and each once, as far as their names can be names; at most
 * `maxListedModels`.
 */
export function plausibleModels(entries: Iterable<unknown>): ListedModel[] {
  const models = new Map<string, ListedModel>();
  for (const entry of entries) {
    if (models.size >= maxListedModels) break;
    const name = isObject(entry) ? asString(entry.name) : undefined;
    if (name === undefined || !isObject(entry) || !fitsAsModelName(name) || models.has(name)) continue;
    const facts = plausibleFacts(entry.facts);
    models.set(name, Object.keys(facts).length === 0 ? { name } : { name, facts });
  }
  return [...models.values()];
}
