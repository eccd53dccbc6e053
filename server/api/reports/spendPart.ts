import { t } from '@vscode/l10n';

/** What an attempt was paid for: each part by name, with what it is. The parts of a sum add up to it. */
export const spendParts = {
  answer: t('attempts that answered, or that the caller gave up'),
  retry: t('failed attempts after which the same target was asked again'),
  failover: t('failed attempts after which another target was asked, or none'),
  hedge: t('of two attempts that ran at once, the one that lost'),
  resume: t('attempts that went on with an answer, or began it again, after it broke off'),
  shadow: t('copies of requests that were sent to compare answers'),
} as const;
export type SpendPart = keyof typeof spendParts;

export function isSpendPart(name: unknown): name is SpendPart {
  return typeof name === 'string' && Object.hasOwn(spendParts, name);
}
