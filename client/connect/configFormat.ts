import { t } from '@vscode/l10n';

/** An element of a list, known by one of its fields. */
export interface ItemName { field: string; is: string }
export type Step = string | ItemName;
/** Where a value stands in a configuration. Lists can only be the last but one: their elements are not entered. */
export type ConfigPath = readonly Step[];

/** What a tool's configuration may be set to. */
export type ConfigValue = string | number | boolean | readonly ConfigValue[] | { readonly [key: string]: ConfigValue };

/**
 * Edits the text of a configuration and leaves everything else in it as it stands: comments, order, spacing, line
 * ends. An empty text is an empty configuration.
 */
export interface ConfigFormat {
  /** As sentences name it. */
  readonly name: string;
  /** The whole configuration as a value; undefined when it is empty. @throws ConfigTextError */
  parse(text: string): unknown;
  /** Sets a value, making what it stands in. @throws ConfigTextError */
  set(text: string, path: ConfigPath, value: ConfigValue): string;
  /** Takes a value out; the text as it is when there is none. @throws ConfigTextError */
  remove(text: string, path: ConfigPath): string;
  /** Nothing is in it any more, not even a comment. */
  isBlank(text: string): boolean;
}

/** A configuration that cannot be read or not be changed. The message ends the sentence `<file> …`. */
export class ConfigTextError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ConfigTextError';
  }
}

export const unsafeToChange = t('is written in a way that cannot be changed without touching the rest of it');

/** The line ends of a text: those of its first line. */
export function lineEndOf(text: string): '\n' | '\r\n' {
  return /\r?\n/.exec(text)?.[0] === '\r\n' ? '\r\n' : '\n';
}

/** Runs an edit on the text behind a byte order mark. */
export function behindMark(text: string, edit: (text: string) => string): string {
  return text.startsWith('\uFEFF') ? `\uFEFF${edit(text.slice(1))}` : edit(text);
}
