import { shownOf } from '../localization/said.ts';
import { t } from '@vscode/l10n';
import { exchangeFailureWords, saidOfFailure } from '../condition.ts';
import type { Attempt, Receipt } from '../receipt.ts';

/** One thing that had a part in where a request went, as a part of a sentence; undefined where it had none. */
type Part = (receipt: Receipt) => string | undefined;

/** What comes after the outcome, in this order. A cause more is a function here. */
const parts: readonly Part[] = [choice, warmCache, canary, leftOut, notAskedAnyMore, failures, standIn, lastResort, otherKey, beside, role];

/** More targets are counted, not named. */
const mostNamed = 3;

/** Why a request went where it went, in one sentence: "south answered: …; …." Made from the plan and the attempts alone. */
export function whyText(receipt: Receipt): string {
  const reasons = parts.flatMap(part => part(receipt) ?? []);
  const sentence = reasons.length === 0 ? outcome(receipt) : `${outcome(receipt)}: ${reasons.join('; ')}`;
  return /[.!?]$/.test(sentence) ? sentence : `${sentence}.`;
}

/** The same parts, the most telling first: what happened comes before what was planned. */
const telling: readonly Part[] = [failures, role, beside, otherKey, standIn, lastResort, warmCache, canary, notAskedAnyMore, choice, leftOut];
/** A notification shows about two lines. */
const longestReason = 140;

/** The outcome and its most telling reason, in one short sentence; `whyText` has the rest. */
export function whyBrief(receipt: Receipt): string {
  const [reason] = telling.flatMap(part => part(receipt) ?? []);
  if (reason === undefined) return `${outcome(receipt)}.`;
  const [line = ''] = reason.split('\n', 1);
  const short = line.length <= longestReason ? line : `${line.slice(0, longestReason).trimEnd()}…`;
  return `${outcome(receipt)}: ${short}${/[.!?\u2026]$/.test(short) ? '' : '.'}`;
}

/** The attempt that the caller saw the end of: the one that answered, else the last one; none where a kept answer did. */
function decisive(receipt: Receipt): Attempt | undefined {
  const { target, attempts, outcome: result } = receipt;
  if (isKept(receipt)) return undefined;
  return attempts.findLast(attempt => (result === 'ok' ? attempt.outcome === 'ok' : true) && (target === undefined || attempt.target === target)) ?? attempts.at(-1);
}

function outcome(receipt: Receipt): string {
  const last = decisive(receipt);
  const at = receipt.target ?? last?.target;
  if (isKept(receipt)) {
    if (receipt.cache?.state === 'hit') return at === undefined ? t('An answer was kept by the response cache and given again') : t('An answer of {0} was kept by the response cache and given again', at);
    return at === undefined ? t('It shared the call of an equal request') : t('It shared the call of an equal request, which {0} answered', at);
  }
  switch (receipt.outcome) {
    case 'ok': return receipt.failureClass === 'content-policy' ? t('{0} answered that it declines', at ?? t('It')) : t('{0} answered', at ?? t('It'));
    case 'open': return at === undefined ? t('It has not been sent anywhere yet') : t('It is at {0} now', at);
    case 'cancelled': return at === undefined ? t('It was cancelled before it was sent') : t('It was at {0} when it was cancelled', at);
    case 'interrupted': return at === undefined ? t('Waybill ended before it was sent') : t('It was at {0} when Waybill ended', at);
    case 'failed': return at === undefined ? t('It was sent to no provider') : t('Nothing answered it');
  }
}

/** The caller got an answer that another request had paid for. */
function isKept({ outcome: result, cache }: Receipt): boolean {
  return result === 'ok' && (cache?.state === 'hit' || cache?.state === 'shared');
}

