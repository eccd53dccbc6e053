import { decodedPart } from './fields/addressPart.ts';

/** How a proxy is spoken to. `socks5h` has the proxy look up names, `socks5` this machine: as in curl. */
export type ProxyScheme = 'http' | 'https' | 'socks5' | 'socks5h';

/** An address of a script that chooses proxies: a scheme that says so, or the names of such files. */
const script = /^pac\+|^[^?#]*\.(?:pac|dat)(?:[?#]|$)/i;

/** User name and password for a proxy. */
export interface ProxyLogin { readonly username: string; readonly password: string }

const defaultPorts: Readonly<Record<ProxyScheme, number>> = { http: 80, https: 443, socks5: 1080, socks5h: 1080 };
const schemes: ReadonlyMap<string, ProxyScheme> = new Map([
  ['http:', 'http'], ['https:', 'https'], ['socks5:', 'socks5'], ['socks5h:', 'socks5h'], ['socks:', 'socks5h'],
] as const);

/** One outbound proxy. Its credentials are in private fields, so that no copy of a configuration as text has them. */
export class ProxyAddress {
  readonly scheme: ProxyScheme;
  /** An IPv6 address stands without brackets. */
  readonly host: string;
  readonly port: number;
  /** Where the user wrote the address, such as `HTTPS_PROXY`. */
  readonly writtenIn: string;
  readonly #login: ProxyLogin | undefined;
  readonly #authorization: string | undefined;

  /** @param authorization a whole value of Proxy-Authorization; it wins over the login */
  constructor(url: URL, port: number, scheme: ProxyScheme, writtenIn: string, authorization: string | undefined) {
    this.scheme = scheme;
    this.host = url.hostname.replace(/^\[|\]$/g, '');
    this.port = port;
    this.writtenIn = writtenIn;
    this.#login = url.username === '' && url.password === '' ? undefined : { username: decodedPart(url.username), password: decodedPart(url.password) };
    this.#authorization = authorization;
  }

  /** The address without credentials, for messages and for telling proxies apart. */
  get label(): string {
    return `${this.scheme}://${this.host.includes(':') ? `[${this.host}]` : this.host}:${this.port}`;
  }

  get login(): ProxyLogin | undefined {
    return this.#login;
  }

  /** The value of Proxy-Authorization; undefined where the proxy is used without a login. */
  get authorization(): string | undefined {
    if (this.#authorization !== undefined) return this.#authorization;
    return this.#login === undefined ? undefined : `Basic ${Buffer.from(`${this.#login.username}:${this.#login.password}`).toString('base64')}`;
  }

  /** What must not be shown. */
  get secrets(): string[] {
    const { authorization } = this;
    const parts = authorization === undefined ? [] : [authorization, authorization.replace(/^\S+\s+/, '')];
    if (this.#login === undefined) return parts;
    // A token stands in the place of the user name where there is no password.
    const { username, password } = this.#login;
    const secret = password === '' ? username : password;
    return [...parts, secret, encodeURIComponent(secret)];
  }

  isSameAs(other: ProxyAddress | undefined): boolean {
    return other !== undefined && (other === this || (other.label === this.label && other.authorization === this.authorization));
  }
}

/**
 * Reads the address of a proxy: a URL, or `host:port` for an HTTP proxy. The text is never repeated in a problem: it may
 * hold a password.
 * @returns the address, or the rest of a sentence that begins with where it is written
 */
export function readProxy(written: string, writtenIn: string, authorization?: string): ProxyAddress | { problem: string } {
  const text = written.trim();
  const full = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`;
  if (script.test(full)) return { problem: 'is the address of a proxy script (PAC), which Waybill does not read; write the proxy that the script names, like "http://proxy.example.com:3128".' };
  // The parser of URLs knows the rules of host and port for the web's schemes only.
  const name = /^[^:]+:/.exec(full)?.[0].toLowerCase() ?? '';
  const scheme = schemes.get(name);
  if (scheme === undefined) return { problem: 'is no proxy of a known kind; begin it with http://, https://, socks5:// or socks5h://.' };
  const web = `http:${full.slice(name.length)}`;
  const url = URL.canParse(web) ? new URL(web) : undefined;
  if (url === undefined || url.hostname === '') return { problem: 'is not the address of a proxy; write it like "http://proxy.example.com:3128".' };
  // The parser leaves port 80 out, which is not every scheme's own.
  const port = url.port !== '' ? Number(url.port) : /:80\/?$/.test(full) ? 80 : defaultPorts[scheme];
  return new ProxyAddress(url, port, scheme, writtenIn, authorization);
}
