import type { Dispatcher } from 'undici';
import { requestDeadlines, type Deadline } from '../base/collections/deadlines.ts';
import { WaybillError } from '../base/failure.ts';
import type { ResponseHeaders } from '../base/headers/responseHeaders.ts';
import { isLocalHost } from '../config/baseUrl.ts';
import type { NetworkPlace, ResponseListener, UpstreamCall, UpstreamRequest } from './call.ts';
import type { Connection, ConnectionUser } from './connection.ts';
import { codingsOf, decodedHeaders } from './contentCodings.ts';
import { ContentDecoder, type DecodedListener } from './contentDecoder.ts';
import { brokenCoding, unknownCoding } from './failures/codingFailure.ts';
import { isOfProxyItself, proxyAnswered, proxyTooSlow } from './failures/proxyFailure.ts';
import { isClosedByPeer, networkFailure, proxyAdvice, refusesHttp1, wasNotProcessed, type CallStage } from './failures/networkFailure.ts';
import { unreadableAnswer } from './failures/unreadableAnswer.ts';
import type { ProxyRoute } from './proxies/connector.ts';

/**
 * A close that comes sooner after the request than this was most likely under way before the request was read: it is
 * about one round trip between continents. A provider that read the request and gave up needs longer, as a rule.
 */
const unreadWithinMs = 300;

/** Where calls get their connections. */
export interface CallPools {
  /** Hands a request to the endpoint's pool. @throws when it cannot be sent at all */
  dispatchOnPool(place: NetworkPlace, request: UpstreamRequest, handler: SentCall): void;
  /** A proxy is known for some targets, or the settings say that none is to be used. */
  readonly hasProxy: boolean;
  /** From now on HTTP/2 is offered to the endpoint's server, which refuses HTTP/1.1. */
  useHttp2(endpoint: string): void;
  /** Closes the idle connections to an endpoint; running calls finish on theirs, and the next one makes a fresh one. */
  retire(endpoint: string): void;
}

/**
 * One call as undici's handler: no promises, streams or abort signals on the way.
 *
 * A request that meets a dead kept connection goes out once more, on a fresh one, where no byte of it was written or it is
 * a GET; the listener learns of the second only. A POST may be sent again only where the first was never applied (RFC 9110,
 * section 9.2.2), and once it was written that cannot be known. A kept connection that is closed or reset soon after the
 * request, without a byte of an answer, is a failure of its own, `kept-connection-lost`: the request was most likely not
 * read (RFC 9112, section 9.5), the failure says nothing of the provider, and the attempt is in the ledger at unknown cost.
 * An HTTP/2 server says of a request that it has not processed it; such a request goes out once more, whatever it is.
 *
 * Content codings, which no request asks for, end here: the listener gets the decoded bytes and headers that fit them.
 */
export class SentCall implements Dispatcher.DispatchHandler, UpstreamCall, ConnectionUser, DecodedListener, Deadline {
  /** The connect timer. */
  dueAt = Infinity;
  before: Deadline | undefined;
  behind: Deadline | undefined;
  /** Set by the connection that takes the request. */
  connection: Connection | undefined;
  /** Set by the pool; undefined where it connects directly. */
  route: ProxyRoute | undefined;
  /** Set by the pool: HTTP/2 was offered besides HTTP/1.1. */
  http2 = false;
  readonly source = 'provider';
  resent = false;
  readonly #pools: CallPools;
  readonly #place: NetworkPlace;
  readonly #request: UpstreamRequest;
  #listener: ResponseListener | undefined;
  #controller: Dispatcher.DispatchController | undefined;
  #stage: CallStage = 'connecting';
  /** The request went out on a connection that had carried one before. */
  #onKept = false;
  /** The first byte of an answer came. */
  #answered = false;
  /** The whole request was handed to the connection. */
  #written = false;
  #sentAt = 0;
  /** The connect timer: it runs; or it ran out, in this turn of the loop. */
  #connectTimer: 'none' | 'runs' | 'over' = 'none';
  #connectingSince = 0;
  /** Present where the answer has a content coding. */
  #decoder: ContentDecoder | undefined;
  /** The listener takes no more for now. */
  #held = false;
  /** What cut a coded answer off, until the bytes before it are decoded. */
  #cutBy: unknown;

