import { either, isArrayOf, isBoolean, isNumber, isOneOf, isShape, isString, optional } from '../shared/messageShape.ts';
import type { Guard } from '../shared/messageShape.ts';
import type { Fact, ReceiptAttempt, ReceiptCost, ReceiptPage, ReceiptTarget } from './receiptModel.ts';
import { timelinePhases } from './receiptTimeline.ts';
import type { AttemptTimeline } from './receiptTimeline.ts';
import { tones } from '../../base/outcomeWording.ts';
import { isTokenFigure } from '../spend/spendMessages.ts';

/** Page -> extension. */
export type FromReceiptPage =
  | { type: 'ready' | 'retry' | 'copyJson' | 'copyMarkdown' | 'showConversation' }
  /** Asks for the prices of a target. */
  | { type: 'setPrices'; target: string }
  /** Copies the value of the fact of that name. */
  | { type: 'copyFact'; label: string };

/** Extension -> page. */
export type ToReceiptPage =
  | { type: 'page'; page: ReceiptPage }
  /** There is nothing to show: one sentence; `id` is the receipt that was asked for. */
  | { type: 'failed'; id: string; message: string }
  /** `what` was copied, to be read out: `as JSON`, `the request id`. */
  | { type: 'copied'; what: string };

/** What the page remembers across a reload of the window. */
export interface ReceiptState { id: string }

export const isReceiptState: Guard<ReceiptState> = isShape<ReceiptState>({ id: isString });

const isTone = isOneOf(...tones);
const isFact = isShape<Fact>({ label: isString, value: isString, isId: optional(isBoolean) });
const isCost = isShape<ReceiptCost>({ text: isString, note: isString });
const isTarget = isShape<ReceiptTarget>({ target: isString, upstream: optional(isString), standIn: optional(isString), state: isString, tone: isTone });
const isExcluded = isShape<{ target: string; reason: string }>({ target: isString, reason: isString });
const isTimeline = isShape<AttemptTimeline>({
  left: isNumber,
  width: isNumber,
  phases: isArrayOf(isShape<AttemptTimeline['phases'][number]>({ phase: isOneOf(...timelinePhases), width: isNumber })),
});
const isAttempt = isShape<ReceiptAttempt>({
  number: isNumber, target: isString, tone: isTone, outcome: isString, drill: isBoolean, message: optional(isString), facts: isArrayOf(isFact),
  timeline: isTimeline, tokens: isArrayOf(isTokenFigure), tokensEstimated: isBoolean, cost: isCost,
});
const isPage = isShape<ReceiptPage>({
  id: isString, requestedModel: isString, tone: isTone, outcome: isString, message: optional(isString), answeredBy: optional(isString), why: isString,
  facts: isArrayOf(isFact), cost: isCost, unpriced: optional(isString), tokens: isArrayOf(isTokenFigure),
  plan: isShape<ReceiptPage['plan']>({ summary: isString, targets: isArrayOf(isTarget), excluded: isArrayOf(isExcluded) }),
  attempts: isArrayOf(isAttempt),
});

export const isFromReceiptPage: Guard<FromReceiptPage> = either(
  isShape<{ type: 'ready' | 'retry' | 'copyJson' | 'copyMarkdown' | 'showConversation' }>({ type: isOneOf('ready', 'retry', 'copyJson', 'copyMarkdown', 'showConversation') }),
  either(
    isShape<{ type: 'copyFact'; label: string }>({ type: isOneOf('copyFact'), label: isString }),
    isShape<{ type: 'setPrices'; target: string }>({ type: isOneOf('setPrices'), target: isString }),
  ),
);

export const isToReceiptPage: Guard<ToReceiptPage> = either(
  isShape<{ type: 'page'; page: ReceiptPage }>({ type: isOneOf('page'), page: isPage }),
  either(
    isShape<{ type: 'failed'; id: string; message: string }>({ type: isOneOf('failed'), id: isString, message: isString }),
    isShape<{ type: 'copied'; what: string }>({ type: isOneOf('copied'), what: isString }),
  ),
);
