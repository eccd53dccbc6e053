import { createHash } from 'node:crypto';
import { shortCallId } from '../tools/callIds.ts';
import { stringsOfField } from './fieldStrings.ts';

/** Which call ids a target takes. */
export interface CallIdRule {
  /** The id can be sent as it is. */
  fits(id: string): boolean;
  /** The id that is sent instead: always the same one for an id, and different ones for different ids. */
  replace(id: string): string;
}

/** Letters, digits, `_` and `-`: Anthropic's rule, from its error text (November 2026). */
export const plainCallIds: CallIdRule = { fits: id => /^[a-zA-Z0-9_-]+$/.test(id), replace: id => marked(id, 64) };

/** Nine letters and digits (Mistral). */
export const nineCharacterCallIds: CallIdRule = { fits: id => /^[A-Za-z0-9]{9}$/.test(id), replace: shortCallId };

const bounded = new Map<number, CallIdRule>();

/** At most so many characters. */
export function callIdsUpTo(length: number): CallIdRule {
  let rule = bounded.get(length);
  if (rule === undefined) {
    rule = { fits: id => id.length <= length && id !== '', replace: id => marked(id, length) };
    bounded.set(length, rule);
  }
  return rule;
}

/** Whether all ids fit that stand as the value of a field anywhere in a body. */
export function idsFit(bytes: Buffer, field: string, rule: CallIdRule): boolean {
  return stringsOfField(bytes, field, id => rule.fits(id));
}

function marked(id: string, longest: number): string {
  const mark = `_${createHash('sha256').update(id).digest('hex').slice(0, 10)}`;
  return id.replace(/[^a-zA-Z0-9_-]/g, '_').slice(0, longest - mark.length) + mark;
}
