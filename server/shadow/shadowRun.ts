import type { ShadowArm, ShadowSkip } from '../api/shadow.ts';
import { shadowSkips } from '../api/shadow.ts';
import { isObject, parseJson } from '../base/json.ts';
import { noMoments, noShares, withShare, withValue, type LogMoments, type ShareSums } from '../base/statistics/intervals.ts';
import type { Likeness } from './compareAnswers.ts';

/** Measures of an answer; what was not measured is absent. */
export interface Measured {
  readonly firstToken?: number | undefined;
  readonly total?: number | undefined;
  /** Micro-dollars. */
  readonly cost?: number | undefined;
  /** Tokens that were written. */
  readonly length?: number | undefined;
}

const measures = ['firstToken', 'total', 'cost', 'length'] as const;
export type Measure = (typeof measures)[number];
const likenesses = ['match', 'toolNames', 'toolCalls', 'text', 'stop'] as const;
export type LikenessName = (typeof likenesses)[number];

/** What became of one mirrored request at one of the two. */
export interface Trial {
  readonly arm: ShadowArm;
  readonly answered: boolean;
  readonly measured?: Measured | undefined;
  /** Of the answer that the caller got; absent where it got none. */
  readonly own?: Measured | undefined;
  /** Absent where either answer is missing or was not whole. */
  readonly likeness?: Likeness | undefined;
}

/** What is known of a measure: its values, and how many times those of the caller's answers to the same requests they are. */
export interface MeasureTally { readonly own: LogMoments; readonly here: LogMoments; readonly ratio: LogMoments }

export interface ArmTally {
  readonly sent: number;
  readonly answered: number;
  readonly measures: Readonly<Record<Measure, MeasureTally>>;
  readonly likeness: Readonly<Record<LikenessName, ShareSums>>;
}

/** The state of the shadow of a route: figures only. */
export interface ShadowRun {
  /** Random, new with each start. */
  readonly id: string;
  /** The target that is tried. */
  readonly target: string;
  readonly phase: 'running' | 'stopped';
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  /** Mirrored requests that ended, and how many of them the caller got an answer to. */
  readonly own: { readonly sent: number; readonly answered: number };
  readonly arms: Readonly<Record<ShadowArm, ArmTally>>;
  readonly skipped: Readonly<Partial<Record<ShadowSkip, number>>>;
  /** Micro-dollars of the local day that began at `day`. A new run goes on with them. */
  readonly spent: { readonly day: number; readonly microUsd: number };
}

const version = 1;
const noMeasure: MeasureTally = { own: noMoments, here: noMoments, ratio: noMoments };
const noArm: ArmTally = {
  sent: 0, answered: 0,
  measures: { firstToken: noMeasure, total: noMeasure, cost: noMeasure, length: noMeasure },
  likeness: { match: noShares, toolNames: noShares, toolCalls: noShares, text: noShares, stop: noShares },
};

/** @param before what was there, whose spend of the day goes on */
export function newRun(id: string, target: string, now: number, before: ShadowRun | undefined): ShadowRun {
  return {
    id, target, phase: 'running', startedAt: now, own: { sent: 0, answered: 0 }, arms: { shadow: noArm, repeat: noArm }, skipped: {},
    spent: before?.spent ?? { day: 0, microUsd: 0 },
  };
}

/** Counts what became of the caller's own request. */
export function withOwn(run: ShadowRun, answered: boolean): ShadowRun {
  return { ...run, own: { sent: run.own.sent + 1, answered: run.own.answered + (answered ? 1 : 0) } };
}

export function withTrial(run: ShadowRun, trial: Trial): ShadowRun {
  return { ...run, arms: { ...run.arms, [trial.arm]: tallied(run.arms[trial.arm], trial) } };
}

export function withSkip(run: ShadowRun, reason: ShadowSkip): ShadowRun {
  return { ...run, skipped: { ...run.skipped, [reason]: (run.skipped[reason] ?? 0) + 1 } };
}

/** @param day the local midnight before the money was spent */
export function withSpend(run: ShadowRun, day: number, microUsd: number): ShadowRun {
  const { spent } = run;
  // What another process reports late of an earlier day is not taken from today's budget.
  if (day < spent.day) return run;
  return { ...run, spent: { day, microUsd: (day === spent.day ? spent.microUsd : 0) + microUsd } };
}

/** @param day the local midnight of now */
export function spentOn({ spent }: ShadowRun, day: number): number {
  return spent.day === day ? spent.microUsd : 0;
}

function tallied(tally: ArmTally, { answered, measured, own, likeness }: Trial): ArmTally {
  const next = { ...tally.measures };
  for (const measure of measures) {
    const [here, there] = [measured?.[measure], own?.[measure]];
    if (here === undefined || !(here > 0)) continue;
    const before = next[measure];
    const pair = there !== undefined && there > 0;
    next[measure] = {
      here: withValue(before.here, here), own: pair ? withValue(before.own, there) : before.own, ratio: pair ? withValue(before.ratio, here / there) : before.ratio,
    };
  }
  const alike = { ...tally.likeness };
  for (const name of likenesses) {
    const value = likeness?.[name];
    if (value !== undefined) alike[name] = withShare(alike[name], value);
  }
  return { sent: tally.sent + 1, answered: tally.answered + (answered ? 1 : 0), measures: next, likeness: alike };
}

export function storedForm(run: ShadowRun): string {
  return JSON.stringify({ version, ...run });
}

/** @returns undefined for a text that this version did not write, so that the shadow counts as not started */
export function fromStored(text: string): ShadowRun | undefined {
  const value = parseJson(text);
  if (!isObject(value) || value['version'] !== version || !isRun(value)) return undefined;
  const { id, target, phase, startedAt, own, arms, skipped, spent } = value as unknown as ShadowRun;
  const known = Object.fromEntries(Object.entries(skipped).filter(([reason, count]) => reason in shadowSkips && isCount(count)));
  return { id, target, phase, startedAt, own, arms, skipped: known, spent };
}

function isRun(value: Record<string, unknown>): boolean {
  const { id, target, phase, startedAt, own, arms, skipped, spent } = value;
  return typeof id === 'string' && typeof target === 'string' && (phase === 'running' || phase === 'stopped') && isCount(startedAt)
    && hasCounts(own, ['sent', 'answered']) && isObject(arms) && isArm(arms['shadow']) && isArm(arms['repeat'])
    && isObject(skipped) && hasCounts(spent, ['day', 'microUsd']);
}

function isArm(value: unknown): boolean {
  if (!isObject(value) || !hasCounts(value, ['sent', 'answered'])) return false;
  const { measures: measured, likeness } = value;
  return isObject(measured) && isObject(likeness)
    && measures.every(name => {
      const tally = measured[name];
      return isObject(tally) && [tally['own'], tally['here'], tally['ratio']].every(isMoments);
    })
    && likenesses.every(name => hasCounts(likeness[name], ['count', 'sum', 'squares']));
}

function isMoments(value: unknown): boolean {
  return hasCounts(value, ['count', 'squares']) && isObject(value) && Number.isFinite(value['mean']);
}

function hasCounts(value: unknown, names: readonly string[]): boolean {
  return isObject(value) && names.every(name => isCount(value[name]));
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}
