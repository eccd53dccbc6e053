import { sharedBlockScan, type BlockScan } from './scan/blockScan.ts';

/** A half-open byte range. */
export interface ByteRange { start: number; end: number }

/** Where the top-level fields of a JSON object stand in its bytes. */
export interface ObjectScan {
  /** Byte range of each top-level value; of repeated names the last counts, as in JSON.parse. */
  fields: Map<string, ByteRange>;
  /** Bytes inside long strings that look like base64 (images, documents), which say nothing about tokens. */
  base64Bytes: number;
  /** Words of `ObjectScanner`'s list that stand as the value of some field, at any depth. */
  words: Set<string>;
}

const quote = 0x22;
const backslash = 0x5c;
const openBrace = 0x7b;
const closeBrace = 0x7d;
const openBracket = 0x5b;
const closeBracket = 0x5d;
const comma = 0x2c;
const colon = 0x3a;
const space = 0x20;

/** A string at least this long is looked at for base64. */
const longStringBytes = 2048;
/** Inside a string: how far to look byte by byte before jumping to the next quote natively. */
const strideBytes = 32;
/** After a jump that ended at an escaped quote nearby, text full of quotes is walked for this long. */
const denseStrideBytes = 512;

/** From so many bytes on, the inside of a value is read in blocks. Fewer are not worth the copy. */
const worthBlocksBytes = 4096;

/** Several times cheaper to call than Buffer's own, which takes strings and encodings too. */
const indexOfByte = Uint8Array.prototype.indexOf;

const noWords: ReadonlySet<string> = new Set();

/** What most strings are told from the words of a list by. */
interface WordMarks {
  longest: number;
  /** 1 for each byte that a word begins with. */
  firsts: Uint8Array;
}

/** There are a few lists, and a scan for each request. */
const knownMarks = new WeakMap<ReadonlySet<string>, WordMarks>();

function marksOf(words: ReadonlySet<string>): WordMarks {
  let marks = knownMarks.get(words);
  if (marks === undefined) {
    marks = { longest: 0, firsts: new Uint8Array(256) };
    for (const word of words) {
      marks.longest = Math.max(marks.longest, word.length);
      // An empty string begins with the quote that ends it.
      marks.firsts[word === '' ? quote : word.charCodeAt(0)] = 1;
    }
    knownMarks.set(words, marks);
  }
  return marks;
}

/** What may come next at the top level. */
type Expected = 'object' | 'name-or-end' | 'name' | 'colon' | 'value' | 'end-of-word' | 'end-of-container' | 'comma-or-end' | 'nothing';

/**
 * Finds the top-level fields of a JSON object without parsing it, while its bytes arrive. Large bodies are routed on a
 * few fields, and parsing a megabyte of them costs more than everything else the router does.
 *
 * It trusts the inside of values: only what is needed to find their ends is checked, the provider checks the rest.
 */
export class ObjectScanner {
  readonly #scan: ObjectScan = { fields: new Map(), base64Bytes: 0, words: new Set() };
  readonly #words: ReadonlySet<string>;
  readonly #marks: WordMarks;
  #expected: Expected = 'object';
  #at = 0;
  #depth = 0;
  #broken = false;
  /** Index after the opening quote of the string being read; -1 outside of strings. */
  #stringStart = -1;
  #name = '';
  #valueStart = 0;

  /** @param words field values worth knowing about, such as `image_url`, as they stand between the quotes; plain ASCII */
  constructor(words: ReadonlySet<string> = noWords) {
    this.#words = words;
    this.#marks = marksOf(words);
  }

  /**
   * Goes on with the bytes up to `filled`. Always the same buffer, or one with the same bytes so far.
   * @returns false when the bytes cannot be a JSON object any more
   */
  advance(bytes: Buffer, filled: number): boolean {
    let at = this.#at;
    // A search for a quote must end where the bytes do: else each piece of a large body walks the rest that has yet to come.
    const arrived = filled < bytes.length ? bytes.subarray(0, filled) : bytes;
    while (at < filled && !this.#broken) {
      const blocks = filled - at >= worthBlocksBytes && this.#standsInValue() ? sharedBlockScan() : undefined;
      if (blocks !== undefined) at = this.#readBlocks(blocks, arrived, at, filled);
      else at = this.#stringStart >= 0 ? this.#insideString(arrived, at, filled) : this.#outside(arrived, at, filled);
    }
    this.#at = at;
    return !this.#broken;
  }

  /** The fields, once all bytes were seen; undefined when they are not one JSON object. */
  result(): ObjectScan | undefined {
    return !this.#broken && this.#expected === 'nothing' ? this.#scan : undefined;
  }

