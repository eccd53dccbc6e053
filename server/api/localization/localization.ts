import { config } from '@vscode/l10n';

const defaultLanguage = 'en';

/** A process speaks one language as long as it lives, as `t` of the library does. */
let asked = defaultLanguage;
let hasTexts = false;
/** The language, once somebody needed it: the first question to `Intl` takes longer than the rest of the extension's start. */
let language: string | undefined;

/**
 * Sets the language of this process: of `t` and numbers, and of dates and times. Called once, before any text is made.
 * @param id the language of the editor; one that `Intl` does not know counts as English
 * @param texts by their English text, as in `l10n/bundle.l10n.vi.json`; undefined: English
 */
export function useLanguage(id: string, texts: Record<string, string> | undefined): void {
  asked = id;
  hasTexts = texts !== undefined;
  language = undefined;
  config({ contents: texts ?? {} });
}

/** The language of the editor, for dates and times: people read them in any text. */
export function currentLanguage(): string {
  language ??= isKnown(asked) ? asked : defaultLanguage;
  return language;
}

/** The language of the texts of this process, for numbers in them and for `lang`: English where the editor's language has no texts. */
export function textLanguage(): string {
  return hasTexts ? currentLanguage() : defaultLanguage;
}

function isKnown(id: string): boolean {
  try {
    return Intl.DateTimeFormat.supportedLocalesOf(id).length > 0;
  } catch {
    return false;
  }
}
