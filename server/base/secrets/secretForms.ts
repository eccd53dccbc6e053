import { plainView, unescapedView, type SearchView } from './searchView.ts';

/** One spelling of a secret: lower case and without white space, as texts are searched. */
export interface SecretForm {
  text: string;
  /** Base64: the characters beside a match hold bits of the secret as well. */
  base64: boolean;
}

/** Shorter secrets are placeholders such as `x`; to search for them would hide ordinary words. */
export const shortestSecret = 6;

/** Escapes within escapes within escapes are undone: JSON in JSON in a URL. */
export const deepestEscapes = 3;

/**
 * The spellings that cannot be undone before a text is searched: the secret itself, its UTF-8 bytes, hexadecimal, and
 * base64 and base64url at each of the three places where it can begin inside a longer text. Escapes of JSON, URLs and
 * HTML are undone by the search (see secretSearch.ts).
 */
export function formsOf(secret: string): SecretForm[] {
  const wellFormed = secret.toWellFormed();
  const bytes = Buffer.from(wellFormed);
  const forms = new Map<string, SecretForm>();
  const add = (view: SearchView, base64: boolean): void => {
    const text = String.fromCharCode(...view.codes.subarray(0, view.length));
    if (text.length >= shortestSecret && !forms.has(text)) forms.set(text, { text, base64 });
  };
  for (const spelling of [wellFormed, bytes.toString('latin1')]) {
    // What looks like an escape in the secret itself is undone in texts as well.
    let view: SearchView | undefined = plainView(spelling);
    for (let level = 0; view !== undefined && level <= deepestEscapes; level++) {
      add(view, false);
      view = unescapedView(view);
    }
  }
  add(plainView(bytes.toString('hex')), false);
  for (const before of [0, 1, 2]) {
    const core = base64Core(bytes, before);
    add(plainView(core), true);
    add(plainView(core.replaceAll('+', '-').replaceAll('/', '_')), true);
  }
  return [...forms.values()];
}

/** The base64 characters that depend on the secret alone, when so many bytes stand before it (modulo 3). */
function base64Core(bytes: Buffer, before: number): string {
  const whole = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64').replaceAll('=', '');
  const first = Math.ceil(before * 8 / 6);
  const end = Math.floor((before + bytes.length) * 8 / 6);
  return whole.slice(first, end);
}
