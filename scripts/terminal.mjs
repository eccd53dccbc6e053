/** Plain terminal output; colours only where a person looks at it. */
const colours = process.stdout.isTTY === true && process.env.NO_COLOR === undefined;
const paint = (code) => (text) => (colours ? `\u001b[${code}m${text}\u001b[0m` : String(text));

export const bold = paint(1);
export const dim = paint(2);
export const red = paint(31);
export const green = paint(32);
export const yellow = paint(33);

/** Rows as text columns, padded to their widest cell. Colour after padding, not before. */
export function table(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => String(row[column]).length)));
  return rows.map((row) => row.map((cell, column) => (column === row.length - 1 ? String(cell) : String(cell).padEnd(widths[column]))).join('  ').trimEnd());
}

/** `1,234` milliseconds as a person reads them. */
export function duration(ms) {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

export function kilobytes(bytes) {
  return `${(bytes / 1024).toFixed(0)} KB`;
}
