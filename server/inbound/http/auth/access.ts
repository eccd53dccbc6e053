import { timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

/** Why a request may not come in; undefined when it may. */
export interface Refusal { status: number; message: string }

const loopbackHost = /^(?:127\.0\.0\.1|localhost|\[::1\])(?::\d{1,5})?$/i;
const loopbackOrigin = /^https?:\/\/(?:127\.0\.0\.1|localhost|\[::1\])(?::\d{1,5})?$/i;

/** Whether an authority, host with or without port, names this machine. */
export function isThisMachine(authority: string): boolean {
  return loopbackHost.test(authority);
}

/**
 * Guards against pages in a browser on this machine: a request must name this machine as its host (DNS rebinding) and
 * may not come from a page of another origin.
 */
export function checkOrigin(headers: IncomingHttpHeaders): Refusal | undefined {
  if (headers.host === undefined || !isThisMachine(headers.host)) {
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

/** Whose token was presented: a tool's own, or the one that all tools may share. */
export interface TokenOwner { tool: string | undefined }

/** Compares presented tokens with the known ones in a time that does not depend on their content; lengths are no secret. */
export class TokenCheck {
  #shared: Buffer;
  #tools: { readonly tokens: ReadonlyMap<string, Buffer> };

  /** @param shared the token without a tool's name @param tools the tools' own tokens; read for each request, so that a revoked one is refused at once */
  constructor(shared: string, tools: { readonly tokens: ReadonlyMap<string, Buffer> }) {
    this.#shared = Buffer.from(shared);
    this.#tools = tools;
  }

  /** @returns undefined for a token that is not known */
  ownerOf(presented: string | undefined): TokenOwner | undefined {
    if (presented === undefined || presented === '') return undefined;
    const bytes = Buffer.from(presented);
    if (sameBytes(bytes, this.#shared)) return { tool: undefined };
    let owner: TokenOwner | undefined;
    // All are compared, so that the time does not reveal which one was close.
    for (const [tool, token] of this.#tools.tokens) if (sameBytes(bytes, token)) owner = { tool };
    return owner;
  }
}

function sameBytes(left: Buffer, right: Buffer): boolean {
  return left.length === right.length && timingSafeEqual(left, right);
}
