import { isMap, isPair, isScalar, isSeq, parseDocument } from 'yaml';
import type { Node, Scalar } from 'yaml';
import type { ConfigPath } from '../schemaProblems.ts';

/** What a person writes at a place of a YAML file. */
export interface Cursor {
  /** `name`: a name in a mapping, which is at `path`. `value`: the value at `path`. */
  kind: 'name' | 'value';
  path: ConfigPath;
  /** What stands there now, in offsets of the text; it is replaced. */
  from: number;
  to: number;
  /** The whole text that stands there. */
  written: string;
  /** The other names of the mapping, or values of the list. */
  siblings: readonly string[];
  /** A name that already has its colon. */
  hasColon: boolean;
}

const marker = 'waybillCursor';
const onlyWord = /^\s*[\w.-]*$/;

/**
 * What is written at an offset, however incomplete the file is: a marker is put there, what its line leaves open is closed,
 * and the place of the marker is found. Undefined in comments, and where nothing can be understood.
 */
export function cursorAt(text: string, offset: number): Cursor | undefined {
  const lineStart = text.lastIndexOf('\n', offset - 1) + 1;
  const found = text.indexOf('\n', offset);
  const lineEnd = found === -1 ? text.length : found;
  const before = text.slice(lineStart, offset);
  const after = text.slice(offset, lineEnd).replace(/\r$/, '');
  // On a line of its own a word begins a name: without its colon, the parser would go on reading on the next line.
  const colon = onlyWord.test(before) && onlyWord.test(after) ? ':' : '';
  const separator = /[^\s]:$/.test(before) && after.trim() === '' ? ' ' : '';
  const marked = `${text.slice(0, offset)}${separator}${marker}${after}${colon}${closersOf(before + after)}${text.slice(lineEnd)}`;
  const node = parseDocument(marked, { prettyErrors: false, uniqueKeys: false, logLevel: 'silent' }).contents;
  const place = placeOf(node, [], (one) => String(one.value).includes(marker));
  if (place === undefined) return undefined;
  const { kind, path, scalar, siblings } = place;
  const [from = offset, end = offset] = scalar.range ?? [];
  const quoted = scalar.type === 'QUOTE_DOUBLE' || scalar.type === 'QUOTE_SINGLE';
  const start = from + (quoted ? 1 : 0);
  const isOpen = quoted && !after.includes(scalar.type === 'QUOTE_DOUBLE' ? '"' : '\'');
  const stop = Math.max(offset, Math.min(lineEnd, end - marker.length - separator.length - (quoted && !isOpen ? 1 : 0)));
  return {
    kind, path, siblings, from: separator === '' ? Math.min(start, offset) : offset, to: isOpen ? offset : stop,
    written: text.slice(separator === '' ? Math.min(start, offset) : offset, isOpen ? offset : stop),
    hasColon: kind === 'name' && colon === '' && text.slice(stop, lineEnd).trimStart().startsWith(':'),
  };
}

/** The name or value that stands at an offset of a file as it is. */
export function nodeAt(text: string, offset: number): Cursor | undefined {
  const node = parseDocument(text, { prettyErrors: false, uniqueKeys: false, logLevel: 'silent' }).contents;
  const place = placeOf(node, [], ({ range }) => range !== undefined && range !== null && range[0] <= offset && offset <= range[1] && range[1] > range[0]);
  if (place === undefined) return undefined;
  const [from = offset, to = offset] = place.scalar.range ?? [];
  return { ...place, from, to, written: String(place.scalar.value), hasColon: place.kind === 'name' };
}

/** What closes the quote and the brackets that a line leaves open. */
function closersOf(line: string): string {
  const closers: string[] = [];
  let quote: string | undefined;
  for (let index = 0; index < line.length; index += 1) {
    const character = line.charAt(index);
    if (quote !== undefined) {
      if (character === '\\' && quote === '"') index += 1;
      else if (character === quote) quote = undefined;
    } else if ((character === '"' || character === '\'') && /[\s[{,:-]$|^$/.test(line.slice(0, index))) quote = character;
    else if (character === '#' && /\s$/.test(line.slice(0, index))) return '';
    else if (character === '[') closers.push(']');
    else if (character === '{') closers.push('}');
    else if (character === ']' || character === '}') closers.pop();
  }
  return `${quote ?? ''}${closers.reverse().join('')}`;
}

interface Place { kind: Cursor['kind']; path: ConfigPath; scalar: Scalar & { range?: [number, number, number] | null }; siblings: readonly string[] }

function placeOf(node: unknown, path: ConfigPath, isHere: (scalar: Place['scalar']) => boolean): Place | undefined {
  if (isSeq(node)) {
    for (const [index, item] of node.items.entries()) {
      const itemPath = [...path, index];
      if (isScalar(item) && isHere(item as Place['scalar'])) {
        return { kind: 'value', path: itemPath, scalar: item as Place['scalar'], siblings: node.items.filter(one => one !== item && isScalar(one)).map(one => String((one as Scalar).value)) };
      }
      // In brackets a name and its value need no braces.
      const inner = isPair(item) ? undefined : placeOf(item, itemPath, isHere);
      if (inner !== undefined) return inner;
    }
    return undefined;
  }
  if (!isMap(node)) {
    return isScalar(node) && isHere(node as Place['scalar']) ? { kind: path.length === 0 ? 'name' : 'value', path, scalar: node as Place['scalar'], siblings: [] } : undefined;
  }
  for (const { key, value } of node.items) {
    if (isScalar(key) && isHere(key as Place['scalar'])) {
      return { kind: 'name', path, scalar: key as Place['scalar'], siblings: node.items.filter(one => one.key !== key).map(one => String(isScalar(one.key) ? one.key.value : one.key as Node)) };
    }
    const inner = placeOf(value, [...path, String(isScalar(key) ? key.value : key)], isHere);
    if (inner !== undefined) return inner;
  }
  return undefined;
}
