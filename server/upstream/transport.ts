import type { Dispatcher, Pool } from 'undici';
import PoolClass from 'undici/lib/dispatcher/pool.js';
import { defaultSlowMs } from '../api/drill.ts';
import { WaybillError } from '../base/failure.ts';
import type { EndpointConfig } from '../config/config.ts';
import { codecFor } from '../protocols/registry.ts';
import type { GoogleLogin } from '../keys/authHeader.ts';
import { Connection } from './connection.ts';
import { TruncateFault } from './interceptors/truncateFault.ts';
import { drilledRefusal, FaultInjector } from './interceptors/faultInjector.ts';
import { GoogleTokens } from './interceptors/googleTokens.ts';
import { RefuseFault } from './interceptors/refuseFault.ts';
import { SignedCall } from './interceptors/googleAuth.ts';
import { SentCall } from './sentCall.ts';
import { DelayFault } from './interceptors/delayFault.ts';

export type ResponseHeaders = Record<string, string | string[] | undefined>;

/** One request to a provider, ready to be sent. */
export interface UpstreamRequest {
  method: 'GET' | 'POST';
  /** Absolute URL at the endpoint's own origin. */
  url: string;
  headers: Record<string, string>;
  /** The body in pieces; sent as they are. */
  body?: readonly Buffer[] | undefined;
  /** The request is sent with an access token of Google's, and its project where the URL has a place for one. */
  googleLogin?: GoogleLogin | undefined;
  /** What the request is about, for fire drills: canonical model (none for probes) and id of the key. */
  about?: { model?: string | undefined; keyId: string | undefined } | undefined;
}

/** What comes back, in order: headers once, data any number of times, then end or error exactly once. */
export interface ResponseListener {
  /** A new connection was made for this request. @param connectMs how long that took, TLS included */
  onConnected?(connectMs: number): void;
  onHeaders(status: number, headers: ResponseHeaders): void;
  onData(chunk: Buffer): void;
  onEnd(): void;
  onError(error: WaybillError): void;
}

/** A running call. After `abort` the listener hears nothing more. */
export interface UpstreamCall {
  /** A fire drill has its hand in it: what comes of it says nothing of the provider. */
  readonly drilled?: boolean | undefined;
  /** A fire drill answered it: nothing was sent. */
  readonly unsent?: boolean | undefined;
  /** The request met a dead connection, and went out again on a fresh one. */
  readonly resent?: boolean | undefined;
  /** @param silent it waited in vain: the connection may be dead */
  abort(silent?: boolean): void;
  pause(): void;
  resume(): void;
}

const joinBelowBytes = 256 * 1024;
const maxHeaderBytes = 64 * 1024;
/** How long an idle connection is kept where the provider does not say. */
const keepAliveMs = 30_000;
/**
 * How long it is kept on the provider's word. Balancers and address translators on the way drop idle connections without
 * telling anybody, the earliest that are documented after four minutes (Azure's), others after 350 s (AWS's).
 */
const keepAliveMaxMs = 120_000;
/** After so long a silence the system asks the other side, each second and ten times, whether it is still there. */
const askAliveAfterMs = 10_000;
const maxAddresses = 500;

/** Where a request goes. Protocol and provider are those that are spoken there; absent: as configured. */
export type CallPlace = Pick<EndpointConfig, 'name' | 'timeouts'> & Partial<Pick<EndpointConfig, 'protocol' | 'provider'>>;

interface EndpointPool { pool: Pool; origin: string }

/**
 * Connections to providers, one pool an endpoint, kept warm. Redirects are never followed, so no credential
 * ever reaches another host.
 */
export class Transport {
  /** Fire drills that run; see router/drills/faultInjectionRunner.ts. */
  readonly drills: FaultInjector;
  #endpoints: ReadonlyMap<string, EndpointConfig> = new Map();
  #pools = new Map<string, EndpointPool>();
  /** Pools that take no more requests and whose last calls still run. */
  #closing = new Set<Pool>();
  #addresses = new Map<string, { origin: string; path: string }>();
  #closed = false;
  #googleTokens: GoogleTokens;

  /** @param googleTokens where access tokens for Google Cloud come from */
  constructor(googleTokens: GoogleTokens = new GoogleTokens(), drills: FaultInjector = new FaultInjector()) {
    this.#googleTokens = googleTokens;
    this.drills = drills;
  }

  /** Closes pools of endpoints that are gone or moved; running calls finish on their old connection. */
  configure(endpoints: ReadonlyMap<string, EndpointConfig>): void {
    this.#endpoints = endpoints;
    for (const [name, entry] of this.#pools) {
      const endpoint = endpoints.get(name);
      if (endpoint === undefined || new URL(endpoint.baseUrl).origin !== entry.origin) this.#retire(name);
    }
  }

