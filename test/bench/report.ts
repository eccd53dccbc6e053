import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import path from 'node:path';
import type { Measure, Row } from './measure.ts';
import type { Samples } from './samples.ts';
import { subjectNames } from './subjects.ts';

export const resultsFolder = path.join(import.meta.dirname, 'results');

export interface RowResult {
  measure: string;
  key: string;
  title: string;
  unit: Row['unit'];
  medians: Partial<Record<(typeof subjectNames)[number], number>>;
  /** Waybill's median to the pass-through's. */
  ratio: number | undefined;
  target: string | undefined;
  /** undefined: there is no target, or no figure. */
  reached: boolean | undefined;
  /** Every recorded value, in the order of the rounds. */
  rounds: Partial<Record<(typeof subjectNames)[number], readonly number[]>>;
}

/** Puts the medians, ratios and verdicts of every row together. */
export function judge(measures: readonly Measure[], samples: Samples): RowResult[] {
  return measures.flatMap(measure => Object.entries(measure.rows).map(([key, row]) => {
    const medians = Object.fromEntries(subjectNames.flatMap(name => {
      const value = samples.median(key, name);
      return value === undefined ? [] : [[name, value]];
    })) as RowResult['medians'];
    const ours = medians.waybill;
    const theirs = medians['pass-through'];
    // A yardstick of nothing, or below it, is within the noise: no ratio can be told.
    const ratio = ours === undefined || theirs === undefined || theirs <= 0 ? undefined : ours / theirs;
    return {
      measure: measure.name, key, title: row.title, unit: row.unit, medians, ratio,
      target: targetText(row), reached: reached(row, ours, ratio),
      rounds: Object.fromEntries(subjectNames.map(name => [name, samples.of(key, name)])),
    };
  }));
}

function targetText({ target, unit }: Row): string | undefined {
  if (target === undefined) return undefined;
  return 'ratio' in target ? `≤ ${target.ratio.toFixed(1)} x` : `≤ ${target.most} ${unit}`;
}

function reached({ target }: Row, ours: number | undefined, ratio: number | undefined): boolean | undefined {
  if (target === undefined) return undefined;
  if ('most' in target) return ours === undefined ? undefined : ours <= target.most;
  return ratio === undefined ? undefined : ratio <= target.ratio;
}

/** The table as it is printed. */
export function table(results: readonly RowResult[]): string {
  const shown = subjectNames.filter(name => results.some(({ medians }) => medians[name] !== undefined));
  const compared = shown.includes('earlier');
  const lines = [['', ...shown, 'ratio', ...(compared ? ['to earlier'] : []), 'target', '']];
  for (const { title, unit, medians, ratio, target, reached: verdict } of results) {
    lines.push([`${title}, ${unit}`, ...shown.map(name => figure(medians[name])), ratio === undefined ? '' : ratio.toFixed(2), ...(compared ? [toEarlier(medians)] : []), target ?? '',
      target === undefined ? '' : verdict === undefined ? 'unclear' : verdict ? 'reached' : 'MISSED']);
  }
  const widths = lines[0]?.map((_, column) => Math.max(...lines.map(line => line[column]?.length ?? 0))) ?? [];
  return lines.map(line => line.map((cell, column) => (column === 0 || column === line.length - 1 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0))).join('  ').trimEnd()).join('\n');
}

/** Waybill's median to the earlier build's; empty where the earlier figure is nothing or below. */
function toEarlier({ waybill, earlier }: RowResult['medians']): string {
  return waybill === undefined || earlier === undefined || earlier <= 0 ? '' : (waybill / earlier).toFixed(2);
}

function figure(value: number | undefined): string {
  if (value === undefined) return '';
  return Math.abs(value) >= 100 ? value.toFixed(0) : Math.abs(value) >= 10 ? value.toFixed(1) : value.toFixed(2);
}

/** Writes everything that was recorded. @returns the file */
export function writeResults(results: readonly RowResult[], failures: readonly string[], startedAt: Date, rounds: number): string {
  mkdirSync(resultsFolder, { recursive: true });
  const file = path.join(resultsFolder, `bench-${startedAt.toISOString().replace(/[:.]/g, '-')}.json`);
  const machine = { platform: process.platform, cpu: cpus()[0]?.model, cores: availableParallelism(), node: process.version };
  writeFileSync(file, `${JSON.stringify({ startedAt, machine, rounds, failures, results }, undefined, 2)}\n`);
  return file;
}
