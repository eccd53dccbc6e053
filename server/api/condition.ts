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
}

interface Look { health: HealthState; up: boolean; icon: string; words: string; until?: string }

/** Everything that is said and drawn of a kind; `icon` is the id of a codicon. */
const kinds: Readonly<Record<ConditionKind, Look>> = {
  'healthy': { health: 'healthy', up: true, icon: 'pass', words: 'healthy' },
  'degraded': { health: 'degraded', up: true, icon: 'warning', words: 'degraded' },
  'recovering': { health: 'degraded', up: true, icon: 'warning', words: 'recovering' },
  'unknown': { health: 'unknown', up: true, icon: 'circle-outline', words: 'not used yet' },
  'disabled': { health: 'unknown', up: false, icon: 'circle-slash', words: 'disabled' },
  'paused': { health: 'unknown', up: false, icon: 'debug-pause', words: 'paused', until: 'resumes at' },
  'offline': { health: 'down', up: false, icon: 'debug-disconnect', words: 'out of reach: offline' },
  'portal': { health: 'down', up: false, icon: 'debug-disconnect', words: 'out of reach: sign-in page in the way' },
  'no-key': { health: 'down', up: false, icon: 'error', words: 'no key stored' },
  'key-rejected': { health: 'down', up: false, icon: 'error', words: 'key rejected', until: 'tried again at' },
  'not-permitted': { health: 'down', up: false, icon: 'error', words: 'not permitted', until: 'tried again at' },
  'out-of-money': { health: 'down', up: false, icon: 'error', words: 'out of money', until: 'tried again at' },
  'rate-limited': { health: 'down', up: false, icon: 'watch', words: 'rate-limited', until: 'back at' },
  'overloaded': { health: 'down', up: false, icon: 'watch', words: 'overloaded', until: 'back at' },
  'down': { health: 'down', up: false, icon: 'error', words: 'down', until: 'next try at' },
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
    return others.every(({ kind }) => kind === first.kind) ? soonest : { kind: 'down', until: soonest.until, why: 'none up' };
  }
  if (up.length < conditions.length) return { kind: 'degraded', why: `${String(up.length)} of ${String(conditions.length)} up` };
  return up.find(one => healthOf(one) === 'degraded') ?? up.find(({ kind }) => kind === 'healthy') ?? first;
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
export function conditionText({ kind, until, why }: Condition, now: number): string {
  const { words, until: untilWords } = kinds[kind];
  if (kind === 'paused' && until === undefined) return 'paused until it is resumed';
  const cause = why === undefined ? words : `${words} (${why})`;
  return untilWords === undefined || until === undefined || until <= now ? cause : `${cause}, ${untilWords} ${clockText(until, now, 'up')}`;
}

/** The condition of an endpoint, and who answers in its place: `rate-limited (429), back at 18:05, using claude`. @param now milliseconds since the epoch */
export function stateText({ condition, instead }: { condition: Condition; instead?: readonly string[] | undefined }, now: number): string {
  return `${conditionText(condition, now)}${instead === undefined ? '' : `, using ${instead.join(', ')}`}`;
}

/**
 * A moment as `18:05`, with the date when it is not today. Such a text stays as it is while time passes.
 * @param rounding `up` to the next whole minute, for moments to come; `down` for moments past
 */
export function clockText(at: number, now: number, rounding: 'up' | 'down'): string {
  const date = new Date(rounding === 'up' ? Math.ceil(at / 60_000) * 60_000 : at);
  const two = (value: number): string => String(value).padStart(2, '0');
  const time = `${two(date.getHours())}:${two(date.getMinutes())}`;
  return date.toDateString() === new Date(now).toDateString() ? time : `${String(date.getFullYear())}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${time}`;
}

/** A failure class in a few words, the same wherever a person reads it. */
export const failureClassWords: Readonly<Record<FailureClass, string>> = {
  'auth': 'key rejected',
  'quota': 'no money left',
  'rate-limit': 'rate limited',
  'overloaded': 'overloaded',
  'server': 'server error',
  'network': 'network error',
  'timeout': 'timed out',
  'context-overflow': 'too long for the model',
  'content-policy': 'refused by policy',
  'model-not-found': 'model not found',
  'bad-request': 'bad request',
  'local': 'this machine ran short',
  'cancelled': 'cancelled',
};

/** Why an exchange failed, in a few words. Where nothing was sent to any provider, no server failed. @param attempts how many were made */
export function exchangeFailureWords(failureClass: FailureClass, attempts: number): string {
  return failureClass === 'server' && attempts === 0 ? 'no target can serve' : failureClassWords[failureClass];
}
