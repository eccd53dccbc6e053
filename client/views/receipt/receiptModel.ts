import { t } from '@vscode/l10n';
import type { TokenUsage } from '../../../server/api/conversation.ts';
import type { Attempt, Cost, PlannedBudget, Receipt } from '../../../server/api/receipt.ts';
import { featuresOf } from '../../../server/api/reports/features.ts';
import type { RequestFeature } from '../../../server/api/reports/features.ts';
import { whyText } from '../../../server/api/routes/why.ts';
import { parseTargetName } from '../../../server/api/targetName.ts';
import { budgetTitle } from '../../base/budgetWording.ts';
import { shownFailure } from '../../base/failureSentences.ts';
import { countOf, formatCount, formatDuration, formatListTime, formatMoment, tokenFigures, totalTokens } from '../../base/figures.ts';
import type { TimeStyle, TokenFigure } from '../../base/figures.ts';
import { atLeastNote, coveredBy, formatCost, formatMicroUsd, isUnknownCost } from '../../base/money.ts';
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
  /** A target that used tokens and whose price is not known; absent: there is none. */
  unpriced?: string | undefined;
  tokens: TokenFigure[];
  /** How the name was understood: `Route auto: its targets in order`. */
  plan: { summary: string; targets: ReceiptTarget[]; excluded: { target: string; reason: string }[] };
  attempts: ReceiptAttempt[];
}

/** What the tab says: when, and who answered, else what was asked for. */
export function receiptTitle({ startedAt, target, plan }: Pick<Receipt, 'startedAt' | 'target' | 'plan'>, now: number, style: TimeStyle): string {
  return t('Receipt {0} · {1}', formatListTime(startedAt, now, style), (target === undefined ? undefined : parseTargetName(target)?.endpoint) ?? plan.requestedModel);
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
    message: receipt.message === undefined ? undefined : shownFailure(receipt.message),
    answeredBy: receipt.target,
    why: whyText(receipt),
    facts: exchangeFacts(receipt, style),
    cost: receipt.outcome === 'open' ? { text: '–', note: t('still running') } : usedNothing(receipt) ? noCost() : costOf(receipt, (receipt.target ?? receipt.plan.requestedModel)),
    unpriced: receipt.attempts.find(({ cost, usage, outcome }) => outcome !== 'interrupted' && isUnknownCost(cost) && totalTokens(usage) !== undefined)?.target,
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
    [t('Started'), formatMoment(receipt.startedAt, style)],
    [t('First token'), receipt.firstTokenMs === undefined ? undefined : formatDuration(receipt.firstTokenMs)],
    [t('Total time'), receipt.outcome === 'open' ? t('still running') : formatDuration(receipt.totalMs)],
    [t('Title'), receipt.title],
    [t('Asked by'), callerText(receipt.caller)],
    [t('Token'), receipt.caller.token],
    [t('Extension'), receipt.caller.extension],
    [t('Workspace'), receipt.caller.workspace],
    [t('Branch'), receipt.caller.branch],
    [t('Wanted'), wantedText(receipt)],
    [t('Came in through'), receipt.inbound === 'lsp' ? t('the editor') : t('the local endpoint, as {0}', receipt.protocol)],
    [t('Answer'), receipt.stream ? t('streamed') : t('in one piece')],
    [t('Canary'), canaryText(receipt.plan.canary)],
    [t('Shadow'), shadowText(receipt.shadow)],
    [t('Prompt cache'), cacheText(receipt.plan.cache)],
    [t('Response cache'), responseCacheText(receipt)],
    [t('Caps'), capsText(receipt.plan.caps)],
    [t('Budgets'), budgetsText(receipt.plan.budgets)],
    [t('Ignored'), receipt.plan.ignored?.join('; ')],
  ]).concat(presentFacts([
    [t('Conversation'), receipt.caller.conversation],
    [t('Request'), receipt.id],
    [t('Trace'), receipt.plan.trace],
  ]).map((fact) => ({ ...fact, isId: true })));
}

/** What was asked of a target: its size, and what it had to be able to. */
function wantedText({ plan: { requirements, purpose }, features }: Receipt): string | undefined {
  const work = purpose === undefined ? [] : [t('{0} work ({1})', purpose.kind, purpose.why)];
  const needs = features === undefined ? [] : featuresOf(features).map(featureText);
  const size = requirements === undefined ? [] : [
    t('a prompt of at least {0}', countOf(requirements.estimatedInputTokens, 'token')),
    ...(requirements.maxOutputTokens === undefined ? [] : [t('an answer of at most {0}', countOf(requirements.maxOutputTokens, 'token'))]),
    ...(requirements.answers === undefined ? [] : [t('{0} answers at once', formatCount(requirements.answers))]),
  ];
  const parts = [...work, ...size, ...needs];
  return parts.length === 0 ? undefined : parts.join(', ');
}

