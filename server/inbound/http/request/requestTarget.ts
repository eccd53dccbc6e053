import type { IncomingMessage } from 'node:http';
import type { AddressRules } from '../addresses/addressRules.ts';
import { checkOrigin, isThisMachine, type Refusal } from '../auth/access.ts';
import { plainPath } from './requestPath.ts';

/** Where a request goes: its path in its plain form, and its query without the question mark. */
export interface RequestTarget { path: string; query: string }

type TargetedRequest = Pick<IncomingMessage, 'url' | 'headers' | 'rawHeaders' | 'httpVersion' | 'socket'>;

/** RFC 9112, section 3.2.2: the target names scheme and host as well. */
const absoluteForm = /^([a-z][a-z0-9+.-]*):\/\/([^/?#]*)(.*)$/i;

/**
 * Reads the target of a request and checks that the request is meant for this server and comes from no foreign page.
 * Where the target is a whole URL, its host counts in the place of the `Host` header (RFC 9112, section 3.2.2).
 * @param rules of another address than the loopback port
 */
export function requestTarget(request: TargetedRequest, rules?: AddressRules): RequestTarget & { refusal: Refusal | undefined } {
  const { url = '/' } = request;
  const whole = url.startsWith('/') ? undefined : absoluteForm.exec(url) ?? undefined;
  const afterAuthority = whole?.[3] ?? '';
  const relative = whole === undefined ? url : afterAuthority.startsWith('/') ? afterAuthority : `/${afterAuthority}`;
  const queryAt = relative.indexOf('?');
  return {
    path: plainPath(queryAt < 0 ? relative : relative.slice(0, queryAt)), query: queryAt < 0 ? '' : relative.slice(queryAt + 1),
    refusal: refusalOf(request, rules, whole?.[1], whole?.[2]),
  };
}

/** @param scheme of a target that is a whole URL, as is `authority` */
function refusalOf(request: TargetedRequest, rules: AddressRules | undefined, scheme: string | undefined, authority: string | undefined): Refusal | undefined {
  const { headers, rawHeaders, httpVersion, socket } = request;
  const hosts = hostLines(rawHeaders);
  if (hosts > 1) return { status: 400, message: 'The request has more than one Host header; send one.' };
  if (hosts === 0 && httpVersion === '1.1') return { status: 400, message: 'The request has no Host header; send one that names this machine.' };
  if (rules !== undefined) return rules.refusal(request, authority);
  if (authority === undefined) return checkOrigin(headers);
  if (scheme?.toLowerCase() !== 'http' || !isThisMachine(authority) || portOf(authority) !== socket.localPort) {
    return { status: 421, message: 'The request is for another server: its target must name this machine and this port, or be a path alone.' };
  }
  return checkOrigin({ ...headers, host: authority });
}

function portOf(authority: string): number {
  return Number(/:(\d+)$/.exec(authority)?.[1] ?? '80');
}

/** Names and values take turns. */
function hostLines(rawHeaders: readonly string[]): number {
  let count = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index];
    if (name?.length === 4 && name.toLowerCase() === 'host') count += 1;
  }
  return count;
}
