import type { Said } from './localization/said.ts';

/** Comparing the ledger with what a provider charges: shapes that client and server share. */

/** Columns of a file, by their names in its first line. Absent: found by their usual names. */
export interface BillColumns {
  /** A day such as `2026-11-20`, or a moment. */
  day?: string | undefined;
  model?: string | undefined;
  /** US dollars. */
  cost?: string | undefined;
}

/** Where a provider's figures come from. */
export type BillSource =
  /** The provider's own cost API. The key is used for this call alone. */
  | { kind: 'api'; adminKey: string }
  /** A CSV file, or JSON records of OpenRouter's generations. */
  | { kind: 'file'; text: string; columns?: BillColumns | undefined };

export interface ReconcileParams {
  /** The endpoint whose provider sends the bill; other endpoints at the same place are counted as well. */
  endpoint: string;
  /** First and last day, such as `2026-11-20`. */
  fromDay: string;
  toDay: string;
  /** Of the days in the bill, such as `+08:00`; absent: UTC, as the providers' cost APIs count. */
  utcOffset?: string | undefined;
  source: BillSource;
}

export type BillReasonKind = 'unknown-cost' | 'unpriced' | 'outside' | 'price' | 'estimated' | 'border' | 'not-billed' | 'apart' | 'incomplete' | 'unexplained';

/** Why ours and theirs differ. */
export interface BillReason {
  kind: BillReasonKind;
  /** One sentence in English. */
  text: string;
  said: Said;
  /** Ids of exchanges that it is about, at most twenty, newest first; absent: none. */
  exchanges?: string[] | undefined;
}

/** Money in micro-dollars. */
export interface BillFigures {
  /** What the ledger has. */
  oursMicroUsd: number;
  /** Attempts in it whose cost is an estimate. */
  oursEstimated: number;
  /** Attempts whose cost is unknown, or known without a part that has no price: `oursMicroUsd` is a lower bound. */
  oursUnknown: number;
  /** What the provider charges. */
  theirsMicroUsd: number;
  /** Theirs less ours. */
  differenceMicroUsd: number;
}

/** One day of one model. */
export interface BillLine extends BillFigures {
  day: string;
  /** The name in the ledger, else in the bill; for what the bill lists apart from models, its words. */
  model: string;
  /** Attempts in the ledger. */
  ourRequests: number;
  /** Where the bill says so. */
  theirRequests?: number | undefined;
  ourTokens?: number | undefined;
  theirTokens?: number | undefined;
  reasons: BillReason[];
}

export interface BillReport {
  provider: string;
  /** Endpoints whose attempts are counted. */
  endpoints: string[];
  /** Where the figures come from, in English words. */
  source: string;
  saidSource: Said;
  fromDay: string;
  toDay: string;
  utcOffset: string;
  /** When it was made, in milliseconds since the epoch. */
  at: number;
  totals: BillFigures;
  /** The latest day first, then by size of the difference. */
  lines: BillLine[];
}

/** What came of it. */
export type ReconcileResult =
  | { report: BillReport }
  /** One sentence with the next action. `columns`: those of a file in which one was not found, to choose it from. */
  | { problem: string; missing?: keyof BillColumns | undefined; columns?: string[] | undefined };

/** A provider whose cost API can be asked, and the key that it wants. By provider id. */
export interface BillKey {
  /** What it is called, after "Give". */
  name: string;
  /** How it begins, where the vendor's other keys begin otherwise. */
  prefix?: string | undefined;
  /** Where one is made. */
  url: string;
}
export const billKeys: Readonly<Record<string, BillKey>> = {
  openai: { name: 'an admin key (sk-admin-…)', prefix: 'sk-admin-', url: 'https://platform.openai.com/settings/organization/admin-keys' },
  anthropic: { name: 'an admin key (sk-ant-admin…)', prefix: 'sk-ant-admin', url: 'https://platform.claude.com/settings/admin-keys' },
  openrouter: { name: 'a management key', url: 'https://openrouter.ai/settings/management-keys' },
};
