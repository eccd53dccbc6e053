import { spendDimensionNames, type SpendDimension } from '../../../server/api/reports/dashboard.ts';
import { either, isArrayOf, isBoolean, isNumber, isOneOf, isShape, isString, optional, type Guard } from '../shared/messageShape.ts';
import { spendPeriods, type SpendPeriod } from '../spend/spendRange.ts';
import type { ChartBar } from '../spend/spendChartModel.ts';
import type { CrossCell, CrossTable, DashboardPage, DearestPage, Fact, ShareList, ShareRow, StepBar } from './dashboardModel.ts';
import { readDashboardState, type DashboardState, type Pick } from './dashboardState.ts';

/** What a button of the page asks for; the extension decides which command that is. */
export const dashboardActions = ['addProvider', 'openChat', 'exportDashboard', 'whatIf', 'migration'] as const;
export type DashboardAction = (typeof dashboardActions)[number];

/** Page -> extension. `ready` and `state` say what is to be shown; the state is read by readDashboardState. */
export type FromDashboardPage =
  | { type: 'ready' | 'state'; state: unknown }
  | { type: 'retry' }
  | { type: 'requests'; picks: Pick[]; from?: number | undefined; to?: number | undefined }
  | { type: 'receipt'; request: string }
  | { type: 'run'; action: DashboardAction };

/** Extension -> page. */
export type ToDashboardPage =
  | { type: 'page'; page: DashboardPage }
  /** A person asks for all requests of a period, whatever was chosen before; the page answers with its new state. */
  | { type: 'show'; period: SpendPeriod }
  /** @param state that they are of */
  | { type: 'dearest'; state: DashboardState; dearest: DearestPage }
  /** The figures could not be read: one sentence. What is on screen stays, marked as old. */
  | { type: 'failed'; message: string };

const isDimension: Guard<SpendDimension> = isOneOf(...spendDimensionNames);
const isNull: Guard<null> = (value) => value === null;
const isPick = isShape<Pick>({ dimension: isDimension, value: either(isString, isNull) });
const isAnything: Guard<unknown> = (_value): _value is unknown => true;
/** A state is one that reading leaves as it is, but for what it lacks. */
const isState: Guard<DashboardState> = (value): value is DashboardState => typeof value === 'object' && value !== null && Object.keys(readDashboardState(value, 0)).every((key) => key === 'columns' || Object.hasOwn(value, key));

const isFact = isShape<Fact>({ label: isString, text: isString, title: isString });
const isRow = isShape<ShareRow>({ name: isString, text: isString, detail: isString, notes: isString, share: isNumber, pick: optional(isPick), request: optional(isString) });
const isList = isShape<ShareList>({ title: isString, rows: isArrayOf(isRow), note: optional(isString) });
const isCell = isShape<CrossCell>({ text: isString, strength: isNumber, picks: optional(isArrayOf(isPick)) });
const isCross = isShape<CrossTable>({
  title: isString, columns: isArrayOf(isString), lines: isArrayOf(isShape<CrossTable['lines'][number]>({ name: isString, cells: isArrayOf(isCell) })),
});
const isBar = isShape<ChartBar>({ left: isNumber, width: isNumber, height: isNumber, estimatedHeight: isNumber });
const isStep = isShape<StepBar>({ label: isString, text: isString, from: isNumber, to: isNumber, bar: isBar });
const isPage = isShape<DashboardPage>({
  state: isState, rangeText: isString, empty: optional(isOneOf('no-providers', 'no-requests', 'no-match')),
  chips: isArrayOf(isShape<DashboardPage['chips'][number]>({ text: isString, dimension: isDimension })),
  totalText: isString, notes: isArrayOf(isString), forecast: optional(isFact), facts: isArrayOf(isFact),
  chart: optional(isShape<NonNullable<DashboardPage['chart']>>({ title: isString, ceilingText: isString, firstLabel: isString, lastLabel: isString, hasEstimates: isBoolean, hasUnknown: isBoolean, steps: isArrayOf(isStep) })),
  groups: isList, cross: optional(isCross), parts: isList,
});

export const isFromDashboardPage: Guard<FromDashboardPage> = either(
  either(isShape<{ type: 'ready' | 'state'; state: unknown }>({ type: isOneOf('ready', 'state'), state: isAnything }), isShape<{ type: 'retry' }>({ type: isOneOf('retry') })),
  either(
    either(
      isShape<Extract<FromDashboardPage, { type: 'requests' }>>({ type: isOneOf('requests'), picks: isArrayOf(isPick), from: optional(isNumber), to: optional(isNumber) }),
      isShape<{ type: 'receipt'; request: string }>({ type: isOneOf('receipt'), request: isString })),
    isShape<{ type: 'run'; action: DashboardAction }>({ type: isOneOf('run'), action: isOneOf(...dashboardActions) })),
);

export const isToDashboardPage: Guard<ToDashboardPage> = either(
  isShape<{ type: 'page'; page: DashboardPage }>({ type: isOneOf('page'), page: isPage }),
  either(
    isShape<{ type: 'dearest'; state: DashboardState; dearest: DearestPage }>({ type: isOneOf('dearest'), state: isState, dearest: isShape<DearestPage>({ conversations: isList, requests: isList }) }),
    either(
      isShape<{ type: 'show'; period: SpendPeriod }>({ type: isOneOf('show'), period: isOneOf(...spendPeriods) }),
      isShape<{ type: 'failed'; message: string }>({ type: isOneOf('failed'), message: isString }))),
);