  /** Between the brackets of a value of the top level, or in a string that is one. */
  #standsInValue(): boolean {
    return this.#expected === 'end-of-container' || (this.#expected === 'value' && this.#stringStart >= 0);
  }

  /** Does what `#insideString` and `#outside` do, up to the end of the value or to the last whole block. */
  #readBlocks(blocks: BlockScan, bytes: Buffer, from: number, filled: number): number {
    const isString = this.#expected === 'value';
    const place = { depth: isString ? 0 : this.#depth, stringStart: this.#stringStart, ended: false };
    const at = blocks.read(bytes, from, filled, place, this.#marks.longest, longStringBytes, (start, end) => this.#noteString(bytes, start, end));
    if (place.ended) {
      if (isString) return this.#stringEnds(bytes, at - 1);
      this.#scan.fields.set(this.#name, { start: this.#valueStart, end: at });
      this.#expected = 'comma-or-end';
    }
    this.#depth = place.depth;
    this.#stringStart = place.stringStart;
    return at;
  }

  #insideString(bytes: Buffer, from: number, filled: number): number {
    let at = from;
    let stride = strideBytes;
    for (;;) {
      const walked = walkString(bytes, at, Math.min(at + stride, filled));
      if (walked >= 0) return this.#stringEnds(bytes, walked);
      at = ~walked;
      // An escape at the very end reaches into what has not arrived.
      if (at >= filled) return at;
      const next = indexOfByte.call(bytes, quote, at);
      if (next < 0) return this.#lastWholeCharacter(bytes, at, filled);
      // `at` stands on a whole character, so the backslashes right before the quote decide whether it is escaped.
      let before = next - 1;
      while (before >= at && bytes[before] === backslash) before--;
      if (((next - 1 - before) & 1) === 0) return this.#stringEnds(bytes, next);
      stride = next - at < 64 ? denseStrideBytes : strideBytes;
      at = next + 1;
    }
  }

  /** Where to go on when the rest of what has arrived belongs to the string: not in the middle of an escape. */
  #lastWholeCharacter(bytes: Buffer, at: number, filled: number): number {
    let backslashes = 0;
    while (filled - 1 - backslashes >= at && bytes[filled - 1 - backslashes] === backslash) backslashes++;
    return filled + (backslashes & 1);
  }

  /** @param end index of the closing quote */
  #stringEnds(bytes: Buffer, end: number): number {
    const start = this.#stringStart;
    this.#stringStart = -1;
    switch (this.#expected) {
      case 'name':
      case 'name-or-end': {
        const name = fieldName(bytes, start - 1, end + 1);
        if (name === undefined) this.#broken = true;
        else this.#name = name;
        this.#expected = 'colon';
        return end + 1;
      }
      case 'value':
        this.#scan.fields.set(this.#name, { start: start - 1, end: end + 1 });
        this.#expected = 'comma-or-end';
        break;
      default:
    }
    this.#noteString(bytes, start, end);
    return end + 1;
  }

  #noteString(bytes: Buffer, start: number, end: number): void {
    const length = end - start;
    if (length <= this.#marks.longest) this.#noteWord(bytes, start, end);
    else if (length > longStringBytes) this.#scan.base64Bytes += base64Length(bytes, start, end);
  }

  #noteWord(bytes: Buffer, start: number, end: number): void {
    if (this.#marks.firsts[bytes[start] ?? 0] !== 1) return;
    const before = bytes[start - 2];
    if (before !== colon && !(before === space && bytes[start - 3] === colon)) return;
    const word = bytes.toString('latin1', start, end);
    if (this.#words.has(word)) this.#scan.words.add(word);
  }

  #outside(bytes: Buffer, from: number, filled: number): number {
    let at = from;
    if (this.#expected === 'end-of-container') {
      // The hot loop of a large body: only quotes and brackets matter.
      while (at < filled) {
        const byte = bytes[at];
        if (byte === quote) {
          this.#stringStart = at + 1;
          return at + 1;
        }
        if (byte === openBrace || byte === openBracket) this.#depth++;
        else if ((byte === closeBrace || byte === closeBracket) && --this.#depth === 0) {
          this.#scan.fields.set(this.#name, { start: this.#valueStart, end: at + 1 });
          this.#expected = 'comma-or-end';
          return at + 1;
        }
        at++;
      }
      return at;
    }
    while (at < filled && isSpace(bytes[at]) && this.#expected !== 'end-of-word') at++;
    return at < filled ? this.#token(bytes, at) : at;
  }

  /** One structural byte at the top level. */
  #token(bytes: Buffer, at: number): number {
    const byte = bytes[at];
    switch (this.#expected) {
      case 'object':
        return this.#expect(byte === openBrace, 'name-or-end', at);
      case 'name-or-end':
        if (byte === closeBrace) return this.#expect(true, 'nothing', at);
        return this.#openString(byte, at);
      case 'name':
        return this.#openString(byte, at);
      case 'colon':
        return this.#expect(byte === colon, 'value', at);
      case 'value':
        this.#valueStart = at;
        if (byte === quote) return this.#openString(byte, at);
        if (byte === openBrace || byte === openBracket) {
          this.#depth = 1;
          return this.#expect(true, 'end-of-container', at);
        }
        return this.#expect(byte !== comma && byte !== closeBrace && byte !== closeBracket && byte !== colon, 'end-of-word', at);
      case 'end-of-word':
        if (byte !== comma && byte !== closeBrace && byte !== closeBracket && !isSpace(byte)) return at + 1;
        this.#scan.fields.set(this.#name, { start: this.#valueStart, end: at });
        this.#expected = 'comma-or-end';
        return at;
      case 'comma-or-end':
        return byte === closeBrace ? this.#expect(true, 'nothing', at) : this.#expect(byte === comma, 'name', at);
      case 'nothing':
      case 'end-of-container':
        return this.#expect(false, 'nothing', at);
    }
  }

  #openString(byte: number | undefined, at: number): number {
    if (byte === quote) this.#stringStart = at + 1;
    else this.#broken = true;
    return at + 1;
  }

  #expect(met: boolean, next: Expected, at: number): number {
    if (met) this.#expected = next;
    else this.#broken = true;
    return at + 1;
  }
}

