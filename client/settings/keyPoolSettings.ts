import { t } from '@vscode/l10n';
import { keyRotations, type EndpointSettings, type KeyRotationName } from '../../server/api/settings.ts';

/** Each rotation in a few words. */
export const rotationLabels: Readonly<Record<KeyRotationName, string>> = { 'failover': t('The First That Works'), 'round-robin': t('In Turn'), 'least-used': t('The Least Used') };

/** What a rotation means, as a sentence without its end. */
export function rotationDetail(rotation: KeyRotationName): string {
  const meaning = keyRotations[rotation];
  return `${meaning.charAt(0).toUpperCase()}${meaning.slice(1)}`;
}

/** The endpoint with another rotation; the default is not written. */
export function withRotation(settings: EndpointSettings, rotation: KeyRotationName): EndpointSettings {
  const { keyRotation: _before, ...rest } = settings;
  return rotation === 'failover' ? rest : { ...rest, keyRotation: rotation };
}

/** The account that the settings put a key into. */
export function accountOfKey({ keyAccounts }: EndpointSettings, label: string): string | undefined {
  return Object.keys(keyAccounts ?? {}).find(account => keyAccounts?.[account]?.includes(label) === true);
}

/** The endpoint with a key in an account, or in none where the name is empty. Accounts without keys are not kept. */
export function withAccount(settings: EndpointSettings, label: string, account: string): EndpointSettings {
  const { keyAccounts: before, ...rest } = settings;
  const name = account.trim();
  const kept = Object.entries(before ?? {}).map(([other, labels]) => [other, labels.filter(one => one !== label)] as const);
  const accounts = Object.fromEntries(kept);
  if (name !== '') accounts[name] = [...accounts[name] ?? [], label];
  const filled = Object.fromEntries(Object.entries(accounts).filter(([, labels]) => labels.length > 0));
  return Object.keys(filled).length === 0 ? rest : { ...rest, keyAccounts: filled };
}

/** What is wrong with the name of an account; undefined where nothing is. An empty one takes the key out of its account. */
export function accountProblem(text: string): string | undefined {
  return text.trim().length > 64 ? t('A name has at most 64 characters.') : undefined;
}
