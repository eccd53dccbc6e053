import { requestType } from '../messageTypes.ts';
import type { BudgetPeriod, BudgetScope } from './budgetSettings.ts';

/** What a person allows on top of a budget to lift it until it begins anew, in millionths of a US dollar. */
export const liftedMicroUsd = 1e15;

/** Where a budget stands. Money in millionths of a US dollar. */
export interface BudgetStatus {
  name: string;
  period: BudgetPeriod;
  per: BudgetScope;
  /** Which one it is for, such as the name of a tool; absent: everything. Of a conversation it is a digest. */
  of?: string | undefined;
  /** What it is known by to `waybill/budget` and `POST /waybill/budgets`. */
  key: string;
  limitMicroUsd: number;
  /** What is known of what ended requests of the period cost, by the ledger and, since, by this server and its peers. */
  spentMicroUsd: number;
  /** Attempts of the period whose cost is not known, or not all of it, as of the last look into the ledger, and at least one where one ended since; absent: none. Of what is left they take what they were expected to cost, once the budget counts. */
  unknown?: number | undefined;
  /** What requests that run are expected to cost. */
  reservedMicroUsd: number;
  /** What a person allowed on top until it begins anew; absent: nothing. */
  allowedMicroUsd?: number | undefined;
  /** It is lifted until it begins anew. */
  lifted?: true | undefined;
  /** Negative where more was spent; absent where it is lifted. */
  leftMicroUsd?: number | undefined;
  /** What is spent, reserved and counted for what is unknown, as a share of limit and what was allowed; of one that is lifted as a share of the limit. */
  share: number;
  state: 'ok' | 'near' | 'reached';
  /** It stops requests; otherwise it only warns. */
  isHard: boolean;
  /** Milliseconds since the epoch. */
  from: number;
  resetsAt: number;
}

/** What is done with a budget. `allow`: more is allowed until it begins anew. `lift`: it holds nothing back until then. `restore`: what was allowed is taken back. */
export const budgetActions = ['allow', 'lift', 'restore'] as const;
export type BudgetAction = (typeof budgetActions)[number];
export interface BudgetOrder {
  action: BudgetAction;
  /** `key` of its status, or its name where that is one budget. */
  budget: string;
  /** With `allow`: how much, in US dollars; absent: 1. */
  usd?: number | undefined;
}
export type BudgetResult = { readonly message: string } | { readonly refused: string };

/** Client -> server, request: allows more of a budget, lifts it, or takes that back. */
export const budgetRequest = requestType<BudgetOrder, BudgetResult>('waybill/budget');
