import { t } from '@vscode/l10n';
import type { RequestSummary } from '../../../server/api/receipt.ts';
import type { EndpointSettings, PriceSettings } from '../../../server/api/settings.ts';
import { parseTargetName } from '../../../server/api/targetName.ts';
import { countOf } from '../../base/figures.ts';
import { isUnknownCost } from '../../base/money.ts';
import type { Endpoints } from '../../settings/settingsEdits.ts';

/** What a price may be, in US dollars a million tokens. */
const mostUsd = 100_000;

/** The prices that are asked for, in order. */
export const priceSteps: readonly { field: keyof PriceSettings; prompt: string; isRequired: boolean }[] = [
  { field: 'inputPerMTok', prompt: t('US dollars for a million tokens of input'), isRequired: true },
  { field: 'outputPerMTok', prompt: t('US dollars for a million tokens of output, reasoning included'), isRequired: true },
  { field: 'cacheReadPerMTok', prompt: t('US dollars for a million tokens read from the prompt cache; empty: not known'), isRequired: false },
  { field: 'cacheWritePerMTok', prompt: t('US dollars for a million tokens written to the prompt cache; empty: not known'), isRequired: false },
];

/**
 * Reads a price that a person typed: `2`, `$0.42`, `0,075`.
 * @returns US dollars; undefined for an empty text that may be empty; or what to write instead, as a sentence
 */
export function readPrice(text: string, isRequired: boolean): number | undefined | string {
  const typed = text.trim().replace(/^\$\s?/, '');
  if (/^[1-9]\d{0,2},\d{3}$/.test(typed)) return t('Write {0} or {1}: some read a comma as thousands, others as a decimal point.', typed.replace(',', ''), typed.replace(',', '.'));
  const written = typed.replace(',', '.');
  if (written === '' && !isRequired) return undefined;
  const price = Number(written);
  return /^\d+(?:\.\d+)?$/.test(written) && price <= mostUsd ? price : t('Write US dollars for a million tokens, such as 2 or 0.42.');
}

/** One model whose prices can be set. */
export interface PricedModel {
  /** `endpoint/model`. */
  target: string;
  /** Of the latest requests, how many of it have an unknown cost. */
  unknown: number;
  /** Its prices in the settings; absent: there are none. */
  prices?: PriceSettings | undefined;
}

/** The models of configured endpoints: first those whose requests have an unknown cost, then the others by name. */
export function pricedModels(endpoints: Endpoints, targets: Iterable<string>, requests: readonly RequestSummary[]): PricedModel[] {
  const unknown = new Map<string, number>();
  for (const { target, cost, outcome } of requests) if (target !== undefined && outcome !== 'open' && isUnknownCost(cost)) unknown.set(target, (unknown.get(target) ?? 0) + 1);
  return [...new Set([...unknown.keys(), ...targets])].flatMap((target): PricedModel[] => {
    const parts = parseTargetName(target);
    if (parts === undefined || endpoints[parts.endpoint] === undefined) return [];
    return [{ target, unknown: unknown.get(target) ?? 0, ...withoutUndefined(pricesOf(endpoints[parts.endpoint], parts.model)) }];
  }).sort((one, other) => other.unknown - one.unknown || one.target.localeCompare(other.target));
}

/** What the list says of a model. */
export function priceDescription({ unknown, prices }: PricedModel): string {
  if (unknown > 0) return t('cost unknown of {0}', countOf(unknown, 'request'));
  return prices === undefined ? '' : pricesText(prices);
}

/** `$2 in, $8 out`. */
export function pricesText({ inputPerMTok, outputPerMTok }: PriceSettings): string {
  return t('${0} in, ${1} out', inputPerMTok, outputPerMTok);
}

/** The prices of a model in an endpoint's settings. */
export function pricesOf(endpoint: EndpointSettings | undefined, model: string): PriceSettings | undefined {
  return endpoint?.models?.[model]?.prices;
}

/** Gives a model of an endpoint these prices in place of those that it has; whatever else is written of it stays. */
export function withModelPrices(endpoints: Endpoints, target: string, prices: PriceSettings): Endpoints {
  const parts = parseTargetName(target);
  const settings = parts === undefined ? undefined : endpoints[parts.endpoint];
  if (parts === undefined || settings === undefined) return endpoints;
  return { ...endpoints, [parts.endpoint]: { ...settings, models: { ...settings.models, [parts.model]: { ...settings.models?.[parts.model], prices } } } };
}

function withoutUndefined(prices: PriceSettings | undefined): Pick<PricedModel, 'prices'> {
  return prices === undefined ? {} : { prices };
}
