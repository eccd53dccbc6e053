import type { Dispatcher as UndiciDispatcher, Pool } from 'undici';
import PoolClass from 'undici/lib/dispatcher/pool.js';
import { WaybillError } from '../base/failure.ts';
import type { EndpointConfig } from '../config/config.ts';
import type { CallPlace, Dispatch, Dispatcher, Interceptor, UpstreamRequest } from './call.ts';
import { Connection, type ConnectionOptions } from './connection.ts';
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

interface EndpointPool { pool: Pool; origin: string }

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

  /** @param interceptors layers around every call, the outermost first: a request passes them in this order */
  constructor(interceptors: readonly Interceptor[] = []) {
    const send: Dispatch = (place, request, listener) => new SentCall(this, place, request, listener).start();
    this.dispatch = interceptors.reduceRight((next, interceptor) => interceptor(next), send);
  }

  /** Closes pools of endpoints that are gone or moved; running calls finish on their old connection. */
  configure(endpoints: ReadonlyMap<string, EndpointConfig>): void {
    for (const [name, entry] of this.#pools) {
      const endpoint = endpoints.get(name);
      if (endpoint === undefined || new URL(endpoint.baseUrl).origin !== entry.origin) this.retire(name);
    }
  }

  dispatchOnPool(place: CallPlace, request: UpstreamRequest, handler: SentCall): void {
    const { origin, path } = this.#address(request.url);
    this.#pool(place.name, origin).dispatch({
      method: request.method,
      path,
      headers: request.headers,
      body: outgoing(request.body) ?? null,
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

  #pool(endpoint: string, origin: string): Pool {
    if (this.#closed) throw new WaybillError('shutting-down', 'cancelled', 'Waybill is shutting down.');
    const known = this.#pools.get(endpoint);
    if (known !== undefined && known.origin === origin) return known.pool;
    if (known !== undefined) this.retire(endpoint);
    const pool = new PoolClass(origin, {
      // The timers are ours (see exchange/attempt/timers.ts): they differ between attempts and mean different failures.
      headersTimeout: 0,
      bodyTimeout: 0,
      keepAliveTimeout: keepAliveMs,
      keepAliveMaxTimeout: keepAliveMaxMs,
      maxHeaderSize: maxHeaderBytes,
      allowH2: false,
      connect: { timeout: 60_000, autoSelectFamily: true, autoSelectFamilyAttemptTimeout: 300, keepAlive: true, keepAliveInitialDelay: probeAliveAfterMs },
      factory: (at, options) => new Connection(at, options as ConnectionOptions),
    });
    this.#pools.set(endpoint, { pool, origin });
    return pool;
  }
}

function outgoing(pieces: readonly Buffer[] | undefined): NonNullable<UndiciDispatcher.DispatchOptions['body']> | undefined {
  if (pieces === undefined || pieces.length === 0) return undefined;
  if (pieces.length === 1 && pieces[0] !== undefined) return pieces[0];
  let bytes = 0;
  for (const piece of pieces) bytes += piece.length;
  if (bytes <= joinBelowBytes) return Buffer.concat(pieces as Buffer[], bytes);
  return pieces as unknown as Buffer;
}