/** Why the first target of the plan is the first. */
function choice(receipt: Receipt): string | undefined {
  const { plan: { kind, strategy, requestedModel, route = requestedModel, targets: [first], excluded, why, purpose }, attempts } = receipt;
  if (kind === 'target') return first === undefined && attempts.length === 0 && excluded.length > 0 ? undefined : t('exactly {0} was asked for', requestedModel);
  if (strategy === 'none') return receipt.message === undefined ? t('no route or model is named "{0}"', requestedModel) : withoutEnd(receipt.message);
  if (first === undefined) return nothingLeft(receipt);
  const within = why === undefined ? undefined : withoutEnd(why);
  if (kind === 'model') {
    return within === undefined ? t('{0} was asked for, and {1} is the first of its providers by priority', requestedModel, first.target)
      : t('{0} was asked for, and {1} comes first ({2})', requestedModel, first.target, within);
  }
  if (purpose?.first !== undefined) {
    const because = within === undefined ? purpose.why : `${purpose.why} (${within})`;
    return t('the route {0} sends {1} to {2} first, because {3}', route, entryText(purpose.entry), purpose.first, because);
  }
  return within === undefined ? t('{0} is the first of the route {1} that can serve it', first.target, route) : t('the route {0} puts {1} first ({2})', route, first.target, within);
}

/** Nothing could be sent, and no plan says by what. */
function nothingLeft({ message, attempts, plan }: Receipt): string | undefined {
  if (attempts.length > 0 || plan.excluded.length > 0) return undefined;
  return message === undefined ? undefined : withoutEnd(message);
}

/** `byKind.low-cost` as `low-cost work`. */
function entryText(entry: string | undefined): string {
  const [map, key] = (entry ?? '').split('.', 2);
  if (key === undefined) return t('it');
  return map === 'byRole' ? t('requests of the role {0}', key) : t('{0} work', key);
}

/** What the prompt cache of the conversation had to do with it, where that is not why the first target is the first. */
function warmCache({ plan: { why, cache } }: Receipt): string | undefined {
  if (cache?.why === undefined || cache.why === why) return undefined;
  return t('of its prompt cache: {0}', withoutEnd(cache.why));
}

function canary({ plan }: Receipt): string | undefined {
  if (plan.canary === undefined) return undefined;
  const { arm, why, keptAway } = plan.canary;
  return keptAway === true ? t('{0}, but the targets of the canary were kept away, so the baseline got it', why)
    : arm === 'canary' ? t('it is in the canary arm of the route\'s canary, because {0}', why) : t('it is in the baseline arm of the route\'s canary, because {0}', why);
}

/** Targets that could not serve it, each with its reason. */
function leftOut({ plan: { excluded }, attempts }: Receipt): string | undefined {
  const tried = new Set(attempts.map(({ target }) => target));
  const away = excluded.filter(({ target }) => !tried.has(target));
  if (away.length === 0) return undefined;
  const named = away.slice(0, mostNamed).map(({ target, reason }) => `${target} (${withoutEnd(reason)})`);
  const all = listed(named, away.length - named.length);
  return away.length === 1 ? t('left out was {0}', all) : t('left out were {0}', all);
}

/** Targets of the plan before the last one that were never asked: by then they could not be. */
function notAskedAnyMore(receipt: Receipt): string | undefined {
  const last = decisive(receipt);
  if (last === undefined) return undefined;
  const { targets } = receipt.plan;
  const index = targets.findIndex(({ target }) => target === last.target);
  const tried = new Set(receipt.attempts.map(({ target }) => target));
  const passed = targets.slice(0, Math.max(0, index)).filter(({ target }) => !tried.has(target)).map(({ target }) => target);
  if (passed.length === 0) return undefined;
  const tooLong = receipt.attempts.some(({ failureClass }) => failureClass === 'context-overflow');
  const all = listed(passed.slice(0, mostNamed), passed.length - mostNamed);
  if (tooLong) return passed.length === 1 ? t('{0} was passed over, because the prompt is too long there as well', all) : t('{0} were passed over, because the prompt is too long there as well', all);
  return passed.length === 1 ? t('{0} was passed over, because by then it could not be asked', all) : t('{0} were passed over, because by then it could not be asked', all);
}

/** Attempts that failed before the last one, or all of them where none answered. */
function failures(receipt: Receipt): string | undefined {
  const last = decisive(receipt);
  const failed = receipt.attempts.filter(attempt => attempt.outcome === 'failed' && (attempt !== last || receipt.outcome === 'failed'));
  if (failed.length === 0) return receipt.outcome === 'failed' && receipt.attempts.length > 0 && receipt.failureClass !== undefined ? exchangeFailureWords(receipt.failureClass, receipt.attempts.length) : undefined;
  const named = failed.slice(0, mostNamed).map(failureText);
  return t('{0} failed', listed(named, failed.length - named.length));
}