  /** Sends a request, unless a fire drill answers in the provider's stead. */
  send(endpoint: CallPlace, request: UpstreamRequest, listener: ResponseListener): UpstreamCall {
    const drill = this.drills.meeting(endpoint.name, request.about);
    if (drill === undefined) return this.#send(endpoint, request, listener);
    const { name, protocol, provider } = { ...this.#endpoints.get(endpoint.name), ...endpoint };
    const send = (through: ResponseListener): UpstreamCall => this.#send(endpoint, request, through);
    switch (drill.fault) {
      case 'down': return new RefuseFault(listener, drilledRefusal(name));
      case 'rate-limit':
      case 'dead-key': return new RefuseFault(listener, this.drills.refusal(drill, protocol ?? 'openai-chat'));
      case 'slow': return new DelayFault({ listener, endpoint: name, slowMs: drill.slowMs ?? defaultSlowMs, send, hold: release => this.drills.hold(drill.id, release) });
      case 'cut': return new TruncateFault({ listener, endpoint: name, send, decoder: codecFor(protocol ?? 'openai-chat')?.createStreamDecoder(provider?.dialect ?? {}) });
    }
  }

  #send(endpoint: CallPlace, request: UpstreamRequest, listener: ResponseListener): UpstreamCall {
    const { googleLogin } = request;
    if (googleLogin === undefined) return this.#dispatch(endpoint, request, listener);
    return new SignedCall({
      tokens: this.#googleTokens, login: googleLogin, request, listener, endpoint: endpoint.name,
      send: (signed, signedListener) => this.#dispatch(endpoint, signed, signedListener),
    });
  }

  #dispatch(endpoint: CallPlace, request: UpstreamRequest, listener: ResponseListener): UpstreamCall {
    const call: SentCall = new SentCall({
      endpoint: endpoint.name, connectMs: endpoint.timeouts.connectMs, listener, idempotent: request.method === 'GET',
      put: () => this.#put(endpoint, request, call),
      dropKept: () => this.#retire(endpoint.name),
    });
    this.#put(endpoint, request, call);
    return call;
  }

  #put(endpoint: CallPlace, request: UpstreamRequest, call: SentCall): void {
    try {
      const { origin, path } = this.#address(request.url);
      this.#pool(endpoint, origin).dispatch({
        method: request.method,
        path,
        headers: request.headers,
        body: outgoing(request.body) ?? null,
      }, call);
      call.awaitConnection();
    } catch (error) {
      call.fail(error);
    }
  }

  /** The parts of a URL; there are as many of them as endpoints, so they are remembered. */
  #address(url: string): { origin: string; path: string } {
    const known = this.#addresses.get(url);
    if (known !== undefined) return known;
    const parsed = new URL(url);
    const address = { origin: parsed.origin, path: parsed.pathname + parsed.search };
    if (this.#addresses.size >= maxAddresses) this.#addresses.clear();
    this.#addresses.set(url, address);
    return address;
  }

  async shutdown(): Promise<void> {
    this.#closed = true;
    const pools = [...[...this.#pools.values()].map(entry => entry.pool), ...this.#closing];
    this.#pools.clear();
    await Promise.all(pools.map(pool => pool.destroy()));
  }

  /** Closes the idle connections to an endpoint; running calls finish on theirs, and the next one makes a fresh one. */
  #retire(name: string): void {
    const entry = this.#pools.get(name);
    if (entry === undefined) return;
    this.#pools.delete(name);
    const { pool } = entry;
    this.#closing.add(pool);
    const gone = (): boolean => this.#closing.delete(pool);
    pool.close().then(gone, gone);
  }

  #pool(endpoint: CallPlace, origin: string): Pool {
    if (this.#closed) throw new WaybillError('shutting-down', 'cancelled', 'Waybill is shutting down.');
    const known = this.#pools.get(endpoint.name);
    if (known !== undefined && known.origin === origin) return known.pool;
    if (known !== undefined) this.#retire(endpoint.name);
    const pool = new PoolClass(origin, {
      // The timers are ours (see exchange/attempt/attempt.ts): they differ between attempts and mean different failures.
      headersTimeout: 0,
      bodyTimeout: 0,
      keepAliveTimeout: keepAliveMs,
      keepAliveMaxTimeout: keepAliveMaxMs,
      maxHeaderSize: maxHeaderBytes,
      allowH2: false,
      connect: { timeout: 60_000, autoSelectFamily: true, autoSelectFamilyAttemptTimeout: 300, keepAlive: true, keepAliveInitialDelay: askAliveAfterMs },
      factory: (at, options) => new Connection(at, options),
    });
    this.#pools.set(endpoint.name, { pool, origin });
    return pool;
  }
}

function outgoing(pieces: readonly Buffer[] | undefined): NonNullable<Dispatcher.DispatchOptions['body']> | undefined {
  if (pieces === undefined || pieces.length === 0) return undefined;
  if (pieces.length === 1 && pieces[0] !== undefined) return pieces[0];
  let bytes = 0;
  for (const piece of pieces) bytes += piece.length;
  if (bytes <= joinBelowBytes) return Buffer.concat(pieces as Buffer[], bytes);
  return pieces as unknown as Buffer;
}
