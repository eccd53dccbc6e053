import { t } from '@vscode/l10n';
import type { StatusSnapshot } from '../../../server/api/status.ts';
import type { ProviderOffer } from '../../../server/api/messages.ts';
import { dayName } from '../../base/figures.ts';

export interface ReportPeriod { label: string; description: string; fromDay: string; toDay: string }

/** The periods of a report, in local days. @param now milliseconds since the epoch */
export function reportPeriods(now: number): ReportPeriod[] {
  const date = new Date(now);
  const [year, month, today] = [date.getFullYear(), date.getMonth(), date.getDate()];
  const day = (at: Date): string => dayName(at.getTime());
  const period = (label: string, from: Date, to: Date): ReportPeriod => ({ label, description: day(from) === day(to) ? day(from) : t('{0} to {1}', day(from), day(to)), fromDay: day(from), toDay: day(to) });
  return [
    period(t('Last 30 Days'), new Date(year, month, today - 29), date),
    period(t('Last 7 Days'), new Date(year, month, today - 6), date),
    period(t('This Month'), new Date(year, month, 1), date),
    period(t('Last Month'), new Date(year, month - 1, 1), new Date(year, month, 0)),
    period(t('Last 90 Days'), new Date(year, month, today - 89), date),
    period(t('Today'), date, date),
  ];
}

export interface PlaceChoice { label: string; description: string; value: string }

/** What requests can be compared with: endpoints, models as they are offered, and providers that no endpoint is configured for. */
export function placeChoices(status: Pick<StatusSnapshot, 'endpoints' | 'offered'> | undefined, offers: readonly Pick<ProviderOffer, 'id' | 'name'>[]): PlaceChoice[] {
  const endpoints = status?.endpoints ?? [];
  const configured = new Set(endpoints.map(({ provider }) => provider));
  return [
    ...endpoints.map(({ name, providerName }) => ({ label: name, description: t('the same models at this endpoint ({0})', providerName), value: name })),
    ...(status?.offered ?? []).filter(({ kind }) => kind === 'model').map(({ name }) => ({ label: name, description: t('always this model'), value: name })),
    ...offers.filter(({ id }) => !configured.has(id)).map(({ id, name }) => ({ label: name, description: t('the same models by this provider\'s list prices'), value: id })),
  ];
}
