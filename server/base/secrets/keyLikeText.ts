import { keyShapes } from '../../api/keyShapes.ts';
import type { Span } from './secretSearch.ts';

/** Prefixes that many services give their keys; with `-` or `_` after them. */
const commonPrefixes = ['sk', 'rk', 'pk', 'hs', 'cr', 'key'];

const escaped = (text: string): string => text.replace(/[.\\{]/g, '\\$&');
const vendorPrefixes = [...new Set(keyShapes.map(shape => shape.prefix))].filter(prefix => /^\w/.test(prefix)).map(escaped);

/**
 * What is shaped like a credential. Each part takes all it has read, or gives up after a bounded number of characters, so
 * that a search takes linear time. A JSON Web Token has three parts; its first is base64 of `{"`.
 */
const credential = new RegExp([
  `\\b(?:${vendorPrefixes.join('|')}|(?:${commonPrefixes.join('|')})[-_])[A-Za-z0-9_-]{12,}`,
  '\\bya29\\.[A-Za-z0-9_-]{12,}',
  '\\b(?:[Bb][Ee][Aa][Rr][Ee][Rr]|[Bb][Aa][Ss][Ii][Cc])\\s{1,8}[A-Za-z0-9._~+/=-]{8,}',
  '(?<jwt>eyJ[A-Za-z0-9_-]{10,}(?:\\.[A-Za-z0-9_-]+)*)',
  '-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----[A-Za-z0-9+/=\\s\\\\]*(?:-----END [A-Z ]{0,40}PRIVATE KEY-----)?',
].join('|'), 'g');

const none: readonly Span[] = [];
/** The shortest text in which the expression finds a credential: "Basic", a space and eight more characters. */
const shortestCredential = 14;

/** Every place where something shaped like a credential stands, in order. */
export function keyLikeSpans(text: string): readonly Span[] {
  if (text.length < shortestCredential) return none;
  let spans: Span[] | undefined;
  // `exec` on the one expression: `matchAll` compiles a copy of it for each text.
  credential.lastIndex = 0;
  for (let match = credential.exec(text); match !== null; match = credential.exec(text)) {
    const jwt = match.groups?.['jwt'];
    if (jwt !== undefined && !isToken(jwt)) continue;
    (spans ??= []).push({ from: match.index, to: match.index + match[0].length });
  }
  return spans ?? none;
}

function isToken(text: string): boolean {
  const [, claims, signature] = text.split('.', 3);
  return claims !== undefined && claims.length >= 10 && signature !== undefined;
}
