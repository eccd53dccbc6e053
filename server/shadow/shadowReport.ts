import type { FigureWithInterval } from '../api/canary.ts';
import type { ShadowReport, ShadowRow, ShadowSkip } from '../api/shadow.ts';
import { geometricMean, meanShare, shareOf } from '../base/statistics/intervals.ts';
import type { ShadowConfig } from '../config/config.ts';
import type { ArmTally, LikenessName, Measure, ShadowRun } from './shadowRun.ts';
import { checksOf, decidingCheck, relativeLikeness, relativeMeasure, relativeSuccess, verdictOf } from './verdict.ts';

/** What a report is made of. */
export interface ShadowReportSources {
  route: string;
  target: string;
  rules: ShadowConfig;
  /** Undefined: it was never started with this target. */
  run: ShadowRun | undefined;
  /** It was started with another target. */
  targetChanged: boolean;
  /** Micro-dollars of today. */
  spentMicroUsd: number;
}

/** Where the shadow of a route stands, and what it showed so far. */
export function shadowReportOf({ route, target, rules, run, targetChanged, spentMicroUsd }: ShadowReportSources): ShadowReport {
  const common = { route, target, share: rules.share, sameTargetShare: rules.sameTargetShare, budgetMicroUsd: rules.budgetMicroUsd, spentMicroUsd };
  if (run === undefined) {
    const none = { sent: 0, answered: 0, compared: 0 };
    const message = targetChanged ? 'The target of the shadow has changed since it was started; start it again.' : 'The shadow has not been started.';
    return { ...common, phase: 'none', verdict: 'not enough data', message, counts: { shadow: none, repeat: none }, skipped: [], checks: [], rows: [] };
  }
  const checks = checksOf(run, rules);
  const verdict = verdictOf(checks);
  return {
    ...common, phase: run.phase, verdict, message: sentence(run, checks, verdict, spentMicroUsd, rules), startedAt: run.startedAt,
    counts: { shadow: countsOf(run.arms.shadow), repeat: countsOf(run.arms.repeat) },
    skipped: (Object.entries(run.skipped) as [ShadowSkip, number][]).map(([reason, count]) => ({ reason, count })).sort((a, b) => b.count - a.count),
    checks, rows: rowsOf(run),
  };
}

const leads = {
  'ready': 'Ready',
  'needs tuning': 'Needs tuning',
  'not enough data': 'Not enough data',
} as const;

function sentence(run: ShadowRun, checks: ReturnType<typeof checksOf>, verdict: ShadowReport['verdict'], spentMicroUsd: number, { budgetMicroUsd }: ShadowConfig): string {
  const deciding = decidingCheck(checks, verdict);
  const why = deciding === undefined ? 'every check passes.' : `${deciding.message.charAt(0).toLowerCase()}${deciding.message.slice(1)}`;
  const pause = run.phase === 'running' && spentMicroUsd >= budgetMicroUsd ? ' Today\'s budget is used up; it goes on at midnight.' : '';
  return `${leads[verdict]}: ${why}${pause}`;
}

function countsOf({ sent, answered, likeness }: ArmTally): ShadowReport['counts']['shadow'] {
  return { sent, answered, compared: likeness.match.count };
}

function rowsOf(run: ShadowRun): ShadowRow[] {
  const { own, arms: { shadow, repeat } } = run;
  const measure = (name: string, unit: ShadowRow['unit'], which: Measure): ShadowRow => ({
    name, unit, own: rounded(geometricMean(shadow.measures[which].own)), shadow: rounded(geometricMean(shadow.measures[which].here)),
    repeat: rounded(geometricMean(repeat.measures[which].here)), relative: rounded(relativeMeasure(run, which)),
  });
  const likeness = (name: string, which: LikenessName): ShadowRow => ({
    name, unit: 'share', shadow: rounded(meanShare(shadow.likeness[which])), repeat: rounded(meanShare(repeat.likeness[which])), relative: rounded(relativeLikeness(run, which)),
  });
  const rows: ShadowRow[] = [
    {
      name: 'success', unit: 'share', own: rounded(shareOf(own.answered, own.sent)), shadow: rounded(shareOf(shadow.answered, shadow.sent)),
      repeat: rounded(shareOf(repeat.answered, repeat.sent)), relative: rounded(relativeSuccess(run)),
    },
    measure('first token', 'ms', 'firstToken'), measure('total time', 'ms', 'total'), measure('cost of a request', 'microUsd', 'cost'), measure('length in tokens', 'tokens', 'length'),
    likeness('agreement', 'match'), likeness('same tools', 'toolNames'), likeness('same calls', 'toolCalls'), likeness('similarity of text', 'text'), likeness('same end', 'stop'),
  ];
  return rows.filter(({ shadow: figure, repeat: again }) => figure !== undefined || again !== undefined);
}

function rounded(figure: FigureWithInterval | undefined): FigureWithInterval | undefined {
  if (figure === undefined) return undefined;
  const round = (value: number | undefined): number | undefined => (value === undefined || !Number.isFinite(value) ? undefined : Number(value.toPrecision(6)));
  return { value: round(figure.value) ?? 0, low: round(figure.low), high: round(figure.high) };
}
