import { isDeepStrictEqual } from 'node:util';
import { parse, TomlError } from 'smol-toml';
import { t } from '@vscode/l10n';
import { behindMark, ConfigTextError, lineEndOf, unsafeToChange } from './configFormat.ts';
import type { ConfigFormat, ConfigPath, ConfigValue } from './configFormat.ts';
import { isEmptyValue, valueAt, valueWith, valueWithout } from './configPath.ts';
import { tomlStatements } from './tomlStatements.ts';
import type { TomlStatement } from './tomlStatements.ts';

/**
 * TOML: single values of the root, and whole tables of single values. Libraries that patch TOML move comments along with
 * the keys they take them to belong to, so the lines are edited here; a parser then proves that nothing else changed.
 */
export const tomlFormat: ConfigFormat = {
  name: 'TOML',
  parse: parseToml,
  set(text, path, value) {
    const expected = valueWith(parseToml(text), path, value);
    return proved(behindMark(text, bare => (path.length === 1 ? withKey(bare, names(path)[0] ?? '', value) : withTable(bare, names(path), value))), expected);
  },
  remove(text, path) {
    const before = parseToml(text);
    if (valueAt(before, path) === undefined) return text;
    const expected = [valueWithout(before, path)];
    // A table that is only there through the headers of its tables goes with the last of them.
    for (let depth = path.length - 1; depth > 0; depth--) expected.push(valueWithout(expected.at(-1), path.slice(0, depth)));
    return proved(behindMark(text, bare => (path.length === 1 ? withoutKey(bare, names(path)[0] ?? '') : withoutTable(bare, names(path)))), ...emptied(expected, path));
  },
  isBlank: text => text.replace(/^\uFEFF/, '').trim() === '',
};

function parseToml(text: string): unknown {
  const bare = text.replace(/^\uFEFF/, '');
  if (bare.trim() === '') return undefined;
  try {
    return parse(bare, { integersAsBigInt: 'asNeeded' });
  } catch (error) {
    throw new ConfigTextError(t('is not valid TOML (line {0})', error instanceof TomlError ? String(error.line) : '?'));
  }
}

/** Of what may be left, that in which nothing but an empty table is gone as well. */
function emptied(candidates: readonly unknown[], path: ConfigPath): unknown[] {
  return candidates.filter((_, index) => index === 0 || isEmptyValue(valueAt(candidates[index - 1], path.slice(0, path.length - index))));
}

/** The edited text, if it now says one of what is expected and nothing else. */
function proved(text: string, ...expected: unknown[]): string {
  let actual: unknown;
  try {
    actual = parseToml(text) ?? {};
  } catch {
    throw new ConfigTextError(unsafeToChange);
  }
  if (!expected.some(one => isDeepStrictEqual(plain(actual), plain(one ?? {})))) throw new ConfigTextError(unsafeToChange);
  return text;
}

/** The parser's tables have no prototype; ours have one. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null || value instanceof Date) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]));
}

function withKey(text: string, name: string, value: ConfigValue): string {
  const statements = tomlStatements(text);
  const root = rootKeys(statements);
  const known = root.find(one => one.kind === 'key' && bareName(one.name) === name);
  if (known?.kind === 'key') return text.slice(0, known.valueStart) + literal(value) + text.slice(known.valueEnd);
  const lineEnd = lineEndOf(text);
  const line = `${keyName(name)} = ${literal(value)}`;
  const last = root.at(-1);
  if (last !== undefined) return insertedLine(text, last.end, line, lineEnd);
  // No key of the root yet: before everything, with a blank line between.
  return text === '' ? `${line}${lineEnd}` : `${line}${lineEnd}${lineEnd}${text}`;
}

function withoutKey(text: string, name: string): string {
  const statements = tomlStatements(text);
  const known = rootKeys(statements).find(one => bareName(one.name) === name);
  if (known === undefined) return text;
  const rest = text.slice(known.end);
  // The blank line that was made when the key came to the top of the file.
  return text.slice(0, known.start) + (known.start === 0 ? rest.replace(/^\r?\n/, '') : rest);
}

function withTable(text: string, path: readonly string[], value: ConfigValue): string {
  if (typeof value !== 'object' || Array.isArray(value)) throw new ConfigTextError(t('has no place for such a value'));
  const without = withoutTable(text, path);
  const lineEnd = lineEndOf(text);
  const lines = [`[${headerName(path)}]`, ...Object.entries(value).map(([name, inner]) => `${keyName(name)} = ${literal(inner)}`)];
  const gap = without === '' ? '' : without.endsWith('\n') ? lineEnd : lineEnd + lineEnd;
  return `${without}${gap}${lines.join(lineEnd)}${lineEnd}`;
}

function withoutTable(text: string, path: readonly string[]): string {
  const statements = tomlStatements(text);
  const wanted = headerName(path);
  let rest = text;
  for (const [index, header] of [...statements.entries()].reverse()) {
    if (header.kind !== 'header' || (bareName(header.name) !== wanted && !bareName(header.name).startsWith(`${wanted}.`))) continue;
    const next = statements.findIndex((one, at) => at > index && one.kind === 'header');
    const last = (next < 0 ? statements : statements.slice(0, next)).at(-1) ?? header;
    // With the blank line before it, which parted it from what came earlier.
    rest = rest.slice(0, header.start).replace(/(\n)\r?\n$/, '$1') + rest.slice(last.end);
  }
  return rest;
}

function rootKeys(statements: readonly TomlStatement[]): TomlStatement[] {
  const firstHeader = statements.findIndex(one => one.kind === 'header');
  return firstHeader < 0 ? [...statements] : statements.slice(0, firstHeader);
}

function insertedLine(text: string, at: number, line: string, lineEnd: string): string {
  const before = text.slice(0, at);
  return before.endsWith('\n') ? `${before}${line}${lineEnd}${text.slice(at)}` : `${before}${lineEnd}${line}${lineEnd}${text.slice(at)}`;
}

function names(path: ConfigPath): string[] {
  return path.map(step => {
    if (typeof step === 'string') return step;
    throw new ConfigTextError(t('has no place for such a value'));
  });
}

/** A name as written, with the quotes that it does not need and the spaces around its dots taken off. */
function bareName(written: string): string {
  return written.replace(/["']([A-Za-z0-9_-]+)["']/g, '$1').replace(/(?<!\s)\s*\.\s*/g, '.');
}

function headerName(path: readonly string[]): string {
  return path.map(keyName).join('.');
}

function keyName(name: string): string {
  return /^[A-Za-z0-9_-]+$/.test(name) ? name : JSON.stringify(name);
}

/** Escapes of JSON strings are escapes of TOML's; only DEL is allowed there and not here. */
function literal(value: ConfigValue): string {
  if (typeof value === 'string') return JSON.stringify(value).replaceAll('\u007F', '\\u007F');
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (Array.isArray(value)) return `[${value.map(literal).join(', ')}]`;
  return `{ ${Object.entries(value).map(([name, inner]) => `${keyName(name)} = ${literal(inner as ConfigValue)}`).join(', ')} }`;
}
