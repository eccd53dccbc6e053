import { config } from '@vscode/l10n';

export const defaultLanguage = 'en';

/** A process speaks one language as long as it lives, as `t` of the library does. */
let language = defaultLanguage;

/**
 * Sets the language of this process: of `t`, and of dates, times and numbers. Called once, before any text is made.
 * @param id the language of the editor; one that `Intl` does not know counts as English
 * @param texts by their English text, as in `l10n/bundle.l10n.vi.json`; undefined: English
 */
export function useLanguage(id: string, texts: Record<string, string> | undefined): void {
  language = isKnown(id) ? id : defaultLanguage;
  config({ contents: texts ?? {} });
}

/** The language of this process, for `Intl`. */
export function currentLanguage(): string {
  return language;
}

function isKnown(id: string): boolean {
  try {
    return Intl.DateTimeFormat.supportedLocalesOf(id).length > 0;
  } catch {
    return false;
  }
}
