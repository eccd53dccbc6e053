import { either, isArrayOf, isOneOf, isShape, isString, optional } from '../shared/messageShape.ts';
import type { Guard } from '../shared/messageShape.ts';
import { tones } from '../../base/outcomeWording.ts';
import type { DrillReportCell, DrillReportGap, DrillReportPage, DrillReportRoute } from './drillReportModel.ts';

/** Page -> extension. */
export type FromDrillReportPage =
  | { type: 'ready' | 'retry' | 'copyMarkdown' | 'startDrill' }
  /** Runs the command that closes a gap. */
  | { type: 'fix'; fix: DrillReportGap['fix']; endpoint?: string | undefined };

/** Extension -> page. */
export type ToDrillReportPage =
  | { type: 'page'; page: DrillReportPage }
  /** There is nothing to show: one sentence. */
  | { type: 'failed'; message: string }
  | { type: 'copied' };

const isTone = isOneOf(...tones);
const isFix = isOneOf('edit-route', 'add-provider', 'add-key', 'replace-key', 'enable', 'check-health');
const isCell = isShape<DrillReportCell>({ tone: isTone, result: isString, by: optional(isString), note: optional(isString) });
const isGap = isShape<DrillReportGap>({ problem: isString, action: isString, button: isString, fix: isFix, endpoint: optional(isString) });
const isTarget = isShape<DrillReportRoute['targets'][number]>({ target: isString, tone: isTone, state: isString, note: optional(isString) });
const isRoute = isShape<DrillReportRoute>({ name: isString, kind: isString, tone: isTone, verdict: isString, targets: isArrayOf(isTarget), gaps: isArrayOf(isGap) });
const isRow = isShape<DrillReportPage['matrix']['rows'][number]>({ kind: isString, name: isString, cells: isArrayOf(isCell) });
const isPage = isShape<DrillReportPage>({
  tone: isTone, verdict: isString, made: isString, drills: isArrayOf(isString), routes: isArrayOf(isRoute),
  matrix: isShape<DrillReportPage['matrix']>({ columns: isArrayOf(isString), rows: isArrayOf(isRow) }),
});

export const isFromDrillReportPage: Guard<FromDrillReportPage> = either(
  isShape<{ type: 'ready' | 'retry' | 'copyMarkdown' | 'startDrill' }>({ type: isOneOf('ready', 'retry', 'copyMarkdown', 'startDrill') }),
  isShape<{ type: 'fix'; fix: DrillReportGap['fix']; endpoint?: string | undefined }>({ type: isOneOf('fix'), fix: isFix, endpoint: optional(isString) }),
);

export const isToDrillReportPage: Guard<ToDrillReportPage> = either(
  isShape<{ type: 'page'; page: DrillReportPage }>({ type: isOneOf('page'), page: isPage }),
  either(
    isShape<{ type: 'failed'; message: string }>({ type: isOneOf('failed'), message: isString }),
    isShape<{ type: 'copied' }>({ type: isOneOf('copied') }),
  ),
);
