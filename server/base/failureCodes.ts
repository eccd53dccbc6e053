import type { FailureClass } from '../api/failure.ts';

/** The timers of an attempt, by the phase they guard; `throughput` guards the least pace, `total` the whole attempt. */
export type TimerPhase = 'connect' | 'headers' | 'first-token' | 'idle' | 'throughput' | 'total';

/** What other parts ask of a failure's code. An absent field means no. */
export interface FailureFacts {
  /** No byte of the request was written: it cost nothing, and counts against no limit. */
  readonly beforeSending?: true;
  /** The timer that ran out. */
  readonly timer?: TimerPhase;
  /** A login that comes before the request failed: the provider saw neither key nor request. */
  readonly beforeLogin?: true;
  /** Something other than the provider's API answered, such as the login page of a network. */
  readonly notTheApi?: true;
  /** The connection ended without an error of its own; a link that is lost ends connections so too. */
  readonly connectionEnded?: true;
  /** An outbound proxy of this machine failed, so it says nothing of the endpoint. */
  readonly ofProxy?: true;
  /** The network's own failures after which the same target may be asked once more when no other is left. */
  readonly mayRepeat?: true;
}

/** What providers say themselves, one code for each class. */
const saidByProvider = {
  'provider-auth': {},
  'provider-quota': {},
  'provider-rate-limit': {},
  'provider-overloaded': {},
  'provider-server': {},
  'provider-network': {},
  'provider-timeout': {},
  'provider-context-overflow': {},
  'provider-content-policy': {},
  'provider-model-not-found': {},
  'provider-bad-request': {},
  'provider-local': {},
  'provider-cancelled': {},
} as const satisfies Record<`provider-${FailureClass}`, FailureFacts>;

/** Every code of a failure, and what is true of it. A code that is not here does not compile. */
const table = {
  ...saidByProvider,
  /** The provider refuses reasoning that another one signed. */
  'reasoning-rejected': {},

  // The connection: upstream/failures/networkFailure.ts and tlsSentences.ts.
  'connection-refused': { beforeSending: true },
  'connection-failed': { beforeSending: true, mayRepeat: true },
  'connect-timeout': { beforeSending: true, timer: 'connect' },
  'no-address': { beforeSending: true },
  'unreachable': { beforeSending: true },
  'certificate': { beforeSending: true, notTheApi: true },
  'not-tls': { beforeSending: true },
  'http2-only': { beforeSending: true },
  'tls-failed': { beforeSending: true },
  'unsendable': { beforeSending: true },
  'own-limit': { beforeSending: true },
  'shutting-down': { beforeSending: true },
  'kept-connection-lost': { mayRepeat: true },
  'connection-lost': { mayRepeat: true },
  'connection-reset': { connectionEnded: true },
  'not-http': {},
  'headers-too-large': {},

  // The proxy on the way: upstream/failures/proxyFailure.ts.
  'proxy-unreachable': { beforeSending: true, ofProxy: true },
  'proxy-timeout': { beforeSending: true, ofProxy: true },
  'proxy-login': { beforeSending: true, ofProxy: true },
  'proxy-refused': { beforeSending: true, ofProxy: true },
  'proxy-broken': { beforeSending: true, ofProxy: true },

  // The login at Google: upstream/interceptors/.
  'google-key-file': { beforeSending: true, beforeLogin: true },
  'google-login': { beforeSending: true, beforeLogin: true },
  'google-project': { beforeSending: true, beforeLogin: true },

  // Logins of this machine at AWS and at Microsoft: upstream/aws/, upstream/entra/.
  'aws-login': { beforeSending: true, beforeLogin: true },
  'entra-login': { beforeSending: true, beforeLogin: true },

  // The answer: exchange/answer/, upstream/failures/, protocols/sseReader.ts.
  'redirect': { notTheApi: true },
  'not-an-api': { notTheApi: true },
  'nothing-there': {},
  'not-json': {},
  'empty-answer': {},
  'unreadable-answer': {},
  'undecodable-answer': {},
  'answer-too-large': {},
  'event-too-large': {},
  'prelude-too-large': {},
  'stream-noise': {},
  'stream-cut': { connectionEnded: true },
  'refused': {},

  // Timers of an attempt: exchange/attempt/timers.ts.
  'headers-timeout': { timer: 'headers' },
  'first-token-timeout': { timer: 'first-token' },
  'idle-timeout': { timer: 'idle' },
  'too-slow': { timer: 'throughput' },
  'total-timeout': { timer: 'total' },
  'caller-too-slow': {},

  // The exchange as a whole, and what runs beside it.
  'unknown-name': {},
  'key-as-name': {},
  'bad-request': {},
  'context-overflow': {},
  'no-target': {},
  'all-targets-failed': {},
  'cap-reached': {},
  'budget-reached': {},
  'offline': {},
  'cancelled': {},
  'internal': {},
  'drill-refused': {},
  'ledger-unavailable': {},
} as const satisfies Record<string, FailureFacts>;

/** The stable name of what went wrong; finer than the failure class, which alone decides what happens next. */
export type FailureCode = keyof typeof table;

/** What is true of every failure with a code. */
export const failureCodes: Readonly<Record<FailureCode, FailureFacts>> = table;
