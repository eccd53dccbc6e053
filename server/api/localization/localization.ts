import { config } from '@vscode/l10n';

const defaultLanguage = 'en';

/** A process speaks one language as long as it lives, as `t` of the library does. */
let language = defaultLanguage;
let ofTexts = defaultLanguage;

/**
 * Sets the language of this process: of `t` and numbers, and of dates and times. Called once, before any text is made.
 * @param id the language of the editor; one that `Intl` does not know counts as English
 * @param texts by their English text, as in `l10n/bundle.l10n.vi.json`; undefined: English
 */
export function useLanguage(id: string, texts: Record<string, string> | undefined): void {
  language = isKnown(id) ? id : defaultLanguage;
  ofTexts = texts === undefined ? defaultLanguage : language;
  config({ contents: texts ?? {} });
}

/** The language of the editor, for dates and times: people read them in any text. */
export function currentLanguage(): string {
  return language;
}

/** The language of the texts of this process, for numbers in them and for `lang`: English where the editor's language has no texts. */
export function textLanguage(): string {
  return ofTexts;
}

function isKnown(id: string): boolean {
  try {
    return Intl.DateTimeFormat.supportedLocalesOf(id).length > 0;
  } catch {
    return false;
  }
}
