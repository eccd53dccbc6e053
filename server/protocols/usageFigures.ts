import type { JsonValue } from '../base/json.ts';

/** More than any model takes or makes in one answer. A larger figure is a provider's mistake, not a count. */
const largestTokenCount = 1_000_000_000;
/** A million US dollars: more than any single answer costs. */
const largestCostMicroUsd = 1_000_000_000_000;

/** A count of tokens in a provider's usage; undefined for anything that cannot be one. */
export function tokenCountOf(value: JsonValue | undefined): number | undefined {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= largestTokenCount ? value : undefined;
}

/** What a report of usage claims. Figures that are absent or null claim nothing. */
export interface UsageClaims {
  /** Every figure that is to be a count. */
  counts: readonly Figure[];
  /** Each whole with the parts it holds; together they cannot be more. */
  wholes: readonly (readonly [whole: Figure, ...parts: Figure[]])[];
  /** A total with all it is the sum of. `optional`: parts that some leave out of it. */
  total?: { figure: Figure; parts: readonly Figure[]; optional?: Figure } | undefined;
}
type Figure = JsonValue | undefined;

/**
 * Whether the figures of a report cannot all be true: one is no possible count, parts are more than their whole, or a
 * total is not the sum of its parts. What such a report costs is an estimate. The one rule of all protocols.
 */
export function isContradictory({ counts, wholes, total }: UsageClaims): boolean {
  if (counts.some(isAbsurd)) return true;
  if (wholes.some(([whole, ...parts]) => tokenCountOf(whole) !== undefined && sumOf(parts) > Number(whole))) return true;
  const sum = tokenCountOf(total?.figure);
  if (total === undefined || sum === undefined || total.parts.every(part => tokenCountOf(part) === undefined)) return false;
  const least = sumOf(total.parts);
  return sum < least || sum > least + sumOf([total.optional]);
}

/** A present figure that cannot be a count of tokens makes the whole report contradictory. */
function isAbsurd(figure: Figure): boolean {
  return figure !== undefined && figure !== null && tokenCountOf(figure) === undefined;
}

function sumOf(figures: readonly Figure[]): number {
  let sum = 0;
  for (const figure of figures) sum += tokenCountOf(figure) ?? 0;
  return sum;
}

/** A cost in micro-dollars, rounded; undefined when it is negative, no number, or above the limit. */
export function plausibleCostMicroUsd(microUsd: number): number | undefined {
  const rounded = Math.round(microUsd);
  return rounded >= 0 && rounded <= largestCostMicroUsd ? rounded : undefined;
}