  constructor(pools: CallPools, place: NetworkPlace, request: UpstreamRequest, listener: ResponseListener) {
    this.#pools = pools;
    this.#place = place;
    this.#request = request;
    this.#listener = listener;
  }

  /** Sends the request. A failure goes to the listener. */
  start(): this {
    try {
      this.#request.memory?.lend();
      this.#pools.dispatchOnPool(this.#place, this.#request, this);
      this.#awaitConnection();
    } catch (error) {
      this.fail(error);
    }
    return this;
  }

  /** Starts the connect timer, unless a kept connection took the request at once. */
  #awaitConnection(): void {
    if (this.#stage !== 'connecting' || this.#listener === undefined) return;
    const now = performance.now();
    this.#connectingSince = now;
    this.#connectTimer = 'runs';
    requestDeadlines.add(this, now + this.#place.timeouts.connectMs, now);
  }

  onDue(): void {
    this.#connectTimer = 'over';
    // In a process that was busy for long this is due before the event of the new connection is handled.
    setImmediate(() => {
      if (this.#connectTimer !== 'over') return;
      const { name, timeouts: { connectMs } } = this.#place;
      if (this.route !== undefined && this.route.pending > 0) this.fail(proxyTooSlow(this.route, connectMs));
      else this.fail(new WaybillError('connect-timeout', 'timeout', `${name} did not accept a connection within ${Math.round(connectMs)} ms.`, this.#isProxyUnknown ? { advice: proxyAdvice } : {}));
    });
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#onKept = this.connection?.use() ?? false;
    this.#sentAt = performance.now();
    if (this.#connectTimer !== 'none' && !this.#onKept) this.#listener?.onConnected?.(this.#sentAt - this.#connectingSince);
    this.#connected();
    if (this.#listener === undefined) {
      controller.abort(new Error('abandoned'));
      return;
    }
    this.#stage = 'waiting';
    this.#controller = controller;
  }

  onRequestSent(): void {
    this.#written = true;
  }

  onResponseStarted(): void {
    this.#answered = true;
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: ResponseHeaders): void {
    if (status < 200) return;
    this.#stage = 'answering';
    if (status >= 400 && this.route?.forwards === true && (status === 407 || isOfProxyItself(headers))) {
      this.fail(proxyAnswered(this.route, status, String(headers['proxy-authenticate'] ?? '')));
      return;
    }
    const coding = headers['content-encoding'];
    // undici swallows what its handlers throw, and the exchange would wait for ever.
    try {
      if (coding === undefined) this.#listener?.onHeaders(status, headers);
      else this.#startDecoding(status, headers);
    } catch (error) {
      this.fail(unreadableAnswer(this.#place.name, error));
    }
  }

  #startDecoding(status: number, headers: ResponseHeaders): void {
    const codings = codingsOf(headers['content-encoding']);
    if (codings !== undefined && 'decoders' in codings) this.#decoder = new ContentDecoder(codings.decoders, this);
    this.#listener?.onHeaders(status, codings === undefined ? headers : decodedHeaders(headers));
    if (codings === undefined || 'decoders' in codings) return;
    // A refusal is one by its status, whether its explanation can be read or not.
    if (status < 300) {
      this.fail(unknownCoding(this.#place.name, codings));
      return;
    }
    this.#end();
    this.abort();
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#decoder === undefined) this.onDecoded(chunk);
    else if (!this.#decoder.write(chunk)) controller.pause();
  }

  onResponseEnd(): void {
    if (this.#decoder === undefined) {
      this.#end();
      return;
    }
    this.#controller = undefined;
    this.#decoder.end();
  }

  onDecoded(chunk: Buffer): void {
    try {
      this.#listener?.onData(chunk);
    } catch (error) {
      this.fail(unreadableAnswer(this.#place.name, error));
    }
  }

  onDecodedEnd(): void {
    if (this.#cutBy === undefined) this.#end();
    else this.fail(this.#cutBy);
  }

  onUndecodable(cause: unknown): void {
    this.fail(this.#cutBy ?? brokenCoding(this.#place.name, cause));
  }

  onRoom(): void {
    if (!this.#held) this.#controller?.resume();
  }

  /** The answer is whole. */
  #end(): void {
    const listener = this.#listener;
    this.#listener = undefined;
    if (this.#written && this.connection?.flushed === true) this.#request.memory?.giveBack();
    try {
      listener?.onEnd();
    } catch (error) {
      listener?.onError(unreadableAnswer(this.#place.name, error));
    }
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    if (this.#listener === undefined) return;
    if (this.#decoder !== undefined) {
      this.#controller = undefined;
      this.#cutBy = error;
      this.#decoder.end();
      return;
    }
    if (!this.http2 && this.#stage === 'connecting' && refusesHttp1(error)) {
      this.#pools.useHttp2(this.#place.name);
      this.#startAgain();
      return;
    }
    const unwritten = this.#stage === 'connecting' ? this.connection?.kept === true : this.http2 && !this.#answered && wasNotProcessed(error);
    if (!this.resent && (unwritten || (this.#request.method === 'GET' && this.#wasMostLikelyUnread(error)))) this.#sendAgain();
    else this.fail(error);
  }

  /** Whether a kept connection closed before the request was read, as far as its timing shows; see `unreadWithinMs`. */
  #wasMostLikelyUnread(error: unknown): boolean {
    return this.#stage === 'waiting' && this.#onKept && !this.#answered && isClosedByPeer(error) && performance.now() - this.#sentAt < unreadWithinMs;
  }

  get #isProxyUnknown(): boolean {
    return !this.#pools.hasProxy && this.#place.proxy === undefined && URL.canParse(this.#request.url) && !isLocalHost(new URL(this.#request.url).hostname);
  }

  #sendAgain(): void {
    this.resent = true;
    // What closed one kept connection closed the others of its pool.
    this.#pools.retire(this.#place.name);
    this.#startAgain();
  }

  #startAgain(): void {
    this.#connected();
    this.#controller = undefined;
    this.connection = undefined;
    this.#stage = 'connecting';
    this.start();
  }

  /** Ends the call with an error; the connection is given up. */
  fail(error: unknown): void {
    const listener = this.#listener;
    if (listener === undefined) return;
    const failure = networkFailure(error, this.#place.name, this.#wasMostLikelyUnread(error) ? 'unread' : this.#stage, this.#isProxyUnknown);
    if (this.#stage === 'waiting' && this.#onKept) this.#pools.retire(this.#place.name);
    this.abort();
    listener.onError(failure);
  }

  abort(silent = false): void {
    this.#connected();
    // Where one kept connection is silently dead, the others of its pool most likely are too.
    if (silent && this.#stage === 'waiting' && this.#onKept) this.#pools.retire(this.#place.name);
    this.#listener = undefined;
    this.#decoder?.destroy();
    const controller = this.#controller;
    this.#controller = undefined;
    controller?.abort(new Error('aborted'));
  }

  pause(): void {
    this.#held = true;
    this.#decoder?.pause();
    this.#controller?.pause();
  }

  resume(): void {
    this.#held = false;
    this.#decoder?.resume();
    this.#controller?.resume();
  }

  #connected(): void {
    if (this.#connectTimer === 'runs') requestDeadlines.remove(this);
    this.#connectTimer = 'none';
  }
}
