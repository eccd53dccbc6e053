import { liftedMicroUsd } from '../../api/budgets/budgetStatus.ts';
import type { BudgetPeriod, BudgetScope } from '../../api/budgets/budgetSettings.ts';
import type { CapOutcome, CapScope } from '../../api/settings.ts';

/** An amount of money with a name that several attempts may use up together. Plain data. */
export type Allowance = CapAllowance | BudgetAllowance;

interface AllowanceFacts {
  /** What it is counted under, in all servers of a data folder; no text of a prompt. */
  readonly key: string;
  readonly limitMicroUsd: number;
  /** Only this process counts it. */
  readonly ofProcess?: true | undefined;
}

/** What one request, turn, conversation or session may cost. */
export interface CapAllowance extends AllowanceFacts {
  readonly scope: CapScope;
  /** The route that it belongs to; undefined: it holds for everything. */
  readonly route: string | undefined;
  readonly whenReached: CapOutcome;
  readonly budget?: undefined;
}

/** What may be spent in a period. */
export interface BudgetAllowance extends AllowanceFacts {
  readonly budget: {
    readonly name: string;
    readonly period: BudgetPeriod;
    readonly per: BudgetScope;
    /** Which one of these it is for; undefined: everything. */
    readonly of: string | undefined;
    /** The endpoint whose attempts alone it counts; undefined: it counts those of every endpoint. */
    readonly endpoint?: string | undefined;
    readonly isHard: boolean;
    /** 0..1, of the limit. */
    readonly cheaperAt: number | undefined;
    /** When it begins anew, in milliseconds since the epoch. */
    readonly resetsAt: number;
    /** What the ledger has of the period, where nothing is counted yet, as of the last look: a request is planned before the first one. */
    readonly startMicroUsd: number;
  };
}

/** An allowance, and what is left of it beside what is used and reserved; negative where more was used. */
export type AllowanceLeft = Allowance & {
  readonly leftMicroUsd: number;
  /** What a person allowed on top; absent: nothing. */
  readonly allowedMicroUsd?: number | undefined;
  /** What attempts of this process that run have reserved of it, and may give back; absent: nothing. */
  readonly reservedMicroUsd?: number | undefined;
};

/** A person lifted it until it begins anew. */
export function isLifted({ allowedMicroUsd = 0 }: Pick<AllowanceLeft, 'allowedMicroUsd'>): boolean {
  return allowedMicroUsd >= liftedMicroUsd;
}

/** It counts what is spent and keeps nothing from being sent. */
export function isSoft({ budget }: Allowance): boolean {
  return budget?.isHard === false;
}

/** It counts attempts at the endpoint. */
export function counts({ budget }: Allowance, endpoint: string): boolean {
  return budget?.endpoint === undefined || budget.endpoint === endpoint;
}

/** What attempts of a request may cost. */
export interface SpendTerms {
  readonly allowances: readonly Allowance[];
  /** Caps leave out targets without a known price. */
  readonly needsPrice: boolean;
}

/** The same at one moment. */
export interface SpendLeft extends SpendTerms {
  readonly left: readonly AllowanceLeft[];
  /** Prices are known as far as they can be; else a target without one may have one later. */
  readonly isPriced: boolean;
}

/** Why a target without a known price is left out at an endpoint; undefined: it is not. */
export function whyUnpriced({ needsPrice }: Pick<SpendTerms, 'needsPrice'>, left: readonly AllowanceLeft[], endpoint: string): string | undefined {
  const hard = left.find(one => one.budget?.isHard === true && counts(one, endpoint) && !isLifted(one));
  if (hard?.budget !== undefined) return `its price is not known, and the budget "${hard.budget.name}" holds: set its prices, or let the budget only warn`;
  return needsPrice ? unpricedReason : undefined;
}

/** Whether a cost at an endpoint that does not fit may fit once attempts that run have ended: what they reserved is all that is missing. */
export function maySettle(left: readonly AllowanceLeft[], microUsd: number, endpoint: string): boolean {
  return left.every(one => !isMisfit(one, microUsd, endpoint) || microUsd <= one.leftMicroUsd + (one.reservedMicroUsd ?? 0));
}

/** The first allowance that a cost at an endpoint does not fit into; undefined where it fits all. What costs nothing always fits, and what is soft is always fitted. */
export function misfit(left: readonly AllowanceLeft[], microUsd: number, endpoint: string): AllowanceLeft | undefined {
  return microUsd <= 0 ? undefined : left.find(one => isMisfit(one, microUsd, endpoint));
}

/** A cost at an endpoint does not fit into it. */
export function isMisfit(one: AllowanceLeft, microUsd: number, endpoint: string): boolean {
  return microUsd > one.leftMicroUsd && !isSoft(one) && counts(one, endpoint);
}

/** Whose cap or budget it is, as the subject of a sentence: `the cap of this turn on route "coding" ($0.50)`, `the budget "daily" ($5.00 a day)`. */
export function allowanceName(allowance: Allowance): string {
  const { limitMicroUsd } = allowance;
  if (allowance.budget === undefined) return `the cap of this ${allowance.scope}${allowance.route === undefined ? '' : ` on route "${allowance.route}"`} (${dollars(limitMicroUsd)})`;
  const { name, period, per, of } = allowance.budget;
  const whose = of === undefined ? '' : per === 'conversation' ? ' of this conversation' : ` of ${per} ${of}`;
  return `the budget "${name}"${whose} (${dollars(limitMicroUsd)} a ${period})`;
}

/** Why a target is left out, as a clause: the cap or budget, what is left of it, and what the target is expected to cost. */
export function beyondReason(allowance: AllowanceLeft, microUsd: number): string {
  return `it is expected to cost ${dollars(microUsd)}, and ${leftText(allowance)} of ${allowanceName(allowance)}`;
}

/** The same where servers share it and what counts it for all of them is away: `allowance` has what is left of the share of this server. */
export function beyondShareReason(allowance: AllowanceLeft, microUsd: number): string {
  return `it is expected to cost ${dollars(microUsd)}, and ${leftText(allowance)} of this server's share of ${allowanceName(allowance)} while the count that servers share is away`;
}

/** `$0.03 is left`, `nothing is left`, `$0.03 is left beside $0.20 that running requests have reserved`. */
export function leftText({ leftMicroUsd, reservedMicroUsd }: AllowanceLeft): string {
  const left = leftMicroUsd <= 0 ? 'nothing is left' : `${dollars(leftMicroUsd)} is left`;
  return reservedMicroUsd === undefined ? left : `${left} beside ${dollars(reservedMicroUsd)} that running requests have reserved`;
}

export const unpricedReason = 'its price is not known, and a cap holds: set its prices, or let the caps allow targets without one';

/** Two significant digits, at least two and at most six decimals, without an exponent. */
export function dollars(microUsd: number): string {
  if (microUsd === 0) return '$0';
  const usd = microUsd / 1e6;
  const digits = Math.max(2, Math.min(6, 1 - Math.floor(Math.log10(Math.abs(usd)))));
  return `$${usd.toFixed(digits)}`;
}
