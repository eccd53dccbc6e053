import { deepestEscapes, formsOf, shortestSecret, type SecretForm } from './secretForms.ts';
import { plainView, unescapedView, possibleEnds, type SearchView } from './searchView.ts';

/** Where something stands in a text: from the first code unit to before the last. */
export interface Span { from: number; to: number }

/** A text that ends within a secret shows so much of it at least before that counts. */
const shortestPart = 8;
/** No more than this is taken from the end of a text before it is compared with the start of a secret. */
const longestTail = 16;
const gramLength = shortestSecret;
const multiplier = 0x9e3779b1;
/** The multiplier to the power of `gramLength`: the factor of the character that leaves the sliding window. */
const leaving = power(multiplier, gramLength);

const none: readonly Span[] = [];
/** What escapes begin with. Texts of a starting server have none: looking for them sign by sign has V8 optimize that loop, which costs an idle process 5 MB. */
const escapeSigns = /[%&\\]/;

interface Gram { form: SecretForm; offset: number }

/**
 * Finds known secrets in texts, in any of their spellings. One pass over the text for each level of escapes, whatever
 * the number of secrets: six neighbouring characters are hashed, and only where that is the hash of a part of some
 * secret the rest is compared.
 */
export class SecretSearch {
  /** The length of the longest spelling. */
  readonly longest: number;
  #grams = new Map<number, Gram[]>();
  #heads = new Map<number, SecretForm[]>();
  /** Most hashes belong to no secret: a quick look before the map is asked. */
  #isGram = new Uint8Array(1 << 16);

  constructor(secrets: Iterable<string>) {
    let longest = 0;
    for (const secret of new Set(secrets)) {
      for (const form of formsOf(secret)) {
        longest = Math.max(longest, form.text.length);
        this.#add(form);
      }
    }
    this.longest = longest;
  }

  /**
   * Every place where a secret stands, in no order; places may overlap.
   * @param partAtEnd an end of the text that begins a secret counts too
   */
  find(text: string, partAtEnd: boolean): readonly Span[] {
    if (this.#grams.size === 0 || text.length < gramLength) return none;
    const spans: Span[] = [];
    const escaped = escapeSigns.test(text);
    let view: SearchView | undefined = plainView(text);
    for (let level = 0; view !== undefined; level++) {
      this.#scan(view, spans, partAtEnd ? possibleEnds(view) : []);
      view = escaped && level < deepestEscapes ? unescapedView(view) : undefined;
    }
    return spans;
  }

  /** Chooses the part of the form that fewest others share: keys of one vendor all begin alike. */
  #add(form: SecretForm): void {
    const last = form.text.length - gramLength;
    let best = { offset: last, hash: hashAt(form.text, last) };
    for (let step = 1; step <= 8 && (this.#grams.get(best.hash)?.length ?? 0) > 0; step++) {
      const offset = Math.floor(last * (8 - step) / 8);
      const hash = hashAt(form.text, offset);
      if ((this.#grams.get(hash)?.length ?? 0) < (this.#grams.get(best.hash)?.length ?? 0)) best = { offset, hash };
    }
    append(this.#grams, best.hash, { form, offset: best.offset });
    append(this.#heads, hashAt(form.text, 0), form);
    this.#isGram[best.hash >>> 16] = 1;
    this.#isGram[hashAt(form.text, 0) >>> 16] = 1;
  }

  #scan(view: SearchView, spans: Span[], ends: readonly number[]): void {
    const { codes, length } = view;
    const tail = ends.length === 0 ? length : length - this.longest - longestTail;
    let hash = 0;
    for (let index = 0; index < length; index++) {
      hash = Math.imul(hash, multiplier) + (codes[index] ?? 0) | 0;
      if (index >= gramLength) hash = hash - Math.imul(codes[index - gramLength] ?? 0, leaving) | 0;
      if (index < gramLength - 1 || this.#isGram[hash >>> 16] === 0) continue;
      const start = index - gramLength + 1;
      for (const { form, offset } of this.#grams.get(hash) ?? []) if (isAt(view, start - offset, form.text)) spans.push(spanOf(view, start - offset, form));
      if (start > tail) for (const form of this.#heads.get(hash) ?? []) pushEnd(view, start, ends, form, spans);
    }
  }
}

/** The text may end within a secret. */
function pushEnd(view: SearchView, start: number, ends: readonly number[], { text: form }: SecretForm, spans: Span[]): void {
  for (const end of ends) {
    const part = end - start;
    if (part >= shortestPart && part < form.length && isAt(view, start, form.slice(0, part))) spans.push({ from: view.from[start] ?? 0, to: view.to[end - 1] ?? 0 });
  }
}

function isAt({ codes, length }: SearchView, start: number, form: string): boolean {
  if (start < 0 || start + form.length > length) return false;
  for (let index = form.length - 1; index >= 0; index--) if (codes[start + index] !== form.charCodeAt(index)) return false;
  return true;
}

function spanOf(view: SearchView, start: number, form: SecretForm): Span {
  let first = start;
  let last = start + form.text.length - 1;
  if (form.base64) {
    const touches = (one: number): boolean => view.to[one] === view.from[one + 1];
    if (first > 0 && touches(first - 1) && isBase64(view.codes[first - 1])) first -= 1;
    if (last + 1 < view.length && touches(last) && isBase64(view.codes[last + 1])) last += 1;
    for (let padding = 0; padding < 2 && last + 1 < view.length && view.codes[last + 1] === 0x3d; padding++) last += 1;
  }
  return { from: view.from[first] ?? 0, to: view.to[last] ?? 0 };
}

/** Of folded characters: lower case letters, digits and the two signs of either alphabet. */
function isBase64(code: number | undefined): boolean {
  if (code === undefined) return false;
  return (code >= 0x61 && code <= 0x7a) || (code >= 0x2f && code <= 0x39) || code === 0x2b || code === 0x2d || code === 0x5f;
}

function hashAt(text: string, offset: number): number {
  let hash = 0;
  for (let index = offset; index < offset + gramLength; index++) hash = Math.imul(hash, multiplier) + text.charCodeAt(index) | 0;
  return hash;
}

function power(base: number, exponent: number): number {
  let result = 1;
  for (let step = 0; step < exponent; step++) result = Math.imul(result, base);
  return result;
}

function append<T>(lists: Map<number, T[]>, hash: number, entry: T): void {
  const list = lists.get(hash);
  if (list === undefined) lists.set(hash, [entry]);
  else list.push(entry);
}
