/** A text as it is searched: folded code units, and where each of them stands in the text it was made of. */
export interface SearchView {
  codes: Uint16Array;
  /** Where the character, or its escape, begins and ends in the text. */
  from: Uint32Array;
  to: Uint32Array;
  length: number;
}

/** The text in lower case, without white space and invisible characters. */
export function plainView(text: string): SearchView {
  const view = emptyView(text.length);
  for (let index = 0; index < text.length; index++) push(view, text.charCodeAt(index), index, index + 1);
  return view;
}

/**
 * The view with one level of escapes undone: of URLs (`%41`), of JSON and JavaScript (`\u0041`, `\x41`, `\"`) and of
 * HTML (`&#65;`, `&#x41;`, `&amp;`).
 * @returns undefined when there are none
 */
export function unescapedView(view: SearchView): SearchView | undefined {
  const { codes, from, to, length } = view;
  let result: SearchView | undefined;
  for (let index = 0; index < length; index++) {
    const code = codes[index] ?? 0;
    const escape = code === percent || code === backslash || code === ampersand ? escapeAt(view, index, code) : undefined;
    if (escape !== undefined) {
      result ??= copyOf(view, index);
      push(result, escape.code, from[index] ?? 0, to[escape.last] ?? 0);
      index = escape.last;
    } else if (result !== undefined) {
      push(result, code, from[index] ?? 0, to[index] ?? 0);
    }
  }
  return result;
}

/** Where a text that was cut off may have ended: at its end, before closing signs that were added, or before an escape that was cut in two. */
export function possibleEnds({ codes, length }: SearchView): number[] {
  let unclosed = length;
  while (unclosed > 0 && length - unclosed < longestClosing && closing.has(codes[unclosed - 1] ?? 0)) unclosed -= 1;
  const ends = new Set([length, unclosed]);
  for (let index = unclosed - 1; index >= Math.max(0, unclosed - longestFigures); index--) {
    const code = codes[index] ?? 0;
    if (code === percent || code === backslash || code === ampersand) ends.add(index);
  }
  return [...ends];
}

/** Ellipses, quotation marks and brackets. */
const closing: ReadonlySet<number> = new Set([...'.…"\'`)]}>'].map(character => character.charCodeAt(0)));
const longestClosing = 8;

const percent = 0x25;
const ampersand = 0x26;
const backslash = 0x5c;
const semicolon = 0x3b;

function emptyView(capacity: number): SearchView {
  return { codes: new Uint16Array(capacity), from: new Uint32Array(capacity), to: new Uint32Array(capacity), length: 0 };
}

function copyOf(view: SearchView, length: number): SearchView {
  return { codes: view.codes.slice(), from: view.from.slice(), to: view.to.slice(), length };
}

function push(view: SearchView, code: number, from: number, to: number): void {
  const folded = foldedCode(code);
  if (folded === 0) return;
  view.codes[view.length] = folded;
  view.from[view.length] = from;
  view.to[view.length] = to;
  view.length += 1;
}

/** A UTF-16 code unit as it is compared; 0 for white space, control characters and invisible characters, which are left out. */
function foldedCode(code: number): number {
  if (code <= 0x20 || (code >= 0x7f && code <= 0xa0)) return 0;
  if (code < 0x7f) return code >= 0x41 && code <= 0x5a ? code + 32 : code;
  const invisible = code === 0xad || (code >= 0x2000 && code <= 0x200f) || (code >= 0x2028 && code <= 0x202f) || (code >= 0x205f && code <= 0x206f) || code === 0x3000 || code === 0xfeff;
  return invisible ? 0 : code;
}

/** What the escape at a place stands for (0: white space), and the place of its last character. */
interface Escape { code: number; last: number }

function escapeAt(view: SearchView, index: number, code: number): Escape | undefined {
  if (code === percent) return hexEscape(view, index + 1, 2);
  return code === backslash ? backslashEscape(view, index + 1) : entity(view, index + 1);
}

function backslashEscape(view: SearchView, index: number): Escape | undefined {
  const code = index < view.length ? view.codes[index] ?? 0 : 0;
  switch (String.fromCharCode(code)) {
    case 'u': return view.codes[index + 1] === 0x7b ? figures(view, index + 2, 16, 0x7d) : hexEscape(view, index + 1, 4);
    case 'x': return hexEscape(view, index + 1, 2);
    case '"': case '\'': case '/': case '\\': return { code, last: index };
    case 'n': case 'r': case 't': case 'b': case 'f': return { code: 0, last: index };
    default: return undefined;
  }
}

function hexEscape(view: SearchView, index: number, digits: number): Escape | undefined {
  if (index + digits > view.length) return undefined;
  let code = 0;
  for (let place = index; place < index + digits; place++) {
    const figure = figureOf(view.codes[place] ?? 0);
    if (figure > 15) return undefined;
    code = code * 16 + figure;
  }
  return { code, last: index + digits - 1 };
}

const longestFigures = 7;

/** A number of the given base up to its closing character. */
function figures(view: SearchView, index: number, base: number, closing: number): Escape | undefined {
  let code = 0;
  for (let place = index; place < Math.min(view.length, index + longestFigures + 1); place++) {
    const unit = view.codes[place] ?? 0;
    if (unit === closing) return place === index || code > 0xffff ? undefined : { code, last: place };
    const figure = figureOf(unit);
    if (figure >= base) return undefined;
    code = code * base + figure;
  }
  return undefined;
}

/** The value of a digit or of a letter from `a` on. */
function figureOf(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  return code >= 0x61 && code <= 0x66 ? code - 0x57 : 99;
}

const entities: ReadonlyMap<string, number> = new Map([['amp', 0x26], ['lt', 0x3c], ['gt', 0x3e], ['quot', 0x22], ['apos', 0x27], ['nbsp', 0]]);
const longestEntity = 4;

function entity(view: SearchView, index: number): Escape | undefined {
  if (view.codes[index] === 0x23) {
    return view.codes[index + 1] === 0x78 ? figures(view, index + 2, 16, semicolon) : figures(view, index + 1, 10, semicolon);
  }
  let name = '';
  for (let place = index; place < Math.min(view.length, index + longestEntity + 1); place++) {
    const code = view.codes[place] ?? 0;
    if (code === semicolon) {
      const meant = entities.get(name);
      return meant === undefined ? undefined : { code: meant, last: place };
    }
    name += String.fromCharCode(code);
  }
  return undefined;
}
