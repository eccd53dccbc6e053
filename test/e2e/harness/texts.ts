import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { places } from './places.ts';

/**
 * What a text of the extension is in the language of a window: tests name commands, views and choices in English. A text that has
 * no translation, and every text of the editor itself, stays as it is.
 * @param language as `vi`; undefined: English
 */
export function textsIn(language: string | undefined): (english: string) => string {
  if (language === undefined) return english => english;
  const read = (file: string): Record<string, string> => {
    const full = path.join(places.repository, file);
    return existsSync(full) ? JSON.parse(readFileSync(full, 'utf8')) as Record<string, string> : {};
  };
  const [english, translated] = [read('package.nls.json'), read(`package.nls.${language}.json`)];
  const texts = new Map(Object.entries(read(`l10n/bundle.l10n.${language}.json`)));
  for (const [key, text] of Object.entries(english)) texts.set(text, translated[key] ?? text);
  return text => {
    const known = texts.get(text);
    if (known !== undefined) return known;
    // The palette shows a command behind its category.
    const [, category, title] = /^(Waybill: )(.+)$/.exec(text) ?? [];
    return category === undefined || title === undefined ? text : category + (texts.get(title) ?? title);
  };
}