/** Finds the top-level fields of a whole JSON object; see ObjectScanner. */
export function scanObject(bytes: Buffer, words?: ReadonlySet<string>): ObjectScan | undefined {
  const scanner = new ObjectScanner(words);
  scanner.advance(bytes, bytes.length);
  return scanner.result();
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
/** A top-level field's new value as JSON text; undefined: the field is removed. */
export interface FieldEdit { name: string; json: string | undefined }

/**
 * The bytes with some top-level fields replaced, added or removed, everything else untouched.
 * @returns the pieces in order, so that a large body need not be copied
 */
export function spliceFields(bytes: Buffer, scan: ObjectScan, edits: readonly FieldEdit[]): Buffer[] {
  let replaced: { range: ByteRange; json: string }[] | undefined;
  let added: FieldEdit[] | undefined;
  for (const edit of edits) {
    const range = scan.fields.get(edit.name);
    if (range !== undefined) (replaced ??= []).push(edit.json === undefined ? { range: memberRange(bytes, range), json: '' } : { range, json: edit.json });
    else if (edit.json !== undefined) (added ??= []).push(edit);
  }
  if (replaced !== undefined && replaced.length > 1) replaced.sort((a, b) => a.range.start - b.range.start);
  const pieces: Buffer[] = [];
  let from = 0;
  for (const { range, json } of replaced ?? []) {
    if (range.start > from) pieces.push(bytes.subarray(from, range.start));
    if (json !== '') pieces.push(Buffer.from(json));
    // The comma before it went with the first member, so the one behind it goes.
    from = range.start < from ? afterComma(bytes, range.end) : range.end;
  }
  if (added === undefined) {
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

/** A whole member, with the comma before it; of the first member with the comma behind it. */
function memberRange(bytes: Buffer, value: ByteRange): ByteRange {
  let start = beforeSpace(bytes, value.start);
  // Back over the colon and the name, whose quotes are not escaped.
  start = beforeSpace(bytes, start - 1) - 1;
  do start = bytes.lastIndexOf(quote, start - 1);
  while (isEscaped(bytes, start));
  start = beforeSpace(bytes, start);
  return bytes[start - 1] === comma ? { start: start - 1, end: value.end } : { start, end: afterComma(bytes, value.end) };
}

function isEscaped(bytes: Buffer, at: number): boolean {
  let from = at;
  while (bytes[from - 1] === backslash) from -= 1;
  return (at - from) % 2 === 1;
}

/** The index behind the last byte before `end` that is no white space. */
function beforeSpace(bytes: Buffer, end: number): number {
  let at = end;
  while (at > 0 && isSpace(bytes[at - 1])) at -= 1;
  return at;
}

/** The index behind the comma that follows, or `from` where none follows. */
function afterComma(bytes: Buffer, from: number): number {
  let at = from;
  while (isSpace(bytes[at])) at += 1;
  return bytes[at] === comma ? at + 1 : from;
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

/**
 * Walks a string byte by byte. A function of its own without `this`, because it is where the time goes.
 * @returns the index of the closing quote, or the bit complement of where the walk stopped
 */
function walkString(bytes: Buffer, from: number, limit: number): number {
  let at = from;
  while (at < limit) {
    const byte = bytes[at];
    if (byte === quote) return at;
    at += byte === backslash ? 2 : 1;
  }
  return ~at;
}

function isSpace(byte: number | undefined): boolean {
  return byte === space || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

/** The length of a long string when a sample of it is base64 or a data URL, else 0. */
function base64Length(bytes: Buffer, start: number, end: number): number {
  const sample = bytes.toString('latin1', start + 128, Math.min(start + 640, end));
  return /^[A-Za-z0-9+/=_-]+$/.test(sample) ? end - start : 0;
}
