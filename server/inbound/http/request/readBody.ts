import type { IncomingMessage } from 'node:http';
import { promisify } from 'node:util';
import { releaseBytes } from '../../../base/bodyMemory.ts';
import { ByteQueue } from '../../../base/byteQueue.ts';
import { ObjectScanner, scanObject, type ObjectScan } from '../../../base/objectScan.ts';
import type { Refusal } from '../auth/access.ts';

/** Bodies of agents with images reach some ten megabytes; providers refuse more than this anyway. */
export const maxBodyBytes = 64 * 1024 * 1024;

/** A body as it came, with its top-level fields; `scan` is undefined when it is not a JSON object. */
export interface ScannedBody { bytes: Buffer; scan: ObjectScan | undefined }

/**
 * Reads a request body whole. It is scanned while it arrives, so that a large one never holds up other requests. Of one
 * that is too large the remainder is left to the refusal (sendJson.ts). Exactly one of `done` and `failed` is called, once,
 * unless the caller goes away.
 * @param words see ObjectScanner
 * @param done gets the body, or why it is refused
 * @param failed gets what was thrown while the body was read
 */
export function readBody(request: IncomingMessage, words: ReadonlySet<string>, done: (body: ScannedBody | Refusal) => void, failed: (error: unknown) => void): void {
  const declared = declaredBytes(request);
  if (declared > maxBodyBytes) {
    done(tooLarge);
    return;
  }
  const encoding = request.headers['content-encoding'];
  const plain = encoding === undefined || encoding === 'identity';
  const scanner = new ObjectScanner(words);
  const gathered = new GatheredBytes(declared);
  request.on('data', (chunk: Buffer) => {
    if (gathered.length + chunk.length > maxBodyBytes) {
      drop();
      done(tooLarge);
      return;
    }
    try {
      gathered.add(chunk);
      if (plain && gathered.contiguous) scanner.advance(gathered.bytes, gathered.length);
    } catch (error) {
      drop();
      failed(error);
    }
  });
  request.on('end', () => {
    if (!plain) {
      inflate(gathered, encoding).then(body => (Buffer.isBuffer(body) ? { bytes: body, scan: scanObject(body, words) } : body)).then(done, failed);
      return;
    }
    let body: ScannedBody;
    try {
      const bytes = gathered.whole();
      scanner.advance(bytes, bytes.length);
      body = { bytes, scan: scanner.result() };
    } catch (error) {
      failed(error);
      return;
    }
    done(body);
  });

  /** Stops the reading of a body that is of no use. */
  function drop(): void {
    request.removeAllListeners('data');
    request.removeAllListeners('end');
    gathered.clear();
  }
}

/** The length that a request announces is more than is accepted. */
export function isTooLarge(request: IncomingMessage): boolean {
  return declaredBytes(request) > maxBodyBytes;
}

function declaredBytes({ headers }: IncomingMessage): number {
  return Number(headers['content-length'] ?? '0');
}

const noBytes: Buffer = Buffer.alloc(0);

/** Bytes that arrive in pieces: in one buffer from the start where their number is declared, else put together at the end. */
class GatheredBytes {
  length = 0;
  bytes: Buffer = noBytes;
  #declared: number;
  /** Made where the bytes do not fit into one buffer from the start. */
  #pieces: ByteQueue | undefined;

  constructor(declared: number) {
    this.#declared = declared;
  }

  /** All bytes so far stand in `bytes`. */
  get contiguous(): boolean {
    return this.#pieces === undefined;
  }

  add(chunk: Buffer): void {
    const end = this.length + chunk.length;
    if (this.length === 0 && (chunk.length >= this.#declared || this.#declared === 0)) {
      this.bytes = chunk;
    } else if (this.contiguous && end <= this.#declared) {
      if (this.length === 0) this.bytes = Buffer.allocUnsafeSlow(this.#declared);
      chunk.copy(this.bytes, this.length);
      // Only this reader has it: Node makes a buffer for each piece.
      releaseBytes(chunk);
    } else {
      if (this.#pieces === undefined) {
        this.#pieces = new ByteQueue();
        this.#pieces.add(this.bytes.subarray(0, this.length));
      }
      this.#pieces.add(chunk);
    }
    this.length = end;
  }

  /** Releases what was read. */
  clear(): void {
    this.bytes = noBytes;
    this.#pieces?.clear();
  }

  whole(): Buffer {
    if (this.#pieces !== undefined) return this.#pieces.take();
    return this.bytes.length === this.length ? this.bytes : this.bytes.subarray(0, this.length);
  }
}

const tooLarge: Refusal = { status: 413, message: `The request is larger than ${maxBodyBytes / 1024 / 1024} MB.` };

async function inflate(gathered: GatheredBytes, encoding: string): Promise<Buffer | Refusal> {
  const zlib = await import('node:zlib');
  const methods: Record<string, ((bytes: Buffer, options: { maxOutputLength: number }) => Promise<Buffer>) | undefined> = {
    gzip: promisify(zlib.gunzip) as never,
    'x-gzip': promisify(zlib.gunzip) as never,
    deflate: promisify(zlib.inflate) as never,
    br: promisify(zlib.brotliDecompress) as never,
    zstd: promisify(zlib.zstdDecompress) as never,
  };
  const name = encoding.trim().toLowerCase();
  const method = Object.hasOwn(methods, name) ? methods[name] : undefined;
  if (method === undefined) return { status: 415, message: `The content encoding ${encoding.slice(0, 50)} is not known; send the body as it is, or with gzip.` };
  try {
    return await method(gathered.whole(), { maxOutputLength: maxBodyBytes });
  } catch {
    return { status: 400, message: `The body is not valid ${encoding}, or larger than accepted.` };
  }
}
