import type { IncomingHttpHeaders } from 'node:http';
import { isObject } from '../../base/json.ts';
import type { JsonObject, JsonValue } from '../../base/json.ts';

/** A request as a strict provider judges it. */
export interface StrictRequest {
  readonly body: JsonObject;
  /** In lower case, without the maker's name before a slash. */
  readonly model: string;
  readonly headers: IncomingHttpHeaders;
}

/** Why a provider refuses a request, in its own words. */
export interface StrictRefusal {
  readonly message: string;
  /** Default 400. */
  readonly status?: number | undefined;
  readonly param?: string | undefined;
  readonly code?: string | undefined;
  readonly type?: string | undefined;
  /** Pydantic's form of a refusal: where, and of which kind. */
  readonly at?: readonly (string | number)[] | undefined;
}

/** Where a rule stands, and how its words are known: from a page of the provider, from a public report, or not at all: then only the shape of the refusal is the provider's. */
export interface StrictSource {
  readonly url: string;
  readonly words: 'documented' | 'reported' | 'assumed';
}

/** One rule of a provider. It carries its source, or the comment before it names it. */
export interface StrictCheck {
  (request: StrictRequest): StrictRefusal | undefined;
  readonly source?: StrictSource | undefined;
}

/** A rule with its source. */
export function sourced(words: StrictSource['words'], url: string, check: (request: StrictRequest) => StrictRefusal | undefined): StrictCheck {
  return Object.assign((request: StrictRequest) => check(request), { source: { url, words } });
}

/** The first refusal of the checks. */
export function firstRefusal(checks: readonly StrictCheck[], request: StrictRequest): StrictRefusal | undefined {
  for (const check of checks) {
    const refusal = check(request);
    if (refusal !== undefined) return refusal;
  }
  return undefined;
}

/** The first refusal among the entries of a list. */
export function among<Entry>(entries: readonly Entry[], judge: (entry: Entry, index: number) => StrictRefusal | undefined): StrictRefusal | undefined {
  for (const [index, entry] of entries.entries()) {
    const refusal = judge(entry, index);
    if (refusal !== undefined) return refusal;
  }
  return undefined;
}

/** The objects of a list; none where it is no list. */
export function objectsOf(list: JsonValue | undefined): JsonObject[] {
  return Array.isArray(list) ? list.filter(isObject) : [];
}

/** The object, or an empty one. */
export function objectOf(value: JsonValue | undefined): JsonObject {
  return isObject(value) ? value : {};
}

/** The field is there and not null. */
export function isSet(value: JsonValue | undefined): boolean {
  return value !== undefined && value !== null;
}

/** All text of a JSON value, for rules about words. */
export function wordsOf(value: JsonValue | undefined): string {
  return JSON.stringify(value ?? '');
}

/** How the bytes of an image begin, as base64. */
const beginnings: readonly (readonly [string, string])[] = [['iVBORw0KGgo', 'image/png'], ['/9j/', 'image/jpeg'], ['R0lGOD', 'image/gif'], ['UklGR', 'image/webp']];

/** What the bytes of an image are; undefined where they do not tell. */
export function mediaTypeOfBytes(base64: string): string | undefined {
  return beginnings.find(([beginning]) => base64.startsWith(beginning))?.[1];
}

/** Label and bytes of a `data:` URL; undefined for any other. */
export function dataUrlOf(url: string): { type: string; data: string } | undefined {
  const comma = url.startsWith('data:') ? url.indexOf(',') : -1;
  return comma === -1 ? undefined : { type: url.slice(5, comma).split(';')[0] ?? '', data: url.slice(comma + 1) };
}
