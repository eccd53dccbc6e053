import type { OpenDecoder } from './contentCodings.ts';

/** Who takes the bytes of a decoded answer. */
export interface DecodedListener {
  onDecoded(chunk: Buffer): void;
  /** All bytes were decoded. */
  onDecodedEnd(): void;
  /** The bytes do not follow their coding, or end in the middle of it. Nothing follows. */
  onUndecodable(cause: unknown): void;
  /** The decoder, which was full, takes more. */
  onRoom(): void;
}

/** Where a stage of decoding puts its bytes. */
interface Sink {
  /** @returns false when it takes no more for now */
  write(chunk: Buffer): boolean;
  end(): void;
}

/**
 * The bytes between two codings. Nobody reads them, so nothing else bounds them; a coding inside another that grows beyond
 * the largest accepted answer is none.
 */
const mostInnerBytes = 256 * 1024 * 1024;

/**
 * Undoes the codings of one answer while it comes: what the sender flushed comes out at once. At most a few pieces of
 * 16 KB wait in each stage, however much a coded byte stands for; a reader that stops stops the stages before it.
 */
export class ContentDecoder {
  readonly #listener: DecodedListener;
  readonly #stages: readonly Stage[];
  #held = false;
  #ended = false;

  /** @param openDecoders one or more, in the order in which they are applied */
  constructor(openDecoders: readonly OpenDecoder[], listener: DecodedListener) {
    this.#listener = listener;
    let next: Sink = { write: chunk => this.#deliver(chunk), end: () => this.#finish() };
    const stages: Stage[] = [];
    for (const [index, open] of [...openDecoders.entries()].toReversed()) {
      const room = index === 0 ? (): void => { this.#room(); } : (): void => { this.#stages[index - 1]?.resume(); };
      const stage = new Stage(open, next, { room, failed: cause => this.#fail(cause), mostBytes: index === openDecoders.length - 1 ? Infinity : mostInnerBytes });
      stages.unshift(stage);
      next = stage;
    }
    this.#stages = stages;
  }

  /** @returns false when no more should be written until `onRoom` */
  write(chunk: Buffer): boolean {
    return this.#ended || chunk.length === 0 || (this.#stages[0]?.write(chunk) ?? true);
  }

  /** No more bytes come. */
  end(): void {
    if (!this.#ended) this.#stages[0]?.end();
  }

  pause(): void {
    this.#held = true;
    this.#stages.at(-1)?.pause();
  }

  resume(): void {
    this.#held = false;
    this.#stages.at(-1)?.resume();
  }

  /** Ends the work; the listener gets nothing more. */
  destroy(): void {
    this.#ended = true;
    for (const stage of this.#stages) stage.destroy();
  }

  #deliver(chunk: Buffer): boolean {
    if (!this.#ended) this.#listener.onDecoded(chunk);
    return !this.#held;
  }

  #finish(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#listener.onDecodedEnd();
  }

  #fail(cause: unknown): void {
    if (this.#ended) return;
    this.destroy();
    this.#listener.onUndecodable(cause);
  }

  #room(): void {
    if (!this.#ended) this.#listener.onRoom();
  }
}

interface StageOwner { room(): void; failed(cause: unknown): void; mostBytes: number }

/** One coding. Its decoder is opened with the first byte; an answer without any is empty, whatever its coding. */
class Stage implements Sink {
  readonly #open: OpenDecoder;
  readonly #next: Sink;
  readonly #owner: StageOwner;
  #stream: ReturnType<OpenDecoder> | undefined;
  #bytes = 0;

  constructor(open: OpenDecoder, next: Sink, owner: StageOwner) {
    this.#open = open;
    this.#next = next;
    this.#owner = owner;
  }

  write(chunk: Buffer): boolean {
    return (this.#stream ??= this.#start(chunk)).write(chunk);
  }

  end(): void {
    if (this.#stream === undefined) this.#next.end();
    else this.#stream.end();
  }

  pause(): void {
    this.#stream?.pause();
  }

  resume(): void {
    this.#stream?.resume();
  }

  destroy(): void {
    this.#stream?.destroy();
  }

  #start(first: Buffer): ReturnType<OpenDecoder> {
    const stream = this.#open(first);
    stream.on('data', (chunk: Buffer) => {
      this.#bytes += chunk.length;
      if (this.#bytes > this.#owner.mostBytes) this.#owner.failed(new Error('an inner coding is larger than any answer'));
      else if (!this.#next.write(chunk)) stream.pause();
    });
    stream.on('end', () => { this.#next.end(); });
    stream.on('error', (error: unknown) => { this.#owner.failed(error); });
    stream.on('drain', () => { this.#owner.room(); });
    return stream;
  }
}
