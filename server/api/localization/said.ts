import { t as textFor } from '@vscode/l10n';

/**
 * A text with what it is made of. A server writes and sends the English text; whoever shows it to a person makes it anew in the
 * language of the editor.
 */
export interface Said {
  /** The English text with `{0}`, `{1}` for its values. */
  key: string;
  /** Absent: none. */
  values?: readonly SaidValue[] | undefined;
}
export type SaidValue = string | number | Said;

/** A text with its values. The key is a literal: `npm run l10n` finds it as it finds those of `t`. */
export function said(key: string, ...values: readonly SaidValue[]): Said {
  return values.length === 0 ? { key } : { key, values };
}

/** The text in English, whatever the language of the process. */
export function englishOf({ key, values = [] }: Said): string {
  return key.replace(/\{(\d+)\}/g, (placeholder, index: string) => {
    const value = values[Number(index)];
    return value === undefined ? placeholder : typeof value === 'object' ? englishOf(value) : String(value);
  });
}

/** The text in the language of the process. */
export function shownOf({ key, values = [] }: Said): string {
  return textFor(key, ...values.map(value => (typeof value === 'object' ? shownOf(value) : value)));
}

/** The fields of a message that a server sends: the English text, and what it is made of. */
export function told(text: Said): { message: string; said: Said } {
  return { message: englishOf(text), said: text };
}

/** A message of a server in the language of the process, where it says what it is made of; else as it is. */
export function shownMessage({ message, said: text }: { message: string; said?: Said | undefined }): string {
  return text === undefined ? message : shownOf(text);
}

/** A sentence of a server in the language of the process, where it is one of those that are known; else as it is. */
export function shownIfKnown(message: string, known: readonly Said[]): string {
  const text = known.find(one => englishOf(one) === message);
  return text === undefined ? message : shownOf(text);
}
