import { timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

/** Why a request may not come in; undefined when it may. */
export interface Refusal { status: number; message: string }

const loopbackHost = /^(?:127\.0\.0\.1|localhost|\[::1\])(?::\d{1,5})?$/i;
const loopbackOrigin = /^https?:\/\/(?:127\.0\.0\.1|localhost|\[::1\])(?::\d{1,5})?$/i;

/**
 * Guards against pages in a browser on this machine: a request must name this machine as its host (DNS rebinding) and
 * may not come from a page of another origin.
 */
export function checkOrigin(headers: IncomingHttpHeaders): Refusal | undefined {
  if (headers.host === undefined || !loopbackHost.test(headers.host)) {
    return { status: 403, message: 'The Host header must name this machine (127.0.0.1 or localhost).' };
  }
  const { origin } = headers;
  if (origin !== undefined && !loopbackOrigin.test(origin)) {
    return { status: 403, message: 'Requests from web pages of other origins are refused.' };
  }
  const site = headers['sec-fetch-site'];
  if (site === 'cross-site') return { status: 403, message: 'Requests from web pages of other origins are refused.' };
  return undefined;
}

/** The credential a request carries, from whichever header its protocol uses. */
export function presentedToken(headers: IncomingHttpHeaders): string | undefined {
  const { authorization } = headers;
  if (authorization !== undefined) {
    const space = authorization.indexOf(' ');
    if (space > 0 && authorization.slice(0, space).toLowerCase() === 'bearer') return authorization.slice(space + 1).trim();
  }
  for (const name of ['x-api-key', 'x-goog-api-key', 'api-key']) {
    const value = headers[name];
    if (typeof value === 'string' && value !== '') return value;
  }
  return undefined;
}

/** Compares presented tokens with the endpoint's in a time that says nothing of its content; its length is no secret. */
export class TokenCheck {
  #token: Buffer;

  constructor(token: string) {
    this.#token = Buffer.from(token);
  }

  accepts(presented: string | undefined): boolean {
    if (presented?.length !== this.#token.length) return false;
    const bytes = Buffer.from(presented);
    return bytes.length === this.#token.length && timingSafeEqual(bytes, this.#token);
  }
}
