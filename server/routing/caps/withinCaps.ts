import type { CapScope } from '../../api/settings.ts';
import type { ResolvedTarget } from '../routeTable.ts';
import { beyondReason, capName, dollars, misfit, unpricedReason, type Allowance, type AllowanceLeft, type SpendLeft } from './allowance.ts';

/** A question to the reader whether more may be spent. */
export interface CapQuestion {
  readonly message: string;
  readonly accept: string;
  readonly decline: string;
  /** What grows by `microUsd` after a yes. */
  readonly allowances: readonly Allowance[];
  readonly microUsd: number;
}

/** Caps keep targets from a request. */
export interface Capped {
  /** What happened and what to do, for a caller that nothing else can serve. */
  readonly sentence: string;
  /** Absent: nobody is asked. */
  readonly question?: CapQuestion | undefined;
}

export interface WithinCaps {
  /** Those that fit, in their order. */
  readonly targets: readonly ResolvedTarget[];
  readonly passedOver: readonly { readonly target: ResolvedTarget; readonly reason: string }[];
  /** Absent: every target fits. */
  readonly capped?: Capped | undefined;
}

const oneDollar = 1_000_000;

/**
 * The targets whose expected cost is left of every cap. Where a cap degrades, others are passed over; where it stops or asks, the first that does
 * not fit ends the list, so that nothing cheaper serves in its place.
 * @param costOf expected cost in millionths of a US dollar; undefined: no price is known
 */
export function withinCaps(targets: readonly ResolvedTarget[], spend: SpendLeft, costOf: (target: ResolvedTarget) => number | undefined): WithinCaps {
  const fitting: ResolvedTarget[] = [];
  const passedOver: { target: ResolvedTarget; reason: string }[] = [];
  let capped: Capped | undefined;
  let unpriced: Capped | undefined;
  let end: AllowanceLeft | undefined;
  for (const target of targets) {
    if (end !== undefined) {
      passedOver.push({ target, reason: `${capName(end)} is reached by the target before it, and no other one is to serve then` });
      continue;
    }
    const microUsd = costOf(target);
    if (microUsd === undefined) {
      if (spend.isPriced && spend.needsPrice) {
        passedOver.push({ target, reason: unpricedReason });
        unpriced ??= { sentence: `Nothing was sent: the price of ${target.name} is not known, and a cap holds. Set the prices of the model at its endpoint, or "unpriced": "allow" beside the cap.` };
      } else fitting.push(target);
      continue;
    }
    const beyond = misfit(spend.left, microUsd);
    if (beyond === undefined) {
      fitting.push(target);
      continue;
    }
    passedOver.push({ target, reason: beyondReason(beyond, microUsd) });
    if (beyond.whenReached !== 'degrade') end = beyond;
    capped ??= { sentence: cappedSentence(beyond, target.name, microUsd), question: end === undefined ? undefined : questionOf(spend.left, target.name, microUsd) };
  }
  return passedOver.length === 0 ? { targets, passedOver } : { targets: fitting, passedOver, capped: capped ?? unpriced };
}

/** One sentence for a caller, and the next action. */
export function cappedSentence(allowance: AllowanceLeft, target: string, microUsd: number): string {
  const { scope, route, leftMicroUsd } = allowance;
  const name = capName(allowance);
  const left = leftMicroUsd <= 0 ? 'nothing is left' : `${dollars(leftMicroUsd)} is left`;
  const raise = route === undefined ? `Raise "${scope}Usd" of the setting "waybill.caps"` : `Raise "${scope}Usd" in "caps" of the route, in the editor by "Waybill: Edit Route…"`;
  return `${name.charAt(0).toUpperCase()}${name.slice(1)} is reached: ${target} is expected to cost ${dollars(microUsd)}, and ${left}. ${raise}, or ${anew[scope]}.`;
}

const anew: Readonly<Record<CapScope, string>> = {
  request: 'send a shorter request', turn: 'send the next message', conversation: 'begin a new conversation', session: 'begin a new session',
};

/** Asked only where every cap that the cost does not fit into asks: another one would stop the request after a yes. */
function questionOf(left: readonly AllowanceLeft[], target: string, microUsd: number): CapQuestion | undefined {
  const beyond = left.filter(({ leftMicroUsd }) => microUsd > leftMicroUsd);
  const [first] = beyond;
  if (first === undefined || beyond.some(({ whenReached }) => whenReached !== 'ask')) return undefined;
  const missing = Math.max(...beyond.map(({ leftMicroUsd }) => microUsd - leftMicroUsd));
  const more = Math.max(1, Math.ceil(missing / oneDollar));
  const rest = first.leftMicroUsd <= 0 ? 'nothing is left' : `${dollars(first.leftMicroUsd)} is left`;
  return {
    message: `${target} is expected to cost ${dollars(microUsd)}, and ${rest} of ${capName(first)}. The turn waits for your answer.`,
    accept: `Allow $${String(more)} More`, decline: 'Stop', allowances: beyond, microUsd: more * oneDollar,
  };
}
