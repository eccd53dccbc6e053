import { either, isArrayOf, isBoolean, isOneOf, isShape, isString } from '../shared/messageShape.ts';
import type { Guard } from '../shared/messageShape.ts';
import type { BillDay, BillPage, BillReasonRow, BillRow } from './billModel.ts';

/** Page -> extension. */
export type FromBillPage =
  | { type: 'ready' | 'export' | 'again' }
  /** Opens the receipt of a request. */
  | { type: 'open'; exchange: string };

/** Extension -> page. */
export interface ToBillPage { type: 'page'; page: BillPage }

const isReason = isShape<BillReasonRow>({ text: isString, exchanges: isArrayOf(isString) });
const isRow = isShape<BillRow>({ model: isString, ours: isString, theirs: isString, difference: isString, isSame: isBoolean, detail: isString, reasons: isArrayOf(isReason) });
const isDay = isShape<BillDay>({ label: isString, rows: isArrayOf(isRow) });
const isPage = isShape<BillPage>({
  title: isString, verdict: isString, isSame: isBoolean, ours: isString, theirs: isString, difference: isString, made: isString, days: isArrayOf(isDay),
});

export const isFromBillPage: Guard<FromBillPage> = either(
  isShape<{ type: 'ready' | 'export' | 'again' }>({ type: isOneOf('ready', 'export', 'again') }),
  isShape<{ type: 'open'; exchange: string }>({ type: isOneOf('open'), exchange: isString }),
);

export const isToBillPage: Guard<ToBillPage> = isShape<ToBillPage>({ type: isOneOf('page'), page: isPage });
