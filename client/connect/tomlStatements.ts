/** A table's header, or a key with its value, with where it stands in the text. */
export type TomlStatement = TomlKey | TomlHeader;

export interface TomlKey {
  kind: 'key';
  /** As it is written, such as `a."b.c"`. */
  name: string;
  /** From the beginning of its first line to behind the end of its last. */
  start: number;
  end: number;
  valueStart: number;
  valueEnd: number;
}

export interface TomlHeader {
  kind: 'header';
  /** As it is written between the brackets, without spaces around. */
  name: string;
  start: number;
  end: number;
}

/**
 * Splits valid TOML into its statements, so that they can be edited where they stand. Values are not read but passed
 * over: strings of four kinds, lists and inline tables over several lines, comments.
 */
export function tomlStatements(text: string): TomlStatement[] {
  const statements: TomlStatement[] = [];
  let at = 0;
  while (at < text.length) {
    const start = at;
    while (text[at] === ' ' || text[at] === '\t') at++;
    const first = text[at];
    if (first === undefined || first === '\n' || first === '\r' || first === '#') {
      at = behindLine(text, at);
    } else if (first === '[') {
      const end = passOver(text, at, ']');
      at = behindLine(text, end);
      statements.push({ kind: 'header', name: text.slice(start, end).trim().replace(/^\[\[?|\]\]?$/g, '').trim(), start, end: at });
    } else {
      const equals = passOver(text, at, '=');
      const name = text.slice(at, equals - 1).trim();
      let valueStart = equals;
      while (text[valueStart] === ' ' || text[valueStart] === '\t') valueStart++;
      const valueEnd = passOver(text, valueStart, undefined);
      at = behindLine(text, valueEnd);
      statements.push({ kind: 'key', name, start, end: at, valueStart, valueEnd });
    }
  }
  return statements;
}

/**
 * Goes on to behind `until` outside of strings and brackets, or, without it, to the end of a value: before the
 * comment or the line end that follows it.
 */
function passOver(text: string, from: number, until: ']' | '=' | undefined): number {
  let depth = 0;
  let at = from;
  while (at < text.length) {
    const character = text[at];
    if (character === '"' || character === "'") {
      at = behindString(text, at, character);
      continue;
    }
    if (character === '[' || character === '{') depth++;
    else if (character === ']' || character === '}') {
      depth--;
      if (until === ']' && depth === 0) return at + 1;
    } else if (character === '=' && until === '=') return at + 1;
    else if (character === '#') {
      if (depth === 0 && until === undefined) break;
      at = behindLine(text, at);
      continue;
    } else if (character === '\n' && depth === 0 && until === undefined) break;
    at++;
  }
  const value = text.slice(from, at);
  return until === undefined ? from + value.trimEnd().length : at;
}

function behindString(text: string, from: number, quote: string): number {
  const triple = quote.repeat(3);
  const long = text.startsWith(triple, from);
  const end = long ? triple : quote;
  for (let at = from + end.length; at < text.length; at++) {
    if (text[at] === '\\' && quote === '"') at++;
    else if (text.startsWith(end, at)) {
      at += end.length;
      // Up to two quotes may stand right before the closing three.
      while (long && text[at] === quote) at++;
      return at;
    }
  }
  return text.length;
}

function behindLine(text: string, from: number): number {
  const lineEnd = text.indexOf('\n', from);
  return lineEnd < 0 ? text.length : lineEnd + 1;
}
