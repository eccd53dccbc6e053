import { SwitchyardError } from '../base/failure.ts';
import { drillFailure } from '../upstream/drills.ts';
import type { AttemptEnd } from './attempt.ts';
import type { RawError } from './input.ts';

/** The failure as it may be told, shown and written down: providers echo keys in their errors, in any field. */
export function redactFailure(error: SwitchyardError, redact: (text: string) => string): SwitchyardError {
  const { status, retryAfterMs, detail, providerCode, systemCode, helpUrl } = error;
  return new SwitchyardError(error.code, error.failureClass, redact(error.message), {
    status, retryAfterMs, systemCode, helpUrl, cause: error,
    detail: detail === undefined ? undefined : redact(detail),
    providerCode: providerCode === undefined ? undefined : redact(providerCode),
  });
}

/** A provider's own error as it may be passed on; untouched where there is nothing to hide. */
export function redactRaw(raw: RawError, redact: (text: string) => string): RawError {
  const text = raw.body.toString('utf8');
  const clean = redact(text);
  const headers = Object.fromEntries(Object.entries(raw.headers).map(([name, value]) => [name, redact(value)]));
  return { ...raw, headers, body: clean === text ? raw.body : Buffer.from(clean) };
}

/**
 * The end of an attempt as it may be told: keys go no further than this in what a failure says.
 * @param drilled a fire drill made it; its sentence says so
 */
export function tellable(end: AttemptEnd, drilled: boolean, redact: (text: string) => string): AttemptEnd {
  if (end.kind === 'ok') return end;
  const error = drilled ? drillFailure(end.error) : end.error;
  return { ...end, error: redactFailure(error, redact), raw: end.raw === undefined ? undefined : redactRaw(end.raw, redact) };
}