function featureText(feature: RequestFeature): string {
  switch (feature) {
    case 'tools': return t('tools');
    case 'images': return t('images');
    case 'documents': return t('documents');
    case 'jsonSchema': return t('an answer by a JSON Schema');
    case 'reasoning': return t('reasoning');
    case 'hostedTools': return t('tools that the provider runs');
    case 'providerState': return t('a conversation that the provider keeps');
    case 'logprobs': return t('probabilities of tokens');
    case 'seed': return t('a seed');
    case 'completions': return t('a completion');
    case 'embeddings': return t('embeddings');
  }
}

/** What a copy was sent for. */
function shadowText(shadow: Receipt['shadow']): string | undefined {
  if (shadow === undefined) return undefined;
  return shadow.arm === 'shadow'
    ? t('a copy of request {0} of route "{1}", sent to compare its answer; no caller got the answer', shadow.of, shadow.route)
    : t('a copy of request {0} of route "{1}", sent to the target that answered, once more; no caller got the answer', shadow.of, shadow.route);
}

/** Which arm of the route's canary it went to, and why. */
function canaryText(canary: Receipt['plan']['canary']): string | undefined {
  if (canary === undefined) return undefined;
  const text = `${canary.arm}: ${canary.why}`;
  return canary.keptAway === true ? t('{0}; its targets were kept away, so the baseline got the request', text) : text;
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
  const saved = cache.savedMicroUsd === undefined ? t('what it saved is not known') : t('saved {0}', formatCost({ microUsd: cache.savedMicroUsd, certainty: cache.savedEstimated === true ? 'estimated' : 'exact' }));
  switch (cache.state) {
    case 'hit': return [cache.from === 'replicas' ? t('answered from what replicas keep for each other, {0} old', formatDuration(cache.ageMs ?? 0)) : cache.ageMs === undefined ? t('answered from memory') : t('answered from memory, {0} old', formatDuration(cache.ageMs)), saved, ...paidBy(cache.of)].join('; ');
    case 'shared': return [t('shared the call of an equal request'), saved, ...paidBy(cache.of)].join('; ');
    case 'miss': return t('no equal request was answered before');
    case 'refresh': return t('the caller asked for a new answer');
    case 'bypass': return cache.why === undefined ? t('took no part') : t('took no part: {0}', cache.why);
  }
}

function paidBy(of: string | undefined): string[] {
  return of === undefined ? [] : [t('paid for by {0}', of)];
}

/** What was left of each budget that held for it, and what the budget did. */
function budgetsText(budgets: Receipt['plan']['budgets']): string | undefined {
  if (budgets === undefined || budgets.length === 0) return undefined;
  return budgets.map(budget => {
    const left = budget.lifted === true ? t('lifted') : budgetLeft(budget);
    const did = [
      ...(budget.allowedMicroUsd === undefined ? [] : [t('{0} more was allowed', formatMicroUsd(budget.allowedMicroUsd))]),
      ...(budget.did === undefined ? [] : [budget.did === 'stopped' && budget.unpriced === true ? t('no target with a known price was there') : budgetDeed(budget.did)]),
      ...(budget.did !== 'stopped' && budget.unpriced === true ? [t('a price that is not known was not counted')] : []),
    ];
    return [`${budgetTitle(budget)}: ${left}`, ...did].join(', ');
  }).join('; ');
}

function budgetLeft({ leftMicroUsd, limitMicroUsd, period }: PlannedBudget): string {
  const [left, limit] = [formatMicroUsd(Math.max(0, leftMicroUsd)), formatMicroUsd(limitMicroUsd)];
  switch (period) {
    case 'day': return t('{0} of {1} a day was left', left, limit);
    case 'week': return t('{0} of {1} a week was left', left, limit);
    case 'month': return t('{0} of {1} a month was left', left, limit);
  }
}

function budgetDeed(deed: NonNullable<PlannedBudget['did']>): string {
  switch (deed) {
    case 'cheaper': return t('cheaper targets came first');
    case 'passed-over': return t('targets that did not fit were passed over');
    case 'stopped': return t('nothing that fits was there');
    case 'warned': return t('it is used up and only warns');
  }
}

