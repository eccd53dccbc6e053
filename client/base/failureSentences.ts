import { said, shownOf, type Said } from '../../server/api/localization/said.ts';

/** Sentences of a server about a provider, without their full stop. {0} is the endpoint; {1} and {2} are keys and models. */
const sentences: readonly Said[] = [
  said('{0} refused the connection', ''),
  said('{0} has no address: its host name was not found. Check the base URL and your connection', ''),
  said('{0} has no address: its host name has none. Check the base URL and your connection', ''),
  said('{0} has no address for now: the name server gave no answer. Check your connection', ''),
  said('{0} has no address for now: the name server failed. Check your connection', ''),
  said('{0} cannot be reached from this machine', ''),
  said('{0} did not accept a connection in time', ''),
  said('{0} closed the connection before a request could be sent', ''),
  said('{0} took the request and closed the connection without an answer', ''),
  said('{0} was lost before it answered: the connection went dead. Check your connection', ''),
  said('{0} broke the connection in mid-answer', ''),
  said('{0} broke off in mid-answer', ''),
  said('{0} answered with nothing', ''),
  said('{0} answered without any text or tool call', ''),
  said('{0} answered with something that is not JSON', ''),
  said('{0} answered with a web page{1} instead of an answer', '', ''),
  said('{0} sent an answer that could not be read', ''),
  said('{0} did not answer within {1}', '', ''),
  said('{0} rejected {1}', '', ''),
  said('{0} wants a key', ''),
  said('{0} says there is no money or quota left on {1}', '', ''),
  said('{0} limits the rate of requests', ''),
  said('{0} is overloaded', ''),
  said('{0} reported a timeout', ''),
  said('The conversation is too long for {1} at {0}', '', ''),
  said('{0} refused the request for its content policy', ''),
  said('{0} refused this request for content policy', ''),
  said('{0} does not know the model {1}', '', ''),
  said('{0} refused the request as wrong', ''),
  said('{0} failed', ''),
  said('{0} cannot call tools', ''),
  said('{0} cannot call tools: agents stop', ''),
  said('{0} cannot read images', ''),
];

/** What may follow a sentence: the next action, as it stands behind a semicolon. */
const advices: readonly Said[] = [
  said('replace the key, or check what it may use'),
  said('add one'),
  said('top up or raise the limit at the provider'),
  said('shorten it or choose a model with a larger context window'),
  said('check its name or your access to it'),
  said('check the base URL'),
  said('check your connection, VPN and firewall'),
];

/** Reasons in a few words, as they stand in the middle of a sentence. */
const reasons: readonly Said[] = [
  said('no key is stored for it'),
  said('the provider rejected every key'),
  said('it is down'),
];

const ofDrill = /^Fire drill: /;
let patterns: { key: string; pattern: RegExp; order: number[] }[] | undefined;

/**
 * A sentence of a server about what failed, in the language of the editor where it is one of those that are known; else as it is. Receipts keep
 * the English sentence. What the provider itself said stays as it said it.
 */
export function shownFailure(message: string): string {
  if (ofDrill.test(message)) return shownOf(said('Fire drill: {0}', shownFailure(message.replace(ofDrill, ''))));
  const reason = reasons.find(({ key }) => key === message);
  if (reason !== undefined) return shownOf(reason);
  const stop = message.endsWith('.') ? '.' : '';
  const whole = message.slice(0, message.length - stop.length);
  const [advice] = advices.filter(({ key }) => whole.endsWith(`; ${key}`));
  const statement = advice === undefined ? whole : whole.slice(0, -advice.key.length - 2);
  const shown = statementShown(statement);
  return shown === undefined ? message : `${shown}${advice === undefined ? '' : `; ${shownOf(advice)}`}${stop}`;
}

function statementShown(statement: string): string | undefined {
  patterns ??= sentences.map(({ key }) => ({ key, pattern: patternOf(key), order: [...key.matchAll(/\{(\d)\}/g)].map(([, index]) => Number(index)) }));
  for (const { key, pattern, order } of patterns) {
    const match = pattern.exec(statement);
    if (match === null) continue;
    const values: string[] = [];
    for (const [at, index] of order.entries()) values[index] = match[at + 1] ?? '';
    return shownOf({ key, values }) + (match.at(-1) ?? '');
  }
  return undefined;
}

/** The sentence, and what may stand behind it: a status in brackets, and the words of the provider. */
function patternOf(key: string): RegExp {
  const escaped = key.replace(/[.*+?^$()|[\]\\]/g, '\\$&').replace(/\{\d\}/g, '([^:;]*?)');
  return new RegExp(`^${escaped}((?: \\([^()]*\\))?(?:: .*)?)$`);
}
