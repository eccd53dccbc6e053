import { requestRoles, workKinds } from '../../api/purpose.ts';
import type { CallerHeaders } from '../../routing/purpose/statedPurpose.ts';
import { cacheHeader } from '../cache/admittance.ts';

/** The response header that names request headers whose value means nothing. */
export const ignoredHeader = 'x-waybill-ignored';

/** Request headers that take one of a few words. */
const choices: readonly (readonly [name: string, accepted: readonly string[]])[] = [
  ['x-waybill-role', Object.keys(requestRoles)], ['x-waybill-kind', Object.keys(workKinds)], [cacheHeader, ['use', 'refresh', 'off']],
];

/**
 * Headers of a request that say none of the words they can say, each with what is accepted, as a sentence without its end. The value itself is
 * left out: it may be anything.
 * @returns undefined where there is none, which costs a look-up for each
 */
export function ignoredHeaders(headers: CallerHeaders | undefined): string[] | undefined {
  if (headers === undefined) return undefined;
  let ignored: string[] | undefined;
  for (const [name, accepted] of choices) {
    const value = headers[name];
    if (value === undefined || value === '' || (typeof value === 'string' && accepted.includes(value.trim()))) continue;
    (ignored ??= []).push(`${name} has an unknown value; accepted are ${accepted.join(', ')}`);
  }
  return ignored;
}
