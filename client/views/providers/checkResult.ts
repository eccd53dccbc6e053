import { t } from '@vscode/l10n';
import { conditionText, isUp } from '../../../server/api/condition.ts';
import type { ProbeReport } from '../../../server/api/messages.ts';
import { count } from '../../base/format.ts';

/** What "Check Health Now" found, as a person reads it. */
export interface CheckResult {
  /** One sentence. */
  text: string;
  allUp: boolean;
  /** The button that most likely helps; absent where there is nothing to do. */
  action?: { title: string; command: string; endpoint: string } | undefined;
}

/** Providers beyond so many are counted, not named. */
const mostNamed = 3;

/** @param now milliseconds since the epoch */
export function checkResult(found: ProbeReport, now: number): CheckResult {
  const down = found.filter(({ condition }) => !isUp(condition));
  const [only] = found;
  if (only === undefined) return { text: t('There is no enabled provider to check; add one first.'), allUp: true };
  const named = down.slice(0, mostNamed).map(({ endpoint, condition }) => `${endpoint}: ${conditionText(condition, now)}`);
  if (down.length > mostNamed) named.push(t('the Providers view shows {0} more', down.length - mostNamed));
  const rejected = down.find(({ condition }) => condition.kind === 'key-rejected');
  const action = rejected === undefined ? undefined : { title: t('Replace Key…'), command: 'waybill.replaceKey', endpoint: rejected.endpoint };
  if (found.length === 1) return { text: `${only.endpoint}: ${conditionText(only.condition, now)}.`, allUp: down.length === 0, action };
  const upText = down.length === 0 ? t('All {0} are up', count(found.length, 'provider')) : t('{0} of {1} up', found.length - down.length, count(found.length, 'provider'));
  const weak = found.filter(({ condition }) => condition.kind === 'degraded' || condition.kind === 'recovering')
    .slice(0, mostNamed).map(({ endpoint, condition }) => `${endpoint}: ${conditionText(condition, now)}`);
  const details = down.length === 0 ? weak : named;
  return { text: `${upText}${details.length === 0 ? '' : `; ${details.join('; ')}`}.`, allUp: down.length === 0, action };
}
