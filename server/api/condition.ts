import { t } from '@vscode/l10n';
import { momentText } from './localization/times.ts';
import { englishOf, said, shownOf, type Said } from './localization/said.ts';
import type { FailureClass } from './failure.ts';

export type HealthState = 'healthy' | 'degraded' | 'down' | 'unknown';

/** What keeps an endpoint, or a model there, from answering as it should. */
export type ConditionKind =
  | 'healthy' | 'degraded' | 'recovering' | 'unknown'
  | 'disabled' | 'paused' | 'offline' | 'portal' | 'no-key' | 'key-rejected' | 'not-permitted' | 'out-of-money' | 'rate-limited' | 'overloaded' | 'down';

/** What an endpoint, or one model there, can do now. The server decides; every place that shows it uses these words. */
export interface Condition {
  kind: ConditionKind;
  /** When it can next be asked, in milliseconds since the epoch; absent where that is now, or not known. */
  until?: number | undefined;
  /** Why, in a few words; absent where the kind says it all. */
  why?: string | undefined;
  /** What `why` is made of, where it is more than a name or a number. */
  said?: Said | undefined;
}

interface Look {
  health: HealthState;
  up: boolean;
  icon: string;
  words: Said;
  /** The words with a moment. */
  until?: (words: Said, at: string) => Said;
}

const triedAgain = (words: Said, at: string): Said => said('{0}, tried again at {1}', words, at);
const backAt = (words: Said, at: string): Said => said('{0}, back at {1}', words, at);

/** Everything that is said and drawn of a kind; `icon` is the id of a codicon. */
const kinds: Readonly<Record<ConditionKind, Look>> = {
  'healthy': { health: 'healthy', up: true, icon: 'pass', words: said('healthy') },
  'degraded': { health: 'degraded', up: true, icon: 'warning', words: said('degraded') },
  'recovering': { health: 'degraded', up: true, icon: 'warning', words: said('recovering') },
  'unknown': { health: 'unknown', up: true, icon: 'circle-outline', words: said('not used yet') },
  'disabled': { health: 'unknown', up: false, icon: 'circle-slash', words: said('disabled') },
  'paused': { health: 'unknown', up: false, icon: 'debug-pause', words: said('paused'), until: (words, at) => said('{0}, resumes at {1}', words, at) },
  'offline': { health: 'down', up: false, icon: 'debug-disconnect', words: said('out of reach: offline') },
  'portal': { health: 'down', up: false, icon: 'debug-disconnect', words: said('out of reach: sign-in page in the way') },
  'no-key': { health: 'down', up: false, icon: 'error', words: said('no key stored') },
  'key-rejected': { health: 'down', up: false, icon: 'error', words: said('key rejected'), until: triedAgain },
  'not-permitted': { health: 'down', up: false, icon: 'error', words: said('not permitted'), until: triedAgain },
  'out-of-money': { health: 'down', up: false, icon: 'error', words: said('out of money'), until: triedAgain },
  'rate-limited': { health: 'down', up: false, icon: 'watch', words: said('rate-limited'), until: backAt },
  'overloaded': { health: 'down', up: false, icon: 'watch', words: said('overloaded'), until: backAt },
  'down': { health: 'down', up: false, icon: 'error', words: said('down'), until: (words, at) => said('{0}, next try at {1}', words, at) },
};

/** Every kind there is. */
export const conditionKinds = Object.keys(kinds) as ConditionKind[];

/** The codicon of a condition, the same in the status bar, the Providers view and the model picker. */
export function conditionIcon({ kind }: Condition): string {
  return kinds[kind].icon;
}

/**
 * The condition of what several targets can serve, such as a route: the only one; else what all have in common; else `degraded` while one
 * of them is up, and `down` where none is.
 */