/** What was left of each cap that held for it. */
function capsText(caps: Receipt['plan']['caps']): string | undefined {
  if (caps === undefined || caps.length === 0) return undefined;
  return caps.map(({ scope, route, limitMicroUsd, leftMicroUsd }) => {
    const left = capLeft(scope, formatMicroUsd(Math.max(0, leftMicroUsd)), formatMicroUsd(limitMicroUsd));
    return route === undefined ? left : t('{0} on {1}', left, route);
  }).join('; ');
}

function capLeft(scope: NonNullable<Receipt['plan']['caps']>[number]['scope'], left: string, limit: string): string {
  switch (scope) {
    case 'request': return t('{0} of {1} left for this request', left, limit);
    case 'turn': return t('{0} of {1} left for this turn', left, limit);
    case 'conversation': return t('{0} of {1} left for this conversation', left, limit);
    case 'session': return t('{0} of {1} left for this session', left, limit);
  }
}

function planSummary(receipt: Receipt): string {
  const { kind, requestedModel, strategy, why, purpose, cache } = receipt.plan;
  switch (kind) {
    case 'route':
      if (purpose?.first !== undefined && why !== undefined && why === cache?.why) return t('Route {0}: {1} leads to {2}, because {3}, but it {4}', requestedModel, purpose.entry ?? '', purpose.first, purpose.why, why);
      if (purpose?.first !== undefined) return withReason(t('Route {0}: {1} first ({2}), because {3}', requestedModel, purpose.first, purpose.entry ?? '', purpose.why), why);
      return why === undefined ? t('Route {0}: its targets in order', requestedModel) : t('Route {0}, {1}', requestedModel, why);
    case 'model':
      if (receipt.plan.standIns !== undefined && why !== undefined) return t('Model {0}: {1}', requestedModel, why);
      return strategy === 'none' ? t('No route or model is named {0}', requestedModel) : withReason(t('Model {0}: every provider that serves it, by priority', requestedModel), why);
    case 'target': return t('Exactly {0}, no alternative', requestedModel);
  }
}

function withReason(text: string, why: string | undefined): string {
  return why === undefined ? text : `${text}; ${why}`;
}

/** The route's expensive last resort is marked. */
function withLastResort(target: string, { plan }: Receipt, shown: Pick<ReceiptTarget, 'state' | 'tone'>): Pick<ReceiptTarget, 'state' | 'tone'> {
  return plan.lastResort?.includes(target) === true ? { ...shown, state: t('{0} (expensive last resort)', shown.state) } : shown;
}

function targetState(target: string, receipt: Receipt): Pick<ReceiptTarget, 'state' | 'tone'> {
  const last = receipt.attempts.findLast((attempt) => attempt.target === target);
  if (last === undefined) {
    return receipt.outcome === 'open' ? { state: t('waiting'), tone: 'running' } : { state: receipt.outcome === 'ok' ? t('not needed') : t('not tried'), tone: 'stopped' };
  }
  switch (last.outcome) {
    case 'ok': return isRefused(last) ? { state: t('refused'), tone: 'stopped' } : { state: t('answered'), tone: 'ok' };
    case 'failed': return { state: t('failed'), tone: 'failed' };
    case 'cancelled': return { state: beaten(last, receipt.outcome) ? t('given up: another was faster') : t('cancelled'), tone: 'stopped' };
    case 'interrupted': return { state: t('interrupted'), tone: 'stopped' };
  }
}

/** A hedge was faster, and the caller is still there. */
function beaten(attempt: Attempt, receiptOutcome: Receipt['outcome']): boolean {
  return attempt.outcome === 'cancelled' && receiptOutcome !== 'cancelled' && receiptOutcome !== 'interrupted';
}

