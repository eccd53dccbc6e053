import type { Dispatcher as UndiciDispatcher, Pool } from 'undici';
import PoolClass from 'undici/lib/dispatcher/pool.js';
import { WaybillError } from '../base/failure.ts';
import type { EndpointConfig } from '../config/config.ts';
import { directNetwork, proxyFor, type EndpointProxy, type NetworkConfig } from '../config/network.ts';
import type { ProxyAddress } from '../config/proxyAddress.ts';
import type { Dispatch, Dispatcher, Interceptor, NetworkPlace, ResponseListener, UpstreamCall, UpstreamRequest } from './call.ts';
import { Connection, type ConnectionOptions } from './connection.ts';
import { directConnector, proxyConnector, ProxyRoute } from './proxies/connector.ts';
import { SystemCertificates } from './proxies/systemCertificates.ts';
import { SentCall, type CallPools } from './sentCall.ts';

const joinBelowBytes = 256 * 1024;
const maxHeaderBytes = 64 * 1024;
/** How long an idle connection is kept where the provider does not say. */
const keepAliveMs = 30_000;
/**
 * How long an idle connection is kept at most where the provider names a time. Balancers and address translators drop idle
 * connections silently: the earliest documented after four minutes (Azure's), others after 350 s (AWS's).
 */
const keepAliveMaxMs = 120_000;
/** After this silence the system probes the connection, each second and ten times. */
const probeAliveAfterMs = 10_000;
const maxAddresses = 500;

/** How connections are made. The first handshakes of an endpoint may take long; the timers that matter are the attempt's. */
const connectOptions = { timeout: 60_000, autoSelectFamily: true, autoSelectFamilyAttemptTimeout: 300, keepAlive: true, keepAliveInitialDelay: probeAliveAfterMs } as const;

interface EndpointPool {
  pool: Pool;
  /** Of the targets. */
  origin: string;
  /** The endpoint's own proxy, as configured. */
  own: EndpointProxy | undefined;
  /** Undefined: it connects directly. */
  route: ProxyRoute | undefined;
  /** HTTP/2 is offered to the server besides HTTP/1.1. */
  http2: boolean;
}

/**
 * A connection of HTTP/2 carries one request at a time, as one of HTTP/1.1 does: where it ends, one attempt ends with it.
 * A ping is not sent, because a dead connection is found in the same way as one of HTTP/1.1.
 */
const http2Options = { maxConcurrentStreams: 1, pingInterval: 0 } as const;

/**
 * Connections to providers, one pool an endpoint, kept warm. Redirects are never followed, so no credential
 * ever reaches another host.
 */
export class Transport implements Dispatcher, CallPools {
  /** Sends a request through all interceptors. */
  readonly dispatch: Dispatch;
  #pools = new Map<string, EndpointPool>();
  /** Pools that take no more requests and whose last calls still run. */
  #closing = new Set<Pool>();
  #addresses = new Map<string, { origin: string; path: string }>();
  #closed = false;
  #network = directNetwork;
  /** Endpoints whose servers refused HTTP/1.1 during the TLS handshake. */
  #http2Only = new Set<string>();
  readonly #certificates: SystemCertificates;

  /** @param interceptors layers around every call, the outermost first: a request passes them in this order */
  constructor(interceptors: readonly Interceptor[] = [], certificates = new SystemCertificates()) {
    this.#certificates = certificates;
    const send: Dispatch = (place, request, listener) => this.send(place, request, listener);
    this.dispatch = interceptors.reduceRight((next, interceptor) => interceptor(next), send);
  }

