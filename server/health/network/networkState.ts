import { isPrivateHost } from '../../config/baseUrl.ts';

/**
 * Whether the machine itself has lost its link, or something in the network answers in the providers' place (a captive
 * portal, whose sign-in page comes for every address). A value without methods, like the breaker's.
 *
 * One host that fails is never the link: it takes two different remote hosts within five seconds while nothing answers,
 * or a sign that leaves no doubt: no network interface, or status 511 (RFC 6585, "network authentication required").
 */
export type NetworkState =
  | ({ readonly state: 'online' } & Witnesses)
  | ({ readonly state: 'offline'; readonly since: number; readonly cause: 'no-interface' | 'nothing-reachable' } & Witnesses)
  | ({ readonly state: 'portal'; readonly since: number } & Witnesses);

/** What is remembered of hosts; both lists are as long as there are remote hosts at most. */
interface Witnesses {
  /** Hosts that could not be reached or showed a page, each with the last time, while nothing answered since. */
  readonly suspects: readonly Suspect[];
  /** Hosts that failed although others answered at that time: until they answer they prove nothing of the link. */
  readonly discredited: readonly string[];
}

interface Suspect { readonly host: string; readonly at: number; readonly saw: 'unreachable' | 'page' }

/** How a network failure came about, as far as it was seen. */
export type NetworkKind = 'dns' | 'unreachable' | 'refused' | 'reset' | 'tls';

/**
 * What an outcome says about the link. `answered`: an API spoke. `bytes`: something answered, and a portal might have.
 * `unreachable`: no way there. `page`: a web page, a redirect or a certificate that is not the host's.
 * `sign-in`: the network itself said that it wants a sign-in.
 */
export type LinkEvidence = 'answered' | 'bytes' | 'unreachable' | 'page' | 'sign-in' | 'none';

/** The part of the state that others see: why remote endpoints cannot be reached, and since when. */
export interface NetworkTrouble { readonly kind: 'offline' | 'portal'; readonly since: number }

export const togetherMs = 5000;
const hostsThatProve = 2;
export const onlineLink: NetworkState = { state: 'online', suspects: [], discredited: [] };

/**
 * The link after an outcome of a remote host (outcomes of local ones say nothing; do not hand them in).
 * An answer proves the link, whatever it says; the state then stays online until new failures come together.
 * Without answers trouble that was inferred does not end by itself: probes keep asking.
 */
export function observeLink(link: NetworkState, host: string, evidence: LinkEvidence, at: number): NetworkState {
  switch (evidence) {
    case 'none': return link;
    case 'answered': return answered(link, host, at);
    case 'bytes': return link.state === 'portal' ? link : answered(link, host, at);
    case 'sign-in': return { state: 'portal', since: link.state === 'portal' ? link.since : at, suspects: withSuspect(link, { host, at, saw: 'page' }), discredited: link.discredited };
    case 'unreachable':
    case 'page': return suspected(link, { host, at, saw: evidence });
  }
}

function answered(link: NetworkState, host: string, at: number): NetworkState {
  // Observations that come late (a peer's) do not end what began after them.
  if (link.state !== 'online' && at < link.since) return link;
  const redeemed = link.discredited.includes(host);
  if (link.state === 'online' && link.suspects.length === 0 && !redeemed) return link;
  const alone = link.suspects.filter(suspect => suspect.host !== host && Math.abs(at - suspect.at) <= togetherMs).map(suspect => suspect.host);
  return { state: 'online', suspects: [], discredited: [...new Set([...link.discredited, ...alone])].filter(one => one !== host) };
}

function suspected(link: NetworkState, suspect: Suspect): NetworkState {
  const suspects = withSuspect(link, suspect);
  const agreeing = suspects.filter(one => one.saw === suspect.saw && Math.abs(suspect.at - one.at) <= togetherMs && !link.discredited.includes(one.host));
  const proved = agreeing.length >= hostsThatProve && !link.discredited.includes(suspect.host);
  const since = Math.min(...agreeing.map(one => one.at));
  switch (link.state) {
    case 'portal': return { ...link, suspects };
    case 'offline': return proved && suspect.saw === 'page' ? { state: 'portal', since: link.since, suspects, discredited: link.discredited } : { ...link, suspects };
    case 'online':
      if (!proved) return { ...link, suspects };
      return suspect.saw === 'page'
        ? { state: 'portal', since, suspects, discredited: link.discredited }
        : { state: 'offline', since, cause: 'nothing-reachable', suspects, discredited: link.discredited };
  }
}

function withSuspect(link: NetworkState, suspect: Suspect): readonly Suspect[] {
  return [...link.suspects.filter(one => one.host !== suspect.host && Math.abs(suspect.at - one.at) <= togetherMs), suspect];
}

/** The link after the operating system said whether there is any network interface besides loopback, where that says anything. */
export function observeInterfaces(link: NetworkState, present: boolean, at: number): NetworkState {
  const { suspects, discredited } = link;
  if (!present) {
    if (link.state === 'offline' && link.cause === 'no-interface') return link;
    return { state: 'offline', since: link.state === 'online' ? at : link.since, cause: 'no-interface', suspects, discredited };
  }
  // An interface alone does not prove a way out.
  return link.state === 'offline' && link.cause === 'no-interface' ? { state: 'online', suspects: [], discredited } : link;
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

/**
 * Whether a base URL leads to this machine or to a private network, which say nothing about the way to the internet. Every
 * private host is local, those with a carrier-grade address (100.64.0.0/10, RFC 6598) too: overlay networks such as
 * Tailscale use that range, and reach a machine beside this one while the internet is gone. The unspecified address and
 * IPv4 loopback written as IPv6 lead to this machine as well; `isPrivateHost` refuses plain http to such spellings.
 */
export function isLocalAddress(baseUrl: string): boolean {
  if (!URL.canParse(baseUrl)) return false;
  const { hostname } = new URL(baseUrl);
  return isPrivateHost(hostname) || hostname === '0.0.0.0' || hostname === '[::]' || hostname.startsWith('[::ffff:7f');
}

/** The host of a base URL, for telling whether two endpoints are the same place; undefined for what is no URL. */
export function hostOf(baseUrl: string): string | undefined {
  return URL.canParse(baseUrl) ? new URL(baseUrl).host : undefined;
}
