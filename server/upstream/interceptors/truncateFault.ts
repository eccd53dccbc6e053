import type { WaybillError } from '../../base/failure.ts';
import type { StreamDecoder } from '../../protocols/codec.ts';
import { isContentEvent } from '../../protocols/events.ts';
import { createSseReader, type SseReader } from '../../protocols/sseReader.ts';
import { drilledCut } from './faultInjector.ts';
import type { ResponseHeaders, ResponseListener, UpstreamCall } from '../transport.ts';

/** So many events with words in them are passed on before a stream is cut; a shorter one is cut before its end. */
const contentEventsBeforeCut = 3;
const maxEventBytes = 16 * 1024 * 1024;
const newline = 0x0a;

/**
 * A call whose answer a drill breaks off in the middle, as a reset would: a stream after a few words and never after its
 * end, a plain answer half way. Refusals of the provider pass: they are no answers. The request itself goes out as always;
 * the provider is told to stop at the cut.
 */
export class TruncateFault implements UpstreamCall, ResponseListener {
  readonly drilled = true;
  #listener: ResponseListener | undefined;
  #call: UpstreamCall | undefined;
  #endpoint: string;
  #decoder: StreamDecoder | undefined;
  #mode: 'whole' | 'stream' | 'plain' = 'whole';
  #reader: SseReader | undefined;
  #contentEvents = 0;
  #ended = false;
  /** Bytes of a plain answer that may still pass; undefined where its length was not announced. */
  #left: number | undefined;
  /** The latest piece of a plain answer whose length nobody knows: of the last one only a half is passed on. */
  #last: Buffer | undefined;

  /**
   * @param decoder reads the endpoint's streams
   * @param send sends the request; what comes back is told to what it is given
   */
  constructor(options: {
    listener: ResponseListener; endpoint: string; decoder: StreamDecoder | undefined; send(listener: ResponseListener): UpstreamCall;
  }) {
    this.#listener = options.listener;
    this.#endpoint = options.endpoint;
    this.#decoder = options.decoder;
    this.#call = options.send(this);
  }

  abort(silent?: boolean): void {
    this.#listener = undefined;
    this.#call?.abort(silent);
  }

  pause(): void {
    this.#call?.pause();
  }

  resume(): void {
    this.#call?.resume();
  }

  onConnected(connectMs: number): void {
    this.#listener?.onConnected?.(connectMs);
  }

  onHeaders(status: number, headers: ResponseHeaders): void {
    if (status < 300) {
      const isJson = String(headers['content-type'] ?? '').toLowerCase().includes('json');
      this.#mode = isJson || this.#decoder === undefined ? 'plain' : 'stream';
      const length = Number(headers['content-length']);
      if (this.#mode === 'plain' && Number.isInteger(length)) this.#left = Math.floor(length / 2);
      this.#reader = createSseReader({ maxEventBytes }, (event, data) => this.#read(event, data));
    }
    this.#listener?.onHeaders(status, headers);
  }

  onData(chunk: Buffer): void {
    switch (this.#mode) {
      case 'whole':
        this.#listener?.onData(chunk);
        return;
      case 'stream':
        this.#streamed(chunk);
        return;
      case 'plain':
        this.#plain(chunk);
    }
  }

  onEnd(): void {
    if (this.#mode === 'whole') {
      const listener = this.#listener;
      this.#listener = undefined;
      listener?.onEnd();
      return;
    }
    const last = this.#last;
    if (last !== undefined) this.#pass(last.subarray(0, Math.floor(last.length / 2)));
    this.#cut();
  }

  onError(error: WaybillError): void {
    const listener = this.#listener;
    this.#listener = undefined;
    listener?.onError(error);
  }

  #plain(chunk: Buffer): void {
    if (this.#left === undefined) {
      if (this.#last !== undefined) this.#pass(this.#last);
      this.#last = chunk;
      return;
    }
    this.#pass(chunk.subarray(0, this.#left));
    this.#left -= chunk.length;
    if (this.#left <= 0) this.#cut();
  }

  /** Reads line by line, so that the cut falls behind the words wanted and before the event that ends the answer. */
  #streamed(chunk: Buffer): void {
    let from = 0;
    let whole = 0;
    while (from < chunk.length) {
      const lineEnd = chunk.indexOf(newline, from);
      const to = lineEnd === -1 ? chunk.length : lineEnd + 1;
      const before = this.#contentEvents;
      if (!this.#understood(chunk.subarray(from, to))) break;
      if (this.#ended) {
        this.#pass(chunk.subarray(0, whole));
        this.#cut();
        return;
      }
      from = to;
      if (this.#contentEvents > before) whole = to;
      if (this.#contentEvents >= contentEventsBeforeCut) {
        this.#pass(chunk.subarray(0, to));
        this.#cut();
        return;
      }
    }
    this.#pass(chunk);
  }

  /** @returns false for what is no stream of events, whose judgement is not ours */
  #understood(bytes: Buffer): boolean {
    try {
      this.#reader?.push(bytes);
      return true;
    } catch {
      return false;
    }
  }

  #read(event: string | undefined, data: string): void {
    const decoder = this.#decoder;
    if (decoder === undefined || this.#ended) return;
    for (const one of decoder.decode(event, data)) {
      if (isContentEvent(one)) this.#contentEvents += 1;
      if (one.type === 'finish' || one.type === 'error') this.#ended = true;
    }
    if (decoder.terminated) this.#ended = true;
  }

  #pass(bytes: Buffer): void {
    if (bytes.length > 0) this.#listener?.onData(bytes);
  }

  #cut(): void {
    const listener = this.#listener;
    this.#listener = undefined;
    this.#call?.abort();
    listener?.onError(drilledCut(this.#endpoint));
  }
}
