/** A cell: text, a number, or nothing. */
export type Cell = string | number | undefined;

/**
 * Lines of cells as CSV (RFC 4180: CRLF, quotes doubled; every line as wide as the first). A text that a
 * spreadsheet would run as a formula gets an apostrophe before it: names come from callers and providers.
 */
export function csvText(lines: readonly (readonly Cell[])[]): string {
  const width = lines[0]?.length ?? 0;
  return lines.map((cells) => `${Array.from({ length: width }, (_, index) => csvCell(cells[index])).join(',')}\r\n`).join('');
}

function csvCell(cell: Cell): string {
  if (cell === undefined) return '';
  if (typeof cell === 'number') return String(cell);
  if (/^-?\d+\.\d+$/.test(cell)) return cell;
  // Also the full-width signs, which some spreadsheets read as the plain ones.
  const safe = /^[\s]*[=+\-@\uff1d\uff0b\uff0d\uff20]|^[\t\r\n]/u.test(cell) ? `'${cell}` : cell;
  return /[",\r\n;\t]|^\s|\s$/u.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** Dollars with all six decimals and no sign or grouping, for files that other programs read: `1.370000`. */
export function microUsdToDecimal(microUsd: number): string {
  const digits = String(Math.abs(Math.round(microUsd))).padStart(7, '0');
  return `${microUsd < 0 ? '-' : ''}${digits.slice(0, -6)}.${digits.slice(-6)}`;
}
