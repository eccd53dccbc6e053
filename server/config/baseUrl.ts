import { isIPv4, isIPv6 } from 'node:net';

/** Not tried again from each of the slashes: `/\/+$/` takes the square of their number. */
export const slashesAtEnd = /(?<!\/)\/+$/;

/** A base URL that can be used, or the rest of a sentence that says why not. */
export type CheckedBaseUrl = { baseUrl: string } | { problem: string };

/**
 * Checks a base URL a user gave. It is kept as it is, but for slashes at its end: whether a server of the OpenAI
 * family wants `/v1` is the server's own affair. Plain http is refused beyond this machine and private networks,
 * because it would show the key to everyone in between. The URL is never repeated in a problem: it may hold a secret.
 */
export function checkBaseUrl(written: string): CheckedBaseUrl {
  const text = written.trim();
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || url.host === '' || !/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) {
    return { problem: '"baseUrl" is not a URL; write it like "https://api.example.com/v1".' };
  }
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return { problem: '"baseUrl" must begin with https:// or http://.' };
  if (url.username !== '' || url.password !== '') {
    return { problem: '"baseUrl" must not hold a user name or password; give a key instead.' };
  }
  if (url.search !== '' || url.hash !== '') return { problem: '"baseUrl" must end before "?" and "#".' };
  if (url.protocol === 'http:' && !isPrivateHost(url.hostname)) {
    return { problem: `"baseUrl" uses http://, which would send your key in clear text to ${url.hostname}; use https://.` };
  }
  const call = /\/(?:chat\/completions|completions|messages|responses)\/*$/.exec(url.pathname)?.[0].replace(slashesAtEnd, '');
  if (call !== undefined) return { problem: `"baseUrl" must end before "${call}", which is added to it.` };
  return { baseUrl: (url.origin + url.pathname).replace(slashesAtEnd, '') };
}

/** Whether a host is this machine. @param hostname as `URL.hostname` gives it, or an IPv6 address without brackets */
export function isLoopbackHost(hostname: string): boolean {
  const host = bareHost(hostname);
  return host === 'localhost' || host.endsWith('.localhost') || host === '::1' || (isIPv4(host) && host.startsWith('127.'));
}

/**
 * Whether a host is this machine or on a private network: private, link-local and carrier-grade ranges, names that
 * public DNS does not hold (`.local`, `.internal`, `.lan`, `.home.arpa`), and names of one word, as containers have.
 */
export function isPrivateHost(hostname: string): boolean {
  if (isLoopbackHost(hostname)) return true;
  const host = bareHost(hostname);
  if (isIPv4(host)) {
    const [a = 0, b = 0] = host.split('.').map(Number);
    return a === 10 || (a === 172 && b >= 16 && b <= 31) || (a === 192 && b === 168) || (a === 169 && b === 254) || (a === 100 && b >= 64 && b <= 127);
  }
  if (isIPv6(host)) return /^f[cd]|^fe[89ab]/.test(host);
  return !host.includes('.') || /\.(?:local|internal|lan|home\.arpa)$/.test(host);
}

/**
 * Whether a host is this machine or on a private network, for all that does not depend on secrecy: private hosts, the
 * unspecified address, and IPv4 loopback written as IPv6. Plain http to the latter two is refused by `isPrivateHost`.
 */
export function isLocalHost(hostname: string): boolean {
  return isPrivateHost(hostname) || hostname === '0.0.0.0' || hostname === '[::]' || hostname.startsWith('[::ffff:7f');
}

/** IPv4 that a socket for both versions writes as IPv6 is IPv4. */
export function plainAddress(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  return mapped ?? address;
}

function bareHost(hostname: string): string {
  return hostname.toLowerCase().replace(/^\[|\]$/g, '').replace(/\.$/, '');
}
