import { t } from '@vscode/l10n';
import type { ProviderOffer, TestEndpointResult } from '../../server/api/messages.ts';
import type { EndpointSettings } from '../../server/api/settings.ts';
import { foreignKeyVendor, vendorOfKey } from '../../server/api/keyShapes.ts';
import type { KeyVendor } from '../../server/api/keyShapes.ts';
import { parseTargetName } from '../../server/api/targetName.ts';
import { completedBaseUrl, targetsOf, uniqueName } from '../settings/settingsEdits.ts';
import type { Routes } from '../settings/settingsEdits.ts';

/** What the user has said so far. */
export interface AddProviderDraft {
  offer?: ProviderOffer | undefined;
  region?: string | undefined;
  baseUrl?: string | undefined;
  name?: string | undefined;
  /** Empty where the provider wants none. */
  key?: string | undefined;
}

export type AddProviderStep = 'provider' | 'region' | 'baseUrl' | 'name' | 'key';

/** The steps for this provider, in order. Before one is chosen, the steps of a usual one. */
export function stepsFor(offer: ProviderOffer | undefined): AddProviderStep[] {
  if (offer === undefined) return ['provider', 'name', 'key'];
  return [
    'provider',
    ...((offer.regions?.length ?? 0) > 0 ? ['region' as const] : offer.baseUrl === undefined ? ['baseUrl' as const] : []),
    'name',
    'key',
  ];
}

/** Where a step stands, as "Step 2 of 4" counts. The test and the first route are not counted: they may not come. */
export function stepNumber(step: AddProviderStep, offer: ProviderOffer | undefined): { step: number; totalSteps: number } {
  const steps = stepsFor(offer);
  return { step: steps.indexOf(step) + 1, totalSteps: steps.length };
}

/** The step after or before this one; undefined at the ends. */
export function neighbourStep(step: AddProviderStep, offer: ProviderOffer | undefined, direction: 1 | -1): AddProviderStep | undefined {
  const steps = stepsFor(offer);
  return steps[steps.indexOf(step) + direction];
}

/** The name suggested for the endpoint: the provider's id (with the region), made unique. */
export function suggestedName(offer: ProviderOffer, region: string | undefined, taken: Iterable<string>): string {
  const base = region === undefined ? offer.id : `${offer.id}-${region}`;
  return uniqueName(base.replace(/[^A-Za-z0-9._-]+/g, '-').replace(/^[^A-Za-z0-9]+/, ''), taken);
}

/** What is written into the settings: only what is not the provider's default. */
export function endpointSettingsOf(draft: AddProviderDraft & { offer: ProviderOffer }): EndpointSettings {
  return {
    provider: draft.offer.id,
    ...(draft.region === undefined ? {} : { region: draft.region }),
    ...(draft.baseUrl === undefined ? {} : { baseUrl: completedBaseUrl(draft.baseUrl).replace(/(?<!\/)\/+$/, '') }),
  };
}

/** What is wrong with a key, so that it cannot be used at all. */
export function keyProblem(key: string, offer: Pick<ProviderOffer, 'keyRequired' | 'name'>): string | undefined {
  if (key === '') return offer.keyRequired ? t('{0} needs a key: paste it here.', offer.name) : undefined;
  if (key.startsWith('{')) return isJson(key) ? undefined : t('This key file is not complete: copy the whole of it, from the first brace to the last.');
  if (/\s/.test(key)) return t('A key has no spaces or line breaks in it: copy it again.');
  // A header with other characters cannot be sent.
  if (!/^[\x21-\x7e]+$/.test(key)) return t('A key has only plain characters: copy it again.');
  return undefined;
}

