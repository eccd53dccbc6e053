import { workKinds } from '../../../../server/api/purpose.ts';
import { foldText, wordsOf } from '../../../../server/routing/purpose/foldText.ts';
import { readTerms } from '../../../../server/routing/purpose/readTerms.ts';
import { eachFeature } from '../../../../server/routing/purpose/wordFeatures.ts';
import type { LabelledLine } from './labelledSets.ts';

const kinds = Object.keys(workKinds);
const rounds = 80;
/** A feature of one line only says nothing of others. */
const fewestLines = 2;
/** In hundredths: a smaller weight decides nothing. */
const smallest = 4;

/** Chosen by learning from four fifths of the tuning half and trying the last fifth, in turn. */
export const chosenDecay = 0.006;

/**
 * Learns a weight of each feature for each kind: multinomial logistic regression by gradient steps over the lines in a fixed order,
 * so that the same lines give the same weights.
 * @returns the table that `readWeights` reads
 */
export function learnWeights(lines: readonly LabelledLine[], decay = chosenDecay): string {
  const seen = new Map<string, number>();
  const texts = lines.map(({ text }) => featuresOf(text));
  for (const features of texts) for (const feature of features) seen.set(feature, (seen.get(feature) ?? 0) + 1);
  const weights = new Map<string, number[]>();
  for (const [feature, count] of seen) if (count >= fewestLines) weights.set(feature, kinds.map(() => 0));
  const known = texts.map(features => features.filter(feature => weights.has(feature)));
  const order = lines.map((_, index) => index).sort((a, b) => (a * 7919) % lines.length - (b * 7919) % lines.length);
  for (let round = 0; round < rounds; round++) {
    const rate = 0.3 / (1 + round * 0.05);
    for (const index of order) step(known[index] ?? [], kinds.indexOf(lines[index]?.kind ?? ''), weights, rate, decay);
  }
  return [...weights].map(([feature, figures]) => [feature, figures.map(figure => Math.round(figure * 100))] as const)
    .filter(([, figures]) => figures.some(figure => Math.abs(figure) >= smallest)).sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([feature, figures]) => `${feature}|${figures.join('|')}`).join(';');
}

function featuresOf(text: string): string[] {
  const words = wordsOf(foldText(text));
  const features = new Set<string>();
  eachFeature(words, text.trimEnd().endsWith('?'), readTerms(words)?.kind, feature => features.add(feature));
  return [...features];
}

function step(features: readonly string[], label: number, weights: ReadonlyMap<string, number[]>, rate: number, decay: number): void {
  const scores = kinds.map(() => 0);
  for (const feature of features) weights.get(feature)?.forEach((figure, kind) => { scores[kind] = (scores[kind] ?? 0) + figure; });
  const highest = Math.max(...scores);
  const powers = scores.map(score => Math.exp(score - highest));
  const sum = powers.reduce((a, b) => a + b, 0);
  const scale = rate / Math.sqrt(features.length);
  for (const feature of features) {
    const figures = weights.get(feature);
    if (figures === undefined) continue;
    for (let kind = 0; kind < figures.length; kind++) figures[kind] = (figures[kind] ?? 0) - scale * ((powers[kind] ?? 0) / sum - (kind === label ? 1 : 0)) - rate * decay * (figures[kind] ?? 0);
  }
}
