import type { SaidValue } from '../../../api/localization/said.ts';
import type { StatusSnapshot } from '../../../api/status.ts';
import type { AlertRule } from '../../../config/monitoring/monitoringConfig.ts';
import { worstBudgets } from '../worstBudgets.ts';

/** Something that a rule is about, as it is now. */
export interface Condition {
  /** The endpoint, route or budget; empty: everything. */
  subject: string;
  /** Undefined: nobody can say now, such as of an endpoint while the machine is offline. */
  holds: boolean | undefined;
  /** What was measured: a share, seconds, US dollars; absent where the rule measures nothing. */
  value?: number | undefined;
  /** Since when it holds, in milliseconds since the epoch, where that is known. */
  since?: number | undefined;
  /** Something else that people should read. */
  detail?: SaidValue | undefined;
}

/** Requests of one route. */
export interface RouteTotals { requests: number; failed: number; seconds: number[]; firstTokenSeconds: number[]; bounds: readonly number[] }

/** What conditions are found from. */
export interface ConditionSources {
  status: StatusSnapshot;
  /** What happened within so many milliseconds, by route; the empty name has requests without a route. */
  within(windowMs: number): ReadonlyMap<string, RouteTotals>;
  /** What the requests of the last hour have cost, in US dollars; undefined: not known yet. */
  hourUsd: number | undefined;
}

/** Everything that a rule is about now. Where too little was measured, it is not known whether a condition holds. */
export function conditionsOf(rule: AlertRule, sources: ConditionSources): Condition[] {
  return allConditions(rule, sources).filter(({ subject }) => rule.only === undefined || rule.only.has(subject.toLowerCase()));
}

function allConditions({ when, above, windowMs, minRequests }: AlertRule, { status, within, hourUsd }: ConditionSources): Condition[] {
  switch (when) {
    case 'endpoint-down':
      // While the machine itself is offline, no endpoint is to blame, and none is known to be up.
      return status.endpoints.filter(({ enabled }) => enabled).map(({ name, state, offline, downtime, lastError, condition }) => ({
        subject: name, holds: state === 'unknown' || offline !== undefined ? undefined : state === 'down', since: downtime?.downSince, detail: condition.said ?? condition.why ?? lastError?.message,
      }));
    case 'error-rate':
      return [...within(windowMs)].map(([subject, { requests, failed }]) => ({ subject, holds: requests < minRequests ? undefined : failed / requests > above, value: requests === 0 ? 0 : failed / requests }));
    case 'slow':
    case 'slow-start':
      return [...within(windowMs)].map(([subject, totals]) => {
        const counts = when === 'slow' ? totals.seconds : totals.firstTokenSeconds;
        const value = quantile(0.99, totals.bounds, counts);
        return { subject, holds: value === undefined || counts.reduce((sum, one) => sum + one, 0) < minRequests ? undefined : value > above, value };
      });
    case 'budget':
      return worstBudgets(status.budgets ?? []).map(({ name: subject, share }) => ({ subject, holds: share >= above, value: share }));
    case 'canary-rolled-back':
      return (status.canaries ?? []).map(({ route, phase, message }) => ({ subject: route, holds: phase === 'rolled-back', detail: message }));
    case 'spend':
      return [{ subject: '', holds: hourUsd === undefined ? undefined : hourUsd > above, value: hourUsd }];
  }
}

/** Whether a rule is about the requests of a time. */
export function isWindowed({ when }: Pick<AlertRule, 'when'>): boolean {
  return when === 'error-rate' || when === 'slow' || when === 'slow-start';
}

/** Whether an endpoint is watched and known to be up. */
export function isKnownUp(endpoint: string, { status }: Pick<ConditionSources, 'status'>): boolean {
  return status.endpoints.some(({ name, enabled, state }) => name === endpoint && enabled && (state === 'healthy' || state === 'degraded'));
}

/** As Prometheus reckons it: linear within a bucket. Undefined where nothing was counted. @param counts by bound, the last one above all bounds */
export function quantile(share: number, bounds: readonly number[], counts: readonly number[]): number | undefined {
  const all = counts.reduce((sum, one) => sum + one, 0);
  if (all === 0) return undefined;
  let left = share * all;
  for (const [index, count] of counts.entries()) {
    if (left <= count && count > 0) {
      const from = index === 0 ? 0 : bounds[index - 1] ?? 0;
      const to = bounds[index];
      return to === undefined ? from : from + (to - from) * (left / count);
    }
    left -= count;
  }
  return bounds.at(-1);
}
