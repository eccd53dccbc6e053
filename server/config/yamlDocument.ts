import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument } from 'yaml';
import type { Document, Node, Pair, YAMLError, YAMLMap } from 'yaml';
import type { ConfigProblem } from '../api/status.ts';
import type { ConfigPath } from './schemaProblems.ts';

/** A YAML file as plain values, with the line of everything in it. */
export interface YamlDocument {
  value: unknown;
  /** What is wrong with the file itself. Empty `value` and `valid: false` when it cannot be read as YAML. */
  problems: ConfigProblem[];
  valid: boolean;
  /** The line, from 1, of a path; of the nearest thing around it when the path is not in the file. */
  lineOf(path: ConfigPath): number | undefined;
}

/**
 * Reads YAML. A name written twice in one mapping is reported, and its first value stands; so does the first of several
 * documents. No problem repeats text of the file, which may be a secret.
 */
export function readYaml(text: string): YamlDocument {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: false, merge: true, logLevel: 'error' });
  const lineAt = (offset: number): number => lines.linePos(offset).line;
  const errors = document.errors.filter(error => error.code !== 'MULTIPLE_DOCS');
  if (errors.length > 0) {
    return { value: undefined, valid: false, problems: syntaxProblems(errors, lineAt), lineOf: () => undefined };
  }
  const problems: ConfigProblem[] = document.errors.map(({ pos }) => (
    { message: 'The file holds more than one YAML document; only the first is used.', line: lineAt(pos[0]) }
  ));
  dropDuplicates(document.contents, [], lineAt, problems);
  return { ...plainValue(document, problems), problems, lineOf: path => lineOf(document, path, lineAt) };
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
function syntaxProblems(errors: readonly YAMLError[], lineAt: (offset: number) => number): ConfigProblem[] {
  const byLine = new Map(errors.map(error => [lineAt(error.pos[0]), error]).reverse() as [number, YAMLError][]);
  return [...byLine].sort(([a], [b]) => a - b).slice(0, 3).map(([line, error]) => ({
    message: `The file is not valid YAML: ${phrases[error.code] ?? 'it cannot be understood here'}.`,
    line,
  }));
}

function dropDuplicates(node: unknown, path: ConfigPath, lineAt: (offset: number) => number, problems: ConfigProblem[]): void {
  if (isSeq(node)) node.items.forEach((item, index) => dropDuplicates(item, [...path, index], lineAt, problems));
  if (!isMap(node)) return;
  const first = new Map<string, number>();
  node.items = node.items.filter(pair => {
    const name = nameOf(pair);
    const line = lineAt(offsetOf(pair.key));
    const before = first.get(name);
    if (before === undefined || name === '<<') {
      first.set(name, line);
      dropDuplicates(pair.value, [...path, name], lineAt, problems);
      return true;
    }
    const full = [...path, name];
    problems.push({ message: `${titleOf(full)} is written twice, first on line ${before}; the second is ignored.`, path: full.join('.'), line });
    return false;
  });
}

function titleOf(path: ConfigPath): string {
  const [section, name] = path;
  if (path.length === 2 && section === 'endpoints') return `Endpoint "${String(name)}"`;
  if (path.length === 2 && section === 'routes') return `Route "${String(name)}"`;
  return `"${path.join('.')}"`;
}

function lineOf(document: Document.Parsed, path: ConfigPath, lineAt: (offset: number) => number): number | undefined {
  let node: unknown = document.contents;
  let offset: number | undefined;
  for (const step of path) {
    if (isAlias(node)) node = node.resolve(document);
    if (isMap(node)) {
      const pair = pairOf(node, String(step));
      if (pair === undefined) break;
      offset = offsetOf(pair.key);
      node = pair.value;
    } else if (isSeq(node)) {
      const item = node.items[Number(step)];
      if (item === undefined) break;
      offset = offsetOf(item);
      node = item;
    } else break;
  }
  return offset === undefined ? undefined : lineAt(offset);
}

function pairOf(map: YAMLMap, name: string): Pair | undefined {
  return map.items.find(pair => nameOf(pair) === name);
}

function nameOf(pair: Pair): string {
  return String(isScalar(pair.key) ? pair.key.value : pair.key);
}

function offsetOf(node: unknown): number {
  return (node as Node | null)?.range?.[0] ?? 0;
}