/** `north/m (rate limited, 429)`, with the fire drill that made it fail. */
function failureText({ target, failureClass, status, drill, role: why }: Attempt): string {
  const parts = [
    failureClass === undefined ? t('failed') : shownOf(saidOfFailure(failureClass)),
    ...(status === undefined || status < 400 ? [] : [String(status)]),
    ...(drill === true ? [t('in a fire drill')] : []),
    ...(why === 'last-resort' ? [t('asked although it was kept away')] : []),
  ];
  return `${target} (${parts.join(', ')})`;
}

/** The decisive attempt was made at a target that stands behind the others of the plan whatever their order. */
function standIn(receipt: Receipt): string | undefined {
  const { standIns, why } = receipt.plan;
  const target = decisive(receipt)?.target;
  const found = standIns?.find(one => one.target === target)?.why;
  return found === undefined || why?.includes(found) === true ? undefined : t('{0} waits behind the others ({1})', target ?? '', found);
}

/** The decisive attempt was made at a target that the route keeps for some kinds of work, after all others. */
function lastResort(receipt: Receipt): string | undefined {
  const { lastResort: targets, purpose } = receipt.plan;
  const target = decisive(receipt)?.target;
  if (target === undefined || targets?.includes(target) !== true) return undefined;
  return purpose === undefined ? t('{0} is the expensive last resort of the route', target) : t('{0} is the expensive last resort of the route for {1} work', target, purpose.kind);
}

/** Failures that another key of the same endpoint may not have. */
const ofKeys: ReadonlySet<Attempt['failureClass']> = new Set<Attempt['failureClass']>(['auth', 'quota', 'rate-limit']);

/** The target was asked before with another key of its endpoint, which was refused. */
function otherKey(receipt: Receipt): string | undefined {
  const last = decisive(receipt);
  if (last?.keyId === undefined) return undefined;
  const refused = receipt.attempts.filter(attempt => attempt !== last && attempt.endpoint === last.endpoint && ofKeys.has(attempt.failureClass) && attempt.keyId !== undefined && attempt.keyId !== last.keyId);
  if (refused.length === 0) return undefined;
  return refused.length === 1 ? t('{0} has several keys, and the one before was not accepted, so another one{1} was used', last.endpoint, keyText(last))
    : t('{0} has several keys, and those before were not accepted, so another one{1} was used', last.endpoint, keyText(last));
}

/** Of a key its label, which a person gave it, else its last characters. */
function keyText({ keyLabel, keyLast4 }: Attempt): string {
  return keyLabel !== undefined && keyLabel !== '' ? ` ("${keyLabel}")` : keyLast4 === undefined ? '' : ` (…${keyLast4})`;
}

/** A second target that was asked beside the one that answered, and was slower. */
function beside(receipt: Receipt): string | undefined {
  const last = decisive(receipt);
  if (receipt.outcome !== 'ok' || last === undefined) return undefined;
  const beaten = receipt.attempts.filter(attempt => attempt !== last && attempt.outcome === 'cancelled').map(({ target }) => target);
  if (beaten.length === 0) return undefined;
  const others = listed(beaten.slice(0, mostNamed), beaten.length - mostNamed);
  if (last.role === 'hedge') return t('it was asked beside {0}, which took long to begin, and began first', others);
  return beaten.length === 1 ? t('{0} was asked beside it, because it took long to begin, and was slower still', others)
    : t('{0} were asked beside it, because it took long to begin, and were slower still', others);
}

/** Why the last attempt was made, where it is not simply the next of the plan. */
function role(receipt: Receipt): string | undefined {
  const last = decisive(receipt);
  switch (last?.role) {
    case undefined: case 'hedge': return undefined;
    case 'resume': return t('{0} went on from where the answer had broken off', last.target);
    case 'restart': return t('the answer had broken off and started again at {0}', last.target);
    case 'shadow': return t('it was a copy of a caller\'s request, which is only compared');
    case 'last-resort': return t('nothing else was left, so {0} was asked although it was kept away', last.target);
  }
}

/** `a, b and c`, or `a, b and 4 more`. */
function listed(named: readonly string[], more: number): string {
  const all = more > 0 ? [...named, t('{0} more', more)] : [...named];
  const end = all.pop() ?? '';
  return all.length === 0 ? end : t('{0} and {1}', all.join(', '), end);
}

function withoutEnd(sentence: string): string {
  return sentence.replace(/\.$/, '');
}
