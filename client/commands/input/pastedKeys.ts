import { vendorOfKey } from '../../../server/api/keyShapes.ts';
import type { KeyVendor } from '../../../server/api/keyShapes.ts';
import { cleanKey } from '../addProviderSteps.ts';

/** A key that was pasted where a name was asked for. */
export interface PastedKey { secret: string; vendor: KeyVendor }

/** Shorter texts are names that people type. */
const shortestKey = 16;

/**
 * The keys in a text that came into a box at once, one a line or between spaces, with whose they are. A box of one line
 * holds spaces where the lines ended. Empty where any part of it is no key.
 */
export function pastedKeys(text: string): PastedKey[] {
  const parts = text.trim().replaceAll(' =', '=').replaceAll('= ', '=').split(/[\s,;]+/).filter(part => part !== '' && part.toLowerCase() !== 'export');
  const keys = parts.map(cleanKey).map(secret => ({ secret, vendor: secret.length < shortestKey ? undefined : vendorOfKey(secret) }));
  const known = keys.filter((key): key is PastedKey => key.vendor !== undefined);
  return known.length === keys.length ? [...new Map(known.map(key => [key.secret, key])).values()] : [];
}

/** Whether a text came into a box at once, and not typed key by key. */
export function isPasted(before: string, now: string): boolean {
  return now.length - before.length >= shortestKey;
}
