import { workKinds, type WorkKind } from '../../api/purpose.ts';
import { foldText, wordsOf } from './foldText.ts';
import { readTerms } from './readTerms.ts';
import { eachFeature } from './wordFeatures.ts';
import { wordWeights } from './wordWeights.ts';

/** What a text asks for. */
export interface TextReading {
  readonly kind: WorkKind;
  /** Why, as a sentence without its end; no part of the text. */
  readonly about: string;
}

/** So much of a text is read at its beginning and at its end, in UTF-16 units. */
const headLength = 2_500;
const tailLength = 1_500;
/** A text with fewer features that have weights says too little. */
const fewestKnown = 5;
const kinds = Object.keys(workKinds) as WorkKind[];

type Weights = ReadonlyMap<string, readonly number[]>;
let weights: Weights | undefined;

/** Reading the table takes a few milliseconds, so that it is read at the first need. */
function knownWeights(): Weights {
  return weights ??= readWeights(wordWeights);
}

/** @param table lines of `feature<TAB>weights`, a weight for each kind in hundredths, as `wordWeights.ts` has them */
export function readWeights(table: string): Weights {
  const read = new Map<string, readonly number[]>();
  for (const entry of table.split(';')) {
    const [feature = '', ...figures] = entry.split('|');
    if (figures.length === kinds.length) read.set(feature, figures.map(Number));
  }
  return read;
}

/**
 * Reads a text in English or Vietnamese, with diacritics or without.
 * @param table weights other than the server's are for judging
 * @returns undefined where the text says too little
 */
export function readWorkKind(text: string, table: Weights = knownWeights()): TextReading | undefined {
  const words = wordsOf(foldText(readPart(text)));
  const terms = readTerms(words);
  const scores = [0, 0, 0];
  let known = 0;
  eachFeature(words, text.trimEnd().endsWith('?'), terms?.kind, feature => {
    const found = table.get(feature);
    if (found === undefined) return;
    known++;
    for (let index = 0; index < scores.length; index++) scores[index] = (scores[index] ?? 0) + (found[index] ?? 0);
  });
  // The length, and that there are no terms, is known of every text.
  if (terms === undefined && known < fewestKnown) return undefined;
  const kind = kinds[scores.indexOf(Math.max(...scores))] ?? 'balanced';
  return { kind, about: kind === terms?.kind ? terms.about : `its words are mostly those of ${kind} work` };
}

/** The part of a text that is read. */
function readPart(text: string): string {
  return text.length <= headLength + tailLength ? text : `${text.slice(0, headLength)}\n${text.slice(-tailLength)}`;
}
