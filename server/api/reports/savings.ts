import type { Said } from '../localization/said.ts';
import type { SpendFilter } from './dashboard.ts';

/** What requests would have cost elsewhere, beside what they cost: shapes that client and server share. Money in micro-dollars. */

export interface SavingsParams {
  /** `first`, an endpoint, a provider of the catalog, a model, or `endpoint/model`; see baselineHelp. */
  baseline: string;
  /** First and last local day, such as `2026-11-20`. */
  fromDay: string;
  toDay: string;
  /** Only requests that pass it; a request counts with all its attempts. Absent: all of them. */
  filter?: SpendFilter | undefined;
}

/** Where requests can move, as part of a sentence. */
export const placeHelp = 'an endpoint, a provider, a model, or endpoint/model';
/** What a baseline can be, as part of a sentence. */
export const baselineHelp = `"first" (the first target of each route), ${placeHelp}`;

/** Costs of requests that the baseline would not have had. */
export interface Overheads {
  /** Attempts that failed, and answers that broke off and were begun again. */
  failedMicroUsd: number;
  /** Second requests that were sent beside a slow first one, and what lost against them. */
  secondMicroUsd: number;
  /** Copies that were sent to another target for comparison. */
  shadowMicroUsd: number;
  /** Of the answers: prompts that a cache elsewhere held, and that were read anew after a change of target. */
  rewritesMicroUsd: number;
}

/** A sum over requests whose cost and whose cost at the baseline are both known. */
export interface SavingsSums {
  /** Requests that are in the sums. */
  requests: number;
  /** Of these, requests that nothing answered: what they cost is in the sums, and the baseline's cost is taken for 0. */
  unanswered: number;
  /** Of these, requests that a response cache answered, and what those answers had cost at their targets: it is in what was saved. */
  fromCache: number;
  fromCacheMicroUsd: number;
  /** Of these, requests whose figure is an estimate. */
  estimated: number;
  /** Of these, requests that a plan or a free tier covered. */
  covered: number;
  spentMicroUsd: number;
  baselineMicroUsd: number;
  /** Baseline less spent: negative where the baseline would have been cheaper. */
  savedMicroUsd: number;
  /** Bounds of `savedMicroUsd` by what is known of tokenizers and caches. */
  savedLowMicroUsd: number;
  savedHighMicroUsd: number;
  overheads: Overheads;
  /** Requests that are in no sum, because a price or a count is not known. */
  uncounted: number;
}

export interface SavingsDay extends SavingsSums {
  /** A local day, such as `2026-11-20`. */
  day: string;
}
export interface SavingsGroup extends SavingsSums { name: string }

/** One request with a figure. */
export interface SavingsRequest {
  id: string;
  startedAt: number;
  tool: string;
  route?: string | undefined;
  requestedModel: string;
  /** What answered; absent: nothing did. */
  target?: string | undefined;
  /** Where the baseline would have sent it; absent where nothing answered. */
  baseline?: string | undefined;
  spentMicroUsd: number;
  baselineMicroUsd: number;
  savedMicroUsd: number;
  savedLowMicroUsd: number;
  savedHighMicroUsd: number;
  estimated: boolean;
}

/** Why requests are in no sum, as part of a sentence, with what it is made of, and how many. */
export interface Uncounted { reason: string; said?: Said | undefined; requests: number }

export interface SavingsReport {
  /** In words, with what they are made of. */
  baseline: string;
  saidBaseline?: Said | undefined;
  fromDay: string;
  toDay: string;
  /** When it was made, in milliseconds since the epoch. */
  at: number;
  totals: SavingsSums;
  /** Each local day of the range, oldest first. */
  days: SavingsDay[];
  /** Of each, the group that saved most first. What has no such name is a group of its own, so that groups add up to the totals. */
  byRoute: SavingsGroup[];
  byTool: SavingsGroup[];
  byWorkspace: SavingsGroup[];
  byBranch: SavingsGroup[];
  byModel: SavingsGroup[];
  /** The requests that saved most, and those that lost most; at most so many of each as `mostRequests` says. */
  best: SavingsRequest[];
  worst: SavingsRequest[];
  /** The most frequent first. */
  uncounted: Uncounted[];
}

export const mostRequests = 25;

export type SavingsResult = { report: SavingsReport } | { /** One sentence with the next action. */ problem: string };
