import type { JWTOptions } from 'google-auth-library';
import type { AskLogin } from '../machineLogin.ts';

type TransporterOptions = NonNullable<JWTOptions['transporterOptions']>;
type Fetch = NonNullable<TransporterOptions['fetchImplementation']>;

/** Statuses whose responses have no body: Fetch Standard, section 2.2.3. */
const withoutBody: ReadonlySet<number> = new Set([101, 103, 204, 205, 304]);

/**
 * Has Google's library ask over the network of an endpoint: its proxy, and the authorities that are trusted there. By itself
 * the library knows the variables of the environment only.
 * @param current gives the way to ask, which may change from login to login
 */
export function googleNetwork(current: () => AskLogin): TransporterOptions {
  const fetchImplementation: Fetch = async (input, init) => {
    const headers = new Headers(init?.headers);
    if (init?.body instanceof URLSearchParams && !headers.has('content-type')) headers.set('content-type', 'application/x-www-form-urlencoded;charset=UTF-8');
    const { status, text } = await current()({
      method: init?.method === 'POST' ? 'POST' : 'GET',
      url: input instanceof Request ? input.url : String(input),
      headers: Object.fromEntries(headers),
      body: bodyOf(init?.body),
    });
    const type = /^\s*[[{]/.test(text) ? 'application/json' : 'text/plain';
    return new Response(withoutBody.has(status) ? null : text, { status, headers: { 'content-type': type } });
  };
  // The library would prepare a proxy of the environment, and fail at an address that it cannot read.
  return { fetchImplementation, noProxy: [/./] };
}

function bodyOf(body: NonNullable<Parameters<Fetch>[1]>['body']): string | undefined {
  if (body === undefined || body === null) return undefined;
  if (typeof body === 'string') return body;
  if (body instanceof URLSearchParams) return body.toString();
  throw new TypeError('Google\'s library sent a body of an unknown kind.');
}
