import type { TokenFigure } from '../../base/figures.ts';
import { either, isArrayOf, isBoolean, isNumber, isOneOf, isShape, isString, optional } from '../shared/messageShape.ts';
import type { Guard } from '../shared/messageShape.ts';
import type { ChartBar } from './spendChartModel.ts';
import type { ChartDay, SpendPage, SpendRow, SpendSection } from './spendModel.ts';
import { spendPeriods } from './spendRange.ts';
import type { SpendPeriod } from './spendRange.ts';

/** What a button of the page asks for; the extension decides which command that is. */
export const spendActions = ['addProvider', 'openChat', 'showRequests', 'exportSpend', 'openDashboard'] as const;
export type SpendAction = (typeof spendActions)[number];

/** Page -> extension. `ready` carries the period the page remembered. */
export type FromSpendPage =
  | { type: 'ready' | 'period'; period: SpendPeriod }
  | { type: 'retry' }
  | { type: 'run'; action: SpendAction };

/** Extension -> page. */
export type ToSpendPage =
  | { type: 'page'; page: SpendPage }
  /** The figures could not be read: one sentence. What is on screen stays, marked as old. */
  | { type: 'failed'; period: SpendPeriod; message: string };

const isPeriod: Guard<SpendPeriod> = isOneOf(...spendPeriods);
export const isTokenFigure: Guard<TokenFigure> = isShape<TokenFigure>({ label: isString, text: isString, exact: isString });
const isBar = isShape<ChartBar>({ left: isNumber, width: isNumber, height: isNumber, estimatedHeight: isNumber });
const isDay = isShape<ChartDay>({ label: isString, text: isString, bar: isBar, inPeriod: isBoolean });
const isRow = isShape<SpendRow>({ name: isString, text: isString, detail: isString, notes: isString, share: isNumber, tone: optional(isOneOf('near', 'reached')) });
const isSection = isShape<SpendSection>({ title: isString, rows: isArrayOf(isRow) });
const isPage = isShape<SpendPage>({
  period: isPeriod,
  empty: optional(isOneOf('no-providers', 'no-requests')),
  totalText: isString,
  notes: isArrayOf(isString),
  requestsText: isString,
  tokens: isArrayOf(isTokenFigure),
  cacheHitText: optional(isString),
  saved: optional(isShape<NonNullable<SpendPage['saved']>>({ text: isString, title: isString })),
  chart: optional(isShape<NonNullable<SpendPage['chart']>>({
    title: isString, ceilingText: isString, firstLabel: isString, lastLabel: isString, hasEstimates: isBoolean, hasUnknown: isBoolean, days: isArrayOf(isDay),
  })),
  sections: isArrayOf(isSection),
});

export const isFromSpendPage: Guard<FromSpendPage> = either(
  isShape<{ type: 'ready' | 'period'; period: SpendPeriod }>({ type: isOneOf('ready', 'period'), period: isPeriod }),
  either(
    isShape<{ type: 'retry' }>({ type: isOneOf('retry') }),
    isShape<{ type: 'run'; action: SpendAction }>({ type: isOneOf('run'), action: isOneOf(...spendActions) }),
  ),
);

export const isToSpendPage: Guard<ToSpendPage> = either(
  isShape<{ type: 'page'; page: SpendPage }>({ type: isOneOf('page'), page: isPage }),
  isShape<{ type: 'failed'; period: SpendPeriod; message: string }>({ type: isOneOf('failed'), period: isPeriod, message: isString }),
);
