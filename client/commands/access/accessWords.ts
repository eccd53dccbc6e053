import { t } from '@vscode/l10n';
import { mostLimit, type AccessSettings, type AllowedNames, type TokenAccess } from '../../../server/api/access/tokenAccess.ts';
import { formatCount, formatMoment, type TimeStyle } from '../../base/figures.ts';
import { formatMicroUsd } from '../../base/money.ts';

const mostNamed = 4;

/** Which routes a token may ask for: `Routes: best, cheap`. */
export function routesWords(routes: AllowedNames): string {
  if (routes === 'all') return t('Routes: every one');
  return routes.length === 0 ? t('Routes: none') : t('Routes: {0}', listed(routes));
}

/** Which models a token may ask for: `Models: every one`. */
export function modelsWords(models: AllowedNames): string {
  if (models === 'all') return t('Models: every one');
  return models.length === 0 ? t('Models: none') : t('Models: {0}', listed(models));
}

function listed(names: readonly string[]): string {
  const shown = names.slice(0, mostNamed).join(', ');
  return names.length > mostNamed ? t('{0} and {1} more', shown, formatCount(names.length - mostNamed)) : shown;
}

/** What a token may spend: `Budget: $5.00 a day, $60.00 a month`. */
export function budgetWords({ dayMicroUsd, monthMicroUsd }: Pick<AccessSettings, 'dayMicroUsd' | 'monthMicroUsd'>): string {
  if (dayMicroUsd === undefined) return monthMicroUsd === undefined ? t('Budget: none') : t('Budget: {0} a month', formatMicroUsd(monthMicroUsd));
  return monthMicroUsd === undefined ? t('Budget: {0} a day', formatMicroUsd(dayMicroUsd)) : t('Budget: {0} a day, {1} a month', formatMicroUsd(dayMicroUsd), formatMicroUsd(monthMicroUsd));
}

/** The limits of a token: `Limits: requests a minute 60, at once 4`. */
export function limitsWords({ requestsPerMinute, tokensPerMinute, concurrency }: Pick<AccessSettings, 'requestsPerMinute' | 'tokensPerMinute' | 'concurrency'>): string {
  const parts = [
    requestsPerMinute === undefined ? undefined : t('requests a minute {0}', formatCount(requestsPerMinute)),
    tokensPerMinute === undefined ? undefined : t('tokens a minute {0}', formatCount(tokensPerMinute)),
    concurrency === undefined ? undefined : t('requests at once {0}', formatCount(concurrency)),
  ].filter(part => part !== undefined);
  return parts.length === 0 ? t('Limits: none') : t('Limits: {0}', parts.join(', '));
}

/** Whether a token lets its tool in now. @param now milliseconds since the epoch */
export function stateWords({ expiresAt, revokedAt }: Pick<TokenAccess, 'expiresAt' | 'revokedAt'>, now: number, style: TimeStyle): string {
  if (revokedAt !== undefined) return t('Revoked on {0}', formatMoment(revokedAt, style));
  if (expiresAt === undefined) return t('Does not end');
  return expiresAt <= now ? t('Ended on {0}', formatMoment(expiresAt, style)) : t('Ends on {0}', formatMoment(expiresAt, style));
}

/** All of it in one line. @param now milliseconds since the epoch */
export function accessWords(access: AccessSettings & Pick<TokenAccess, 'revokedAt'>, now: number, style: TimeStyle): string {
  const bounds = [
    ...(access.dayMicroUsd === undefined && access.monthMicroUsd === undefined ? [] : [budgetWords(access)]),
    ...(access.requestsPerMinute === undefined && access.tokensPerMinute === undefined && access.concurrency === undefined ? [] : [limitsWords(access)]),
    ...(access.expiresAt === undefined && access.revokedAt === undefined ? [] : [stateWords(access, now, style)]),
  ];
  return [routesWords(access.routes), modelsWords(access.models), ...bounds].join(' · ');
}

/** What of a token's access is set: without its name and its moments. */
export function settingsOf({ routes, models, dayMicroUsd, monthMicroUsd, requestsPerMinute, tokensPerMinute, concurrency, expiresAt }: AccessSettings): AccessSettings {
  return { routes, models, dayMicroUsd, monthMicroUsd, requestsPerMinute, tokensPerMinute, concurrency, expiresAt };
}

/** A whole number from 1 that a person typed; empty: no limit. @returns what to write instead, as a sentence, where it is neither */
export function readLimitCount(text: string): { readonly value: number | undefined } | string {
  if (text === '') return { value: undefined };
  const plain = text.replaceAll(/[\s,._']/g, '');
  return /^[1-9]\d{0,9}$/.test(plain) && Number(plain) <= mostLimit ? { value: Number(plain) } : t('Write a whole number from 1, or leave the box empty for no limit.');
}