function attemptOf(attempt: Attempt, receiptOutcome: Receipt['outcome'], exchangeStartedAt: number, spanMs: number): ReceiptAttempt {
  const key = attempt.keyLast4 === undefined ? attempt.keyLabel : `${attempt.keyLabel ?? t('key')} …${attempt.keyLast4}`;
  return {
    number: attempt.number,
    target: attempt.target,
    tone: toneOf(attempt.outcome, 0, attempt.failureClass),
    outcome: beaten(attempt, receiptOutcome) ? t('Given up: another was faster') : attemptOutcome(attempt),
    drill: attempt.drill === true,
    message: attempt.message === undefined ? undefined : shownFailure(attempt.message),
    facts: presentFacts([
      [t('Started'), t('after {0}', formatDuration(Math.max(0, attempt.startedAt - exchangeStartedAt)))],
      [t('Made because'), attempt.role === undefined ? undefined : roleText(attempt.role)],
      [t('Connection'), attempt.connectMs === undefined ? undefined : t('made in {0}', formatDuration(attempt.connectMs))],
      [t('Headers'), attempt.headersMs === undefined ? undefined : formatDuration(attempt.headersMs)],
      [t('First token'), attempt.firstTokenMs === undefined ? undefined : formatDuration(attempt.firstTokenMs)],
      [t('Longest silence'), attempt.longestGapMs === undefined || attempt.longestGapMs < tellingGapMs ? undefined : formatDuration(attempt.longestGapMs)],
      [t('Total'), formatDuration(attempt.totalMs)],
      [t('Key'), key],
      [t('Status'), attempt.status === undefined ? undefined : String(attempt.status)],
      [t('Protocol'), attempt.protocol],
      [t('Model at the provider'), attempt.upstreamModel === attempt.model ? undefined : attempt.upstreamModel],
    ]),
    timeline: attemptTimeline(attempt, exchangeStartedAt, spanMs),
    tokens: totalTokens(attempt.usage) === undefined ? [] : tokenFigures(attempt.usage),
    tokensEstimated: attempt.usageEstimated,
    cost: usedNothing(attempt) ? noCost() : costOf(attempt, attempt.target),
  };
}

function attemptOutcome(attempt: Attempt): string {
  switch (attempt.outcome) {
    case 'ok': return isRefused(attempt) ? t('Refused by the model') : t('Answered');
    case 'cancelled': return t('Cancelled');
    case 'interrupted': return t('Interrupted');
    case 'failed': {
      const words = attempt.failureClass === undefined ? t('failed') : failureText(attempt.failureClass);
      const sentence = words.charAt(0).toUpperCase() + words.slice(1);
      return attempt.status === undefined || attempt.status < 400 ? sentence : `${sentence} (${attempt.status})`;
    }
  }
}

/** Shorter silences in an answer are usual. */
const tellingGapMs = 1000;

function noCost(): ReceiptCost {
  return { text: t('no cost'), note: '' };
}

/** No target answered, no provider counted a token, and the cost is known to be nothing. */
function usedNothing({ outcome, usage, cost }: Pick<Attempt, 'usage' | 'cost'> & { outcome: Receipt['outcome'] }): boolean {
  return outcome !== 'ok' && (totalTokens(usage) ?? 0) === 0 && cost.microUsd === 0;
}

/** @param target what the price would be of */
function costOf({ cost, usage }: { cost: Cost; usage: TokenUsage }, target: string): ReceiptCost {
  if (cost.certainty === 'unknown' || cost.microUsd === undefined) {
    return { text: formatCost(cost), note: totalTokens(usage) === undefined ? t('what it used is not known') : t('no price is known for {0}', target) };
  }
  return { text: formatCost(cost), note: [cost.certainty === 'exact' ? t('exact') : t('estimated'), ...(cost.unknownParts === undefined ? [] : [t('without {0} of unknown cost', countOf(cost.unknownParts, 'attempt'))]), ...(cost.unpriced === undefined ? [] : [atLeastNote(cost.unpriced)]), ...priceNotes(cost)].join(' · ') };
}

function priceNotes(cost: Cost): string[] {
  const { priceSource, priceUsed, priceAsOf } = cost;
  if (coveredBy(cost) !== undefined) return [priceSource === 'subscription' ? t('covered by a subscription') : priceSource === 'simulated' ? t('a simulated provider, no bill') : t('free of charge')];
  if (priceSource === undefined) return [];
  return [
    ...(priceUsed === undefined ? [] : [t('${0} in / ${1} out per 1M', priceUsed.inputPerMTok, priceUsed.outputPerMTok)]),
    priceAsOf === undefined ? t('price from {0}', priceSourceText(priceSource)) : t('price from {0} of {1}', priceSourceText(priceSource), priceAsOf),
  ];
}

function priceSourceText(source: string): string {
  return source === 'config' ? t('your settings') : source === 'provider' ? t('the provider') : source;
}

function presentFacts(rows: [string, string | undefined][]): Fact[] {
  return rows.flatMap(([label, value]) => value === undefined ? [] : [{ label, value }]);
}
