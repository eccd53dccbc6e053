import { formatMicroUsd, isUnknownSum, sumText } from './money.ts';

/** How a figure of money is known: see `Cost` in server/api/receipt.ts. */
export interface Money {
  /** Millionths of a US dollar. */
  microUsd: number;
  /** Some part of the figure is an estimate. */
  estimated: boolean;
  /** How many costs are unknown, and so not in the figure. */
  unknown: number;
  /** Parts of the bill that have no price and are not in the figure; absent: none. */
  unpriced?: readonly string[] | undefined;
}

/** Some cost arose, and none of it is known. */
export function isWhollyUnknown(money: Money): boolean {
  return isUnknownSum(money.microUsd, missing(money));
}

/** Money in the few characters of a status bar or a tree; see `sumText`. */
export function formatMoney(money: Money): string {
  return sumText(money.microUsd, money.estimated, missing(money));
}

function missing({ unknown, unpriced }: Money): number {
  return unknown + (unpriced?.length ?? 0);
}

/** The same in words, for a screen reader: `about 1.37 dollars`. */
export function speakMoney(money: Money): string {
  if (isWhollyUnknown(money)) return 'unknown cost';
  const dollars = formatMicroUsd(money.microUsd).replace('<', 'less than ').replace('$', '');
  return `${money.estimated ? 'about ' : ''}${dollars} dollars${missing(money) > 0 ? ' plus unknown cost' : ''}`;
}

/** `1 key`, `2 keys`. */
export function count(amount: number, singular: string, plural = `${singular}s`): string {
  return `${String(amount)} ${amount === 1 ? singular : plural}`;
}

/** Text made safe inside a Markdown table cell: no line breaks, no markup, no icons. */
export function markdownCell(text: string): string {
  return text.replace(/[\r\n]+/g, ' ').replace(/[\\`*_{}[\]()#+!|<>~$]/g, '\\$&');
}
