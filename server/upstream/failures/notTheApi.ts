import { WaybillError } from '../../base/failure.ts';

/** The endpoint answers with another address. Redirects are never followed, so that no credential reaches another host. */
export function redirectFailure(endpoint: string, status: number): WaybillError {
  return new WaybillError('redirect', 'server', `${endpoint} redirected to another address (${status}), which is not followed.`, { advice: 'check the base URL', status });
}

/**
 * A web page came where an answer was due: from a wrong address, a guard or the login page of a network. It says nothing
 * about key, model or request.
 * @param status absent where the status was a good one
 */
export function pageFailure(endpoint: string, status?: number): WaybillError {
  return new WaybillError('not-an-api', 'server', `${endpoint} answered with a web page${status === undefined ? '' : ` (${status})`} instead of an answer.`, {
    advice: 'check the base URL, or a login page in between', status,
  });
}

/** Whether a content type is that of a web page. */
export function isPageType(contentType: string): boolean {
  return contentType.toLowerCase().includes('text/html');
}

/** Whether a text is that of a web page. Probes read the text, because servers of models often send it without a fitting type. */
export function isPageText(text: string): boolean {
  return /^\s*<(?:!doctype|html)/i.test(text);
}
