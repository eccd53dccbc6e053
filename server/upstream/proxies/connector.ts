import { lookup } from 'node:dns';
import { isIP, type Socket } from 'node:net';
import buildConnector, { type Connect, type ConnectOptions, type ConnectorOptions } from 'undici/lib/core/connect.js';
import type { ProxyAddress } from '../../config/proxyAddress.ts';
import { proxyUnreachable, tunnelFailure, type ProxySource } from '../failures/proxyFailure.ts';
import type { SystemCertificates } from './systemCertificates.ts';

/** The way to one target through one proxy. */
export class ProxyRoute implements ProxySource {
  readonly proxy: ProxyAddress;
  readonly endpoint: string;
  readonly target: string;
  /** The host of the target as a request names it. */
  readonly hostHeader: string;
  /** The proxy is sent whole requests with absolute addresses, because the target has no TLS. Source: RFC 9112, section 3.2.2. */
  readonly forwards: boolean;
  /** How many connections wait for the proxy. */
  pending = 0;

  constructor(proxy: ProxyAddress, endpoint: string, origin: URL) {
    this.proxy = proxy;
    this.endpoint = endpoint;
    this.hostHeader = origin.host;
    this.target = origin.port === '' ? `${origin.host}:${origin.protocol === 'https:' ? 443 : 80}` : origin.host;
    this.forwards = origin.protocol === 'http:' && !proxy.scheme.startsWith('socks');
  }

  /** The origin of the pool's connections. */
  origin(target: string): string {
    return this.forwards ? this.proxy.label : target;
  }

  /** The headers of a request that the proxy is sent. */
  headers(own: Record<string, string>): Record<string, string> {
    const { authorization } = this.proxy;
    return { ...own, host: this.hostHeader, ...(authorization === undefined ? {} : { 'proxy-authorization': authorization }) };
  }
}

/** Connections are made with these options, directly or through a proxy. */
export interface ConnectTerms {
  readonly options: ConnectorOptions & { readonly timeout: number };
  /** Absent: only what Node trusts by itself is trusted. */
  readonly certificates: SystemCertificates | undefined;
}

/** Connects to targets; a certificate whose issuer only the system knows costs one more handshake, once. */
export function directConnector({ options, certificates }: ConnectTerms): Connect {
  const plain = buildConnector(options);
  if (certificates === undefined) return plain;
  let widened: { context: unknown; connect: Connect } | undefined;
  const attempt = (to: ConnectOptions, done: Parameters<Connect>[1], isSecond: boolean): void => {
    const { context } = certificates;
    if (context !== undefined && widened?.context !== context) widened = { context, connect: buildConnector({ ...options, secureContext: context }) };
    const connect = context === undefined ? plain : widened?.connect ?? plain;
    connect(to, (error, socket) => {
      if (error !== null && !isSecond && to.httpSocket === undefined && certificates.mayHelp(error, context)) attempt(to, done, true);
      else if (error === null) done(null, socket);
      else done(error, null);
    });
  };
  return (to, done) => { attempt(to, done, false); };
}

/** Connects to the target of a route through its proxy, or to the proxy alone where that forwards requests. */
export function proxyConnector(route: ProxyRoute, terms: ConnectTerms): Connect {
  const { proxy } = route;
  const connect = directConnector(terms);
  // A proxy is asked in HTTP/1.1, whatever its target speaks.
  const connectToProxy = terms.options.allowH2 === true ? directConnector({ ...terms, options: { ...terms.options, allowH2: false } }) : connect;
  const toProxy: ConnectOptions = { hostname: proxy.host, host: proxy.host, port: String(proxy.port), protocol: proxy.scheme === 'https' ? 'https:' : 'http:' };
  const reach = (done: Parameters<Connect>[1]): void => {
    route.pending += 1;
    connectToProxy(toProxy, (error, socket) => {
      route.pending -= 1;
      if (error === null) done(null, socket);
      else done(proxyUnreachable(error, route), null);
    });
  };
  if (route.forwards) return (_to, done) => { reach(done); };
  const attempt = (to: ConnectOptions, done: Parameters<Connect>[1], isSecond: boolean): void => {
    reach((failed, socket) => {
      if (failed !== null) {
        done(failed, null);
        return;
      }
      tunnel(route, socket, to, terms.options.timeout, failure => {
        if (failure !== undefined) {
          done(failure, null);
          return;
        }
        if (to.protocol !== 'https:') {
          done(null, socket);
          return;
        }
        const trusted = terms.certificates?.context;
        connect({ ...to, httpSocket: socket }, (error, encrypted) => {
          if (error === null) done(null, encrypted);
          // A second tunnel is needed, because the first one has ended with the handshake.
          else if (!isSecond && terms.certificates?.mayHelp(error, trusted) === true) attempt(to, done, true);
          else done(error, null);
        });
      });
    });
  };
  return (to, done) => { attempt(to, done, false); };
}

/** Has the proxy connect the socket to the target. */
function tunnel(route: ProxyRoute, socket: Socket, to: ConnectOptions, timeoutMs: number, done: (failure: Error | undefined) => void): void {
  const { proxy } = route;
  const socks = proxy.scheme.startsWith('socks');
  route.pending += 1;
  const finish = (failure: Error | undefined): void => {
    route.pending -= 1;
    done(failure);
  };
  const open = async (host: string): Promise<void> => {
    // Most machines have no proxy, so the code for it is a file of its own.
    const { openTunnel } = await import('./tunnel.ts');
    const port = Number(to.port === '' ? (to.protocol === 'https:' ? 443 : 80) : to.port);
    openTunnel({ socket, socks, login: proxy.login, authorization: proxy.authorization, host, port, timeoutMs }, trouble => {
      finish(trouble === undefined ? undefined : tunnelFailure(trouble, route));
    });
  };
  const failed = (error: unknown): void => {
    socket.destroy();
    finish(error instanceof Error ? error : new Error(String(error)));
  };
  // A socket without a listener for its errors would end the process while a name is looked up.
  socket.on('error', () => undefined);
  if (proxy.scheme !== 'socks5' || isIP(to.hostname) !== 0) open(to.hostname).catch(failed);
  else lookup(to.hostname, (error, address) => { if (error === null) open(address).catch(failed); else failed(error); });
}