/** Some keys are files: a Google service account is one of JSON. */
function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** What is surprising about a key's shape; it may be used all the same. */
export function keyWarning(key: string, offer: Pick<ProviderOffer, 'keyPattern' | 'keyHint' | 'name'>): string | undefined {
  if (offer.keyPattern === undefined) return undefined;
  let pattern: RegExp;
  try {
    pattern = new RegExp(offer.keyPattern);
  } catch {
    return undefined;
  }
  if (pattern.test(key)) return undefined;
  return offer.keyHint === undefined ? t('Keys of {0} usually look different: press Enter to use this one all the same.', offer.name)
    : t('Keys of {0} usually look like "{1}": press Enter to use this one all the same.', offer.name, offer.keyHint);
}

/**
 * The vendor whose key this seems to be, where that is another one than the provider. At an address of the user's own
 * any key may be right; a shape that several vendors use counts only where a key is wanted at all.
 */
export function foreignVendor(key: string, offer: Pick<ProviderOffer, 'id' | 'keyRequired'>, ownAddress: boolean): KeyVendor | undefined {
  const vendor = vendorOfKey(key);
  if (vendor === undefined || ownAddress || vendor.providers.includes(offer.id)) return undefined;
  if (vendor.certain) return foreignKeyVendor(key, offer.id) === undefined ? undefined : vendor;
  return offer.keyRequired ? vendor : undefined;
}

/** Removes what people paste around a key: quotes, `Bearer`, and the name of a variable. */
export function cleanKey(pasted: string): string {
  return pasted.trim()
    .replace(/^(?:export\s+)?[A-Z][A-Z0-9_]*\s*=\s*(?=\S{8})/, '')
    .replace(/^(['"])(.*)\1$/, '$2')
    .replace(/^bearer\s+/i, '')
    .trim();
}

/** What happens after the endpoint was added: it becomes the first route's target, or another route's fallback. */
export type RouteOffer = { kind: 'first'; route: string } | { kind: 'fallback'; routes: string[] };

export const firstRouteName = 'default';

export function routeOffer(routes: Routes): RouteOffer {
  const names = Object.keys(routes);
  return names.length === 0 ? { kind: 'first', route: firstRouteName } : { kind: 'fallback', routes: names };
}

/**
 * The models of an endpoint for a choice: first those that the route already asks other endpoints for (the natural
 * fallback), then chat models in the provider's order, then what is plainly something else (embeddings, speech, images).
 */
export function orderedModels(models: readonly string[], route: Routes[string] | undefined): string[] {
  const wanted = new Set(targetsOf(route).map(target => parseTargetName(target)?.model).filter(model => model !== undefined).map(sameName));
  const rank = (model: string): number => (wanted.has(sameName(model)) ? 0 : notForChat.test(model) ? 2 : 1);
  return [...models].map((model, index) => ({ model, index, rank: rank(model) }))
    .sort((left, right) => left.rank - right.rank || left.index - right.index)
    .map(entry => entry.model);
}

const notForChat = /embed|whisper|tts|speech|transcri|dall-e|image|imagen|veo|sora|moderation|rerank|guard|realtime|babbage|davinci/i;

/** Names of one model as several providers spell it become the same. */
function sameName(model: string): string {
  return model.toLowerCase().replace(/^.*\//, '').replace(/[._]/g, '-').replace(/-(?:\d{8}|\d{4}-\d{2}-\d{2}|latest)$/, '');
}

/** The buttons after a failed test: what is most likely wrong comes first. */
export function failedTestChoices(result: Pick<TestEndpointResult, 'failureClass'>, hasBaseUrl: boolean): { title: string; value: 'key' | 'baseUrl' | 'again' | 'save' }[] {
  const again = { title: t('Try Again'), value: 'again' } as const;
  const key = { title: t('Edit Key'), value: 'key' } as const;
  const baseUrl = { title: t('Edit Base URL'), value: 'baseUrl' } as const;
  const save = { title: t('Save Anyway'), value: 'save' } as const;
  const keyIsWrong = result.failureClass === 'auth' || result.failureClass === 'quota';
  if (keyIsWrong) return [key, save];
  return [...(hasBaseUrl ? [baseUrl] : []), again, key, save];
}
