import type { Caller } from '../api/receipt.ts';
import { WaybillError } from '../base/failure.ts';
import { logText } from '../api/logText.ts';
import type { Redactor } from '../base/secrets/redact.ts';
import { drillFailure } from '../upstream/interceptors/faultInjector.ts';
import { withProviderWords } from '../upstream/failures/responseFailure.ts';
import type { AttemptEnd } from './attempt/machine.ts';
import type { RawError } from './request.ts';

const longestDetail = 2000;
/** Longer codes are sentences. */
const longestCode = 200;

/**
 * The failure as it may be shown and sent to a caller: providers echo keys in their errors, in any field. Its texts are
 * redacted before they are cut, and hold nothing that a terminal would obey.
 */
export function redactFailure(error: WaybillError, redactor: Redactor): WaybillError {
  const { status, retryAfterMs, detail, providerCode, systemCode, helpUrl, injected, namesKeyOwner, scope } = error;
  const ownSentence = error.ownSentence === undefined ? undefined : logText(redactor.redact(error.ownSentence));
  const message = ownSentence === undefined
    ? redactor.redact(error.message)
    : withProviderWords(ownSentence, detail ?? '', (text, maxLength) => redactor.excerpt(text, maxLength));
  return new WaybillError(error.code, error.failureClass, logText(message), {
    status, retryAfterMs, systemCode, helpUrl, injected, namesKeyOwner, scope, ownSentence, cause: error,
    detail: detail === undefined ? undefined : redactor.excerpt(detail, longestDetail),
    providerCode: providerCode === undefined ? undefined : redactor.excerpt(providerCode, longestCode),
  });
}

/** A provider's own error as it may be passed on; its body is untouched where there is nothing to hide. */
export function redactRaw(raw: RawError, redactor: Pick<Redactor, 'redact'>): RawError {
  const text = raw.body.toString('utf8');
  const clean = redactor.redact(text);
  return { ...raw, contentType: redactor.redact(raw.contentType), headers: redactHeaders(raw.headers, redactor), body: clean === text ? raw.body : Buffer.from(clean) };
}

/** Response headers of a provider as they may be passed on. */
export function redactHeaders(headers: Readonly<Record<string, string>>, redactor: Pick<Redactor, 'redact'>): Readonly<Record<string, string>> {
  // Almost always there is nothing to hide, and one look at all of them shows it.
  let values = '';
  for (const name in headers) values += `${headers[name] ?? ''}\n`;
  if (values === '' || redactor.redact(values) === values) return headers;
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, redactor.redact(value)]));
}

/** Models as a provider lists them, without those whose name has a secret in it. */
export function withoutSecrets<T extends { name: string }>(models: readonly T[], redactor: Pick<Redactor, 'holds'>): T[] {
  return models.filter(model => !redactor.holds(model.name));
}

/** Who sent a request, as it may be shown and stored: tools put all kinds of things into headers. The same object where there is nothing to hide. */
export function redactCaller(caller: Caller, redactor: Pick<Redactor, 'redact'>): Caller {
  let clean = caller;
  for (const field of callerFields) {
    const text = caller[field];
    if (text === undefined) continue;
    const redacted = redactor.redact(text);
    if (redacted !== text) clean = { ...clean, [field]: redacted };
  }
  return clean;
}

/** What its caller wrote. What a token says is kept by us, and stays. */
const callerFields = ['tool', 'workspace', 'branch', 'conversation', 'purpose', 'extension'] as const satisfies (keyof Caller)[];

/**
 * The end of an attempt without secrets: texts of a failure hold no key from here on.
 * @param drilled fault injection made the failure; its sentence says so
 */
export function redactEnd(end: AttemptEnd, drilled: boolean, redactor: Redactor): AttemptEnd {
  if (end.kind === 'ok') return end;
  const error = drilled ? drillFailure(end.error) : end.error;
  return { ...end, error: redactFailure(error, redactor), raw: end.raw === undefined ? undefined : redactRaw(end.raw, redactor) };
}
