import type { ConversationEvent } from '../../api/conversation.ts';
import type { ChatEvent, ChatResult } from '../../api/messages.ts';
import type { Receipt } from '../../api/receipt.ts';
import type { DrainListener, ExchangeFailure, ReaderAnswer, ReaderSink } from '../../exchange/request.ts';
import { ChatEventBatch } from './chatEventBatch.ts';
import { FlowControl } from './flowControl.ts';

/** Events are sent no closer together than this, so that a fast model does not flood the connection. */
const batchMs = 12;

export interface LspSinkOptions {
  /** @param acknowledge the number to be acknowledged, where an acknowledgement is due */
  send(events: ChatEvent[], acknowledge: number | undefined): void;
  /** Asks the reader; resolves to whether `accept`, or `instead`, was pressed. */
  ask(message: string, accept: string, decline: string, instead?: string): Promise<ReaderAnswer>;
  /** The exchange ended; every event has been sent. Called once. */
  ended(failure: ExchangeFailure | undefined): void;
  /** The client acknowledges events. Without it, events are sent as fast as they come. */
  flowControl: boolean;
}

/** The editor's end of an exchange: events are sent as notifications, the outcome is the request's result. */
export class LspSink implements ReaderSink {
  readonly kind = 'reader';
  drainListener: DrainListener | undefined;
  #options: LspSinkOptions;
  #flow: FlowControl | undefined;
  #batch = new ChatEventBatch();
  #timer: NodeJS.Timeout | undefined;
  /** By the clock of `performance.now`; undefined: nothing was sent yet. */
  #lastSentAtMs: number | undefined;

  constructor(options: LspSinkOptions) {
    this.#options = options;
    this.#flow = options.flowControl ? new FlowControl() : undefined;
  }

  events(events: readonly ConversationEvent[]): boolean {
    return this.#add(events);
  }

  end(): void {
    this.#finish(undefined);
  }

  fail(failure: ExchangeFailure): void {
    this.#finish(failure);
  }

  ask(message: string, accept: string, decline: string, instead?: string): Promise<ReaderAnswer> {
    return this.#options.ask(message, accept, decline, instead);
  }

  restart(message: string): void {
    this.#add([{ type: 'restart', message }]);
  }

  /** The client handled everything up to a number that was sent to it. */
  acknowledged(upTo: number): void {
    if (this.#flow?.acknowledge(upTo) === true) this.drainListener?.onDrain();
  }

  /** Sends what waits for its batch; from now on nothing needs an acknowledgement. */
  close(): void {
    this.#flow = undefined;
    this.#flush();
  }

  #add(events: readonly ChatEvent[]): boolean {
    this.#batch.add(events);
    const ready = this.#flow?.add(events) ?? true;
    if (this.#timer === undefined && this.#batch.showsSomething) {
      const waitMs = this.#lastSentAtMs === undefined ? 0 : this.#lastSentAtMs + batchMs - performance.now();
      if (waitMs <= 0) this.#flush();
      // Node keeps a list for each duration, so that these are whole milliseconds.
      else this.#timer = setTimeout(() => this.#flush(), Math.ceil(waitMs));
    }
    return ready;
  }

  #finish(failure: ExchangeFailure | undefined): void {
    this.close();
    this.#options.ended(failure);
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const events = this.#batch.take();
    if (events.length === 0) return;
    this.#lastSentAtMs = performance.now();
    this.#options.send(events, this.#flow?.due());
  }
}

/** The result of a chat request that did not start. @param message one sentence with the next action */
export function refusedChat(exchangeId: string, message: string): ChatResult {
  return { exchangeId, outcome: 'failed', error: { failureClass: 'bad-request', message }, attempts: 0, usage: {}, cost: { microUsd: 0, certainty: 'exact' } };
}

/** The result of a chat request from its receipt; one that is still open was cancelled by the client while late usage is waited for. */
export function chatResult(receipt: Receipt, failure: ExchangeFailure | undefined): ChatResult {
  const outcome = receipt.outcome === 'ok' ? 'ok' : receipt.outcome === 'cancelled' || receipt.outcome === 'open' ? 'cancelled' : 'failed';
  return {
    exchangeId: receipt.id,
    outcome,
    error: failure === undefined ? undefined : { failureClass: failure.error.failureClass, message: failure.error.message },
    target: receipt.target,
    attempts: receipt.attempts.length,
    usage: receipt.usage,
    cost: receipt.cost,
  };
}
