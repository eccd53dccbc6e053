/** One day of money, in millionths of a US dollar. */
export interface DaySpend {
  microUsd: number;
  estimatedMicroUsd: number;
}

/** One bar. Horizontal measures are shares (0..1) of the chart's width, vertical ones of its height. */
export interface ChartBar {
  left: number;
  width: number;
  /** The whole bar. */
  height: number;
  /** The top part of the bar that is an estimate. */
  estimatedHeight: number;
}

export interface ChartGeometry {
  /** The money the top edge of the chart stands for. */
  ceilingMicroUsd: number;
  bars: ChartBar[];
}

const gapShare = 0.25;
/** Even a hundredth of a cent must be seen beside a dear day. */
const smallestHeight = 0.025;

/**
 * Places a bar for each day, oldest first, in `slots` equal columns (more columns than days leave room at the
 * end). The ceiling is the next round sum of money above the most expensive day.
 */
export function chartGeometry(days: readonly DaySpend[], slots: number): ChartGeometry {
  const columns = Math.max(slots, days.length, 1);
  const ceilingMicroUsd = roundCeiling(Math.max(0, ...days.map((day) => day.microUsd)));
  const bars = days.map((day, index): ChartBar => {
    const height = day.microUsd <= 0 ? 0 : Math.max(smallestHeight, day.microUsd / ceilingMicroUsd);
    const estimatedShare = day.microUsd <= 0 ? 0 : Math.min(1, Math.max(0, day.estimatedMicroUsd / day.microUsd));
    return {
      left: (index + gapShare / 2) / columns,
      width: (1 - gapShare) / columns,
      height,
      estimatedHeight: height * estimatedShare,
    };
  });
  return { ceilingMicroUsd, bars };
}

/** The smallest of 1, 2, 5 times a power of ten that is not below the value; at least a hundredth of a cent. */
export function roundCeiling(microUsd: number): number {
  let step = 100;
  while (step * 10 < microUsd) step *= 10;
  for (const factor of [1, 2, 5]) if (step * factor >= microUsd) return step * factor;
  return step * 10;
}
