import { t } from '@vscode/l10n';

export interface BillPeriod { label: string; description: string; fromDay: string; toDay: string }

const dayMs = 86_400_000;

/** The periods that a bill is compared for, in days of UTC as providers count them. @param now milliseconds since the epoch */
export function billPeriods(now: number): BillPeriod[] {
  const date = new Date(now);
  const [year, month] = [date.getUTCFullYear(), date.getUTCMonth()];
  const day = (at: number): string => new Date(at).toISOString().slice(0, 10);
  const period = (label: string, from: number, to: number): BillPeriod => ({ label, description: day(from) === day(to) ? day(from) : t('{0} to {1}', day(from), day(to)), fromDay: day(from), toDay: day(to) });
  return [
    period(t('This Month'), Date.UTC(year, month, 1), now),
    period(t('Last Month'), Date.UTC(year, month - 1, 1), Date.UTC(year, month, 0)),
    period(t('Last 7 Days'), now - 6 * dayMs, now),
    period(t('Yesterday'), now - dayMs, now - dayMs),
  ];
}
