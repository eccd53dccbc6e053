import type { Dispatcher } from 'undici';
import { WaybillError } from '../base/failure.ts';
import type { Connection, ConnectionUser } from './connection.ts';
import { isClosedByPeer, networkFailure, type CallStage } from './failures/networkFailure.ts';
import type { ResponseHeaders, ResponseListener, UpstreamCall } from './transport.ts';

/**
 * A close that comes sooner after the request than this was most likely under way before the request was read: it is
 * about one round trip between continents. A provider that read the request and gave up needs longer, as a rule.
 */
const unreadWithinMs = 300;

export interface SentCallOptions {
  endpoint: string;
  connectMs: number;
  /** Asking twice does no harm: a GET. */
  idempotent: boolean;
  listener: ResponseListener;
  /** Sends the request. */
  put(): void;
  /** Closes the connections that are kept idle, so that the next request makes a fresh one. */
  dropKept(): void;
}

/**
 * One call as undici's handler: no promises, streams or abort signals on the way.
 *
 * A request that meets a dead kept connection goes out once more, on a fresh one, where no byte of it was written or asking
 * twice does no harm: the listener learns of the second only. A POST may be sent again only where the first was never applied (RFC 9110, section
 * 9.2.2), and once it was written that cannot be known. A kept connection that is then closed or reset soon, without a
 * byte of an answer, is a failure of its own, `kept-connection-lost`: the request was most likely not read (RFC 9112,
 * section 9.5), it says nothing of the provider, and it is an attempt in the ledger whose cost is unknown.
 */
export class SentCall implements Dispatcher.DispatchHandler, UpstreamCall, ConnectionUser {
  /** Set by the connection that takes the request. */
  connection: Connection | undefined;
  resent = false;
  #options: SentCallOptions;
  #listener: ResponseListener | undefined;
  #controller: Dispatcher.DispatchController | undefined;
  #stage: CallStage = 'connecting';
  /** The request went out on a connection that had carried one before. */
  #onKept = false;
  /** The first byte of an answer came. */
  #answered = false;
  #sentAt = 0;
  #connectTimer: NodeJS.Timeout | undefined;
  #connectingSince = 0;

  constructor(options: SentCallOptions) {
    this.#options = options;
    this.#listener = options.listener;
  }

  /** Starts the connect timer, unless a kept connection took the request at once. */
  awaitConnection(): void {
    if (this.#stage !== 'connecting' || this.#listener === undefined) return;
    const { endpoint, connectMs } = this.#options;
    this.#connectingSince = performance.now();
    this.#connectTimer = setTimeout(() => setImmediate(() => {
      // A process that was busy for long finds this timer due before it learns that the connection was made.
      if (this.#connectTimer === undefined) return;
      this.fail(new WaybillError('connect-timeout', 'timeout', `${endpoint} did not accept a connection within ${Math.round(connectMs)} ms.`));
    }), connectMs);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#onKept = this.connection?.use() ?? false;
    this.#sentAt = performance.now();
    if (this.#connectTimer !== undefined && !this.#onKept) this.#listener?.onConnected?.(this.#sentAt - this.#connectingSince);
    this.#connected();
    if (this.#listener === undefined) {
      controller.abort(new Error('abandoned'));
      return;
    }
    this.#stage = 'waiting';
    this.#controller = controller;
  }

  onResponseStarted(): void {
    this.#answered = true;
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: ResponseHeaders): void {
    if (status < 200) return;
    this.#stage = 'answering';
    this.#heard(() => this.#listener?.onHeaders(status, headers));
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#heard(() => this.#listener?.onData(chunk));
  }

  onResponseEnd(): void {
    const listener = this.#listener;
    this.#listener = undefined;
    try {
      listener?.onEnd();
    } catch (error) {
      listener?.onError(this.#internal(error));
    }
  }

  /** The client library swallows what its handlers throw, and the exchange would wait for ever. */
  #heard(hear: () => void): void {
    try {
      hear();
    } catch (error) {
      this.fail(this.#internal(error));
    }
  }

  #internal(cause: unknown): WaybillError {
    return cause instanceof WaybillError ? cause
      : new WaybillError('unreadable-answer', 'server', `${this.#options.endpoint} sent an answer that could not be read.`, { cause, detail: String(cause) });
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    if (this.#listener === undefined) return;
    const unwritten = this.#stage === 'connecting' && this.connection?.kept === true;
    if (!this.resent && (unwritten || (this.#options.idempotent && this.#wasHardlyRead(error)))) this.#sendAgain();
    else this.fail(error);
  }

  /** See the rule above. */
  #wasHardlyRead(error: unknown): boolean {
    return this.#stage === 'waiting' && this.#onKept && !this.#answered && isClosedByPeer(error) && performance.now() - this.#sentAt < unreadWithinMs;
  }

  #sendAgain(): void {
    this.resent = true;
    this.#connected();
    this.#controller = undefined;
    this.connection = undefined;
    this.#stage = 'connecting';
    // What dropped one of them dropped those beside it.
    this.#options.dropKept();
    this.#options.put();
  }

  /** Ends the call with an error; the connection is given up. */
  fail(error: unknown): void {
    const listener = this.#listener;
    if (listener === undefined) return;
    const failure = networkFailure(error, this.#options.endpoint, this.#wasHardlyRead(error) ? 'hardly-read' : this.#stage);
    if (this.#stage === 'waiting' && this.#onKept) this.#options.dropKept();
    this.abort();
    listener.onError(failure);
  }

  abort(silent = false): void {
    this.#connected();
    // A kept connection that is dead without a word is not alone.
    if (silent && this.#stage === 'waiting' && this.#onKept) this.#options.dropKept();
    this.#listener = undefined;
    const controller = this.#controller;
    this.#controller = undefined;
    controller?.abort(new Error('aborted'));
  }

  pause(): void {
    this.#controller?.pause();
  }

  resume(): void {
    this.#controller?.resume();
  }

  #connected(): void {
    if (this.#connectTimer === undefined) return;
    clearTimeout(this.#connectTimer);
    this.#connectTimer = undefined;
  }
}
