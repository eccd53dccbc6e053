import type { IncomingMessage } from 'node:http';
import { BlockList, isIP } from 'node:net';
import type { Log } from '../../../base/log.ts';
import { plainAddress } from '../../../config/baseUrl.ts';
import type { Refusal } from '../auth/access.ts';
import type { OtherAddress } from './otherAddress.ts';
import { addRange, isInRanges } from '../../../config/fields/addressRanges.ts';

type Heard = Pick<IncomingMessage, 'headers' | 'socket'>;

/** Callers without a valid token are logged at most this often. */
const warnEveryMs = 60_000;
const foreignPage: Refusal = { status: 403, message: 'Requests from web pages of other origins are refused.' };

/** What a request at an address other than the loopback port must name, and what is believed of proxies in front. */
export class AddressRules {
  readonly #names: ReadonlySet<string>;
  readonly #proxies = new BlockList();
  readonly #isTls: boolean;
  readonly #log: Pick<Log, 'warn'>;
  #warnedAt = -Infinity;

  constructor({ hostNames, trustedProxies, tls }: Pick<OtherAddress, 'hostNames' | 'trustedProxies' | 'tls'>, log: Pick<Log, 'warn'>) {
    this.#names = new Set(hostNames);
    this.#isTls = tls !== undefined;
    this.#log = log;
    for (const range of trustedProxies) addRange(this.#proxies, range);
  }

  /**
   * `Host` is an IP address, which no name in the DNS can be rebound to, or one of the names; `Origin` is that host itself.
   * @param authority of a target that is a whole URL; absent: the `Host` header counts
   */
  refusal(request: Heard, authority = request.headers.host): Refusal | undefined {
    const isProxied = this.#isFromProxy(request);
    const host = (isProxied ? lastOf(request.headers['x-forwarded-host']) : undefined) ?? authority;
    const url = host === undefined ? undefined : urlOf(`http://${host}`);
    if (host === undefined || url === undefined || url.pathname !== '/' || url.username !== '' || url.search !== '' || !this.#isKnown(url.hostname)) {
      return { status: 403, message: 'The Host header must name this server: its IP address, or a name that serve is told with --host-name or listen.hostNames.' };
    }
    const { origin, 'sec-fetch-site': site } = request.headers;
    if (site === 'cross-site') return foreignPage;
    if (origin === undefined) return undefined;
    const page = urlOf(origin);
    const scheme = (isProxied ? lastOf(request.headers['x-forwarded-proto'])?.toLowerCase() : undefined) ?? (this.#isTls ? 'https' : undefined);
    if (page === undefined || (scheme !== undefined && page.protocol !== `${scheme}:`)) return foreignPage;
    return urlOf(`${page.protocol}//${host}`)?.host === page.host ? undefined : foreignPage;
  }

  /** Whose request it is: the address that the first proxy that is not trusted, or the caller itself, connected from. */
  callerOf(request: Heard): string {
    return this.#wayOf(request).caller;
  }

  /** The caller, and how many addresses are named before it: for whom it passed the request on, as it says. */
  #wayOf({ headers, socket }: Heard): { caller: string; before: number } {
    let caller = plainAddress(socket.remoteAddress ?? '');
    const forwarded = [headers['x-forwarded-for'] ?? []].flat().flatMap(line => line.split(',')).map(part => plainAddress(part.trim()));
    while (isInRanges(this.#proxies, caller)) {
      const before = forwarded.pop();
      if (before === undefined || isIP(before) === 0) break;
      caller = before;
    }
    return { caller, before: forwarded.length };
  }

  /**
   * The address that a request comes from, where it cannot be forged: what passed a proxy that is not trusted, also in front of a trusted one, and what
   * a trusted one does not say the caller of, comes from nowhere.
   * @param isForwarded a proxy has been there, by its headers
   */
  knownCallerOf(request: Heard, isForwarded: boolean): string | undefined {
    if (isForwarded && !this.#isFromProxy(request)) return undefined;
    const { caller, before } = this.#wayOf(request);
    return before > 0 || isInRanges(this.#proxies, caller) ? undefined : caller;
  }

  /** Logs who had no valid token. */
  refused(request: Heard): void {
    const now = performance.now();
    if (now - this.#warnedAt < warnEveryMs) return;
    this.#warnedAt = now;
    this.#log.warn(`a request from ${this.callerOf(request)} had no valid token and was refused; further ones of the next minute are not logged.`);
  }

  #isFromProxy({ socket }: Heard): boolean {
    return isInRanges(this.#proxies, plainAddress(socket.remoteAddress ?? ''));
  }

  #isKnown(hostname: string): boolean {
    return isIP(hostname.startsWith('[') ? hostname.slice(1, -1) : hostname) !== 0 || this.#names.has(hostname);
  }
}

function urlOf(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined;
}

/** What the nearest proxy wrote: it adds to what its caller sent. */
function lastOf(header: string | string[] | undefined): string | undefined {
  const last = [header ?? []].flat().join(',').split(',').at(-1)?.trim();
  return last === '' ? undefined : last;
}
