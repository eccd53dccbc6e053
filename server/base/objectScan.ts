/** A half-open byte range. */
export interface ByteRange { start: number; end: number }

/** Where the top-level fields of a JSON object stand in its bytes. */
export interface ObjectScan {
  /** Byte range of each top-level value; of repeated names the last counts, as in JSON.parse. */
  fields: Map<string, ByteRange>;
  /** Bytes inside long strings that look like base64 (images, documents), which say nothing about tokens. */
  base64Bytes: number;
}

const quote = 0x22;
const backslash = 0x5c;
const openBrace = 0x7b;
const closeBrace = 0x7d;
const openBracket = 0x5b;
const closeBracket = 0x5d;
const comma = 0x2c;
const colon = 0x3a;

/** A string at least this long is looked at for base64. */
const longStringBytes = 2048;
/** Inside a string: how far to look byte by byte before jumping to the next quote natively. */
const strideBytes = 96;

/**
 * Finds the top-level fields of a JSON object without parsing it. Large bodies are routed on a few fields, and
 * parsing a megabyte of them costs more than everything else the router does.
 *
 * It trusts the inside of values: only what is needed to find their ends is checked, the provider checks the rest.
 * @returns undefined when the bytes are not a JSON object as far as the scan looks
 */
export function scanObject(bytes: Buffer): ObjectScan | undefined {
  const fields = new Map<string, ByteRange>();
  const scan: ObjectScan = { fields, base64Bytes: 0 };
  let at = skipSpace(bytes, 0);
  if (bytes[at] !== openBrace) return undefined;
  at = skipSpace(bytes, at + 1);
  if (bytes[at] === closeBrace) return endsClean(bytes, at + 1) ? scan : undefined;
  for (;;) {
    if (bytes[at] !== quote) return undefined;
    const nameEnd = endOfString(bytes, at + 1);
    if (nameEnd < 0) return undefined;
    const name = fieldName(bytes, at, nameEnd);
    if (name === undefined) return undefined;
    at = skipSpace(bytes, nameEnd);
    if (bytes[at] !== colon) return undefined;
    const start = skipSpace(bytes, at + 1);
    const end = endOfValue(bytes, start, scan);
    if (end < 0) return undefined;
    fields.set(name, { start, end });
    at = skipSpace(bytes, end);
    if (bytes[at] === closeBrace) return endsClean(bytes, at + 1) ? scan : undefined;
    if (bytes[at] !== comma) return undefined;
    at = skipSpace(bytes, at + 1);
  }
}

/** Parses one found field; undefined when it is absent or not JSON. */
export function fieldValue(bytes: Buffer, scan: ObjectScan, name: string): unknown {
  const range = scan.fields.get(name);
  if (range === undefined) return undefined;
  try {
    return JSON.parse(bytes.toString('utf8', range.start, range.end)) as unknown;
  } catch {
    return undefined;
  }
}

/** A new top-level field or a new value for one, as JSON text. */
export interface FieldEdit { name: string; json: string }

/**
 * The bytes with some top-level fields replaced or added, everything else untouched.
 * @returns the pieces in order, so that a large body need not be copied
 */
export function spliceFields(bytes: Buffer, scan: ObjectScan, edits: readonly FieldEdit[]): Buffer[] {
  const replaced = edits
    .flatMap(edit => {
      const range = scan.fields.get(edit.name);
      return range === undefined ? [] : [{ ...range, json: edit.json }];
    })
    .sort((a, b) => a.start - b.start);
  const added = edits.filter(edit => !scan.fields.has(edit.name));
  const pieces: Buffer[] = [];
  let from = 0;
  for (const edit of replaced) {
    pieces.push(bytes.subarray(from, edit.start), Buffer.from(edit.json));
    from = edit.end;
  }
  if (added.length === 0) {
    pieces.push(bytes.subarray(from));
    return pieces;
  }
  const close = bytes.lastIndexOf(closeBrace);
  pieces.push(bytes.subarray(from, close));
  let text = '';
  for (const edit of added) text += `${scan.fields.size > 0 || text !== '' ? ',' : ''}${JSON.stringify(edit.name)}:${edit.json}`;
  pieces.push(Buffer.from(text), bytes.subarray(close));
  return pieces;
}

function fieldName(bytes: Buffer, start: number, end: number): string | undefined {
  const plain = bytes.toString('latin1', start + 1, end - 1);
  if (!/[\\\u0080-\u00ff]/.test(plain)) return plain;
  try {
    return JSON.parse(bytes.toString('utf8', start, end)) as string;
  } catch {
    return undefined;
  }
}

function skipSpace(bytes: Buffer, from: number): number {
  let at = from;
  for (;;) {
    const byte = bytes[at];
    if (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09) at++;
    else return at;
  }
}

function endsClean(bytes: Buffer, from: number): boolean {
  return skipSpace(bytes, from) === bytes.length;
}

/** @returns the index after the closing quote, or -1 */
function endOfString(bytes: Buffer, from: number): number {
  const length = bytes.length;
  let at = from;
  for (;;) {
    const limit = Math.min(at + strideBytes, length);
    while (at < limit) {
      const byte = bytes[at];
      if (byte === quote) return at + 1;
      at += byte === backslash ? 2 : 1;
    }
    if (at >= length) return -1;
    const next = bytes.indexOf(quote, at);
    if (next < 0) return -1;
    // `at` stands on a whole character, so the backslashes right before the quote decide whether it is escaped.
    let before = next - 1;
    while (before >= at && bytes[before] === backslash) before--;
    if (((next - 1 - before) & 1) === 0) return next + 1;
    at = next + 1;
  }
}

function endOfValue(bytes: Buffer, start: number, scan: ObjectScan): number {
  const first = bytes[start];
  if (first === quote) {
    const end = endOfString(bytes, start + 1);
    if (end - start > longStringBytes) scan.base64Bytes += base64Length(bytes, start + 1, end - 1);
    return end;
  }
  if (first === openBrace || first === openBracket) return endOfContainer(bytes, start, scan);
  let at = start;
  while (at < bytes.length) {
    const byte = bytes[at];
    if (byte === comma || byte === closeBrace || byte === closeBracket || byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09) break;
    at++;
  }
  return at === start ? -1 : at;
}

function endOfContainer(bytes: Buffer, start: number, scan: ObjectScan): number {
  const length = bytes.length;
  let depth = 0;
  let at = start;
  while (at < length) {
    const byte = bytes[at];
    if (byte === quote) {
      const end = endOfString(bytes, at + 1);
      if (end < 0) return -1;
      if (end - at > longStringBytes) scan.base64Bytes += base64Length(bytes, at + 1, end - 1);
      at = end;
      continue;
    }
    if (byte === openBrace || byte === openBracket) depth++;
    else if (byte === closeBrace || byte === closeBracket) {
      depth--;
      if (depth === 0) return at + 1;
    }
    at++;
  }
  return -1;
}

/** The length of a long string when a sample of it is base64 or a data URL, else 0. */
function base64Length(bytes: Buffer, start: number, end: number): number {
  const sample = bytes.toString('latin1', start + 128, Math.min(start + 640, end));
  return /^[A-Za-z0-9+/=_-]+$/.test(sample) ? end - start : 0;
}
