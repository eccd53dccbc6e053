import type { JsonValue } from '../base/json.ts';

/** More than any model takes or makes in one answer. A larger figure is a provider's mistake, not a count. */
const largestTokenCount = 1_000_000_000;
/** A million US dollars: more than any single answer costs. */
const largestCostMicroUsd = 1_000_000_000_000;

/** A count of tokens in a provider's usage; undefined for anything that cannot be one. */
export function tokenCountOf(value: JsonValue | undefined): number | undefined {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= largestTokenCount ? value : undefined;
}

/** Whether one of these figures is a number and yet cannot be a count of tokens, which discredits the whole report. */
export function anyAbsurdCount(...values: readonly (JsonValue | undefined)[]): boolean {
  return values.some(value => typeof value === 'number' && tokenCountOf(value) === undefined);
}

/** A cost in micro-dollars, rounded; undefined when it is negative, no number, or beyond belief. */
export function plausibleCostMicroUsd(microUsd: number): number | undefined {
  const rounded = Math.round(microUsd);
  return rounded >= 0 && rounded <= largestCostMicroUsd ? rounded : undefined;
}
