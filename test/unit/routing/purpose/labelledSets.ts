import { readFileSync } from 'node:fs';
import { isWorkKind, type WorkKind } from '../../../../server/api/purpose.ts';
import { foldText, wordsOf } from '../../../../server/routing/purpose/foldText.ts';

/** A request as somebody writes it, with the kind of work that it is. */
export interface LabelledLine { readonly text: string; readonly kind: WorkKind }

/** Rules are made, and weights learnt, on the one half, and judged by the other, whose mistakes are not looked at. */
export interface LabelledSet {
  readonly title: string;
  /** Its lines were written after the list of terms was made. */
  readonly later: boolean;
  readonly tuning: readonly LabelledLine[];
  readonly judging: readonly LabelledLine[];
}

const languages: readonly { title: string; files: readonly string[] }[] = [
  { title: 'English', files: ['english'] },
  { title: 'Vietnamese', files: ['vietnamese', 'vietnameseWithoutDiacritics'] },
];
const titles: Readonly<Record<string, string>> = { english: 'English', vietnamese: 'Vietnamese', vietnameseWithoutDiacritics: 'Vietnamese without diacritics' };
/** Lines that share so large a part of their words are one: they stand in one half. */
const alike = 0.4;

interface Line extends LabelledLine { readonly file: string; readonly later: boolean; readonly words: ReadonlySet<string> }

let known: readonly LabelledSet[] | undefined;

export function labelledSets(): readonly LabelledSet[] {
  return known ??= readSets();
}

function readSets(): LabelledSet[] {
  return languages.flatMap(({ files }) => {
    const lines = files.flatMap(file => [...linesOf(file, false), ...linesOf(file, true)]);
    const halves = halvesOf(lines);
    const half = (file: string, later: boolean, tuning: boolean): Line[] => lines.filter((line, index) => line.file === file && line.later === later && halves[index] === tuning);
    return files.flatMap(file => [false, true].map(later => ({ title: titles[file] ?? file, later, tuning: half(file, later, true), judging: half(file, later, false) })));
  });
}

function linesOf(file: string, later: boolean): Line[] {
  const text = readFileSync(new URL(`labelled/${file}${later ? '.later' : ''}.tsv`, import.meta.url), 'utf8');
  return text.split('\n').filter(line => line !== '').map(line => {
    const [kind = '', request = ''] = line.split('\t');
    if (!isWorkKind(kind) || request === '') throw new Error(`${file}: "${line}" is no kind and text`);
    return { text: request, kind, file, later, words: new Set(wordsOf(foldText(request))) };
  });
}

/** For each line whether it is for tuning: by a hash of the first of those that are like it. */
function halvesOf(lines: readonly Line[]): boolean[] {
  const first = lines.map((_, index) => index);
  const rootOf = (index: number): number => {
    let at = index;
    while (first[at] !== at) at = first[at] as number;
    return at;
  };
  lines.forEach((line, index) => {
    for (let before = 0; before < index; before++) {
      if (areAlike(line.words, (lines[before] as Line).words)) first[Math.max(rootOf(index), rootOf(before))] = Math.min(rootOf(index), rootOf(before));
    }
  });
  return lines.map((_, index) => isForTuning((lines[rootOf(index)] as Line).text));
}

function areAlike(one: ReadonlySet<string>, other: ReadonlySet<string>): boolean {
  let shared = 0;
  for (const word of one) if (other.has(word)) shared++;
  return shared >= alike * (one.size + other.size - shared);
}

/** FNV-1a of the text. */
function isForTuning(text: string): boolean {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return (hash >>> 16) % 2 === 0;
}
