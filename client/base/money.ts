import { t } from '@vscode/l10n';
import type { Cost } from '../../server/api/receipt.ts';
import { countOf } from './figures.ts';

/** What a sum of money is made of; `SpendTotals`, `SpendGroup` and a status snapshot's figures fit. */
export interface SpendFigure {
  /** Sum of what is known, in millionths of a US dollar. */
  microUsd: number;
  /** The part of `microUsd` that is an estimate. */
  estimatedMicroUsd: number;
  /** How many attempts are in no sum because their cost is unknown. One request may have several. */
  unknownAttempts: number;
  /** How many are in the sum without a part that has no price. */
  unpricedAttempts?: number | undefined;
  /** Those parts, in words. */
  unpriced?: readonly string[] | undefined;
  /** How many cost nothing because a plan or a free tier covers them, or because they were simulated. */
  coveredAttempts?: number | undefined;
}

const coveredWords = { subscription: t('subscription'), free: t('free'), simulated: t('simulated') };

/** What stands in place of a figure that is not known. */
export function unknownText(): string {
  return t('unknown');
}

/**
 * Millionths of a US dollar as a person reads them: `$0.00`, `<$0.0001`, `$0.0042`, `$0.42`, `$1,234.56`.
 * Undefined (and anything that is no number) is `unknown`, never `$0.00`.
 */
export function formatMicroUsd(microUsd: number | undefined): string {
  if (microUsd === undefined || !Number.isFinite(microUsd)) return unknownText();
  if (microUsd < 0) return `-${formatMicroUsd(-microUsd)}`;
  if (microUsd === 0) return '$0.00';
  if (microUsd < 100) return '<$0.0001';
  // Four decimals only below ten cents, judged after rounding, so that 99,990 is $0.10 and not $0.1000.
  const tenThousandths = Math.round(microUsd / 100);
  if (tenThousandths < 1000) return `$0.${String(tenThousandths).padStart(4, '0')}`;
  const cents = Math.round(microUsd / 10_000);
  const dollars = Math.floor(cents / 100);
  return `$${groupThousands(dollars)}.${String(cents % 100).padStart(2, '0')}`;
}

/** What covers a cost of nothing, by the source of the price; undefined where nothing was covered. */
export function coveredBy({ microUsd, priceSource }: Cost): keyof typeof coveredWords | undefined {
  return microUsd === 0 && (priceSource === 'subscription' || priceSource === 'free' || priceSource === 'simulated') ? priceSource : undefined;
}

/** The names of parts that a figure does not hold: `at least: without audio tokens`. */
export function atLeastNote(unpriced: readonly string[]): string {
  return t('at least: without {0}', unpriced.join(', '));
}

/**
 * The cost of one exchange or attempt: `$0.0042`, `~$0.0042` when estimated, `~$0.0042+` when a part of it is unknown or has no price,
 * `$0.00 (subscription)` where a plan covers it, `$0.00 (simulated)`, `unknown`.
 */
export function formatCost(cost: Cost): string {
  if (isUnknownCost(cost)) return unknownText();
  const covered = coveredBy(cost);
  if (covered !== undefined) return `$0.00 (${coveredWords[covered]})`;
  return sumText(cost.microUsd ?? 0, cost.certainty === 'estimated', missingParts(cost));
}

/** Whether nothing of a cost is known. */
export function isUnknownCost(cost: Cost): boolean {
  return cost.certainty === 'unknown' || cost.microUsd === undefined || (coveredBy(cost) === undefined && isUnknownSum(cost.microUsd, missingParts(cost)));
}

function missingParts({ unknownParts = 0, unpriced = [] }: Cost): number {
  return unknownParts + unpriced.length;
}

/** Some cost arose, and none of it is known: the sum is then no figure, and never 0. */
export function isUnknownSum(microUsd: number, unknown: number): boolean {
  return microUsd === 0 && unknown > 0;
}

/**
 * The text of every sum of money: `$1.37`, `~$1.37` when part of it is an estimate, `$1.37+` when some cost is unknown and so
 * not in the figure, `unknown` when nothing in it is known.
 * @param unknown how many costs are unknown
 */
export function sumText(microUsd: number, estimated: boolean, unknown: number): string {
  if (isUnknownSum(microUsd, unknown)) return unknownText();
  return `${estimated ? '~' : ''}${formatMicroUsd(microUsd)}${unknown > 0 ? '+' : ''}`;
}

/** A sum of the ledger; see `sumText`. */
export function formatSpend({ microUsd, estimatedMicroUsd, unknownAttempts, unpricedAttempts = 0 }: SpendFigure): string {
  return sumText(microUsd, estimatedMicroUsd > 0, unknownAttempts + unpricedAttempts);
}

/** How sure a sum is, in short lines: `exact`, or what is estimated and what is in no sum. */
export function certaintyNotes(spend: SpendFigure): string[] {
  const notes: string[] = [];
  if (spend.estimatedMicroUsd > 0) {
    notes.push(spend.estimatedMicroUsd >= spend.microUsd ? t('~ estimated') : t('~ {0} of it estimated', formatMicroUsd(spend.estimatedMicroUsd)));
  }
  if (spend.unknownAttempts > 0) {
    notes.push(t('+ {0} of unknown cost', countOf(spend.unknownAttempts, 'attempt')));
  }
  if (spend.unpriced !== undefined) notes.push(`${atLeastNote(spend.unpriced)} (${countOf(spend.unpricedAttempts ?? 0, 'attempt')})`);
  if ((spend.coveredAttempts ?? 0) > 0) notes.push(t('{0} at $0.00: by subscription, free tier or simulated', countOf(spend.coveredAttempts ?? 0, 'attempt')));
  return notes.length > 0 ? notes : [t('exact')];
}

function groupThousands(whole: number): string {
  const digits = String(whole);
  if (!/^-?\d+$/.test(digits)) return digits;
  const first = digits.startsWith('-') ? 1 : 0;
  let text = digits;
  for (let at = digits.length - 3; at > first; at -= 3) text = `${text.slice(0, at)},${text.slice(at)}`;
  return text;
}
