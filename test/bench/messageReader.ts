/** What a reader finds, in order: a head, any number of body pieces, an end; then perhaps the next message. */
export interface MessageListener {
  onHead(head: string): void;
  onBody(bytes: Buffer): void;
  onEnd(): void;
}

type State =
  | { at: 'head'; pending: Buffer | undefined }
  | { at: 'counted'; leftBytes: number }
  | { at: 'chunk-size'; line: string }
  | { at: 'chunk'; leftBytes: number }
  | { at: 'chunk-end'; leftBytes: number }
  | { at: 'trailer'; line: string };

const headEnd = Buffer.from('\r\n\r\n');
const maxHeadBytes = 64 * 1024;

/**
 * Reads HTTP/1.1 messages with `content-length` or chunked bodies off a socket. Client and upstream of the benchmark use
 * it instead of `node:http`, so that they need far less of the machine than what is measured between them.
 */
export class MessageReader {
  #listener: MessageListener;
  #state: State = { at: 'head', pending: undefined };

  constructor(listener: MessageListener) {
    this.#listener = listener;
  }

  /** @throws Error when the bytes are no HTTP message */
  push(bytes: Buffer): void {
    let rest = bytes;
    while (rest.length > 0) rest = this.#step(rest);
  }

  #step(bytes: Buffer): Buffer {
    const state = this.#state;
    switch (state.at) {
      case 'head': return this.#head(state.pending === undefined ? bytes : Buffer.concat([state.pending, bytes]));
      case 'counted': {
        const taken = Math.min(state.leftBytes, bytes.length);
        state.leftBytes -= taken;
        this.#listener.onBody(taken === bytes.length ? bytes : bytes.subarray(0, taken));
        if (state.leftBytes === 0) this.#end();
        return bytes.subarray(taken);
      }
      case 'chunk-size': return this.#line(state, bytes, line => {
        const leftBytes = Number.parseInt(line, 16);
        if (Number.isNaN(leftBytes)) throw new Error(`"${line}" is no chunk size`);
        this.#state = leftBytes === 0 ? { at: 'trailer', line: '' } : { at: 'chunk', leftBytes };
      });
      case 'chunk': {
        const taken = Math.min(state.leftBytes, bytes.length);
        state.leftBytes -= taken;
        this.#listener.onBody(bytes.subarray(0, taken));
        if (state.leftBytes === 0) this.#state = { at: 'chunk-end', leftBytes: 2 };
        return bytes.subarray(taken);
      }
      case 'chunk-end': {
        const taken = Math.min(state.leftBytes, bytes.length);
        state.leftBytes -= taken;
        if (state.leftBytes === 0) this.#state = { at: 'chunk-size', line: '' };
        return bytes.subarray(taken);
      }
      case 'trailer': return this.#line(state, bytes, line => {
        if (line === '') this.#end();
        else this.#state = { at: 'trailer', line: '' };
      });
    }
  }

  #head(bytes: Buffer): Buffer {
    const end = bytes.indexOf(headEnd);
    if (end < 0) {
      if (bytes.length > maxHeadBytes) throw new Error('the head of a message does not end');
      this.#state = { at: 'head', pending: bytes };
      return bytes.subarray(bytes.length);
    }
    const head = bytes.toString('latin1', 0, end);
    const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
    const chunked = length === undefined && /\r\ntransfer-encoding: *chunked/i.test(head);
    this.#state = chunked ? { at: 'chunk-size', line: '' } : { at: 'counted', leftBytes: Number(length ?? '0') };
    this.#listener.onHead(head);
    if (!chunked && (length === undefined || length === '0')) this.#end();
    return bytes.subarray(end + headEnd.length);
  }

  #line(state: { line: string }, bytes: Buffer, done: (line: string) => void): Buffer {
    const end = bytes.indexOf(0x0a);
    if (end < 0) {
      state.line += bytes.toString('latin1');
      return bytes.subarray(bytes.length);
    }
    done((state.line + bytes.toString('latin1', 0, end)).trim());
    return bytes.subarray(end + 1);
  }

  #end(): void {
    this.#state = { at: 'head', pending: undefined };
    this.#listener.onEnd();
  }
}
