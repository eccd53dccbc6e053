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
  if (only === undefined) return { text: 'There is no enabled provider to check; add one first.', allUp: true };
  const named = down.slice(0, mostNamed).map(({ endpoint, condition }) => `${endpoint}: ${conditionText(condition, now)}`);
  if (down.length > mostNamed) named.push(`the Providers view shows ${String(down.length - mostNamed)} more`);
  const rejected = down.find(({ condition }) => condition.kind === 'key-rejected');
  const action = rejected === undefined ? undefined : { title: 'Replace Key…', command: 'waybill.replaceKey', endpoint: rejected.endpoint };
  if (found.length === 1) return { text: `${only.endpoint}: ${conditionText(only.condition, now)}.`, allUp: down.length === 0, action };
  const upText = down.length === 0 ? `All ${count(found.length, 'provider')} are up` : `${String(found.length - down.length)} of ${count(found.length, 'provider')} up`;
  const weak = found.filter(({ condition }) => condition.kind === 'degraded' || condition.kind === 'recovering')
    .slice(0, mostNamed).map(({ endpoint, condition }) => `${endpoint}: ${conditionText(condition, now)}`);
  const details = down.length === 0 ? weak : named;
  return { text: `${upText}${details.length === 0 ? '' : `; ${details.join('; ')}`}.`, allUp: down.length === 0, action };
}
