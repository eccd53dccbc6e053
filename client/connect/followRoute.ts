import { isDeepStrictEqual } from 'node:util';
import type { ConfigPath, ConfigValue } from './configFormat.ts';
import { isEmptyValue, valueAt, valueWith, valueWithout } from './configPath.ts';
import { formats } from './formats.ts';
import type { FormatName } from './formats.ts';
import { hashOf } from './settingsEdit.ts';
import type { AppliedSettings, WrittenSetting } from './settingsEdit.ts';
import type { Setting } from './tool.ts';

/**
 * Brings what a configuration says of a route up to date: the parts of settings that follow it, where they are as we wrote them.
 * Everything else stays, what the user has changed since included; such a value is theirs from then on.
 * @param written what was written before @throws ConfigTextError
 */
export function followRoute(formatName: FormatName, text: string, settings: readonly Setting[], written: readonly WrittenSetting[]): AppliedSettings {
  const format = formats[formatName];
  let edited = text;
  const now = [...written];
  for (const setting of settings) {
    const index = now.findIndex(one => isDeepStrictEqual(one.path, setting.path));
    const entry = now[index];
    const present = valueAt(format.parse(edited), setting.path);
    if (setting.follows === undefined || !isOurs(present, entry)) continue;
    for (const part of setting.follows) edited = withPart(formatName, edited, setting, part);
    const mark = setting.mark ?? [];
    const hash = hashOf(valueAt(valueAt(format.parse(edited), setting.path), mark));
    const made: WrittenSetting = { path: setting.path, mark, hash, ...(setting.secret === undefined ? {} : { secret: setting.secret }), ...(entry?.follows === undefined && !isWhole(setting) ? {} : { follows: true }) };
    if (index < 0) now.push(made);
    else now[index] = made;
  }
  // What the route no longer says, such as that it cannot think.
  for (const gone of now.filter(one => one.follows === true && !settings.some(setting => isDeepStrictEqual(one.path, setting.path)))) {
    if (isOurs(valueAt(format.parse(edited), gone.path), gone)) edited = format.remove(edited, gone.path);
    now.splice(now.indexOf(gone), 1);
  }
  return { text: edited, written: now };
}

function isWhole({ follows }: Setting): boolean {
  return follows?.some(part => part.length === 0) === true;
}

/** A value that was never written is ours to add where there is none. */
function isOurs(present: unknown, entry: WrittenSetting | undefined): boolean {
  if (entry === undefined) return present === undefined;
  return present !== undefined && hashOf(valueAt(present, entry.mark)) === entry.hash;
}

function withPart(formatName: FormatName, text: string, { path, value }: Setting, part: readonly string[]): string {
  const format = formats[formatName];
  const present = valueAt(format.parse(text), path);
  const wanted = valueAt(value, part);
  if (sameValue(valueAt(present, part), wanted)) return text;
  if (part.length === 0) return format.set(text, path, value);
  // Elements of lists are not entered: the whole element is written.
  if (path.some(step => typeof step !== 'string')) {
    return format.set(text, path, (wanted === undefined ? valueWithout(present, part) : valueWith(present, part, wanted)) as ConfigValue);
  }
  const place: ConfigPath = [...path, ...part];
  return wanted === undefined ? format.remove(text, place) : format.set(text, place, wanted as ConfigValue);
}

/** An environment file knows only text. */
function sameValue(present: unknown, wanted: unknown): boolean {
  if (isDeepStrictEqual(present, wanted) || (isEmptyValue(present) && isEmptyValue(wanted))) return true;
  return typeof present === 'string' && typeof wanted !== 'object' && wanted !== undefined && present === String(wanted);
}
