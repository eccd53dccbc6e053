import type { FailureClass } from '../api/failure.ts';
import type { FailureCode } from './failureCodes.ts';

export interface FailureDetails {
  /** HTTP status the provider answered with, where there was one. */
  status?: number | undefined;
  /** How long the provider asked us to wait, in milliseconds. */
  retryAfterMs?: number | undefined;
  /**
   * The message without the provider's words, where it quotes them: those may quote the conversation, so this alone is
   * stored. Absent where the message is wholly ours.
   */
  ownSentence?: string | undefined;
  /** The provider's own error message, bounded; redacted and cut by redactFailure.ts before anyone sees it. */
  detail?: string | undefined;
  /** The provider's own machine-readable code, such as `insufficient_quota`. */
  providerCode?: string | undefined;
  /** The system's code of a network failure, such as `ECONNREFUSED`; never shown to callers, whom it would tell nothing. */
  systemCode?: string | undefined;
  /** Where the user can mend it (billing page, key page). */
  helpUrl?: string | undefined;
  cause?: unknown;
}

/**
 * The one error base: a stable code, the failure class that decides what happens next, and one sentence
 * for the user with the next action (`message`).
 */
export class WaybillError extends Error {
  readonly code: FailureCode;
  readonly failureClass: FailureClass;
  readonly status: number | undefined;
  readonly retryAfterMs: number | undefined;
  readonly ownSentence: string | undefined;
  readonly detail: string | undefined;
  readonly providerCode: string | undefined;
  readonly systemCode: string | undefined;
  readonly helpUrl: string | undefined;

  constructor(code: FailureCode, failureClass: FailureClass, message: string, details: FailureDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'WaybillError';
    this.code = code;
    this.failureClass = failureClass;
    this.status = details.status;
    this.retryAfterMs = details.retryAfterMs;
    this.ownSentence = details.ownSentence;
    this.detail = details.detail;
    this.providerCode = details.providerCode;
    this.systemCode = details.systemCode;
    this.helpUrl = details.helpUrl;
  }

  /** The sentence that may be stored: ours, without what a provider said. */
  get storedMessage(): string {
    return this.ownSentence ?? this.message;
  }
}
