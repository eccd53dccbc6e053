import type { FailureClass } from '../api/failure.ts';

export interface FailureDetails {
  /** HTTP status the provider answered with, where there was one. */
  status?: number | undefined;
  /** How long the provider asked us to wait, in milliseconds. */
  retryAfterMs?: number | undefined;
  /** The provider's own error message, redacted and bounded; for receipts and the log. */
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
export class SwitchyardError extends Error {
  readonly code: string;
  readonly failureClass: FailureClass;
  readonly status: number | undefined;
  readonly retryAfterMs: number | undefined;
  readonly detail: string | undefined;
  readonly providerCode: string | undefined;
  readonly systemCode: string | undefined;
  readonly helpUrl: string | undefined;

  constructor(code: string, failureClass: FailureClass, message: string, details: FailureDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'SwitchyardError';
    this.code = code;
    this.failureClass = failureClass;
    this.status = details.status;
    this.retryAfterMs = details.retryAfterMs;
    this.detail = details.detail;
    this.providerCode = details.providerCode;
    this.systemCode = details.systemCode;
    this.helpUrl = details.helpUrl;
  }
}
