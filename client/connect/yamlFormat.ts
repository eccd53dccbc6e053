import { isDeepStrictEqual } from 'node:util';
import { isMap, isScalar, isSeq, parseAllDocuments, stringify } from 'yaml';
import type { Document, Node, Pair, YAMLMap } from 'yaml';
import { t } from '@vscode/l10n';
import { behindMark, ConfigTextError, lineEndOf, unsafeToChange } from './configFormat.ts';
import type { ConfigFormat, ConfigPath, ConfigValue, ItemName } from './configFormat.ts';
import { indexOf, valueAt, valueWith, valueWithout } from './configPath.ts';

/**
 * YAML: values of the root, and elements of its lists. The lines themselves are edited, because writing the whole
 * document again would change indents, quotes and line breaks; where the lines cannot be (a root in braces, say), the
 * document is rewritten with its comments. A parser then proves that nothing else changed.
 */
export const yamlFormat: ConfigFormat = {
  name: 'YAML',
  parse: text => readYaml(text)?.toJS() as unknown,
  set(text, path, value) {
    const expected = valueWith(readYaml(text)?.toJS(), path, value);
    return edited(text, expected, bare => setLines(bare, path, value), document => {
      const { list, item } = split(path);
      const index = item === undefined ? -1 : indexOf(listAt(document, list), item);
      if (item === undefined) document.setIn(list, value);
      else if (index >= 0) document.setIn([...list, index], value);
      else if (Array.isArray(listAt(document, list, undefined))) document.addIn(list, value);
      else document.setIn(list, document.createNode([value]));
    });
  },
  remove(text, path) {
    const before: unknown = readYaml(text)?.toJS();
    if (valueAt(before, path) === undefined) return text;
    return edited(text, valueWithout(before, path), bare => removeLines(bare, path), document => {
      const { list, item } = split(path);
      document.deleteIn(item === undefined ? list : [...list, indexOf(listAt(document, list), item)]);
    });
  },
  isBlank: text => /^\uFEFF?\s*(?:\{\s*\}\s*)?$/.test(text),
};

function readYaml(text: string): Document | undefined {
  const documents = parseAllDocuments(text.replace(/^\uFEFF/, ''));
  if ('empty' in documents) return undefined;
  if (documents.length > 1) throw new ConfigTextError(t('holds several YAML documents'));
  const [document] = documents;
  const error = document?.errors[0];
  if (error !== undefined) throw new ConfigTextError(t('is not valid YAML (line {0})', error.linePos?.[0].line ?? '?'));
  if (document?.contents !== null && document?.contents !== undefined && !isMap(document.contents)) throw new ConfigTextError(t('does not hold settings by name'));
  return document;
}

/** The text with its lines edited or, where that does not give what is expected, rewritten. */
function edited(text: string, expected: unknown, lines: (bare: string) => string | undefined, rewrite: (document: Document) => void): string {
  return behindMark(text, bare => {
    const byLines = lines(bare);
    if (byLines !== undefined && says(byLines, expected)) return byLines;
    const document = readYaml(bare);
    if (document === undefined) throw new ConfigTextError(unsafeToChange);
    rewrite(document);
    const lineEnd = lineEndOf(bare);
    const written = document.toString({ lineWidth: 0 });
    const whole = lineEnd === '\n' ? written : written.replaceAll('\n', lineEnd);
    if (!says(whole, expected)) throw new ConfigTextError(unsafeToChange);
    return whole;
  });
}

function says(text: string, expected: unknown): boolean {
  try {
    return isDeepStrictEqual(readYaml(text)?.toJS() ?? {}, expected ?? {});
  } catch {
    return false;
  }
}

/** @returns undefined when the lines cannot be edited */
function setLines(text: string, path: ConfigPath, value: ConfigValue): string | undefined {
  const { list: [key, ...deeper], item } = split(path);
  if (key === undefined || deeper.length > 0) return undefined;
  const lineEnd = lineEndOf(text);
  const pair = pairOf(readYaml(text), key);
  if (pair === undefined) return appended(text, linesOf({ [key]: item === undefined ? value : [value] }, ''), lineEnd);
  const node = pair.value;
  if (item === undefined) {
    if (!isScalar(node) || node.range === undefined || node.range === null || typeof value === 'object' || /^BLOCK/.test(node.type ?? '')) return undefined;
    return text.slice(0, node.range[0]) + stringify(value, { lineWidth: 0 }).trimEnd() + text.slice(node.range[1]);
  }
  if (!isSeq(node) || node.flow === true) return undefined;
  const index = indexOf(node.toJS(readYaml(text) ?? noDocument()) as unknown[], item);
  if (index >= 0) {
    const lines = itemLines(text, node.items[index]);
    return lines === undefined ? undefined : text.slice(0, lines.start) + linesOf([value], lines.indent).join(lineEnd) + lineEnd + text.slice(lines.end);
  }
  const [first, last] = [node.items[0], node.items.at(-1)];
  const [firstLines, lastLines] = [itemLines(text, first), itemLines(text, last)];
  if (firstLines === undefined || lastLines === undefined) return undefined;
  const added = linesOf([value], firstLines.indent).join(lineEnd) + lineEnd;
  const before = text.slice(0, lastLines.end);
  return before + (before.endsWith('\n') ? '' : lineEnd) + added + text.slice(lastLines.end);
}

