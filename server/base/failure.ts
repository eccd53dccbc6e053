import type { FailureClass, RefusalScope } from '../api/failure.ts';
import type { FailureCode } from './failureCodes.ts';

export interface FailureDetails {
  /** What the user can do, such as `check the base URL`; the message ends with it, after a semicolon. */
  advice?: string | undefined;
  /** HTTP status the provider answered with, where there was one. */
  status?: number | undefined;
  /** How long the provider asked us to wait, in milliseconds. */
  retryAfterMs?: number | undefined;
  /**
   * The message without the provider's own text, where it quotes that: it may quote the conversation, so this alone is
   * stored. Absent where the message is wholly ours.
   */
  ownSentence?: string | undefined;
  /** The provider's own error message, bounded; redactFailure.ts redacts and cuts it before it is shown. */
  detail?: string | undefined;
  /** The provider's own machine-readable code, such as `insufficient_quota`. */
  providerCode?: string | undefined;
  /** The part of the request that the provider names as refused. */
  providerParam?: string | undefined;
  /** The system's code of a network failure, such as `ECONNREFUSED`. Callers never see it: it would not help them. */
  systemCode?: string | undefined;
  /** Where the user can mend it (billing page, key page). */
  helpUrl?: string | undefined;
  /** Fault injection made this failure, and its message says so. */
  injected?: true | undefined;
  /** What a refusal speaks of; absent: by its class. */
  scope?: RefusalScope | undefined;
  /** The message says that the rejected key is one for a provider, so that no caller takes it for its own token. */
  namesKeyOwner?: true | undefined;
  cause?: unknown;
}

/**
 * The one error base: a stable code, the failure class that decides what happens next, and one sentence
 * for the user with the next action (`message`).
 */
export class WaybillError extends Error {
  readonly code: FailureCode;
  readonly failureClass: FailureClass;
  /** The message without its advice. */
  readonly statement: string;
  readonly status: number | undefined;
  readonly retryAfterMs: number | undefined;
  readonly ownSentence: string | undefined;
  readonly detail: string | undefined;
  readonly providerCode: string | undefined;
  readonly providerParam: string | undefined;
  readonly systemCode: string | undefined;
  readonly helpUrl: string | undefined;
  readonly injected: true | undefined;
  readonly namesKeyOwner: true | undefined;
  readonly scope: RefusalScope | undefined;

  /** @param statement one sentence that says what happened; with the advice of the details it makes the message */
  constructor(code: FailureCode, failureClass: FailureClass, statement: string, details: FailureDetails = {}) {
    super(withAdvice(statement, details.advice), details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'WaybillError';
    this.code = code;
    this.failureClass = failureClass;
    this.statement = statement;
    this.status = details.status;
    this.retryAfterMs = details.retryAfterMs;
    this.ownSentence = details.ownSentence;
    this.detail = details.detail;
    this.providerCode = details.providerCode;
    this.providerParam = details.providerParam;
    this.systemCode = details.systemCode;
    this.helpUrl = details.helpUrl;
    this.injected = details.injected;
    this.namesKeyOwner = details.namesKeyOwner;
    this.scope = details.scope;
  }

  /** The sentence that may be stored: ours, without what a provider said. */
  get storedMessage(): string {
    return this.ownSentence ?? this.message;
  }
}

function withAdvice(statement: string, advice: string | undefined): string {
  return advice === undefined ? statement : `${statement.replace(/\.$/, '')}; ${advice}.`;
}
