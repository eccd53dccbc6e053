import { isDeepStrictEqual } from 'node:util';
import { createScanner, parse, parseTree, printParseErrorCode } from 'jsonc-parser';
import type { Node, ParseError } from 'jsonc-parser';
import { t } from '@vscode/l10n';
import { behindMark, ConfigTextError, lineEndOf, unsafeToChange } from './configFormat.ts';
import type { ConfigFormat, ConfigPath, ConfigValue, Step } from './configFormat.ts';
import { indexOf, valueAt, valueWith, valueWithout } from './configPath.ts';

const tolerant = { allowTrailingComma: true };

/**
 * JSON, also with comments and trailing commas. The library's own edits reformat the neighbours of a value, so
 * only its tree is used, and the text is edited here; the parser then proves that nothing else changed.
 */
export const jsonFormat: ConfigFormat = {
  name: 'JSON',
  parse: parseJson,
  set(text, path, value) {
    const expected = valueWith(parseJson(text), path, value);
    return proved(behindMark(text, bare => withValue(bare.trim() === '' ? `{}${lineEndOf(bare)}` : bare, path, value)), expected);
  },
  remove(text, path) {
    const before = parseJson(text);
    if (valueAt(before, path) === undefined) return text;
    return proved(behindMark(text, bare => withoutValue(bare, path)), valueWithout(before, path));
  },
  isBlank: text => /^\uFEFF?\s*(?:\{\s*\}\s*)?$/.test(text),
};

