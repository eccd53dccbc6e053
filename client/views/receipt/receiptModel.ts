import type { TokenUsage } from '../../../server/api/conversation.ts';
import type { Attempt, Cost, PlannedBudget, Receipt } from '../../../server/api/receipt.ts';
import { featuresOf } from '../../../server/api/reports/features.ts';
import type { RequestFeature } from '../../../server/api/reports/features.ts';
import { whyText } from '../../../server/api/routes/why.ts';
import { budgetTitle } from '../../base/budgetWording.ts';
import { countOf, formatCount, formatDuration, formatMoment, tokenFigures, totalTokens } from '../../base/figures.ts';
import type { TimeStyle, TokenFigure } from '../../base/figures.ts';
import { atLeastNote, coveredBy, formatCost, formatMicroUsd } from '../../base/money.ts';
import { attemptTimeline } from './receiptTimeline.ts';
import type { AttemptTimeline } from './receiptTimeline.ts';
import { callerText, failureText, isRefused, outcomeText, roleText, toneOf } from '../../base/outcomeWording.ts';
import type { Tone } from '../../base/outcomeWording.ts';

export interface Fact {
  label: string;
  value: string;
  /** A long id: shown on one line, to be copied. */
  isId?: boolean | undefined;
}

export interface ReceiptCost {
  text: string;
  /** `exact · price from genai-prices 0.1.8`, `no price is known for relay/m`; empty where there is nothing to say. */
  note: string;
}
export interface ReceiptTarget {
  target: string;
  /** The name the provider knows the model by, where it is another one. */
  upstream?: string | undefined;
  /** What it is, where it is used only when all before it are out: `backup`. */
  standIn?: string | undefined;
  /** `answered`, `failed`, `not needed`. */
  state: string;
  tone: Tone;
}
export interface ReceiptAttempt {
  number: number;
  target: string;
  tone: Tone;
  /** `Answered`, `Rate limited (429)`. */
  outcome: string;
  /** A fire drill had its hand in it. */
  drill: boolean;
  message?: string | undefined;
  facts: Fact[];
  timeline: AttemptTimeline;
  tokens: TokenFigure[];
  tokensEstimated: boolean;
  cost: ReceiptCost;
}

/** All that the receipt page shows: texts are ready, the page and the Markdown only lay them out. */
export interface ReceiptPage {
  id: string;
  requestedModel: string;
  tone: Tone;
  outcome: string;
  message?: string | undefined;
  answeredBy?: string | undefined;
  /** Why it went where it went, in one sentence. */
  why: string;
  facts: Fact[];
  cost: ReceiptCost;
  tokens: TokenFigure[];
  /** How the name was understood: `Route auto: its targets in order`. */
  plan: { summary: string; targets: ReceiptTarget[]; excluded: { target: string; reason: string }[] };
  attempts: ReceiptAttempt[];
}

/** Turns a receipt of the ledger into what a person reads. */
export function buildReceiptPage(receipt: Receipt, style: TimeStyle): ReceiptPage {
  const spanMs = Math.max(receipt.totalMs, ...receipt.attempts.map((attempt) => attempt.startedAt - receipt.startedAt + attempt.totalMs), 1);
  const failed = receipt.attempts.filter((attempt) => attempt.outcome === 'failed').length;
  return {
    id: receipt.id,
    requestedModel: receipt.plan.requestedModel,
    tone: toneOf(receipt.outcome, failed, receipt.failureClass),
    outcome: outcomeText(receipt.outcome, failed, receipt.failureClass, receipt.attempts.length),
    message: receipt.message,
    answeredBy: receipt.target,
    why: whyText(receipt),
    facts: exchangeFacts(receipt, style),
    cost: receipt.outcome === 'open' ? { text: '–', note: 'still running' } : usedNothing(receipt) ? noCost : costOf(receipt, (receipt.target ?? receipt.plan.requestedModel)),
    tokens: receipt.outcome === 'open' || totalTokens(receipt.usage) === undefined ? [] : tokenFigures(receipt.usage),
    plan: {
      summary: planSummary(receipt),
      targets: receipt.plan.targets.map((planned): ReceiptTarget => ({
        target: planned.target,
        upstream: planned.upstreamModel === planned.model ? undefined : planned.upstreamModel,
        ...standInOf(receipt, planned.target),
        ...withLastResort(planned.target, receipt, targetState(planned.target, receipt)),
      })),
      excluded: receipt.plan.excluded.map(({ target, reason }) => ({ target, reason })),
    },
    attempts: receipt.attempts.map((attempt) => attemptOf(attempt, receipt.outcome, receipt.startedAt, spanMs)),
  };
}

