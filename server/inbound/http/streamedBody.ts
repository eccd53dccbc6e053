import type { ServerResponse } from 'node:http';

/** A longer piece is written between the two parts of its frame: copying it would cost more than two more writes. */
const longestCopied = 16 * 1024;
const lineEnd = '\r\n';
const carriageReturn = 0x0d;
const lineFeed = 0x0a;
/** The chunk that ends a body (RFC 9112, section 7.1). */
const lastChunk = '0\r\n\r\n';

/**
 * The body of a streamed answer. Each piece is written as one chunk of HTTP/1.1 in one buffer. Node would hand the socket four for
 * each piece, which costs more than copying an event does. A caller of HTTP/1.0 knows no chunks and gets the pieces as they are.
 */
export class StreamedBody {
  readonly #response: ServerResponse;
  readonly #inChunks: boolean;

  /** @param response its head has been written and names no length; nothing else writes into it from now on */
  constructor(response: ServerResponse) {
    this.#response = response;
    this.#inChunks = response.chunkedEncoding;
    response.chunkedEncoding = false;
  }

  /**
   * @param written called when the system has taken the piece
   * @returns false when the caller is slower than what is written; the response then emits `drain`
   */
  write(piece: Buffer | string, written?: () => void): boolean {
    const response = this.#response;
    if (piece.length === 0 || !this.#inChunks) return response.write(piece, written);
    if (typeof piece === 'string') return response.write(`${Buffer.byteLength(piece).toString(16)}${lineEnd}${piece}${lineEnd}`, written);
    if (piece.length <= longestCopied) return response.write(chunkOf(piece), written);
    response.write(`${piece.length.toString(16)}${lineEnd}`, 'latin1');
    response.write(piece);
    return response.write(lineEnd, 'latin1', written);
  }

  end(): void {
    if (this.#inChunks) this.#response.end(lastChunk, 'latin1');
    else this.#response.end();
  }
}

function chunkOf(piece: Buffer): Buffer {
  const size = piece.length.toString(16);
  const from = size.length + lineEnd.length;
  const end = from + piece.length;
  const chunk = Buffer.allocUnsafe(end + lineEnd.length);
  for (let at = 0; at < size.length; at += 1) chunk[at] = size.charCodeAt(at);
  chunk[size.length] = carriageReturn;
  chunk[size.length + 1] = lineFeed;
  chunk.set(piece, from);
  chunk[end] = carriageReturn;
  chunk[end + 1] = lineFeed;
  return chunk;
}