function parseJson(text: string): unknown {
  const bare = text.replace(/^\uFEFF/, '');
  if (bare.trim() === '') return undefined;
  const errors: ParseError[] = [];
  const value: unknown = parse(bare, errors, tolerant);
  const [first] = errors;
  if (first !== undefined) {
    const line = bare.slice(0, first.offset).split('\n').length;
    throw new ConfigTextError(t('is not valid JSON (line {0}: {1})', line, printParseErrorCode(first.error)));
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new ConfigTextError(t('does not hold settings by name'));
  return value;
}

function proved(text: string, expected: unknown): string {
  if (!isDeepStrictEqual(parseJson(text), expected)) throw new ConfigTextError(unsafeToChange);
  return text;
}

function withValue(text: string, path: ConfigPath, value: ConfigValue): string {
  let container = treeOf(text);
  for (const [depth, step] of path.entries()) {
    const found = childOf(container, step);
    if (found === undefined) {
      const [first, ...rest] = path.slice(depth);
      return first === undefined ? text : inserted(text, container, first, nested(rest, value));
    }
    const node = valueNode(found);
    if (depth === path.length - 1) return text.slice(0, node.offset) + written(value, text, indentAt(text, found.offset)) + text.slice(endOf(node));
    container = node;
  }
  return text;
}

/** The value that has to be put in, with the tables around it that are missing. */
function nested(path: ConfigPath, value: ConfigValue): ConfigValue {
  return path.reduceRight<ConfigValue>((inner, step) => (typeof step === 'string' ? { [step]: inner } : [inner]), value);
}

function inserted(text: string, container: Node, step: Step, value: ConfigValue): string {
  const lineEnd = lineEndOf(text);
  const children = container.children ?? [];
  const last = children.at(-1);
  const closing = endOf(container) - 1;
  const indent = last === undefined || !standsAlone(text, last.offset) ? indentAt(text, container.offset) + indentUnit(text) : indentAt(text, last.offset);
  const name = typeof step === 'string' ? `${JSON.stringify(step)}: ` : '';
  const entry = name + written(value, text, indent);
  if (last === undefined) {
    const opening = container.offset + 1;
    const rest = text.slice(opening, closing);
    // A comment in an otherwise empty table stays where it is.
    if (rest.trim() === '') return `${text.slice(0, opening)}${lineEnd}${indent}${entry}${lineEnd}${indentAt(text, container.offset)}${text.slice(closing)}`;
    return `${text.slice(0, closing).trimEnd()}${lineEnd}${indent}${entry}${lineEnd}${indentAt(text, container.offset)}${text.slice(closing)}`;
  }
  const comma = commaBehind(text, endOf(last));
  const behind = comma === undefined ? endOf(last) : comma + 1;
  const separated = comma === undefined ? `${text.slice(0, behind)},` : text.slice(0, behind);
  const lineBreak = text.indexOf('\n', behind);
  if (lineBreak < 0 || lineBreak > closing) return `${separated} ${name}${JSON.stringify(value)}${comma === undefined ? '' : ','}${text.slice(behind)}`;
  // On a line of its own, behind whatever comment there is.
  return `${separated}${text.slice(behind, lineBreak + 1)}${indent}${entry}${comma === undefined ? '' : ','}${lineEnd}${text.slice(lineBreak + 1)}`;
}

function withoutValue(text: string, path: ConfigPath): string {
  let container = treeOf(text);
  for (const step of path.slice(0, -1)) {
    const found = childOf(container, step);
    if (found === undefined) return text;
    container = valueNode(found);
  }
  const last = path.at(-1);
  const found = last === undefined ? undefined : childOf(container, last);
  if (found === undefined) return text;
  const children = container.children ?? [];
  const index = children.indexOf(found);
  const [previous, next] = [children[index - 1], children[index + 1]];
  const comma = commaBehind(text, endOf(found));
  const end = comma === undefined ? endOf(found) : comma + 1;
  if (children.length === 1 && text.slice(container.offset + 1, found.offset).trim() === '' && text.slice(end, endOf(container) - 1).trim() === '') {
    return text.slice(0, container.offset + 1) + text.slice(endOf(container) - 1);
  }
  const lineBreak = text.indexOf('\n', end);
  const before = next === undefined && comma === undefined && previous !== undefined ? commaBehind(text, endOf(previous)) : undefined;
  if (standsAlone(text, found.offset) && lineBreak >= 0 && text.slice(end, lineBreak).trim() === '') {
    const start = text.lastIndexOf('\n', found.offset - 1) + 1;
    const head = before === undefined ? text.slice(0, start) : text.slice(0, before) + text.slice(before + 1, start);
    return head + text.slice(lineBreak + 1);
  }
  if (next !== undefined) return text.slice(0, found.offset) + text.slice(next.offset);
  if (before !== undefined) return text.slice(0, before) + text.slice(end);
  return text.slice(0, found.offset).trimEnd() + text.slice(end);
}

function treeOf(text: string): Node {
  const tree = parseTree(text, [], tolerant);
  if (tree === undefined) throw new ConfigTextError(unsafeToChange);
  return tree;
}

/** The property, or the element of a list. Of several properties of one name, the one that holds. */
function childOf(container: Node, step: Step): Node | undefined {
  if (typeof step === 'string') return container.children?.findLast(child => child.children?.[0]?.value === step && child.type === 'property');
  const items = container.children ?? [];
  return items[indexOf(items.map(item => Object.fromEntries((item.children ?? []).map(({ children: [key, value] = [] }) => [String(key?.value), value?.value as unknown]))), step)];
}

function valueNode(node: Node): Node {
  return node.type === 'property' ? node.children?.[1] ?? node : node;
}

function endOf(node: Node): number {
  return node.offset + node.length;
}

/** Where the comma behind a value is, with spaces and comments between; undefined when the next thing is another. */
function commaBehind(text: string, from: number): number | undefined {
  const scanner = createScanner(text, true);
  scanner.setPosition(from);
  // The scanner without trivia passes over comments and spaces.
  scanner.scan();
  return text[scanner.getTokenOffset()] === ',' ? scanner.getTokenOffset() : undefined;
}

/** Nothing but spaces is before it on its line. */
function standsAlone(text: string, offset: number): boolean {
  return text.slice(text.lastIndexOf('\n', offset - 1) + 1, offset).trim() === '' && text.lastIndexOf('\n', offset - 1) >= 0;
}

function indentAt(text: string, offset: number): string {
  return /^[ \t]*/.exec(text.slice(text.lastIndexOf('\n', offset - 1) + 1))?.[0] ?? '';
}

/** One step of the text's own indent. */
function indentUnit(text: string): string {
  const indent = /^([ \t]+)\S/m.exec(text)?.[1];
  return indent?.startsWith('\t') === true ? '\t' : indent ?? '  ';
}

function written(value: ConfigValue, text: string, indent: string): string {
  return JSON.stringify(value, undefined, indentUnit(text)).replaceAll('\n', lineEndOf(text) + indent);
}