/** @returns undefined when the lines cannot be edited */
function removeLines(text: string, path: ConfigPath): string | undefined {
  const { list: [key, ...deeper], item } = split(path);
  if (key === undefined || deeper.length > 0) return undefined;
  const pair = pairOf(readYaml(text), key);
  if (pair === undefined) return undefined;
  if (item === undefined) {
    const [start, keyEnd] = rangeOf(pair.key) ?? [];
    const end = rangeOf(pair.value)?.[1] ?? keyEnd;
    if (start === undefined || end === undefined || (start > 0 && text[start - 1] !== '\n')) return undefined;
    return text.slice(0, start) + text.slice(behindLine(text, end));
  }
  const node = pair.value;
  if (!isSeq(node) || node.flow === true) return undefined;
  const lines = itemLines(text, node.items[indexOf(node.toJS(readYaml(text) ?? noDocument()) as unknown[], item)]);
  if (lines === undefined) return undefined;
  if (node.items.length > 1) return text.slice(0, lines.start) + text.slice(lines.end);
  // A list without elements has to say that it is one.
  const colon = text.indexOf(':', rangeOf(pair.key)?.[1]);
  return colon < 0 || colon > lines.start ? undefined : `${text.slice(0, colon + 1)} []${text.slice(colon + 1, lines.start)}${text.slice(lines.end)}`;
}

/** The lines of a list's element, which begins with a dash on a line of its own. */
function itemLines(text: string, item: unknown): { start: number; end: number; indent: string } | undefined {
  const range = rangeOf(item);
  if (range === undefined) return undefined;
  const start = text.lastIndexOf('\n', range[0] - 1) + 1;
  const dash = /^([ ]*)-[ ]+$/.exec(text.slice(start, range[0]));
  return dash === null ? undefined : { start, end: behindLine(text, range[1]), indent: dash[1] ?? '' };
}

function appended(text: string, lines: readonly string[], lineEnd: string): string | undefined {
  // Behind the end of the document nothing can follow.
  if (/^\.\.\.(?:\s|$)/m.test(text)) return undefined;
  return text + (text === '' || text.endsWith('\n') ? '' : lineEnd) + lines.join(lineEnd) + lineEnd;
}

function linesOf(value: unknown, indent: string): string[] {
  return stringify(value, { lineWidth: 0, indentSeq: true }).trimEnd().split('\n').map(line => indent + line);
}

function pairOf(document: Document | undefined, key: string): Pair<unknown, unknown> | undefined {
  const root = document?.contents as YAMLMap | null | undefined;
  if (root?.flow === true) return undefined;
  return root?.items.find(pair => isScalar(pair.key) && pair.key.value === key);
}

function rangeOf(node: unknown): readonly [number, number, number] | undefined {
  return (node as Node | null | undefined)?.range ?? undefined;
}

/** Behind the line in which a node ends; a node that ends with a line end has its lines already. */
function behindLine(text: string, end: number): number {
  if (end > 0 && text[end - 1] === '\n') return end;
  const lineEnd = text.indexOf('\n', end);
  return lineEnd < 0 ? text.length : lineEnd + 1;
}

/** The names on the way, and the name of a list's element at the end. */
function split(path: ConfigPath): { list: string[]; item: ItemName | undefined } {
  const list = path.filter(step => typeof step === 'string');
  const last = path.at(-1);
  return { list, item: typeof last === 'object' ? last : undefined };
}

function listAt(document: Document, list: readonly string[], otherwise: unknown[] | undefined = []): unknown[] {
  const value = valueAt(document.toJS(), list);
  return Array.isArray(value) ? value as unknown[] : otherwise as unknown[];
}

function noDocument(): never {
  throw new ConfigTextError(unsafeToChange);
}
