import { styleText } from 'node:util';
import { logText, logTextLines } from '../../api/logText.ts';
import type { ExitCode } from '../commandLine/command.ts';

/** Says why a command was not carried out. @returns its exit code */
export function failed(message: string, code: ExitCode = 1): ExitCode {
  process.stderr.write(`${logTextLines(message)}\n`);
  return code;
}

/** Prints a text, line by line, without what a terminal obeys. */
export function print(text: string): void {
  process.stdout.write(`${logTextLines(text)}\n`);
}

/** Prints a value as one line of JSON. */
export function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

/** A reader that closes the pipe, such as `head`, has what it wants: the process then ends well and in silence. */
export function endWithReader(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit(0);
  });
}

export type Tone = 'good' | 'bad' | 'doubtful' | 'quiet' | 'title';
const styles = { good: 'green', bad: 'red', doubtful: 'yellow', quiet: 'dim', title: 'bold' } as const;

/** A cell of a table: its text, and how it is coloured on a terminal. */
export type Cell = string | { readonly text: string; readonly tone: Tone };

/** A text of a person's own file or of a provider, in colour on a terminal alone; NO_COLOR and FORCE_COLOR are obeyed. */
export function toned(text: string, tone: Tone): string {
  return styleText(styles[tone], logText(text), { stream: process.stdout });
}

/** Lines of cells in columns that are as wide as their widest cell. @param right columns that are aligned to the right */
export function tableLines(rows: readonly (readonly Cell[])[], right: readonly number[] = []): string[] {
  const plain = rows.map(row => row.map(cell => logText(typeof cell === 'string' ? cell : cell.text)));
  const widths = (plain[0] ?? []).map((_, column) => Math.max(...plain.map(row => (row[column] ?? '').length)));
  return rows.map((row, line) => row.map((cell, column) => {
    const text = plain[line]?.[column] ?? '';
    const gap = ' '.repeat(Math.max(0, (widths[column] ?? 0) - text.length));
    const shown = typeof cell === 'string' ? text : toned(cell.text, cell.tone);
    if (right.includes(column)) return gap + shown;
    return column === row.length - 1 ? shown : shown + gap;
  }).join('  '));
}

/** Prints lines that `tableLines` and `toned` made. */
export function printLines(lines: readonly string[]): void {
  process.stdout.write(`${lines.join('\n')}\n`);
}
