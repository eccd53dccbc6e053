import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument } from 'yaml';
import type { Document, Node, Pair, YAMLError, YAMLMap } from 'yaml';
import type { ConfigProblem, TextRange } from '../api/status.ts';
import type { ConfigPath } from './schemaProblems.ts';

/** A YAML file as plain values, with the line of everything in it. */
export interface YamlDocument {
  value: unknown;
  /** What is wrong with the file itself. Empty `value` and `valid: false` when it cannot be read as YAML. */
  problems: ConfigProblem[];
  valid: boolean;
  /** The line, from 1, of a path; of the nearest thing around it when the path is not in the file. */
  lineOf(path: ConfigPath): number | undefined;
  /**
   * Where a path stands, likewise: its value where that is written on one line, else its name.
   * @param part `name`: the name in any case
   */
  rangeOf(path: ConfigPath, part: 'name' | 'value'): TextRange | undefined;
}

/**
 * Reads YAML. A name written twice in one mapping is reported, and its first value stands; so does the first of several
 * documents. No problem repeats text of the file, which may be a secret.
 *
 * @param ranges problems have their ranges
 */
export function readYaml(text: string, ranges = false): YamlDocument {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: false, merge: true, logLevel: 'error' });
  const places = new Places(text, lines, ranges);
  const errors = document.errors.filter(error => error.code !== 'MULTIPLE_DOCS');
  if (errors.length > 0) {
    return { value: undefined, valid: false, problems: syntaxProblems(errors, places), lineOf: () => undefined, rangeOf: () => undefined };
  }
  const problems: ConfigProblem[] = document.errors.map(({ pos }) => (
    { message: 'The file holds more than one YAML document; only the first is used.', ...places.at(pos[0], pos[1]) }
  ));
  dropDuplicates(document.contents, [], places, problems);
  return {
    ...plainValue(document, problems), problems,
    lineOf: (path) => {
      const node = found(document, path, 'name');
      return node === undefined ? undefined : places.lineOf(node.from);
    },
    rangeOf: (path, part) => {
      const node = found(document, path, part);
      return node === undefined ? undefined : places.rangeOf(node.from, node.to);
    },
  };
}

/** Lines and ranges of offsets in a text. */
class Places {
  readonly #text: string;
  readonly #lines: LineCounter;
  readonly #ranges: boolean;

  constructor(text: string, lines: LineCounter, ranges: boolean) {
    this.#text = text;
    this.#lines = lines;
    this.#ranges = ranges;
  }

  /** From 1. */
  lineOf(offset: number): number {
    return this.#lines.linePos(offset).line;
  }