function exchangeFacts(receipt: Receipt, style: TimeStyle): Fact[] {
  return presentFacts([
    ['Started', formatMoment(receipt.startedAt, style)],
    ['First token', receipt.firstTokenMs === undefined ? undefined : formatDuration(receipt.firstTokenMs)],
    ['Total time', receipt.outcome === 'open' ? 'still running' : formatDuration(receipt.totalMs)],
    ['Asked by', callerText(receipt.caller)],
    ['Token', receipt.caller.token],
    ['Extension', receipt.caller.extension],
    ['Workspace', receipt.caller.workspace],
    ['Branch', receipt.caller.branch],
    ['Wanted', wantedText(receipt)],
    ['Came in through', receipt.inbound === 'lsp' ? 'the editor' : `the local endpoint, as ${receipt.protocol}`],
    ['Answer', receipt.stream ? 'streamed' : 'in one piece'],
    ['Canary', canaryText(receipt.plan.canary)],
    ['Shadow', shadowText(receipt.shadow)],
    ['Prompt cache', cacheText(receipt.plan.cache)],
    ['Response cache', responseCacheText(receipt)],
    ['Caps', capsText(receipt.plan.caps)],
    ['Budgets', budgetsText(receipt.plan.budgets)],
    ['Ignored', receipt.plan.ignored?.join('; ')],
  ]).concat(presentFacts([
    ['Conversation', receipt.caller.conversation],
    ['Request', receipt.id],
  ]).map((fact) => ({ ...fact, isId: true })));
}

/** What was asked of a target: its size, and what it had to be able to. */
function wantedText({ plan: { requirements, purpose }, features }: Receipt): string | undefined {
  const work = purpose === undefined ? [] : [`${purpose.kind} work (${purpose.why})`];
  const needs = features === undefined ? [] : featuresOf(features).map(feature => featureWords[feature]);
  const size = requirements === undefined ? [] : [
    `a prompt of at least ${countOf(requirements.estimatedInputTokens, 'token')}`,
    ...(requirements.maxOutputTokens === undefined ? [] : [`an answer of at most ${countOf(requirements.maxOutputTokens, 'token')}`]),
    ...(requirements.answers === undefined ? [] : [`${formatCount(requirements.answers)} answers at once`]),
  ];
  const parts = [...work, ...size, ...needs];
  return parts.length === 0 ? undefined : parts.join(', ');
}

const featureWords: Readonly<Record<RequestFeature, string>> = {
  tools: 'tools', images: 'images', documents: 'documents', jsonSchema: 'an answer by a JSON Schema', reasoning: 'reasoning', hostedTools: 'tools that the provider runs',
  providerState: 'a conversation that the provider keeps', logprobs: 'probabilities of tokens', seed: 'a seed', completions: 'a completion', embeddings: 'embeddings',
};

/** What a copy was sent for. */
function shadowText(shadow: Receipt['shadow']): string | undefined {
  if (shadow === undefined) return undefined;
  const what = shadow.arm === 'shadow' ? 'to compare its answer' : 'to the target that answered, once more';
  return `a copy of request ${shadow.of} of route "${shadow.route}", sent ${what}; no caller got the answer`;
}

/** Which arm of the route's canary it went to, and why. */
function canaryText(canary: Receipt['plan']['canary']): string | undefined {
  if (canary === undefined) return undefined;
  return `${canary.arm}: ${canary.why}${canary.keptAway === true ? '; its targets were kept away, so the baseline got the request' : ''}`;
}

/** What prompt caches had to do with its order; undefined where there was nothing to say. */
function cacheText(cache: Receipt['plan']['cache']): string | undefined {
  const why = cache?.why;
  return why === undefined ? undefined : `${why.charAt(0).toUpperCase()}${why.slice(1)}`;
}

function standInOf({ plan: { standIns } }: Receipt, target: string): { standIn?: string } {
  const why = standIns?.find(one => one.target === target)?.why;
  return why === undefined ? {} : { standIn: why };
}

/** What the response cache of the route made of it, and what that saved. */
function responseCacheText({ cache }: Receipt): string | undefined {
  if (cache === undefined) return undefined;
  const saved = cache.savedMicroUsd === undefined ? 'what it saved is not known' : `saved ${formatCost({ microUsd: cache.savedMicroUsd, certainty: cache.savedEstimated === true ? 'estimated' : 'exact' })}`;
  switch (cache.state) {
    case 'hit': return `answered from memory${cache.ageMs === undefined ? '' : `, ${formatDuration(cache.ageMs)} old`}; ${saved}${paidBy(cache.of)}`;
    case 'shared': return `shared the call of an equal request; ${saved}${paidBy(cache.of)}`;
    case 'miss': return 'no equal request was answered before';
    case 'refresh': return 'the caller asked for a new answer';
    case 'bypass': return `took no part${cache.why === undefined ? '' : `: ${cache.why}`}`;
  }
}

