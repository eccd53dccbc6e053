import type { Attempt, Receipt } from '../api/receipt.ts';

/** An exchange that has ended, as far as reports over what was used read it. No plan, and no text of a provider is needed. */
export interface UsedExchange extends Pick<Receipt, 'id' | 'protocol' | 'stream' | 'caller' | 'startedAt' | 'totalMs' | 'outcome' | 'target' | 'features' | 'cache'> {
  requestedModel: string;
  /** Absent for models, pinned targets, and rows of versions that did not record it. */
  route?: string | undefined;
  /** The conversation as the plan looked for its caches: a digest; absent where it did not. */
  cacheConversation?: string | undefined;
  /** By number. */
  attempts: Attempt[];
  /** Attempts whose rows cannot be read: what they cost is unknown. */
  unreadable: number;
  /** It does not pass the filter of the read. */
  leftOut?: true | undefined;
}

/** Where a page of exchanges ends, in the order of their start. */
export interface UsedPosition { startedAt: number; seq: number }

export interface UsedPage {
  /** By their start. */
  exchanges: UsedExchange[];
  /** Where the next page goes on; absent: this is the last one. */
  next?: UsedPosition | undefined;
}
