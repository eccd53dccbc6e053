import type { CapOutcome, CapScope } from '../../api/settings.ts';

/** An amount of money with a name that several attempts may use up together. Plain data. */
export interface Allowance {
  /** What it is counted under, in all servers of a data folder; no text of a prompt. */
  readonly key: string;
  readonly scope: CapScope;
  /** The route that it belongs to; undefined: it holds for everything. */
  readonly route: string | undefined;
  readonly limitMicroUsd: number;
  readonly whenReached: CapOutcome;
  /** Only this process counts it. */
  readonly ofProcess?: true | undefined;
}

/** An allowance, and what is left of it beside what is used and reserved; negative where more was used. */
export interface AllowanceLeft extends Allowance { readonly leftMicroUsd: number }

/** What attempts of a request may cost. */
export interface SpendTerms {
  readonly allowances: readonly Allowance[];
  /** Targets without a known price are left out. */
  readonly needsPrice: boolean;
}

/** The same at one moment. */
export interface SpendLeft extends SpendTerms {
  readonly left: readonly AllowanceLeft[];
  /** Prices are known as far as they can be; else a target without one may have one later. */
  readonly isPriced: boolean;
}

/** The first allowance that a cost does not fit into; undefined where it fits all. What costs nothing always fits. */
export function misfit(left: readonly AllowanceLeft[], microUsd: number): AllowanceLeft | undefined {
  return microUsd <= 0 ? undefined : left.find(({ leftMicroUsd }) => microUsd > leftMicroUsd);
}

/** Whose cap it is, as the subject of a sentence: `the cap of this turn on route "coding" ($0.50)`. */
export function capName({ scope, route, limitMicroUsd }: Allowance): string {
  return `the cap of this ${scope}${route === undefined ? '' : ` on route "${route}"`} (${dollars(limitMicroUsd)})`;
}

/** Why a target is left out, as a clause: the cap, what is left of it, and what the target is expected to cost. */
export function beyondReason(allowance: AllowanceLeft, microUsd: number): string {
  return `it is expected to cost ${dollars(microUsd)}, and ${leftText(allowance)} of ${capName(allowance)}`;
}

/** `$0.03 is left`, `nothing is left`. */
function leftText({ leftMicroUsd }: AllowanceLeft): string {
  return leftMicroUsd <= 0 ? 'nothing is left' : `${dollars(leftMicroUsd)} is left`;
}

export const unpricedReason = 'its price is not known, and a cap holds: set its prices, or let the caps allow targets without one';

/** Two significant digits, at least two and at most six decimals, without an exponent. */
export function dollars(microUsd: number): string {
  if (microUsd === 0) return '$0';
  const usd = microUsd / 1e6;
  const digits = Math.max(2, Math.min(6, 1 - Math.floor(Math.log10(Math.abs(usd)))));
  return `$${usd.toFixed(digits)}`;
}