function paidBy(of: string | undefined): string {
  return of === undefined ? '' : `; paid for by ${of}`;
}

/** What was left of each budget that held for it, and what the budget did. */
function budgetsText(budgets: Receipt['plan']['budgets']): string | undefined {
  if (budgets === undefined || budgets.length === 0) return undefined;
  return budgets.map(budget => {
    const left = budget.lifted === true ? 'lifted' : `${formatMicroUsd(Math.max(0, budget.leftMicroUsd))} of ${formatMicroUsd(budget.limitMicroUsd)} a ${budget.period} was left`;
    const did = [
      ...(budget.allowedMicroUsd === undefined ? [] : [`${formatMicroUsd(budget.allowedMicroUsd)} more was allowed`]),
      ...(budget.did === undefined ? [] : [budget.did === 'stopped' && budget.unpriced === true ? 'no target with a known price was there' : budgetDeeds[budget.did]]),
      ...(budget.did !== 'stopped' && budget.unpriced === true ? ['a price that is not known was not counted'] : []),
    ];
    return [`${budgetTitle(budget)}: ${left}`, ...did].join(', ');
  }).join('; ');
}

const budgetDeeds: Readonly<Record<NonNullable<PlannedBudget['did']>, string>> = {
  'cheaper': 'cheaper targets came first', 'passed-over': 'targets that did not fit were passed over', 'stopped': 'nothing that fits was there', 'warned': 'it is used up and only warns',
};

/** What was left of each cap that held for it. */
function capsText(caps: Receipt['plan']['caps']): string | undefined {
  if (caps === undefined || caps.length === 0) return undefined;
  return caps.map(({ scope, route, limitMicroUsd, leftMicroUsd }) => {
    const of = route === undefined ? '' : ` on ${route}`;
    return `${formatMicroUsd(Math.max(0, leftMicroUsd))} of ${formatMicroUsd(limitMicroUsd)} left for this ${scope}${of}`;
  }).join('; ');
}

function planSummary(receipt: Receipt): string {
  const { kind, requestedModel, strategy, why, purpose, cache } = receipt.plan;
  switch (kind) {
    case 'route':
      if (purpose?.first !== undefined && why !== undefined && why === cache?.why) return `Route ${requestedModel}: ${purpose.entry ?? ''} leads to ${purpose.first}, because ${purpose.why}, but it ${why}`;
      if (purpose?.first !== undefined) return `Route ${requestedModel}: ${purpose.first} first (${purpose.entry ?? ''}), because ${purpose.why}${why === undefined ? '' : `; ${why}`}`;
      return why === undefined ? `Route ${requestedModel}: its targets in order` : `Route ${requestedModel}, ${why}`;
    case 'model':
      if (receipt.plan.standIns !== undefined && why !== undefined) return `Model ${requestedModel}: ${why}`;
      return strategy === 'none' ? `No route or model is named ${requestedModel}` : `Model ${requestedModel}: every provider that serves it, by priority${why === undefined ? '' : `; ${why}`}`;
    case 'target': return `Exactly ${requestedModel}, no alternative`;
  }
}

/** The route's expensive last resort is marked. */
function withLastResort(target: string, { plan }: Receipt, shown: Pick<ReceiptTarget, 'state' | 'tone'>): Pick<ReceiptTarget, 'state' | 'tone'> {
  return plan.lastResort?.includes(target) === true ? { ...shown, state: `${shown.state} (expensive last resort)` } : shown;
}

function targetState(target: string, receipt: Receipt): Pick<ReceiptTarget, 'state' | 'tone'> {
  const last = receipt.attempts.findLast((attempt) => attempt.target === target);
  if (last === undefined) {
    return receipt.outcome === 'open' ? { state: 'waiting', tone: 'running' } : { state: receipt.outcome === 'ok' ? 'not needed' : 'not tried', tone: 'stopped' };
  }
  switch (last.outcome) {
    case 'ok': return isRefused(last) ? { state: 'refused', tone: 'stopped' } : { state: 'answered', tone: 'ok' };
    case 'failed': return { state: 'failed', tone: 'failed' };
    case 'cancelled': return { state: beaten(last, receipt.outcome) ? 'given up: another was faster' : 'cancelled', tone: 'stopped' };
    case 'interrupted': return { state: 'interrupted', tone: 'stopped' };
  }
}

/** A hedge was faster, and the caller is still there. */
function beaten(attempt: Attempt, receiptOutcome: Receipt['outcome']): boolean {
  return attempt.outcome === 'cancelled' && receiptOutcome !== 'cancelled' && receiptOutcome !== 'interrupted';
}

