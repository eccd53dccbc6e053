import { t } from '@vscode/l10n';
import { textLanguage } from '../localization/localization.ts';
import { shownMessage } from '../localization/said.ts';
import type { Uncounted } from './savings.ts';

/** US dollars to the micro-dollar, with as many decimals as there are, but two at least: `$1.37`, `-$0.0042`, `$12,345.678901`. */
export function usdText(microUsd: number): string {
  const whole = Math.round(microUsd);
  const digits = String(Math.abs(whole)).padStart(7, '0');
  const decimals = digits.slice(-6).replace(/0{1,4}$/, '');
  return `${whole < 0 ? '-' : ''}$${Number(digits.slice(0, -6)).toLocaleString('en-US')}.${decimals}`;
}

/** With a sign where it is not nothing. */
export function signedUsdText(microUsd: number): string {
  return `${microUsd > 0 ? '+' : ''}${usdText(microUsd)}`;
}

/** A whole number, grouped as in the language of the texts. */
export function groupedText(count: number): string {
  return Math.round(count).toLocaleString(textLanguage());
}

/** `1 request`, `2,000 requests`. */
export function countText(count: number, singular: string, plural = `${singular}s`): string {
  return `${groupedText(count)} ${count === 1 ? singular : plural}`;
}

/** A share of 0..1 as per cent with one decimal. */
export function percentText(share: number): string {
  return `${String(Math.round(share * 1000) / 10)} %`;
}

/** A text within Markdown: what it holds is shown, and formats nothing. */
export function markdownText(text: string): string {
  return text.replace(/[\\|`*_<>[\]#~&]/g, '\\$&').replace(/[\r\n]+/g, ' ');
}

/** A table of Markdown. Cells are Markdown already. @param right whether each column is of figures, aligned to the right */
export function markdownTable(head: readonly string[], right: readonly boolean[], rows: readonly (readonly string[])[]): string[] {
  return [`| ${head.join(' | ')} |`, `|${right.map(one => (one ? '--:' : '---')).join('|')}|`, ...rows.map(cells => `| ${cells.join(' | ')} |`)];
}

/** The moment in UTC, to the minute. */
export function momentText(at: number): string {
  return `${new Date(at).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

/** `1 request`, `2,000 requests`. */
export function countOfRequests(count: number): string {
  return count === 1 ? t('1 request') : t('{0} requests', groupedText(count));
}

/** A lower and an upper bound, as texts. */
export function rangeText(least: string, most: string): string {
  return t('{0} to {1}', least, most);
}

/** Why requests are in no sum, in the language of the process. */
export function reasonText({ reason, said }: Pick<Uncounted, 'reason' | 'said'>): string {
  return shownMessage({ message: reason, said });
}
