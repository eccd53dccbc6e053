import { readFileSync } from 'node:fs';
import path from 'node:path';

/** A block of code of a page, and the headings that it stands under. */
export interface PageBlock {
  readonly language: string;
  /** The nearest heading of the second and of the third level. */
  readonly part: string;
  readonly section: string;
  readonly text: string;
}

/** The blocks of code of a Markdown file, in their order. @param file from the root of the project */
export function blocksOf(file: string): PageBlock[] {
  const blocks: PageBlock[] = [];
  let [part, section] = ['', ''];
  let open: { language: string; lines: string[] } | undefined;
  for (const line of readFileSync(path.join(import.meta.dirname, '..', '..', file), 'utf8').split('\n')) {
    if (open !== undefined) {
      if (line !== '```') open.lines.push(line);
      else {
        blocks.push({ language: open.language, part, section, text: open.lines.join('\n') });
        open = undefined;
      }
    } else if (line.startsWith('```')) open = { language: line.slice(3), lines: [] };
    else if (line.startsWith('## ')) [part, section] = [line.slice(3), ''];
    else if (line.startsWith('### ')) section = line.slice(4);
  }
  return blocks;
}