  /**
   * Closes pools of endpoints that are gone, moved, or reached in another way now; running calls finish on their old
   * connection.
   */
  configure(endpoints: ReadonlyMap<string, EndpointConfig>, network: NetworkConfig = directNetwork): void {
    const before = this.#network;
    this.#network = network;
    const otherTrust = before.strictTls !== network.strictTls || before.systemCertificates !== network.systemCertificates;
    for (const name of this.#http2Only) if (!endpoints.has(name)) this.#http2Only.delete(name);
    for (const [name, entry] of this.#pools) {
      const endpoint = endpoints.get(name);
      const stays = endpoint !== undefined && !otherTrust && new URL(endpoint.baseUrl).origin === entry.origin
        && isSame(proxyFor(network, endpoint.proxy, new URL(entry.origin)), entry.route?.proxy);
      if (stays) {
        entry.own = endpoint.proxy;
        continue;
      }
      this.#http2Only.delete(name);
      this.retire(name);
    }
  }

  /** Sends a request past the interceptors. Never throws. */
  send(place: NetworkPlace, request: UpstreamRequest, listener: ResponseListener): UpstreamCall {
    return new SentCall(this, place, request, listener).start();
  }

  dispatchOnPool(place: NetworkPlace, request: UpstreamRequest, handler: SentCall): void {
    const { origin, path } = this.#address(request.url);
    const { pool, route, http2 } = this.#pool(place, origin);
    handler.route = route;
    handler.http2 = http2;
    const forwards = route?.forwards === true;
    pool.dispatch({
      method: request.method,
      path: forwards ? origin + path : path,
      headers: forwards ? route.headers(request.headers) : request.headers,
      body: (http2 ? inPieces(request.body) : outgoing(request.body)) ?? null,
    }, handler);
  }

  retire(endpoint: string): void {
    const entry = this.#pools.get(endpoint);
    if (entry === undefined) return;
    this.#pools.delete(endpoint);
    const { pool } = entry;
    this.#closing.add(pool);
    const gone = (): boolean => this.#closing.delete(pool);
    pool.close().then(gone, gone);
  }

  get hasProxy(): boolean {
    const { httpProxy, httpsProxy, isProxyOff } = this.#network;
    return httpProxy !== undefined || httpsProxy !== undefined || isProxyOff;
  }

  useHttp2(endpoint: string): void {
    if (this.#http2Only.has(endpoint)) return;
    this.#http2Only.add(endpoint);
    this.retire(endpoint);
  }

  async shutdown(): Promise<void> {
    this.#closed = true;
    const pools = [...[...this.#pools.values()].map(entry => entry.pool), ...this.#closing];
    this.#pools.clear();
    await Promise.all(pools.map(pool => pool.destroy()));
  }

  /** The parts of a URL. They are kept, because there are as few URLs as endpoints. */
  #address(url: string): { origin: string; path: string } {
    const known = this.#addresses.get(url);
    if (known !== undefined) return known;
    const parsed = new URL(url);
    const address = { origin: parsed.origin, path: parsed.pathname + parsed.search };
    if (this.#addresses.size >= maxAddresses) this.#addresses.clear();
    this.#addresses.set(url, address);
    return address;
  }

  #pool({ name, proxy }: NetworkPlace, origin: string): EndpointPool {
    if (this.#closed) throw new WaybillError('shutting-down', 'cancelled', 'Waybill is shutting down.');
    const known = this.#pools.get(name);
    if (known !== undefined && known.origin === origin && known.own === proxy) return known;
    if (known !== undefined) this.retire(name);
    const made = this.#open(name, proxy, origin);
    this.#pools.set(name, made);
    return made;
  }

  #open(name: string, own: EndpointProxy | undefined, origin: string): EndpointPool {
    const { strictTls, systemCertificates } = this.#network;
    const proxy = proxyFor(this.#network, own, new URL(origin));
    const route = proxy === undefined ? undefined : new ProxyRoute(proxy, name, new URL(origin));
    const http2 = this.#http2Only.has(name);
    const options = { ...connectOptions, allowH2: http2 };
    const certificates = systemCertificates ? this.#certificates : undefined;
    const connect = route === undefined
      ? directConnector({ options, certificates })
      : proxyConnector(route, { options: { ...options, rejectUnauthorized: strictTls }, certificates });
    const pool = new PoolClass(route?.origin(origin) ?? origin, {
      // The timers are ours (see exchange/attempt/timers.ts): they differ between attempts and mean different failures.
      headersTimeout: 0,
      bodyTimeout: 0,
      keepAliveTimeout: keepAliveMs,
      keepAliveMaxTimeout: keepAliveMaxMs,
      maxHeaderSize: maxHeaderBytes,
      // The connector offers HTTP/2, where it is offered at all; `true` here would have requests wait for one another.
      allowH2: false,
      h2Options: http2Options,
      connect,
      factory: (at, options) => new Connection(at, options as ConnectionOptions),
    });
    return { pool, origin, own, route, http2 };
  }
}

function isSame(one: ProxyAddress | undefined, other: ProxyAddress | undefined): boolean {
  return one === undefined ? other === undefined : one.isSameAs(other);
}

/** A body that undici does not send a second time by itself: whether a request is sent again is decided by its call. */
function inPieces(pieces: readonly Buffer[] | undefined): Buffer | undefined {
  return pieces === undefined || pieces.length === 0 ? undefined : pieces as unknown as Buffer;
}

function outgoing(pieces: readonly Buffer[] | undefined): NonNullable<UndiciDispatcher.DispatchOptions['body']> | undefined {
  if (pieces === undefined || pieces.length === 0) return undefined;
  if (pieces.length === 1 && pieces[0] !== undefined) return pieces[0];
  let bytes = 0;
  for (const piece of pieces) bytes += piece.length;
  if (bytes <= joinBelowBytes) return Buffer.concat(pieces as Buffer[], bytes);
  return pieces as unknown as Buffer;
}