function attemptOf(attempt: Attempt, receiptOutcome: Receipt['outcome'], exchangeStartedAt: number, spanMs: number): ReceiptAttempt {
  const key = attempt.keyLast4 === undefined ? attempt.keyLabel : `${attempt.keyLabel ?? 'key'} …${attempt.keyLast4}`;
  return {
    number: attempt.number,
    target: attempt.target,
    tone: toneOf(attempt.outcome, 0, attempt.failureClass),
    outcome: beaten(attempt, receiptOutcome) ? 'Given up: another was faster' : attemptOutcome(attempt),
    drill: attempt.drill === true,
    message: attempt.message,
    facts: presentFacts([
      ['Started', `after ${formatDuration(Math.max(0, attempt.startedAt - exchangeStartedAt))}`],
      ['Made because', attempt.role === undefined ? undefined : roleText(attempt.role)],
      ['Connection', attempt.connectMs === undefined ? undefined : `made in ${formatDuration(attempt.connectMs)}`],
      ['Headers', attempt.headersMs === undefined ? undefined : formatDuration(attempt.headersMs)],
      ['First token', attempt.firstTokenMs === undefined ? undefined : formatDuration(attempt.firstTokenMs)],
      ['Longest silence', attempt.longestGapMs === undefined || attempt.longestGapMs < tellingGapMs ? undefined : formatDuration(attempt.longestGapMs)],
      ['Total', formatDuration(attempt.totalMs)],
      ['Key', key],
      ['Status', attempt.status === undefined ? undefined : String(attempt.status)],
      ['Protocol', attempt.protocol],
      ['Model at the provider', attempt.upstreamModel === attempt.model ? undefined : attempt.upstreamModel],
    ]),
    timeline: attemptTimeline(attempt, exchangeStartedAt, spanMs),
    tokens: totalTokens(attempt.usage) === undefined ? [] : tokenFigures(attempt.usage),
    tokensEstimated: attempt.usageEstimated,
    cost: usedNothing(attempt) ? noCost : costOf(attempt, attempt.target),
  };
}

function attemptOutcome(attempt: Attempt): string {
  switch (attempt.outcome) {
    case 'ok': return isRefused(attempt) ? 'Refused by the model' : 'Answered';
    case 'cancelled': return 'Cancelled';
    case 'interrupted': return 'Interrupted';
    case 'failed': {
      const words = attempt.failureClass === undefined ? 'failed' : failureText(attempt.failureClass);
      const sentence = words.charAt(0).toUpperCase() + words.slice(1);
      return attempt.status === undefined || attempt.status < 400 ? sentence : `${sentence} (${attempt.status})`;
    }
  }
}

/** Shorter silences in an answer are usual. */
const tellingGapMs = 1000;

const noCost: ReceiptCost = Object.freeze({ text: 'no cost', note: '' });

/** No target answered, no provider counted a token, and the cost is known to be nothing. */
function usedNothing({ outcome, usage, cost }: Pick<Attempt, 'usage' | 'cost'> & { outcome: Receipt['outcome'] }): boolean {
  return outcome !== 'ok' && (totalTokens(usage) ?? 0) === 0 && cost.microUsd === 0;
}

/** @param target what the price would be of */
function costOf({ cost, usage }: { cost: Cost; usage: TokenUsage }, target: string): ReceiptCost {
  if (cost.certainty === 'unknown' || cost.microUsd === undefined) {
    return { text: formatCost(cost), note: totalTokens(usage) === undefined ? 'what it used is not known' : `no price is known for ${target}` };
  }
  return { text: formatCost(cost), note: [cost.certainty, ...(cost.unknownParts === undefined ? [] : [`without ${countOf(cost.unknownParts, 'attempt')} of unknown cost`]), ...(cost.unpriced === undefined ? [] : [atLeastNote(cost.unpriced)]), ...priceNotes(cost)].join(' · ') };
}

function priceNotes(cost: Cost): string[] {
  const { priceSource, priceUsed, priceAsOf } = cost;
  if (coveredBy(cost) !== undefined) return [priceSource === 'subscription' ? 'covered by a subscription' : priceSource === 'simulated' ? 'a simulated provider, no bill' : 'free of charge'];
  if (priceSource === undefined) return [];
  return [
    ...(priceUsed === undefined ? [] : [`$${priceUsed.inputPerMTok} in / $${priceUsed.outputPerMTok} out per 1M`]),
    `price from ${priceSourceText(priceSource)}${priceAsOf === undefined ? '' : ` of ${priceAsOf}`}`,
  ];
}

function priceSourceText(source: string): string {
  return source === 'config' ? 'your settings' : source === 'provider' ? 'the provider' : source;
}

function presentFacts(rows: [string, string | undefined][]): Fact[] {
  return rows.flatMap(([label, value]) => value === undefined ? [] : [{ label, value }]);
}
