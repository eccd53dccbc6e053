import type { IncomingMessage } from 'node:http';
import { checkOrigin, isThisMachine, type Refusal } from '../auth/access.ts';
import { plainPath } from './requestPath.ts';

/** Where a request goes: its path in its plain form, and its query without the question mark. */
export interface RequestTarget { path: string; query: string }

/** RFC 9112, section 3.2.2: the target names scheme and host as well. */
const absoluteForm = /^([a-z][a-z0-9+.-]*):\/\/([^/?#]*)(.*)$/i;

/**
 * Reads the target of a request and checks that the request is meant for this server and comes from no foreign page.
 * Where the target is a whole URL, its host counts in the place of the `Host` header (RFC 9112, section 3.2.2).
 */
export function requestTarget(request: Pick<IncomingMessage, 'url' | 'headers' | 'rawHeaders' | 'httpVersion' | 'socket'>): RequestTarget & { refusal: Refusal | undefined } {
  const { url = '/', headers } = request;
  const [, scheme, authority, afterAuthority = ''] = url.startsWith('/') ? [] : absoluteForm.exec(url) ?? [];
  const relative = authority === undefined ? url : afterAuthority.startsWith('/') ? afterAuthority : `/${afterAuthority}`;
  const queryAt = relative.indexOf('?');
  const target = { path: plainPath(queryAt < 0 ? relative : relative.slice(0, queryAt)), query: queryAt < 0 ? '' : relative.slice(queryAt + 1) };
  return { ...target, refusal: refusalOf() };

  function refusalOf(): Refusal | undefined {
    const hosts = hostLines(request.rawHeaders);
    if (hosts > 1) return { status: 400, message: 'The request has more than one Host header; send one.' };
    if (hosts === 0 && request.httpVersion === '1.1') return { status: 400, message: 'The request has no Host header; send one that names this machine.' };
    if (authority === undefined) return checkOrigin(headers);
    if (scheme?.toLowerCase() !== 'http' || !isThisMachine(authority) || portOf(authority) !== request.socket.localPort) {
      return { status: 421, message: 'The request is for another server: its target must name this machine and this port, or be a path alone.' };
    }
    return checkOrigin({ ...headers, host: authority });
  }
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
