import zlib, { type Zlib } from 'node:zlib';
import type { Transform } from 'node:stream';
import type { ResponseHeaders } from '../base/headers/responseHeaders.ts';

/** Opens the decoder of one coding. @param first the first bytes, at least one */
export type OpenDecoder = (first: Buffer) => Transform & Zlib;

/** The decoders of an answer in the order in which they are applied, or a coding that cannot be undone here. */
export type Codings = { readonly decoders: readonly OpenDecoder[] } | { readonly unknown: string; readonly needsNode?: string };

/** What asks a provider for an answer without a content coding. Source: RFC 9110, section 12.5.3. */
export const identityOnly = { 'accept-encoding': 'identity' } as const;

/** More codings in a row than this are no accident. */
const mostCodings = 5;
const longestName = 40;

/** Absent from Node before 22.15. */
const openZstd = (zlib as { createZstdDecompress?: typeof zlib.createZstdDecompress }).createZstdDecompress;

const gunzip: OpenDecoder = () => zlib.createGunzip();

/** Source: RFC 9110, section 8.4.1; RFC 7932 (br); RFC 8878 (zstd). */
const decoders: ReadonlyMap<string, OpenDecoder> = new Map<string, OpenDecoder>([
  ['gzip', gunzip],
  ['x-gzip', gunzip],
  // Many senders leave the zlib header out, against the standard. The low half of its first byte is 8: RFC 1950, section 2.2.
  ['deflate', first => (((first[0] ?? 0) & 0x0f) === 8 ? zlib.createInflate() : zlib.createInflateRaw())],
  ['br', () => zlib.createBrotliDecompress()],
  ...(openZstd === undefined ? [] : [['zstd', () => openZstd()] as const]),
]);

/**
 * The codings that a Content-Encoding header names, the one that was applied last first.
 * @returns undefined where it names none
 */
export function codingsOf(header: ResponseHeaders[string]): Codings | undefined {
  const written = typeof header === 'string' ? header : header?.join(',') ?? '';
  const names = written.toLowerCase().split(',').map(name => name.trim()).filter(name => name !== '' && name !== 'identity');
  if (names.length === 0) return undefined;
  if (names.length > mostCodings) return { unknown: `${names.length} codings in a row` };
  const found: OpenDecoder[] = [];
  for (const name of names.toReversed()) {
    const decoder = decoders.get(name);
    if (decoder === undefined) return { unknown: `"${name.slice(0, longestName)}"`, ...(name === 'zstd' ? { needsNode: '22.15' } : {}) };
    found.push(decoder);
  }
  return { decoders: found };
}

/** The headers of an answer whose codings were undone: its length and coding are no longer what they say. */
export function decodedHeaders(headers: ResponseHeaders): ResponseHeaders {
  const { 'content-encoding': _coding, 'content-length': _length, ...others } = headers;
  return others;
}
