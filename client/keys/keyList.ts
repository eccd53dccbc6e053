import { t } from '@vscode/l10n';
import { UserError } from '../base/errors.ts';

/** One credential as it lies in the secret store. */
export interface StoredKey {
  /** Stable within its endpoint. */
  id: string;
  label: string;
  secret: string;
  /** Milliseconds since the epoch. */
  addedAt: number;
}

/** A key as it may be shown. */
export interface MaskedKey {
  id: string;
  label: string;
  /** The last four characters, or empty for a key too short to show any. */
  last4: string;
  addedAt: number;
}

/** Shorter keys would give away too much of themselves in four characters. */
const shortestShownKey = 8;

export function last4Of(secret: string): string {
  return secret.length < shortestShownKey ? '' : secret.slice(-4);
}

export function maskKey(key: StoredKey): MaskedKey {
  return { id: key.id, label: key.label, last4: last4Of(key.secret), addedAt: key.addedAt };
}

/** `work …9f3c`, or `work` when the key is too short to show any of it. */
export function describeKey(key: Pick<MaskedKey, 'label' | 'last4'>): string {
  return key.last4 === '' ? key.label : `${key.label} …${key.last4}`;
}

/**
 * Reads the JSON list of one endpoint's keys. A missing value is an empty list; anything that is not such a
 * list throws, so that it is never silently overwritten.
 */
export function parseKeyList(text: string | undefined, endpoint: string): StoredKey[] {
  if (text === undefined) return [];
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  if (!Array.isArray(value) || !value.every(isStoredKey)) {
    throw new UserError(t('The stored keys of "{0}" cannot be read: remove the provider and add it again.', endpoint));
  }
  return value;
}

function isStoredKey(value: unknown): value is StoredKey {
  if (typeof value !== 'object' || value === null) return false;
  const key: Partial<Record<keyof StoredKey, unknown>> = value;
  return typeof key.id === 'string' && typeof key.label === 'string' && typeof key.secret === 'string' && typeof key.addedAt === 'number';
}

/** A change of an endpoint's key list. Pure: the store may apply it again to a list another window has written meanwhile. */
export type KeyListChange = (keys: readonly StoredKey[]) => StoredKey[];

export function addKey(key: StoredKey): KeyListChange {
  return keys => {
    if (keys.some(other => other.id === key.id)) return [...keys];
    const problem = duplicateProblem(key.secret, keys);
    if (problem !== undefined) throw new UserError(problem);
    return [...keys, key];
  };
}

/** Puts a key that was removed back to its place; nothing happens when the list has it, or its secret, again. */
export function restoreKey(key: StoredKey, index: number): KeyListChange {
  return keys => (keys.some(other => other.id === key.id || other.secret === key.secret) ? [...keys] : keys.toSpliced(index, 0, key));
}

/** What is wrong with a key that the list has already, or undefined. `except` is the key that is being replaced. */
export function duplicateProblem(secret: string, keys: readonly StoredKey[], except?: string): string | undefined {
  const same = keys.find(key => key.id !== except && key.secret === secret);
  return same === undefined ? undefined : t('This key is already there, as "{0}".', same.label);
}

export function renameKey(id: string, label: string): KeyListChange {
  return keys => changeOne(keys, id, key => ({ ...key, label }));
}

/** Gives the key a new secret. Its id and label stay, so that its place in the pool does. */
export function replaceSecret(id: string, secret: string, now: number): KeyListChange {
  return keys => {
    const problem = duplicateProblem(secret, keys, id);
    if (problem !== undefined) throw new UserError(problem);
    return changeOne(keys, id, key => ({ ...key, secret, addedAt: now }));
  };
}

export function removeKey(id: string): KeyListChange {
  return keys => keys.filter(key => key.id !== id);
}

/** A label no other key of the endpoint has: `key 1`, `key 2` … */
export function nextKeyLabel(keys: readonly Pick<StoredKey, 'label'>[]): string {
  for (let number = keys.length + 1; ; number++) {
    const label = `key ${String(number)}`;
    if (!keys.some(key => key.label === label)) return label;
  }
}

/** What is wrong with a label, or undefined. `except` is the key that is being renamed. */
export function labelProblem(label: string, keys: readonly Pick<StoredKey, 'id' | 'label'>[], except?: string): string | undefined {
  if (label.trim() === '') return t('Type a name.');
  if (keys.some(key => key.id !== except && key.label.toLowerCase() === label.trim().toLowerCase())) return t('Another key of this provider has this name.');
  return undefined;
}

function changeOne(keys: readonly StoredKey[], id: string, change: (key: StoredKey) => StoredKey): StoredKey[] {
  if (!keys.some(key => key.id === id)) throw new UserError(t('This key is not there any more: it was removed in another window.'));
  return keys.map(key => (key.id === id ? change(key) : key));
}
