import type { ByteRange } from './objectScan.ts';

const quote = 0x22;
const backslash = 0x5c;
const comma = 0x2c;
const openBrace = 0x7b;
const closeBrace = 0x7d;
const openBracket = 0x5b;
const closeBracket = 0x5d;

/**
 * The element of a JSON list that ends before a place, found from its end: what stands before it is not read.
 *
 * @param list the list with its brackets, valid JSON
 * @param before the bracket that closes the list, or the comma behind the element
 * @param longest so many bytes are walked at most
 * @returns undefined at the beginning of the list, and for an element that is longer
 */
export function elementBefore(bytes: Buffer, list: ByteRange, before: number, longest: number): ByteRange | undefined {
  const first = list.start + 1;
  const stop = Math.max(first, before - longest);
  let depth = 0;
  for (let at = before - 1; at >= stop; at--) {
    const byte = bytes[at];
    if (byte === quote) at = openingQuote(bytes, at, stop);
    else if (byte === closeBrace || byte === closeBracket) depth++;
    else if (byte === openBrace || byte === openBracket) depth--;
    else if (byte === comma && depth === 0) return { start: at + 1, end: before };
  }
  return stop === first && before > first && bytes.toString('latin1', first, Math.min(before, first + 16)).trim() !== '' ? { start: first, end: before } : undefined;
}

/** So far back a quote is looked for byte by byte: where text is full of quotes, native searches cost more than they save. */
const strideBytes = 48;

/** Where a string begins; before `stop` where it does not begin behind that. @param end of its closing quote */
function openingQuote(bytes: Buffer, end: number, stop: number): number {
  let at = end - 1;
  let strideEnd = end - strideBytes;
  while (at >= stop) {
    if (bytes[at] === quote) {
      let backslashes = 0;
      while (bytes[at - 1 - backslashes] === backslash) backslashes++;
      // Within a string every quote is escaped, and outside of strings there is no backslash.
      if ((backslashes & 1) === 0) return at;
      at -= 1 + backslashes;
      strideEnd = at - strideBytes;
    } else if (at-- < strideEnd) {
      at = bytes.lastIndexOf(quote, at);
      strideEnd = at - strideBytes;
    }
  }
  return stop - 1;
}
