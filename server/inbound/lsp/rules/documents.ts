import { fileURLToPath } from 'node:url';
import type { TextPosition, TextRange } from '../../../api/status.ts';

/** A text with the offsets of its lines. */
export class OpenDocument {
  readonly uri: string;
  readonly version: number;
  readonly text: string;
  #lines: readonly number[] | undefined;

  constructor(uri: string, version: number, text: string) {
    this.uri = uri;
    this.version = version;
    this.text = text;
  }

  /** The offset of a position; one outside of the text is taken to its nearest end. */
  offsetAt({ line, character }: TextPosition): number {
    const starts = this.#lineStarts();
    const start = starts[Math.max(0, line)];
    if (start === undefined) return line < 0 ? 0 : this.text.length;
    return Math.min(start + Math.max(0, character), (starts[line + 1] ?? this.text.length + 1) - 1);
  }

  rangeOf(from: number, to: number): TextRange {
    return { start: this.#positionAt(from), end: this.#positionAt(to) };
  }

  #positionAt(offset: number): TextPosition {
    const starts = this.#lineStarts();
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return { line: low, character: offset - (starts[low] ?? 0) };
  }

  #lineStarts(): readonly number[] {
    if (this.#lines !== undefined) return this.#lines;
    const starts = [0];
    for (let at = this.text.indexOf('\n'); at !== -1; at = this.text.indexOf('\n', at + 1)) starts.push(at + 1);
    this.#lines = starts;
    return starts;
  }
}

/** `waybill.yaml`, `team.waybill.yml`, `waybill.local.yaml`. */
const ownName = /(?:^|[/\\]|\.)waybill(?:\.[^/\\]+)?\.ya?ml$/i;

/** Whether a document is a configuration of ours: by its name, or because it is the file that the server was started with. */
export function isConfiguration(uri: string, configFile: string | undefined): boolean {
  const path = pathOf(uri);
  return ownName.test(path) || (configFile !== undefined && path === configFile);
}

/** The path of a document on this machine, else the path in its address. */
export function pathOf(uri: string): string {
  try {
    const url = new URL(uri);
    return url.protocol === 'file:' ? fileURLToPath(url) : decodeURIComponent(url.pathname);
  } catch {
    return uri;
  }
}
