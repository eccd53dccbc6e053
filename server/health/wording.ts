import type { FailureClass } from '../api/failure.ts';
import { englishOf, said, type Said } from '../api/localization/said.ts';
import type { NetworkStatus } from '../api/status.ts';

/** A wait as a person says it: `1 s` at least, whole seconds below 100 s, then minutes, then hours; rounded up. */
export function waitWords(waitMs: number): string {
  const seconds = Math.max(1, Math.ceil(waitMs / 1000));
  if (seconds < 100) return `${seconds} s`;
  const minutes = Math.ceil(seconds / 60);
  return minutes < 100 ? `${minutes} min` : `${Math.ceil(minutes / 60)} h`;
}

const classWords: Readonly<Record<FailureClass, string>> = {
  'auth': 'key rejected',
  'quota': 'no credit left',
  'rate-limit': 'rate-limited',
  'overloaded': 'overloaded',
  'server': 'server error',
  'network': 'network failure',
  'timeout': 'no answer in time',
  'context-overflow': 'context too long',
  'content-policy': 'refused by content policy',
  'model-not-found': 'model unknown',
  'bad-request': 'bad request',
  'local': 'this machine ran short',
  'cancelled': 'cancelled',
};

/** A failure in a few words for the middle of a sentence: the message when there is one, shortened; else the class. */
export function failureWords(failureClass: FailureClass, message: string | undefined): string {
  const text = message?.replace(/\s+/g, ' ').trim().replace(/(?<!\.)\.+$/, '');
  if (text === undefined || text === '') return classWords[failureClass];
  return text.length <= 80 ? text : `${text.slice(0, 79).trimEnd()}…`;
}


/** The sentence about trouble with the machine's own network: what is wrong, and what to do. */
export function troubleSentence(kind: NetworkStatus['kind']): string {
  return englishOf(saidOfTrouble(kind));
}

/** The same with what it is made of. */
export function saidOfTrouble(kind: NetworkStatus['kind']): Said {
  return kind === 'offline'
    ? said('You are offline: no provider can be reached from this machine. Check your connection; local models still work.')
    : said('You are offline: a sign-in page of this network seems to answer in the place of the providers. Open any web page in your browser and sign in; local models still work.');
}