export function jointCondition(conditions: readonly Condition[]): Condition {
  const [first, ...others] = conditions;
  if (first === undefined) return { kind: 'down' };
  if (others.length === 0) return first;
  const up = conditions.filter(isUp);
  if (up.length === 0) {
    const soonest = conditions.reduce((one, other) => ((other.until ?? Infinity) < (one.until ?? Infinity) ? other : one));
    return others.every(({ kind }) => kind === first.kind) ? soonest : { kind: 'down', until: soonest.until, ...because(said('none up')) };
  }
  if (up.length < conditions.length) return { kind: 'degraded', ...because(said('{0} of {1} up', up.length, conditions.length)) };
  return up.find(one => healthOf(one) === 'degraded') ?? up.find(({ kind }) => kind === 'healthy') ?? first;
}

/** The words of a kind, with what they are made of. */
export function saidOfKind(kind: ConditionKind): Said {
  return kinds[kind].words;
}

/** The reason of a condition, with what it is made of. */
export function because(reason: Said): Pick<Condition, 'why' | 'said'> {
  return { why: englishOf(reason), said: reason };
}

/** Whether a request can be sent there now. What was not used yet counts as up until its first failure. */
export function isUp({ kind }: Condition): boolean {
  return kinds[kind].up;
}

/** The condition as one of four states, for icons and colours. */
export function healthOf({ kind }: Condition): HealthState {
  return kinds[kind].health;
}

/** `healthy`, `rate-limited (429), back at 18:05`, `down (network error), next try at 18:05`, `paused until it is resumed`. @param now milliseconds since the epoch */
export function conditionText(condition: Condition, now: number): string {
  return shownOf(saidOf(condition, now));
}

/** The same with what it is made of. @param now milliseconds since the epoch */
export function saidOf({ kind, until, why, said: reason }: Condition, now: number): Said {
  const { words, until: untilWords } = kinds[kind];
  if (kind === 'paused' && until === undefined) return said('paused until it is resumed');
  const cause = why === undefined ? words : said('{0} ({1})', words, reason ?? why);
  return untilWords === undefined || until === undefined || until <= now ? cause : untilWords(cause, clockText(until, now, 'up'));
}

/** The condition of an endpoint, and who answers in its place: `rate-limited (429), back at 18:05, using claude`. @param now milliseconds since the epoch */
export function stateText({ condition, instead }: { condition: Condition; instead?: readonly string[] | undefined }, now: number): string {
  return instead === undefined ? conditionText(condition, now) : t('{0}, using {1}', conditionText(condition, now), instead.join(', '));
}

/**
 * A moment as `18:05`, with the date when it is not today. Such a text stays as it is while time passes.
 * @param rounding `up` to the next whole minute, for moments to come; `down` for moments past
 */
export function clockText(at: number, now: number, rounding: 'up' | 'down'): string {
  const minute = rounding === 'up' ? Math.ceil(at / 60_000) * 60_000 : at;
  const moment = momentText(minute);
  return new Date(minute).toDateString() === new Date(now).toDateString() ? moment.slice(-'18:05'.length) : moment;
}

/** A failure class in a few words, the same wherever a person reads it. */
const failures: Readonly<Record<FailureClass, Said>> = {
  'auth': said('key rejected'),
  'quota': said('no money left'),
  'rate-limit': said('rate limited'),
  'overloaded': said('overloaded'),
  'server': said('server error'),
  'network': said('network error'),
  'timeout': said('timed out'),
  'context-overflow': said('too long for the model'),
  'content-policy': said('refused by policy'),
  'model-not-found': said('model not found'),
  'bad-request': said('bad request'),
  'local': said('this machine ran short'),
  'cancelled': said('cancelled'),
};

/** The same in English, for what is stored or sent. */
export const failureClassWords = Object.fromEntries(Object.entries(failures).map(([name, words]) => [name, englishOf(words)])) as Readonly<Record<FailureClass, string>>;

/** A failure class in a few words, with what they are made of. */
export function saidOfFailure(failureClass: FailureClass): Said {
  return failures[failureClass];
}

/** Why an exchange failed, in a few words. Where nothing was sent to any provider, no server failed. @param attempts how many were made */
export function exchangeFailureWords(failureClass: FailureClass, attempts: number): string {
  return failureClass === 'server' && attempts === 0 ? t('no target can serve') : shownOf(failures[failureClass]);
}
