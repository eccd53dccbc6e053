import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { ConfigPath } from './configFormat.ts';
import { isEmptyValue, valueAt, valueWith } from './configPath.ts';
import { formats } from './formats.ts';
import type { FormatName } from './formats.ts';
import type { Setting } from './tool.ts';

/** What is remembered of a value that was written: enough to know it again, and no token. */
export interface WrittenSetting {
  path: ConfigPath;
  mark: readonly string[];
  /** Of the part that the mark names. */
  hash: string;
  /** Where in the value a token stands. */
  secret?: readonly string[] | undefined;
  /** The whole of it says what the route can do, and is kept true. */
  follows?: true | undefined;
  /** It was only put in because the file cannot be without it. */
  frame?: true | undefined;
}

export interface AppliedSettings { text: string; written: WrittenSetting[] }

/** Shorter ones are placeholders, such as `x`. */
const shortestSecret = 6;

/** How a token is shown. */
export const maskedToken = 'waybill-••••••••';

/**
 * Gives a configuration its settings, all or none. @throws ConfigTextError
 */
export function applySettings(formatName: FormatName, text: string, settings: readonly Setting[]): AppliedSettings {
  const format = formats[formatName];
  const written: WrittenSetting[] = [];
  let edited = text;
  for (const { path, value, mark = [], ifAbsent, secret, follows } of settings) {
    const present = valueAt(format.parse(edited), path);
    if (ifAbsent === true && present !== undefined) continue;
    edited = format.set(edited, path, value);
    // As the format reads it back: an environment file knows only text.
    const readBack = valueAt(format.parse(edited), path);
    written.push({ path, mark, hash: hashOf(valueAt(readBack, mark)), ...(secret === undefined ? {} : { secret }), ...(ifAbsent === true ? { frame: true } : {}),
      ...(follows?.some(part => part.length === 0) === true ? { follows: true } : {}) });
  }
  return { text: edited, written };
}

/**
 * Takes the settings out of a configuration that was changed since: each goes back to what it was, or away, unless
 * someone has given it another value. What else is in the text stays.
 * @param original the text before the settings were applied; undefined when there was no file
 * @returns undefined when nothing is left of a file that was not there before @throws ConfigTextError
 */
export function withdrawSettings(formatName: FormatName, text: string, original: string | undefined, written: readonly WrittenSetting[]): string | undefined {
  const bare = without(formatName, text, original, written, []);
  if (original !== undefined) return bare;
  if (formats[formatName].isBlank(bare)) return undefined;
  // The file stays, with what others have put into it, and so needs its frame.
  const frame = written.filter(one => one.frame === true);
  return frame.length === 0 ? bare : without(formatName, text, original, written.filter(one => one.frame !== true), frame.map(one => one.path));
}

function without(formatName: FormatName, text: string, original: string | undefined, written: readonly WrittenSetting[], kept: readonly ConfigPath[]): string {
  const format = formats[formatName];
  const before = format.parse(original ?? '');
  let edited = text;
  for (const { path, mark, hash } of [...written].reverse()) {
    const present = valueAt(format.parse(edited), path);
    if (present === undefined || hashOf(valueAt(present, mark)) !== hash) continue;
    const previous = valueAt(before, path);
    edited = previous === undefined ? format.remove(edited, path) : format.set(edited, path, previous as Setting['value']);
    edited = withoutEmptyParents(formatName, edited, path, parent => kept.some(one => isDeepStrictEqual(one, parent)) || valueAt(before, parent) !== undefined);
  }
  return edited;
}

/** What the settings stood in goes too when it is empty now and was not there before. */
function withoutEmptyParents(formatName: FormatName, text: string, path: ConfigPath, stays: (parent: ConfigPath) => boolean): string {
  const format = formats[formatName];
  let edited = text;
  for (let depth = path.length - 1; depth > 0; depth--) {
    const parent = path.slice(0, depth);
    const root = format.parse(edited);
    if (stays(parent) || valueAt(root, parent) === undefined || !isEmptyValue(valueAt(root, parent))) return edited;
    edited = format.remove(edited, parent);
  }
  return edited;
}

/** The settings with their tokens made unreadable. */
export function maskSettings(settings: readonly Setting[]): Setting[] {
  return settings.map(setting => (setting.secret === undefined ? setting : { ...setting, value: valueWith(setting.value, setting.secret, maskedToken) as Setting['value'] }));
}

/**
 * A text in which whatever stands where the settings have a token is made unreadable: theirs or, before they were
 * applied, the user's own key. @throws ConfigTextError
 */
export function maskText(formatName: FormatName, text: string, settings: readonly Pick<Setting, 'path' | 'secret'>[] | readonly WrittenSetting[]): string {
  const format = formats[formatName];
  let masked = text;
  for (const { path, secret } of settings) {
    if (secret === undefined) continue;
    const value = valueAt(format.parse(masked), path);
    const hidden = valueAt(value, secret);
    if (typeof hidden !== 'string' || hidden.length < shortestSecret || hidden === maskedToken) continue;
    // Replaced as it stands, wherever it stands, so that the rest of the text is shown as it is.
    masked = masked.replaceAll(hidden, hidden.startsWith('waybill-') ? maskedToken : '••••••••');
  }
  return masked;
}

export function hashOf(value: unknown): string {
  return createHash('sha256').update(typeof value === 'string' ? `text:${value}` : JSON.stringify(sorted(value)) ?? 'nothing').digest('hex');
}

/** Tools rewrite their files with names in another order. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).sort(([left], [right]) => (left < right ? -1 : 1)).map(([key, inner]) => [key, sorted(inner)]));
}
