import type { BillColumns } from '../../api/bill.ts';
import { BillProblem, dayOf, dayStart, offsetOf, type BillItem } from './billItem.ts';
import { exactUsd } from './usd.ts';

const mostLines = 500_000;
/** A file is split into cells at one go, and other requests wait for it: this much takes a fraction of a second. */
export const largestBillCharacters = 16 * 1024 * 1024;
const [newLineCode, returnCode, quoteCode] = [10, 13, 34];

/** Names that providers give the columns, the most telling first. Sources: exports of the consoles of OpenAI, Anthropic and OpenRouter. */
const usualNames: Readonly<Record<'day' | 'model' | 'cost', readonly string[]>> = {
  day: ['usage_date_utc', 'date', 'day', 'created_at', 'timestamp', 'start_time', 'start_time_iso', 'usage_date', 'time'],
  model: ['model', 'model_version', 'model_permaslug', 'model_slug', 'line_item', 'model_name', 'sku', 'description'],
  cost: ['cost_usd', 'cost', 'cost_total', 'total_cost', 'amount_value', 'amount', 'usage_usd', 'spend', 'usage'],
};
const wantedWords: Readonly<Record<'day' | 'model' | 'cost', string>> = { day: 'the day', model: 'the model', cost: 'the cost in US dollars' };
const currencyNames = ['currency', 'amount_currency', 'cost_currency'];

/** So many lines are read at one go: a few milliseconds. */
const linesAPart = 1_000;

/** The figures of a CSV file, all at once; see csvBillParts. */
export function csvBill(text: string, columns: BillColumns = {}, offsetMs = 0): BillItem[] {
  return [...csvBillParts(text, columns, offsetMs)].flat();
}

/**
 * The figures of a CSV file with a line of names, part by part, so that other work can go on between them.
 * @param offsetMs of the days that moments with a time zone fall into
 * @throws BillProblem
 */
export function* csvBillParts(text: string, columns: BillColumns, offsetMs: number): Generator<BillItem[]> {
  const rows = csvRows(text.replace(/^\uFEFF/, ''));
  const names = rows[0]?.cells.map(cell => cell.trim());
  if (names === undefined || rows.length === 1) throw new BillProblem('The file has no lines: export it again, with a line of column names first.');
  if (names.length < 2) throw new BillProblem('The first line of the file has only one column: save it as CSV, with commas, semicolons or tabs between the columns.');
  const day = columnOf('day', names, columns.day);
  const model = columnOf('model', names, columns.model);
  const cost = columnOf('cost', names, columns.cost);
  const currency = names.findIndex(name => currencyNames.includes(normal(name)));
  /** Days of the file by how they are written, where that is a day alone: a file repeats few. */
  const days = new Map<string, string | undefined>();
  const dayFor = (written: string): string | undefined => {
    if (written.length !== 10) return billDay(written, offsetMs);
    if (!days.has(written)) days.set(written, billDay(written, offsetMs));
    return days.get(written);
  };
  const itemOf = ({ cells, line }: CsvRow): BillItem => {
    const other = currency < 0 ? '' : (cells[currency] ?? '').trim();
    if (other !== '' && other.toUpperCase() !== 'USD') throw new BillProblem(`Line ${line} is in ${shown(other)}: only US dollars can be compared.`);
    const written = (cells[day] ?? '').trim();
    const found = dayFor(written);
    if (found === undefined) throw new BillProblem(`Line ${line} has ${shown(written)} as its day: write days like 2026-11-20, or moments like 2026-11-20T23:59:00Z.`);
    const amount = (cells[cost] ?? '').trim();
    const exact = amount === '' ? 0n : exactUsd(amount);
    if (exact === undefined) throw new BillProblem(`Line ${line} has ${shown(amount)} as its cost: write dollars like 12.345678.`);
    const name = modelOfLineItem((cells[model] ?? '').trim());
    return { day: found, exactUsd: exact, ...(name === '' ? { what: 'without a model' } : { model: name }) };
  };
  for (let row = 1; row < rows.length; row += linesAPart) yield rows.slice(row, row + linesAPart).map(itemOf);
}

/** OpenAI's line items name the model and what is charged of it: `gpt-4.1-2025-04-14, cached input`. */
export function modelOfLineItem(text: string): string {
  return /^([^,]+), (?:cached |cache write |audio |image |text |batch |flex |priority )*(?:input|output|inputs|outputs|tokens?)\b/i.exec(text)?.[1] ?? text;
}

