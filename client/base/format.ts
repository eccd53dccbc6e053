import { t } from '@vscode/l10n';
import { counted, type Counted } from './counts.ts';
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
  if (isWhollyUnknown(money)) return t('unknown cost');
  const figure = formatMicroUsd(money.microUsd);
  const exact = figure.startsWith('<') ? t('less than {0} dollars', figure.replace('<$', '')) : t('{0} dollars', figure.replace('$', ''));
  const dollars = money.estimated ? t('about {0}', exact) : exact;
  return missing(money) > 0 ? t('{0} plus unknown cost', dollars) : dollars;
}

/** `1 key`, `2 keys`. */
export function count(amount: number, thing: Counted): string {
  return counted(amount, thing, String(amount));
}

/** Text made safe inside a Markdown table cell: no line breaks, no markup, no icons. */
export function markdownCell(text: string): string {
  return text.replace(/[\r\n]+/g, ' ').replace(/[\\`*_{}[\]()#+!|<>~$]/g, '\\$&');
}
