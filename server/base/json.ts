/** Plain JSON values as they travel on the wire. */
export type JsonValue = null | boolean | number | string | JsonValue[] | JsonObject;
export interface JsonObject { [key: string]: JsonValue | undefined }

const isRawJson = (JSON as { isRawJSON?: (value: unknown) => boolean }).isRawJSON ?? ((): boolean => false);

/** Narrows to a JSON object (not null, not an array, not a number that is kept as its text; see exactJson.ts). */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !('rawJSON' in value && isRawJson(value));
}

/** The list with each entry changed; the same list where no entry was. */
export function mapChanged<Entry>(list: Entry[], change: (entry: Entry) => Entry): Entry[] {
  const changed = list.map(change);
  return changed.some((entry, index) => entry !== list[index]) ? changed : list;
}

/** The value when it is a string, else undefined. */
export function asString(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** The value when it is a finite number, else undefined. */
export function asNumber(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

const quote = 0x22;
const backslash = 0x5c;
const comma = 0x2c;
const openBracket = 0x5b;
const openBrace = 0x7b;

const startsLikeJson = /^\s*[{["\-\dtfn]/;

/** Shorter texts are parsed as they are: whatever they hold, that takes a few milliseconds. */
const countedFromChars = 64 * 1024;
/** A parser takes up to 100 ns for each value, and nothing else runs meanwhile. Forty thousand models with all their facts are one million. */
const maxValues = 1_500_000;

/** Parses JSON text; undefined when it is not JSON, or a long text of more than 1.5 million names and values. */
export function parseJson(text: string): JsonValue | undefined {
  // An exception costs a hundred times more than a look at the first character, and streams may be full of text that is no JSON.
  if (!startsLikeJson.test(text)) return undefined;
  if (text.length > countedFromChars && holdsTooMuch(text)) return undefined;
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    return undefined;
  }
}

/** Counts names and values without making them. What stands in strings is skipped. */
function holdsTooMuch(text: string): boolean {
  let values = 0;
  for (let at = 0; at < text.length; at += 1) {
    switch (text.charCodeAt(at)) {
      case quote:
        at = endOfString(text, at + 1);
        values += 1;
        break;
      case comma:
        values += 1;
        break;
      case openBracket:
      case openBrace:
        values += 1;
        break;
      default:
        continue;
    }
    if (values > maxValues) return true;
  }
  return false;
}

/** @returns where the closing quote stands, or the end of the text */
function endOfString(text: string, from: number): number {
  for (let at = text.indexOf('"', from); at !== -1; at = text.indexOf('"', at + 1)) {
    let slashes = at;
    while (slashes > from && text.charCodeAt(slashes - 1) === backslash) slashes -= 1;
    if ((at - slashes) % 2 === 0) return at;
  }
  return text.length;
}
