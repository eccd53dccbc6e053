import type { FigureWithInterval } from '../../api/canary.ts';

const z = 1.96;

/** Wilson's interval of a share at 95 %; undefined without trials. */
export function shareOf(events: number, trials: number): FigureWithInterval | undefined {
  if (trials === 0) return undefined;
  const value = events / trials;
  const middle = (value + z * z / (2 * trials)) / (1 + z * z / trials);
  const half = z * Math.sqrt(value * (1 - value) / trials + z * z / (4 * trials * trials)) / (1 + z * z / trials);
  return { value, low: Math.max(0, middle - half), high: Math.min(1, middle + half) };
}

/** Number, mean and sum of squared distances of logarithms, after Welford. */
export interface LogMoments { readonly count: number; readonly mean: number; readonly squares: number }

export const noMoments: LogMoments = { count: 0, mean: 0, squares: 0 };

/** @param value above 0 */
export function withValue({ count, mean, squares }: LogMoments, value: number): LogMoments {
  const log = Math.log(value);
  const next = mean + (log - mean) / (count + 1);
  return { count: count + 1, mean: next, squares: squares + (log - mean) * (log - next) };
}

/** A mean needs some values before its spread can be known. */
const fewestValues = 5;
/** Of the intervals that a decision is made by. */
const alpha = 0.001;
/** The number of values at which the interval is about as narrow as it can be. */
const tunedFor = 50;

/**
 * Half the width of an interval of the mean that holds at all times at once: the asymptotic confidence sequence of
 * Waudby-Smith et al. (arXiv 2103.06476). Infinite with few values.
 */
function halfWidth({ count, squares }: LogMoments): number {
  if (count < fewestValues) return Infinity;
  const variance = squares / (count - 1);
  const tuning = 1 / tunedFor;
  const scaled = count * tuning + 1;
  return Math.sqrt(variance * 2 * scaled / (count * count * tuning) * Math.log(Math.sqrt(scaled) / alpha));
}

/** The ratio of two geometric means with bounds that hold at all times at once; undefined where one has no values. */
export function ratioOf(above: LogMoments, below: LogMoments): FigureWithInterval | undefined {
  if (above.count === 0 || below.count === 0) return undefined;
  const difference = above.mean - below.mean;
  const half = Math.hypot(halfWidth(above), halfWidth(below));
  return { value: Math.exp(difference), low: Math.exp(difference - half), high: Math.exp(difference + half) };
}

/** A geometric mean with its interval at 95 %; undefined without values. */
export function geometricMean({ count, mean, squares }: LogMoments): FigureWithInterval | undefined {
  if (count === 0) return undefined;
  const half = count < 2 ? undefined : z * Math.sqrt(squares / (count - 1) / count);
  return { value: Math.exp(mean), ...(half === undefined ? {} : { low: Math.exp(mean - half), high: Math.exp(mean + half) }) };
}

/** A figure whose bounds are known. */
export interface BoundedFigure { value: number; low: number; high: number }

/** Number, sum and sum of squares of values between 0 and 1. */
export interface ShareSums { readonly count: number; readonly sum: number; readonly squares: number }

export const noShares: ShareSums = { count: 0, sum: 0, squares: 0 };

/** @param value 0..1 */
export function withShare({ count, sum, squares }: ShareSums, value: number): ShareSums {
  return { count: count + 1, sum: sum + value, squares: squares + value * value };
}

/**
 * The mean of values between 0 and 1 with its interval at 95 %, as if one value of 0 and one of 1 had been seen beside them (after
 * Agresti and Coull): so few values, or values that are all the same, do not look certain. Undefined without values.
 */
export function meanShare({ count, sum, squares }: ShareSums): BoundedFigure | undefined {
  if (count === 0) return undefined;
  const value = sum / count;
  const middle = (sum + 1) / (count + 2);
  const half = z * Math.sqrt(Math.max(0, (squares + 1) / (count + 2) - middle * middle) / (count + 2));
  return { value, low: Math.max(0, Math.min(value, middle - half)), high: Math.min(1, Math.max(value, middle + half)) };
}

/** The ratio of two figures that are independent of each other, with bounds made of theirs on the scale of logarithms; undefined where one is unknown or the lower one is 0. */
export function ratioOfFigures(above: FigureWithInterval | undefined, below: FigureWithInterval | undefined): BoundedFigure | undefined {
  if (above?.low === undefined || above.high === undefined || below?.low === undefined || below.high === undefined || below.value <= 0) return undefined;
  const value = above.value / below.value;
  const down = above.low <= 0 ? Infinity : Math.log(above.value / above.low);
  const fall = Math.hypot(down, Math.log(below.high / below.value));
  const rise = Math.hypot(Math.log(above.high / Math.max(above.value, Number.MIN_VALUE)), below.low <= 0 ? Infinity : Math.log(below.value / below.low));
  return { value, low: value * Math.exp(-fall), high: above.value <= 0 ? above.high / Math.max(below.low, Number.MIN_VALUE) : value * Math.exp(rise) };
}
