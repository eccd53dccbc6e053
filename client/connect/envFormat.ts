import { t } from '@vscode/l10n';
import { behindMark, ConfigTextError, lineEndOf } from './configFormat.ts';
import type { ConfigFormat, ConfigPath, ConfigValue } from './configFormat.ts';

interface Assignment {
  name: string;
  /** Without its quotes. */
  value: string;
  /** The whole of its lines, with the last line end. */
  start: number;
  end: number;
  valueStart: number;
  valueEnd: number;
}

/** A file of `NAME=value` lines, as dotenv libraries read it: the last line of a name holds. */
export const envFormat: ConfigFormat = {
  name: t('an environment file'),
  parse(text) {
    const assignments = assignmentsOf(text.replace(/^\uFEFF/, ''));
    return assignments.length === 0 ? undefined : Object.fromEntries(assignments.map(({ name, value }) => [name, value]));
  },
  set(text, path, value) {
    const name = nameOf(path);
    return behindMark(text, bare => {
      const known = assignmentsOf(bare).findLast(one => one.name === name);
      if (known !== undefined) return bare.slice(0, known.valueStart) + written(value) + bare.slice(known.valueEnd);
      const lineEnd = lineEndOf(bare);
      return `${bare}${bare === '' || bare.endsWith('\n') ? '' : lineEnd}${name}=${written(value)}${lineEnd}`;
    });
  },
  remove(text, path) {
    const name = nameOf(path);
    return behindMark(text, bare => {
      let rest = bare;
      for (const { start, end } of assignmentsOf(bare).filter(one => one.name === name).reverse()) rest = rest.slice(0, start) + rest.slice(end);
      return rest;
    });
  },
  isBlank: text => text.replace(/^\uFEFF/, '').trim() === '',
};

function nameOf(path: ConfigPath): string {
  const [name] = path;
  if (path.length !== 1 || typeof name !== 'string') throw new ConfigTextError(t('has no place for such a value'));
  return name;
}

function written(value: ConfigValue): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  if (!/[\s#'"`\\$]/.test(text)) return text;
  if (!text.includes("'") && !/[\r\n]/.test(text)) return `'${text}'`;
  if (!/["\r\n\\]/.test(text)) return `"${text}"`;
  throw new ConfigTextError(t('cannot hold such a value'));
}

function assignmentsOf(text: string): Assignment[] {
  const found: Assignment[] = [];
  const beginning = /^[ \t]*(?:export[ \t]+)?([\w.-]+)[ \t]*=[ \t]*/;
  let at = 0;
  while (at < text.length) {
    const start = at;
    const head = beginning.exec(text.slice(at, endOfLine(text, at)));
    if (head === null) {
      at = endOfLine(text, at);
      continue;
    }
    const valueStart = start + head[0].length;
    const quote = text[valueStart];
    const closing = quote === '"' || quote === "'" || quote === '`' ? closingQuote(text, valueStart, quote) : -1;
    const valueEnd = closing >= 0 ? closing + 1 : endOfBareValue(text, valueStart);
    at = endOfLine(text, valueEnd);
    found.push({
      name: head[1] ?? '', start, end: at, valueStart, valueEnd,
      value: closing >= 0 ? text.slice(valueStart + 1, closing) : text.slice(valueStart, valueEnd),
    });
  }
  return found;
}

/** A quoted value may go over several lines. -1: the quote is never closed, and so belongs to the value. */
function closingQuote(text: string, from: number, quote: string): number {
  for (let at = from + 1; at < text.length; at++) {
    if (text[at] === '\\' && quote === '"') at++;
    else if (text[at] === quote) return at;
  }
  return -1;
}

/** A bare value ends at a comment or at the end of its line, without the spaces before it. */
function endOfBareValue(text: string, from: number): number {
  const line = text.slice(from, endOfLine(text, from)).replace(/(?<![\r\n])[\r\n]+$/, '');
  const comment = /(?:^|\s)#/.exec(line)?.index ?? line.length;
  return from + line.slice(0, comment).trimEnd().length;
}

/** Behind the line end of the line that `from` is in. */
function endOfLine(text: string, from: number): number {
  const lineEnd = text.indexOf('\n', from);
  return lineEnd < 0 ? text.length : lineEnd + 1;
}
