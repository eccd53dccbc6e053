import { isIP } from 'node:net';

/**
 * Whether the machine itself has lost its link. A value without methods, like the breaker's.
 *
 * One endpoint that fails is never "offline": it takes two different remote endpoints that cannot be reached within five
 * seconds while nothing answers, or the operating system saying that there is no network interface.
 */
export type LinkState =
  | { readonly state: 'online'; readonly suspects: readonly { readonly endpoint: string; readonly at: number }[] }
  | { readonly state: 'offline'; readonly since: number; readonly cause: 'no-interface' | 'nothing-reachable' };

/** How a network failure came about, as far as it was seen. */
export type NetworkKind = 'dns' | 'unreachable' | 'refused' | 'reset' | 'tls';

/** What an outcome says about the link: bytes came back, nothing could be reached, or neither. */
export type LinkEvidence = 'answered' | 'unreachable' | 'none';

export const togetherMs = 5000;
export const onlineLink: LinkState = { state: 'online', suspects: [] };

/**
 * The link after an outcome of a remote endpoint (outcomes of local ones say nothing; do not hand them in).
 * An answer proves the link, whatever it says; the state then stays online until new failures come together.
 * Without answers an inferred "offline" does not end by itself: probes keep asking.
 */
export function observeLink(link: LinkState, endpoint: string, evidence: LinkEvidence, at: number): LinkState {
  if (evidence === 'none') return link;
  if (evidence === 'answered') return link.state === 'online' && link.suspects.length === 0 ? link : onlineLink;
  if (link.state === 'offline') return link;
  const suspects = [...link.suspects.filter((suspect) => suspect.endpoint !== endpoint && Math.abs(at - suspect.at) <= togetherMs), { endpoint, at }];
  const since = Math.min(...suspects.map((suspect) => suspect.at));
  return suspects.length >= 2 ? { state: 'offline', since, cause: 'nothing-reachable' } : { state: 'online', suspects };
}

/** The link after the operating system said whether there is any network interface besides loopback. */
export function observeInterfaces(link: LinkState, present: boolean, at: number): LinkState {
  if (!present) return link.state === 'offline' ? { ...link, cause: 'no-interface' } : { state: 'offline', since: at, cause: 'no-interface' };
  return link.state === 'offline' && link.cause === 'no-interface' ? onlineLink : link;
}

/** The kind of a network failure by the code Node, libuv or undici gave it; undefined when the code does not tell. */
export function networkKindOf(code: string | undefined): NetworkKind | undefined {
  switch (code) {
    case 'ENOTFOUND': case 'EAI_AGAIN': case 'EAI_NODATA': case 'EAI_NONAME': return 'dns';
    case 'ENETUNREACH': case 'EHOSTUNREACH': case 'ENETDOWN': case 'EHOSTDOWN': case 'EADDRNOTAVAIL': case 'ENONET': return 'unreachable';
    case 'ECONNREFUSED': return 'refused';
    case 'ECONNRESET': case 'EPIPE': case 'ECONNABORTED': case 'UND_ERR_SOCKET': return 'reset';
    default: return code !== undefined && /^(CERT_|ERR_TLS_|ERR_SSL_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_)/.test(code) ? 'tls' : undefined;
  }
}

/** Whether a base URL leads to this machine or its own network, which say nothing about the way to the internet. */
export function isLocalAddress(baseUrl: string): boolean {
  if (!URL.canParse(baseUrl)) return false;
  const host = new URL(baseUrl).hostname.replace(/^\[|\]$/g, '').toLowerCase();
  switch (isIP(host)) {
    case 4: return /^(127\.|10\.|192\.168\.|169\.254\.|0\.0\.0\.0$|172\.(1[6-9]|2\d|3[01])\.)/.test(host);
    case 6: return /^(::1?$|f[cd]|fe[89ab]|::ffff:7f)/.test(host);
    default: return host === 'localhost' || /\.(localhost|local|lan|internal)$/.test(host) || !host.includes('.');
  }
}
