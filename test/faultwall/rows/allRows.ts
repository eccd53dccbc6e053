import type { WallRow } from '../wallRow.ts';
import { bounds } from './bounds.ts';
import { brokenAnswers } from './brokenAnswers.ts';
import { limits } from './limits.ts';
import { recoveries } from './recoveries.ts';
import { refusals } from './refusals.ts';
import { silences } from './silences.ts';

/** Every way to fail that is played, in the order of the fault wall. */
export const allRows: readonly WallRow[] = [...silences, ...brokenAnswers, ...limits, ...refusals, ...recoveries, ...bounds]
  .map((row, index) => ({ row, index }))
  .sort((left, right) => left.row.number - right.row.number || left.index - right.index)
  .map(({ row }) => row);
