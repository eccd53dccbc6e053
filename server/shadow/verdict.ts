import type { ShadowCheck, ShadowVerdict } from '../api/shadow.ts';
import { geometricMean, meanShare, ratioOfFigures, shareOf, type BoundedFigure, type LogMoments } from '../base/statistics/intervals.ts';
import type { ShadowConfig } from '../config/config.ts';
import type { LikenessName, Measure, ShadowRun } from './shadowRun.ts';

/** Without so many answers of the route's own target to the same request, its own noise is not known. */
export const fewestRepeats = 8;
/** A measure of fewer pairs is not judged. */
const fewestPairs = 5;
/** Answers with calls of tools that are judged apart. */
const fewestCalls = 10;
/** The share of requests that the shadow must answer, in proportion to the route's own target; one that may lie lower by chance is not enough data. */
const success = { least: 0.95, certain: 0.9 };

/** The shadow's share of answered requests, in proportion to that of the route's own target asked once more. */
export function relativeSuccess({ arms: { shadow, repeat } }: ShadowRun): BoundedFigure | undefined {
  return ratioOfFigures(shareOf(shadow.answered, shadow.sent), shareOf(repeat.answered, repeat.sent));
}

/** How much the shadow's answers are like the caller's, in proportion to those of the route's own target asked once more. */
export function relativeLikeness({ arms: { shadow, repeat } }: ShadowRun, name: LikenessName): BoundedFigure | undefined {
  return ratioOfFigures(meanShare(shadow.likeness[name]), meanShare(repeat.likeness[name]));
}

/** How many times the caller's a measure is at the shadow, in proportion to the route's own target asked once more. */
export function relativeMeasure({ arms: { shadow, repeat } }: ShadowRun, measure: Measure): BoundedFigure | undefined {
  return ratioOfFigures(wide(shadow.measures[measure].ratio), wide(repeat.measures[measure].ratio));
}

/** Few values have wider bounds than the normal distribution gives them. */
function wide(moments: LogMoments): BoundedFigure | undefined {
  const mean = geometricMean(moments);
  if (mean?.low === undefined || mean.high === undefined) return undefined;
  const factor = 1 + 1.5 / (moments.count - 1);
  return { value: mean.value, low: mean.value * (mean.low / mean.value) ** factor, high: mean.value * (mean.high / mean.value) ** factor };
}

/** What the verdict is made of, the first that decides first. */
export function checksOf(run: ShadowRun, rules: ShadowConfig): ShadowCheck[] {
  const { shadow, repeat } = run.arms;
  const [compared, repeated] = [shadow.likeness.match.count, repeat.likeness.match.count];
  return [
    {
      check: 'data', state: compared >= rules.minRequests && repeated >= fewestRepeats ? 'pass' : 'no-data',
      message: `${String(compared)} of at least ${String(rules.minRequests)} pairs of answers were compared, and ${String(repeated)} of at least ${String(fewestRepeats)} of the route's own target asked twice.`,
    },
    successCheck(relativeSuccess(run)),
    atLeast('agreement', 'The answers are', relativeLikeness(run, 'match'), rules.agreement),
    ...(shadow.likeness.toolCalls.count < fewestCalls || repeat.likeness.toolCalls.count === 0 ? []
      : [atLeast('tool calls', 'The calls of tools are', relativeLikeness(run, 'toolCalls'), rules.agreement)]),
    ...measureCheck(run, 'firstToken', 'first token', 'The first token takes', rules.latencyRatio),
    ...measureCheck(run, 'total', 'total time', 'The whole answer takes', rules.latencyRatio),
    ...(rules.costRatio === undefined ? [] : costCheck(run, rules.costRatio)),
  ];
}

export function verdictOf(checks: readonly ShadowCheck[]): ShadowVerdict {
  const data = checks.find(({ check }) => check === 'data');
  if (data?.state === 'no-data') return 'not enough data';
  if (checks.some(({ state }) => state === 'fail')) return 'needs tuning';
  return checks.some(({ state }) => state === 'no-data') ? 'not enough data' : 'ready';
}

/** The check that the verdict follows from; undefined where all pass. */
export function decidingCheck(checks: readonly ShadowCheck[], verdict: ShadowVerdict): ShadowCheck | undefined {
  return verdict === 'ready' ? undefined : checks.find(({ state }) => state === (verdict === 'needs tuning' ? 'fail' : 'no-data'));
}

function successCheck(figure: BoundedFigure | undefined): ShadowCheck {
  const check = 'success';
  if (figure === undefined) return { check, state: 'no-data', message: 'No mirrored request has ended at both targets.' };
  const state = figure.high < success.least ? 'fail' : figure.value >= success.least && figure.low >= success.certain ? 'pass' : 'no-data';
  return { check, state, message: `The shadow answers ${rangeText(figure)} times as often as the route's own target; ${String(success.least)} is asked for.` };
}

function atLeast(check: string, subject: string, figure: BoundedFigure | undefined, least: number): ShadowCheck {
  if (figure === undefined) return { check, state: 'no-data', message: 'No pair of answers was compared.' };
  const state = figure.low >= least ? 'pass' : figure.high < least ? 'fail' : 'no-data';
  return { check, state, message: `${subject} ${rangeText(figure)} times as much like the caller's as a second answer of the route's own target; ${String(least)} is asked for.` };
}

function measureCheck(run: ShadowRun, measure: Measure, check: string, subject: string, most: number): ShadowCheck[] {
  const pairs = run.arms.shadow.measures[measure].ratio.count;
  // Plain answers have no first token of their own.
  if (pairs < fewestPairs) return [];
  return [atMost(check, subject, relativeMeasure(run, measure), most)];
}

/** Money has no noise that a repetition would show: the price of the same request at both targets is compared. */
function costCheck(run: ShadowRun, most: number): ShadowCheck[] {
  const { ratio } = run.arms.shadow.measures.cost;
  if (ratio.count < fewestPairs) return [{ check: 'cost', state: 'no-data', message: 'Too few requests have a known cost at both targets.' }];
  return [atMost('cost', 'A request costs', wide(ratio), most)];
}

function atMost(check: string, subject: string, figure: BoundedFigure | undefined, most: number): ShadowCheck {
  if (figure === undefined) return { check, state: 'no-data', message: 'Too few requests were measured at both targets.' };
  const state = figure.high <= most ? 'pass' : figure.low > most ? 'fail' : 'no-data';
  return { check, state, message: `${subject} ${rangeText(figure)} times what it is at the route's own target; at most ${String(most)} is asked for.` };
}

function rangeText({ value, low, high }: BoundedFigure): string {
  const text = (figure: number): string => (Number.isFinite(figure) ? String(Number(figure.toPrecision(3))) : 'unknown');
  return `${text(value)} (${text(low)} to ${text(high)})`;
}