/** The day of what a bill writes: a day, a moment with or without a time zone, or seconds since the epoch. */
export function billDay(text: string, offsetMs: number): string | undefined {
  if (/^1\d{9}$/.test(text)) return dayOf(Number(text) * 1000, offsetMs);
  const parts = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2})(:\d{2})?(?:\.\d+)?\s?(Z|UTC|[+-]\d{2}:?\d{2})?)?$/.exec(text);
  const day = parts?.[1];
  if (day === undefined || dayStart(day) === undefined) return undefined;
  if (parts?.[2] === undefined || parts[4] === undefined) return day;
  const zone = offsetOf(parts[4]);
  if (zone === offsetMs) return day;
  const at = Date.parse(`${day}T${parts[2]}${parts[3] ?? ':00'}Z`);
  return zone === undefined || Number.isNaN(at) ? undefined : dayOf(at - zone, offsetMs);
}

function columnOf(wanted: 'day' | 'model' | 'cost', names: readonly string[], given: string | undefined): number {
  if (given !== undefined) {
    const index = names.findIndex(name => name.toLowerCase() === given.trim().toLowerCase());
    if (index < 0) throw new BillProblem(`The file has no column ${shown(given)}: it has ${listed(names)}.`, wanted, [...names]);
    return index;
  }
  for (const usual of usualNames[wanted]) {
    const index = names.findIndex(name => normal(name) === usual);
    if (index >= 0) return index;
  }
  throw new BillProblem(`The file has no column that is known to hold ${wantedWords[wanted]}: name it; there are ${listed(names)}.`, wanted, [...names]);
}

function normal(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]+/g, '_').replace(/^_|_$/g, '');
}

function listed(names: readonly string[]): string {
  const some = names.slice(0, 12).map(shown);
  return `${some.join(', ')}${names.length > some.length ? ` and ${names.length - some.length} more` : ''}`;
}

/** What a file says is shown in short and in quotes. */
function shown(text: string): string {
  return `"${text.length > 40 ? `${text.slice(0, 40)}…` : text}"`.replaceAll(/[\u0000-\u001f]/g, ' ');
}

interface CsvRow { cells: string[]; /** Of the file, from 1. */ line: number }

/** Rows of a file (RFC 4180). The separator is the one that the first line has most of. Empty lines are left out. */
function csvRows(text: string): CsvRow[] {
  const first = text.slice(0, Math.max(0, text.search(/[\r\n]|$/)));
  const separator = [',', ';', '\t'].map(one => ({ one, count: first.split(one).length })).sort((a, b) => b.count - a.count)[0]?.one ?? ',';
  const rows: CsvRow[] = [];
  let cells: string[] = [];
  /** Of the cell that is read: what was taken of it, and where the rest begins. */
  let taken = '';
  let from = 0;
  let quoted = false;
  let line = 1;
  let startLine = 1;
  const endCell = (at: number): void => {
    cells.push(taken + text.slice(from, at));
    taken = '';
    from = at + 1;
  };
  const endRow = (at: number): void => {
    endCell(at > from && text.charCodeAt(at - 1) === returnCode ? at - 1 : at);
    from = at + 1;
    if (cells.length > 1 || cells[0]?.trim() !== '') rows.push({ cells, line: startLine });
    if (rows.length > mostLines) throw new BillProblem(`The file has more than ${mostLines} lines: export a shorter time.`);
    cells = [];
    startLine = line;
  };
  const separatorCode = separator.charCodeAt(0);
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === newLineCode) line += 1;
    if (quoted) {
      if (code !== quoteCode) continue;
      taken += text.slice(from, at);
      from = at + 1;
      // A doubled quote is one of the text.
      if (text.charCodeAt(from) === quoteCode) at += 1;
      else quoted = false;
    } else if (code === separatorCode) endCell(at);
    else if (code === newLineCode) endRow(at);
    else if (code === quoteCode && text.slice(from, at).trim() === '' && taken === '') {
      quoted = true;
      from = at + 1;
    }
  }
  if (quoted) throw new BillProblem(`A quote that begins in line ${startLine} does not end: export the file again.`);
  endRow(text.length);
  return rows;
}
