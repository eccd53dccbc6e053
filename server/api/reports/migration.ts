/** What was used, what it would cost elsewhere, and how to get there: shapes that client and server share. Money in micro-dollars. */
import type { TokenUsage } from '../conversation.ts';
import type { Said } from '../localization/said.ts';
import type { SpendFilter } from './dashboard.ts';
import type { Uncounted } from './savings.ts';

export interface MigrationParams {
  /** Where to: an endpoint, a provider of the catalog, a model, or `endpoint/model`. */
  to: string;
  /** Only what this endpoint answered; absent: everything. */
  of?: string | undefined;
  /** First and last local day, such as `2026-11-20`. */
  fromDay: string;
  toDay: string;
  /** Which requests; absent: all. */
  filter?: SpendFilter | undefined;
}

/** What one target answered. */
export interface UsedTarget {
  target: string;
  requests: number;
  usage: TokenUsage;
  /** Known cost of all attempts of these requests. */
  spentMicroUsd: number;
  /** Some of it is an estimate. */
  estimated: boolean;
  /** Requests whose cost is not known, or only in part. */
  unknown: number;
}

/** One line of the arithmetic: so many tokens at such a price. */
export interface PricedTokens { what: string; tokens: number; /** US dollars. */ perMTok: number; microUsd: number }

/** What one target answered, at one price of the other side. */
export interface MovedLine {
  from: string;
  to: string;
  requests: number;
  /** What was spent on these very requests, with all their attempts. */
  spentMicroUsd: number;
  items: PricedTokens[];
  /** Fees for requests, beside the tokens. */
  feesMicroUsd: number;
  /** Items and fees together. */
  microUsd: number;
  /** Bounds by what is known of tokenizers. */
  lowMicroUsd: number;
  highMicroUsd: number;
  /** Another model, or a price that is not certain. */
  estimated: boolean;
  priceSource: string;
  /** The day of which the price is; absent: not known. */
  priceAsOf?: string | undefined;
}

/** Something that requests use, and what becomes of it there. */
export interface FeatureUse {
  feature: string;
  /** What that is made of. */
  saidFeature?: Said | undefined;
  /** Requests that use it; absent: it is no matter of single requests. */
  requests?: number | undefined;
  state: 'there' | 'otherwise' | 'missing' | 'unknown';
  /** One sentence without its end, with what it is made of. */
  words: string;
  saidWords?: Said | undefined;
}

/** A step of the way there. */
export interface MigrationStep {
  title: string;
  saidTitle?: Said | undefined;
  /** Sentences, with what they are made of. */
  text: string;
  saidText?: Said | undefined;
  /** Settings or commands, each with the language of its code block. */
  code?: { language: 'yaml' | 'sh' | 'json'; text: string }[] | undefined;
}

export interface MigrationReport {
  /** In words, with what they are made of. */
  to: string;
  saidTo?: Said | undefined;
  of?: string | undefined;
  fromDay: string;
  toDay: string;
  days: number;
  at: number;
  /** Requests of callers that ended. */
  requests: number;
  unanswered: number;
  /** Requests that a response cache answered, which cost nothing anywhere. */
  fromCache: number;
  used: UsedTarget[];
  tools: { name: string; requests: number }[];
  features: FeatureUse[];
  /** Requests of versions that did not record what they use. */
  featuresUnknown: number;
  lines: MovedLine[];
  /** Of the lines together. */
  totals: { requests: number; spentMicroUsd: number; microUsd: number; lowMicroUsd: number; highMicroUsd: number; estimated: boolean };
  /** Why requests are in no line. */
  uncounted: Uncounted[];
  steps: MigrationStep[];
}

export type MigrationResult = { report: MigrationReport } | { /** One sentence with the next action. */ problem: string };
