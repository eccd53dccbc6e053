import { t } from '@vscode/l10n';

/**
 * Reads an amount of US dollars that a person typed: `5`, `$0.50`, `1,5`, `1,000,000`, `1,234.56`. A comma that could stand for
 * thousands as well as for cents, as in `1,500`, is not guessed at.
 * @returns millionths of a US dollar, or what to write instead, as a sentence
 */
export function readUsd(text: string): number | string {
  const written = text.trim().replace(/^\$\s?/, '');
  const unclear = /^([1-9]\d*),(\d{3})$/.exec(written);
  if (unclear !== null) return t('Write {0} or {1}.', `${unclear[1] ?? ''}${unclear[2] ?? ''}`, `${unclear[1] ?? ''}.${unclear[2] ?? ''}`);
  const plain = /^[1-9]\d{0,2}(?:,\d{3})+(?:\.\d+)?$/.test(written) ? written.replaceAll(',', '') : written.replace(/^(\d+),(\d+)$/, '$1.$2');
  if (!/^\d{1,9}(?:\.\d{1,6})?$/.test(plain)) return t('Write an amount of US dollars, such as 5 or 0.50.');
  const [whole = '0', fraction = ''] = plain.split('.');
  return Number(whole) * 1_000_000 + Number(fraction.padEnd(6, '0'));
}

/** What is wrong with an amount that was read; undefined: nothing. */
export function amountProblem(amount: number | string): string | undefined {
  return typeof amount === 'string' ? amount : undefined;
}
