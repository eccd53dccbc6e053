import { isIP } from 'node:net';
import type { NetworkSettings } from '../api/settings.ts';
import { isLocalHost, isLoopbackHost } from './baseUrl.ts';
import { isExcepted, noException, readNoProxy, type NoProxy } from './noProxy.ts';
import { readProxy, type ProxyAddress } from './proxyAddress.ts';

/** How this machine reaches the outside: what holds for every endpoint that has no proxy of its own. */
export interface NetworkConfig {
  /** For targets with https:// and with http://. */
  readonly httpsProxy: ProxyAddress | undefined;
  readonly httpProxy: ProxyAddress | undefined;
  readonly noProxy: NoProxy;
  /** The user has turned proxies off, those of the environment too. */
  readonly isProxyOff: boolean;
  /** Certificates are verified on the way through a proxy, too. */
  readonly strictTls: boolean;
  /** The system's own certificate authorities are trusted besides those of Node. */
  readonly systemCertificates: boolean;
}

/** An endpoint's own proxy; `none`: it is reached without one. */
export type EndpointProxy = ProxyAddress | 'none';

/** A way out without a proxy. */
export const directNetwork: NetworkConfig = { httpsProxy: undefined, httpProxy: undefined, noProxy: noException, isProxyOff: false, strictTls: true, systemCertificates: true };

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The network as the environment and the editor's settings describe it. The editor's proxy wins over those of the
 * environment; what either excepts is excepted. Lower-case variables win over upper-case ones, as in curl.
 * @param report takes a whole sentence about what cannot be used, without the address in it
 */
export function networkOf(settings: NetworkSettings | undefined, environment: Environment, report: (message: string) => void): NetworkConfig {
  const tls = { strictTls: settings?.proxyStrictSSL !== false, systemCertificates: settings?.systemCertificates !== false };
  if (settings?.proxySupport === 'off') return { ...directNetwork, isProxyOff: true, ...tls };
  const read = (written: string | undefined, writtenIn: string): ProxyAddress | undefined => {
    if (written === undefined || written.trim() === '') return undefined;
    const proxy = readProxy(written, writtenIn, settings?.proxyAuthorization);
    if (!('problem' in proxy)) return proxy;
    report(`${writtenIn} ${proxy.problem}`);
    return undefined;
  };
  const known = new Map<string, ProxyAddress | undefined>();
  const variable = (...names: string[]): ProxyAddress | undefined => {
    const name = names.flatMap(one => [one, one.toUpperCase()]).find(one => (environment[one] ?? '').trim() !== '');
    if (name === undefined) return undefined;
    if (!known.has(name)) known.set(name, read(environment[name], name));
    return known.get(name);
  };
  const ofEditor = read(settings?.proxy, 'http.proxy');
  return {
    httpsProxy: ofEditor ?? variable('https_proxy', 'all_proxy'),
    httpProxy: ofEditor ?? variable('http_proxy', 'all_proxy'),
    isProxyOff: false,
    noProxy: readNoProxy([environment['no_proxy'] ?? environment['NO_PROXY'], ...settings?.noProxy ?? []]),
    ...tls,
  };
}

/**
 * The proxy for a target; undefined: it is reached without one. This machine and private addresses are reached directly
 * unless the endpoint has a proxy of its own. A private name (`.internal`, `.local`) may be one that only the proxy knows.
 */
export function proxyFor(network: NetworkConfig, own: EndpointProxy | undefined, target: URL): ProxyAddress | undefined {
  if (own !== undefined) return own === 'none' ? undefined : own;
  const isTls = target.protocol === 'https:';
  const proxy = isTls ? network.httpsProxy : network.httpProxy;
  if (proxy === undefined || isReachedDirectly(target.hostname)) return undefined;
  const port = target.port === '' ? (isTls ? 443 : 80) : Number(target.port);
  return isExcepted(network.noProxy, target.hostname, port) ? undefined : proxy;
}

/** Names by which a container knows the machine it runs on. */
const containerHosts: ReadonlySet<string> = new Set(['host.docker.internal', 'gateway.docker.internal', 'host.containers.internal']);

function isReachedDirectly(hostname: string): boolean {
  return isLoopbackHost(hostname) || containerHosts.has(hostname) || (isIP(hostname.replace(/^\[|\]$/g, '')) !== 0 && isLocalHost(hostname));
}
