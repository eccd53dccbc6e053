import type { BudgetPeriod } from '../../api/budgets/budgetSettings.ts';
import { momentText } from '../../api/localization/times.ts';
import type { CapScope } from '../../api/settings.ts';
import type { ResolvedTarget } from '../routeTable.ts';
import { allowanceName, beyondReason, dollars, isMisfit, leftText, maySettle, misfit, unpricedReason, whyUnpriced, type Allowance, type AllowanceLeft, type SpendLeft } from './allowance.ts';

/** A question to the reader whether more may be spent. */
export interface CapQuestion {
  readonly message: string;
  readonly accept: string;
  readonly decline: string;
  /** The button that lifts them until they begin anew; absent: there is none. */
  readonly lift?: string | undefined;
  /** What grows by `microUsd` after a yes. */
  readonly allowances: readonly Allowance[];
  readonly microUsd: number;
}

/** Caps or budgets keep targets from a request. */
export interface Capped {
  /** What happened and what to do, for a caller that nothing else can serve. */
  readonly sentence: string;
  /** A budget is the reason; else it is a cap. */
  readonly byBudget?: boolean | undefined;
  /** Absent: nobody is asked. */
  readonly question?: CapQuestion | undefined;
  /** Only what running attempts have reserved is missing, so a target may fit once they have ended. */
  readonly maySettle?: true | undefined;
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
 * The targets whose expected cost is left of every cap and budget. Where a cap degrades, and where a budget holds, others are passed over; where it stops or asks, the first that does
 * not fit ends the list, so that nothing cheaper serves in its place.
 * @param costOf expected cost in millionths of a US dollar; undefined: no price is known
 */
export function withinCaps(targets: readonly ResolvedTarget[], spend: SpendLeft, costOf: (target: ResolvedTarget) => number | undefined): WithinCaps {
  const fitting: ResolvedTarget[] = [];
  const passedOver: { target: ResolvedTarget; reason: string }[] = [];
  let capped: Capped | undefined;
  let unpriced: Capped | undefined;
  let end: AllowanceLeft | undefined;
  let settles = false;
  for (const target of targets) {
    if (end !== undefined) {
      passedOver.push({ target, reason: `${allowanceName(end)} is reached by the target before it, and no other one is to serve then` });
      continue;
    }
    const microUsd = costOf(target);
    const endpoint = target.endpoint.name;
    if (microUsd === undefined) {
      const reason = spend.isPriced ? whyUnpriced(spend, spend.left, endpoint) : undefined;
      if (reason === undefined) fitting.push(target);
      else {
        passedOver.push({ target, reason });
        unpriced ??= unpricedTarget(target.name, reason);
      }
      continue;
    }
    const beyond = misfit(spend.left, microUsd, endpoint);
    if (beyond === undefined) {
      fitting.push(target);
      continue;
    }
    passedOver.push({ target, reason: beyondReason(beyond, microUsd) });
    settles ||= maySettle(spend.left, microUsd, endpoint);
    if (beyond.budget === undefined && beyond.whenReached !== 'degrade') end = beyond;
    capped ??= {
      sentence: cappedSentence(beyond, target.name, microUsd), byBudget: beyond.budget !== undefined,
      question: end === undefined && beyond.budget === undefined ? undefined : questionOf(spend.left, target.name, microUsd, endpoint),
    };
  }
  if (capped !== undefined && settles) capped = { ...capped, maySettle: true };
  return passedOver.length === 0 ? { targets, passedOver } : { targets: fitting, passedOver, capped: capped ?? unpriced };
}

function unpricedTarget(name: string, reason: string): Capped {
  const byBudget = reason !== unpricedReason;
  const way = byBudget ? 'or "whenReached": "warn" at the budget' : 'or "unpriced": "allow" beside the cap';
  return { byBudget, sentence: `Nothing was sent: the price of ${name} is not known, and a ${byBudget ? 'budget' : 'cap'} holds. Set the prices of the model at its endpoint, ${way}.` };
}

/** One sentence for a caller, and the next action. */
export function cappedSentence(allowance: AllowanceLeft, target: string, microUsd: number): string {
  const name = allowanceName(allowance);
  const reached = `${name.charAt(0).toUpperCase()}${name.slice(1)} is reached: ${target} is expected to cost ${dollars(microUsd)}, and ${leftText(allowance)}`;
  if (allowance.budget !== undefined) return `${reached} until ${momentText(allowance.budget.resetsAt)}. Allow more in VS Code by "Waybill: Allow More of a Budget…", raise "limitUsd" of the budget, or use a target that costs less.`;
  const { scope, route } = allowance;
  const raise = route === undefined ? `Raise "${scope}Usd" of the setting "waybill.caps"` : `Raise "${scope}Usd" in "caps" of the route, in the editor by "Waybill: Edit Route…"`;
  return `${reached}. ${raise}, or ${anew[scope]}.`;
}

const anew: Readonly<Record<CapScope, string>> = {
  request: 'send a shorter request', turn: 'send the next message', conversation: 'begin a new conversation', session: 'begin a new session',
};

/** The button that lifts a budget. */
const liftTitles: Readonly<Record<BudgetPeriod, string>> = { day: 'Until Tomorrow', week: 'Until Next Week', month: 'Until Next Month' };

/** Asked only where each cap that the cost does not fit into asks: another one would stop the request after a yes. */
function questionOf(left: readonly AllowanceLeft[], target: string, microUsd: number, endpoint: string): CapQuestion | undefined {
  const beyond = left.filter(one => isMisfit(one, microUsd, endpoint));
  const [first] = beyond;
  if (first === undefined || beyond.some(one => one.budget === undefined && one.whenReached !== 'ask')) return undefined;
  const missing = Math.max(...beyond.map(({ leftMicroUsd }) => microUsd - leftMicroUsd));
  const more = Math.max(1, Math.ceil(missing / oneDollar));
  return {
    message: `${target} is expected to cost ${dollars(microUsd)}, and ${leftText(first)} of ${allowanceName(first)}. The turn waits for your answer.`,
    accept: `Allow $${String(more)} More`, decline: 'Stop', allowances: beyond, microUsd: more * oneDollar,
    ...(first.budget !== undefined && beyond.every(({ budget }) => budget?.period === first.budget.period) ? { lift: liftTitles[first.budget.period] } : {}),
  };
}
