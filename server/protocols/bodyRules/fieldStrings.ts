const quote = 0x22;
const backslash = 0x5c;
const colon = 0x3a;
const openBracket = 0x5b;
const closeBracket = 0x5d;

/**
 * Looks at the strings that stand as the value of a field anywhere in JSON bytes, without parsing them. A string with an
 * escape is passed as it is written, up to the escape.
 * @param check false ends the search
 * @returns false when `check` did
 */
export function stringsOfField(bytes: Buffer, field: string, check: (value: string, end: number) => boolean): boolean {
  const name = `"${field}"`;
  for (let at = indexOfName(bytes, name, 0); at !== -1; at = indexOfName(bytes, name, at + name.length)) {
    let from = skipSpace(bytes, at + name.length);
    if (bytes[from] !== colon) continue;
    from = skipSpace(bytes, from + 1);
    if (bytes[from] !== quote) continue;
    let end = from + 1;
    while (end < bytes.length && bytes[end] !== quote && bytes[end] !== backslash) end += 1;
    if (!check(bytes.toString('utf8', from + 1, end), end)) return false;
  }
  return true;
}

/**
 * Where a name with its quotes stands next. Node looks for the first character of a text and compares from there. Quotes are among the
 * most frequent bytes of JSON and underscores among the rarest, so a name that has one is looked for from there: ten times as fast.
 * @param name with its quotes, ASCII
 */
function indexOfName(bytes: Buffer, name: string, from: number): number {
  const skipped = Math.max(0, name.indexOf('_'));
  const rest = skipped === 0 ? name : name.slice(skipped);
  for (let at = bytes.indexOf(rest, from + skipped, 'latin1'); at !== -1; at = bytes.indexOf(rest, at + rest.length, 'latin1')) {
    const start = at - skipped;
    if (skipped === 0 || bytes.toString('latin1', start, at) === name.slice(0, skipped)) return start;
  }
  return -1;
}

function skipSpace(bytes: Buffer, from: number): number {
  let at = from;
  while (bytes[at] === 0x20 || bytes[at] === 0x0a || bytes[at] === 0x0d || bytes[at] === 0x09) at += 1;
  return at;
}

/** Whether an empty list stands as the value of a field within a range of JSON bytes. */
export function holdsEmptyList(bytes: Buffer, field: string, { start, end }: { start: number; end: number }): boolean {
  const name = `"${field}"`;
  for (let at = indexOfName(bytes, name, start); at !== -1 && at < end; at = indexOfName(bytes, name, at + name.length)) {
    const from = skipSpace(bytes, at + name.length);
    if (bytes[from] !== colon) continue;
    const list = skipSpace(bytes, from + 1);
    if (bytes[list] === openBracket && bytes[skipSpace(bytes, list + 1)] === closeBracket) return true;
  }
  return false;
}

/** How often a text stands in bytes. */
export function occurrences(bytes: Buffer, text: string): number {
  let count = 0;
  for (let at = bytes.indexOf(text, 0, 'latin1'); at !== -1; at = bytes.indexOf(text, at + text.length, 'latin1')) count += 1;
  return count;
}

/** Texts that hold nothing, as they stand in JSON: what a scan of a body has to look for. Longer ones are not written by any known client. */
export const blankWords: readonly string[] = ['', ' ', '  ', '\\n', '\\n\\n', ' \\n', '\\t'];

/** Whether some string that stands as the value of a field anywhere in JSON bytes is empty or white. */
export function holdsBlank(bytes: Buffer, field: string): boolean {
  const name = `"${field}"`;
  for (let at = indexOfName(bytes, name, 0); at !== -1; at = indexOfName(bytes, name, at + name.length)) {
    const from = skipSpace(bytes, at + name.length);
    if (bytes[from] !== colon) continue;
    const start = skipSpace(bytes, from + 1);
    if (bytes[start] !== quote) continue;
    // A text that begins with a letter, as almost all do, is settled by its first byte.
    let end = start + 1;
    while (bytes[end] === 0x20 || (bytes[end] === backslash && (bytes[end + 1] === 0x6e || bytes[end + 1] === 0x74 || bytes[end + 1] === 0x72))) end += bytes[end] === backslash ? 2 : 1;
    if (bytes[end] === quote) return true;
  }
  return false;
}
