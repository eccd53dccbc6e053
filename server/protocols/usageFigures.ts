import type { JsonValue } from '../base/json.ts';

/**
 * The rules by which all protocols judge the figures of a report of usage. Where one of them is broken, the figures cannot all be
 * true, and what the answer costs is an estimate. They are asked once for each answer, and make no objects.
 */

/** More than any model takes or makes in one answer. A larger figure is a provider's mistake, not a count. */
const largestTokenCount = 1_000_000_000;
/** A million US dollars: more than any single answer costs. */
const largestCostMicroUsd = 1_000_000_000_000;

/** A count of tokens in a provider's usage; undefined for anything that cannot be one. */
export function tokenCountOf(value: JsonValue | undefined): number | undefined {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= largestTokenCount ? value : undefined;
}

/** A figure of a provider's report. Absent or null it claims nothing. */
type Figure = JsonValue | undefined;

/** A present figure that cannot be a count of tokens makes the whole report contradictory. */
export function isAbsurd(figure: Figure): boolean {
  return figure !== undefined && figure !== null && tokenCountOf(figure) === undefined;
}

/** Whether the parts that a whole holds are together more than the whole. A whole that is no count holds anything. */
export function exceedsWhole(whole: Figure, part: Figure, second?: Figure, third?: Figure): boolean {
  const count = tokenCountOf(whole);
  return count !== undefined && countOf(part) + countOf(second) + countOf(third) > count;
}

/**
 * Whether a total is not the sum of its parts. A total that is no count, or has no part that is one, claims nothing.
 * @param optional a part that some providers leave out of the total
 */
export function missesTotal(total: Figure, part: Figure, second: Figure, third?: Figure, optional?: Figure): boolean {
  const sum = tokenCountOf(total);
  if (sum === undefined || (tokenCountOf(part) === undefined && tokenCountOf(second) === undefined && tokenCountOf(third) === undefined)) return false;
  const least = countOf(part) + countOf(second) + countOf(third);
  return sum < least || sum > least + countOf(optional);
}

function countOf(figure: Figure): number {
  return tokenCountOf(figure) ?? 0;
}

/** A cost in micro-dollars, rounded; undefined when it is negative, no number, or above the limit. */
export function plausibleCostMicroUsd(microUsd: number): number | undefined {
  const rounded = Math.round(microUsd);
  return rounded >= 0 && rounded <= largestCostMicroUsd ? rounded : undefined;
}
