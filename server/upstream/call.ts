import type { BodyMemory } from '../base/bodyMemory.ts';
import type { WaybillError } from '../base/failure.ts';
import type { ResponseHeaders } from '../base/headers/responseHeaders.ts';
import type { EndpointConfig } from '../config/config.ts';
import type { CloudLogin } from '../keys/authHeader.ts';

/** Where a request goes. Protocol and provider are those that are spoken there, which may differ from the configured ones. */
export type CallPlace = Pick<EndpointConfig, 'name' | 'timeouts' | 'protocol' | 'provider' | 'proxy'>;

/** What a connection is made by: also to receivers that are no providers. */
export type NetworkPlace = Pick<CallPlace, 'name' | 'proxy'> & { readonly timeouts: Pick<CallPlace['timeouts'], 'connectMs'> };

/** One request to a provider, ready to be sent. */
export interface UpstreamRequest {
  method: 'GET' | 'POST';
  /** Absolute URL at the endpoint's own origin. */
  url: string;
  headers: Record<string, string>;
  /** The body in pieces; sent as they are. */
  body?: readonly Buffer[] | undefined;
  /** Of the bytes that pieces of the body may be parts of. */
  memory?: BodyMemory | undefined;
  /** The request needs a token or a signature of a cloud, and a project where Google's URL has a place for one. */
  login?: CloudLogin | undefined;
  /** The Waybills that the request has passed before this one; see base/hops.ts. */
  hops?: string | undefined;
  /** What the request is about: its canonical model (none for probes) and the id of its key. Interceptors select by it. */
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

/**
 * Who made the answer of a call. `provider`: the provider alone. `altered`: the provider, and fault injection changed the
 * answer or its timing. `injected`: fault injection alone; nothing was sent. `cache`: an earlier answer; nothing was sent.
 */
export type AnswerSource = 'provider' | 'altered' | 'injected' | 'cache';

/** A running call. After `abort` the listener gets nothing more. */
export interface UpstreamCall {
  readonly source: AnswerSource;
  /** The request met a dead connection, and went out again on a fresh one. */
  readonly resent?: boolean | undefined;
  /** @param silent the call got no answer in time: the connection may be dead */
  abort(silent?: boolean): void;
  pause(): void;
  resume(): void;
}

/** Sends a request. Never throws: a failure goes to the listener, at times before the call is returned. */
export type Dispatch = (place: CallPlace, request: UpstreamRequest, listener: ResponseListener) => UpstreamCall;

/**
 * Puts a layer around every call. The outer function runs once, when the layers are composed; the inner one runs once for
 * each call and returns `next(…)` directly where it has nothing to do.
 */
export type Interceptor = (next: Dispatch) => Dispatch;

/** Whatever sends requests to providers. */
export interface Dispatcher { readonly dispatch: Dispatch }
