import type { WaybillError } from '../../base/failure.ts';
import type { StreamDecoder } from '../../protocols/codec.ts';
import { isContentEvent } from '../../protocols/events.ts';
import { createSseReader, type SseReader } from '../../protocols/sseReader.ts';
import type { ResponseHeaders } from '../../base/headers/responseHeaders.ts';
import type { ResponseListener, UpstreamCall } from '../call.ts';
import { injectedCut } from './faultInjector.ts';

/** So many events with content are passed on before a stream is cut; a shorter stream is cut before its end. */
const contentEventsBeforeCut = 3;
const maxEventBytes = 16 * 1024 * 1024;
const newline = 0x0a;

/**
 * A call whose answer fault injection breaks off in the middle, as a reset would: a stream after its first content and
 * before its end, a buffered answer half way. Refusals of the provider pass. The request itself is sent as it is, and
 * aborted at the cut.
 */
export class TruncateFault implements UpstreamCall, ResponseListener {
  readonly source = 'altered';
  #listener: ResponseListener | undefined;
  #call: UpstreamCall | undefined;
  #endpoint: string;
  #decoder: StreamDecoder | undefined;
  #mode: 'untouched' | 'stream' | 'buffered' = 'untouched';
  #reader: SseReader | undefined;
  #contentEvents = 0;
  #ended = false;
  /** Bytes of a buffered answer that may still pass; undefined where its length was not announced. */
  #left: number | undefined;
  /** The latest piece of a buffered answer of unknown length: of the last piece only one half is passed on. */
  #last: Buffer | undefined;

  /**
   * @param decoder reads the endpoint's streams
   * @param send sends the request with the given listener
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
      this.#mode = isJson || this.#decoder === undefined ? 'buffered' : 'stream';
      const length = Number(headers['content-length']);
      if (this.#mode === 'buffered' && Number.isInteger(length)) this.#left = Math.floor(length / 2);
      this.#reader = createSseReader({ maxEventBytes }, (event, data) => this.#read(event, data));
    }
    this.#listener?.onHeaders(status, headers);
  }

  onData(chunk: Buffer): void {
    switch (this.#mode) {
      case 'untouched':
        this.#listener?.onData(chunk);
        return;
      case 'stream':
        this.#streamed(chunk);
        return;
      case 'buffered':
        this.#buffered(chunk);
    }
  }

  onEnd(): void {
    if (this.#mode === 'untouched') {
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

  #buffered(chunk: Buffer): void {
    if (this.#left === undefined) {
      if (this.#last !== undefined) this.#pass(this.#last);
      this.#last = chunk;
      return;
    }
    this.#pass(chunk.subarray(0, this.#left));
    this.#left -= chunk.length;
    if (this.#left <= 0) this.#cut();
  }

  /** Reads line by line, so that the cut falls behind the content to pass on and before the event that ends the answer. */
  #streamed(chunk: Buffer): void {
    let from = 0;
    let whole = 0;
    while (from < chunk.length) {
      const lineEnd = chunk.indexOf(newline, from);
      const to = lineEnd === -1 ? chunk.length : lineEnd + 1;
      const before = this.#contentEvents;
      if (!this.#isReadable(chunk.subarray(from, to))) break;
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

  /** @returns false for bytes that are no stream of events; the caller of this call judges those */
  #isReadable(bytes: Buffer): boolean {
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
    listener?.onError(injectedCut(this.#endpoint));
  }
}
