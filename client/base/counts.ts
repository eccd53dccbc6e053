import { t } from '@vscode/l10n';

/** What is counted, in one and in many. A language without plural forms has the same text for both. */
const phrases = {
  answer: (one: boolean, n: string): string => (one ? t('{0} answer', n) : t('{0} answers', n)),
  attempt: (one: boolean, n: string): string => (one ? t('{0} attempt', n) : t('{0} attempts', n)),
  gap: (one: boolean, n: string): string => (one ? t('{0} gap', n) : t('{0} gaps', n)),
  key: (one: boolean, n: string): string => (one ? t('{0} key', n) : t('{0} keys', n)),
  model: (one: boolean, n: string): string => (one ? t('{0} model', n) : t('{0} models', n)),
  other: (one: boolean, n: string): string => (one ? t('{0} other', n) : t('{0} others', n)),
  problem: (one: boolean, n: string): string => (one ? t('{0} problem', n) : t('{0} problems', n)),
  provider: (one: boolean, n: string): string => (one ? t('{0} provider', n) : t('{0} providers', n)),
  request: (one: boolean, n: string): string => (one ? t('{0} request', n) : t('{0} requests', n)),
  route: (one: boolean, n: string): string => (one ? t('{0} route', n) : t('{0} routes', n)),
  token: (one: boolean, n: string): string => (one ? t('{0} token', n) : t('{0} tokens', n)),
  wholeDay: (one: boolean, n: string): string => (one ? t('{0} whole day', n) : t('{0} whole days', n)),
} as const;

/** A thing that `counted` has words for. */
export type Counted = keyof typeof phrases;

/** `1 request`, `2,000 requests`. @param text the number as it is written */
export function counted(amount: number, thing: Counted, text: string): string {
  return phrases[thing](amount === 1, text);
}
