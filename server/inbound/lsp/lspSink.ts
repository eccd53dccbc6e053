import type { ConversationEvent } from '../../api/conversation.ts';
import type { ChatEvent, ChatResult } from '../../api/messages.ts';
import type { Receipt } from '../../api/receipt.ts';
import type { AnswerHead, ResponseSink, ExchangeFailure } from '../../exchange/request.ts';

/** Events are sent together when they come close together, so that a fast model does not flood the channel. */
const batchMs = 12;

/** The editor's end of an exchange: events go out as notifications, the outcome as the request's result. */
export class LspSink implements ResponseSink {
  onDrain: (() => void) | undefined;
  #send: (events: ChatEvent[]) => void;
  #ask: (message: string, accept: string) => Promise<boolean>;
  #resolve: (failure: ExchangeFailure | undefined) => void;
  #batch: ChatEvent[] = [];
  #timer: NodeJS.Timeout | undefined;
  #lastSentAt = 0;

  /** @param ask shows a sentence with a button; resolves to whether it was pressed */
  constructor(
    send: (events: ChatEvent[]) => void, ask: (message: string, accept: string) => Promise<boolean>, resolve: (failure: ExchangeFailure | undefined) => void,
  ) {
    this.#send = send;
    this.#ask = ask;
    this.#resolve = resolve;
  }

  begin(_head: AnswerHead): void {
    // What answered is in the result and in the receipt.
  }

  bytes(): boolean {
    return true;
  }

  events(events: readonly ConversationEvent[]): boolean {
    return this.#add(events);
  }

  #add(events: readonly ChatEvent[]): boolean {
    this.#batch.push(...events);
    if (this.#timer === undefined) {
      if (performance.now() - this.#lastSentAt >= batchMs) this.#flush();
      else this.#timer = setTimeout(() => this.#flush(), batchMs);
    }
    return true;
  }

  buffered(): void {
    // The editor always gets events.
  }

  end(): void {
    this.#flush();
    this.#resolve(undefined);
  }

  fail(failure: ExchangeFailure): void {
    this.#flush();
    this.#resolve(failure);
  }

  keepAlive(): void {
    // The channel to the editor needs none.
  }

  async ask(message: string, accept: string): Promise<boolean> {
    try {
      return await this.#ask(message, accept);
    } catch {
      // The editor cannot ask, or has gone: nobody said yes.
      return false;
    }
  }

  restart(message: string): void {
    this.#add([{ type: 'restart', message }]);
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#batch.length === 0) return;
    const events = this.#batch;
    this.#batch = [];
    this.#lastSentAt = performance.now();
    this.#send(events);
  }
}

/** The result of a chat request that was not begun. @param message one sentence with the next action */
export function refusedChat(exchangeId: string, message: string): ChatResult {
  return { exchangeId, outcome: 'failed', error: { failureClass: 'bad-request', message }, attempts: 0, usage: {}, cost: { microUsd: 0, certainty: 'exact' } };
}

/** The result of a chat request from its receipt. */
export function chatResult(receipt: Receipt, failure: ExchangeFailure | undefined): ChatResult {
  const outcome = receipt.outcome === 'ok' ? 'ok' : receipt.outcome === 'cancelled' ? 'cancelled' : 'failed';
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