  /** On the line of its beginning, and at least one character where the line has one. */
  rangeOf(from: number, to: number): TextRange {
    const { line, col } = this.#lines.linePos(from);
    const lineEnd = this.#text.indexOf('\n', from);
    const last = this.#text[lineEnd - 1] === '\r' ? lineEnd - 1 : lineEnd;
    const end = Math.max(from, Math.min(Math.max(to, from + 1), lineEnd === -1 ? this.#text.length : last));
    return { start: { line: line - 1, character: col - 1 }, end: { line: line - 1, character: col - 1 + end - from } };
  }

  at(from: number, to: number): Pick<ConfigProblem, 'line' | 'range'> {
    return { line: this.lineOf(from), ...(this.#ranges ? { range: this.rangeOf(from, to) } : {}) };
  }
}

/** Following aliases can fail: an anchor inside itself, or aliases that multiply without end. */
function plainValue(document: Document.Parsed, problems: ConfigProblem[]): { value: unknown; valid: boolean } {
  try {
    return { value: document.toJS({ maxAliasCount: 100 }), valid: true };
  } catch {
    problems.push({ message: 'The file uses YAML aliases that cannot be followed.' });
    return { value: undefined, valid: false };
  }
}

const phrases: Partial<Record<YAMLError['code'], string>> = {
  // The parser says the same of a bracket that a line above leaves open.
  BAD_INDENT: 'the indentation is wrong, or a bracket before this line is not closed',
  TAB_AS_INDENT: 'a tab is used as indentation; use spaces',
  MISSING_CHAR: 'a character such as a quote, a comma or a bracket is missing',
  UNEXPECTED_TOKEN: 'something stands where it cannot stand',
  BAD_ALIAS: 'an alias has no anchor',
  BLOCK_AS_IMPLICIT_KEY: 'a mapping begins on a line that already holds a value',
  MULTILINE_IMPLICIT_KEY: 'a name must stand on one line, followed by a colon',
  BAD_SCALAR_START: 'a value begins with a character that must be quoted',
  BAD_DQ_ESCAPE: 'a backslash in double quotes is followed by a character that means nothing',
};

/** One broken line often breaks all that follow, so only the first few are worth reading. */
function syntaxProblems(errors: readonly YAMLError[], places: Places): ConfigProblem[] {
  const byLine = new Map(errors.map(error => [places.lineOf(error.pos[0]), error]).reverse() as [number, YAMLError][]);
  return [...byLine].sort(([a], [b]) => a - b).slice(0, 3).map(([, error]) => ({
    message: `The file is not valid YAML: ${phrases[error.code] ?? 'it cannot be understood here'}.`,
    ...places.at(error.pos[0], error.pos[1]),
  }));
}

function dropDuplicates(node: unknown, path: ConfigPath, places: Places, problems: ConfigProblem[]): void {
  if (isSeq(node)) node.items.forEach((item, index) => dropDuplicates(item, [...path, index], places, problems));
  if (!isMap(node)) return;
  const first = new Map<string, number>();
  node.items = node.items.filter(pair => {
    const name = nameOf(pair);
    const { from, to } = extentOf(pair.key);
    const before = first.get(name);
    if (before === undefined || name === '<<') {
      first.set(name, places.lineOf(from));
      dropDuplicates(pair.value, [...path, name], places, problems);
      return true;
    }
    const full = [...path, name];
    problems.push({ message: `${titleOf(full)} is written twice, first on line ${before}; the second is ignored.`, path: full.join('.'), ...places.at(from, to) });
    return false;
  });
}

function titleOf(path: ConfigPath): string {
  const [section, name] = path;
  if (path.length === 2 && section === 'endpoints') return `Endpoint "${String(name)}"`;
  if (path.length === 2 && section === 'routes') return `Route "${String(name)}"`;
  return `"${path.join('.')}"`;
}

/** What stands at a path, or the nearest thing around it; undefined where that is the whole file. */
function found(document: Document.Parsed, path: ConfigPath, part: 'name' | 'value'): Extent | undefined {
  let node: unknown = document.contents;
  let extent: Extent | undefined;
  let depth = 0;
  for (const step of path) {
    if (isAlias(node)) node = node.resolve(document);
    depth += 1;
    if (isMap(node)) {
      const pair = pairOf(node, String(step));
      if (pair === undefined) break;
      const { value } = pair;
      const isWritten = (isScalar(value) || isAlias(value)) && extentOf(value).to > extentOf(value).from;
      extent = extentOf(part === 'value' && depth === path.length && isWritten ? value : pair.key);
      node = value;
    } else if (isSeq(node)) {
      const item = node.items[Number(step)];
      if (item === undefined) break;
      extent = extentOf(item);
      node = item;
    } else break;
  }
  return extent;
}

function pairOf(map: YAMLMap, name: string): Pair | undefined {
  return map.items.find(pair => nameOf(pair) === name);
}

function nameOf(pair: Pair): string {
  return String(isScalar(pair.key) ? pair.key.value : pair.key);
}

/** Offsets in the text: of the first character, and behind the last. */
interface Extent { from: number; to: number }

function extentOf(node: unknown): Extent {
  const [from, to] = (node as Node | null)?.range ?? [0, 0];
  return { from, to };
}
