import { createServer, request as httpRequest, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Transform } from 'node:stream';
import zlib, { type Zlib } from 'node:zlib';

type Coder = Transform & Zlib;

/** How an answer is coded, by the value of Content-Encoding. Each piece is flushed, so that it can be decoded at once. */
const coders: Readonly<Record<string, readonly (() => Coder)[]>> = {
  'gzip': [() => zlib.createGzip({ flush: zlib.constants.Z_SYNC_FLUSH })],
  'X-GZip': [() => zlib.createGzip({ flush: zlib.constants.Z_SYNC_FLUSH })],
  'deflate': [() => zlib.createDeflate({ flush: zlib.constants.Z_SYNC_FLUSH })],
  'Deflate': [() => zlib.createDeflateRaw({ flush: zlib.constants.Z_SYNC_FLUSH })],
  'br': [() => zlib.createBrotliCompress({ flush: zlib.constants.BROTLI_OPERATION_FLUSH })],
  'zstd': [() => zlib.createZstdCompress({ flush: zlib.constants.ZSTD_e_flush })],
  'deflate, gzip': [() => zlib.createDeflate({ flush: zlib.constants.Z_SYNC_FLUSH }), () => zlib.createGzip({ flush: zlib.constants.Z_SYNC_FLUSH })],
};
export const boxCodings = Object.keys(coders);

/** A box before a provider that codes every answer, whatever is asked for. */
export interface CompressingBox {
  readonly url: string;
  /** The value of Content-Encoding from now on; `Deflate` with a capital letter leaves the zlib header out. */
  coding: string;
  /** What requests asked for. */
  readonly asked: (string | undefined)[];
  /** Bytes to leave out at the end of each coded answer. */
  cutBytes: number;
  close(): Promise<void>;
}

/** @param origin the provider behind the box */
export async function startCompressingBox(origin: string): Promise<CompressingBox> {
  const server = createServer((request, response) => {
    box.asked.push(request.headers['accept-encoding']);
    const { host: _host, ...headers } = request.headers;
    const onward = httpRequest(new URL(request.url ?? '/', origin), { method: request.method, headers }, answer => {
      const { 'content-length': _length, ...passed } = answer.headers;
      response.writeHead(answer.statusCode ?? 502, { ...passed, 'content-encoding': box.coding });
      answer.on('close', () => { if (!answer.complete) setTimeout(() => response.destroy(), 50); });
      code(answer, box).on('data', (chunk: Buffer) => response.write(chunk)).on('end', () => response.end());
    });
    onward.on('error', () => response.destroy());
    response.on('close', () => onward.destroy());
    request.pipe(onward);
  });
  const box: CompressingBox = {
    url: '', coding: 'gzip', asked: [], cutBytes: 0,
    close: () => new Promise(resolve => { server.closeAllConnections(); server.close(() => resolve()); }),
  };
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  return Object.assign(box, { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
}

function code(answer: IncomingMessage, { coding, cutBytes }: CompressingBox): NodeJS.ReadableStream {
  const stages = (coders[coding] ?? []).map(make => make());
  let last: NodeJS.ReadableStream = answer;
  for (const stage of stages) last = last.pipe(stage);
  return cutBytes === 0 ? last : last.pipe(new Shortened(cutBytes));
}

/** Holds the last bytes back, and drops them at the end. */
class Shortened extends Transform {
  readonly #bytes: number;
  #held = Buffer.alloc(0);

  constructor(bytes: number) {
    super();
    this.#bytes = bytes;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#held = Buffer.concat([this.#held, chunk]);
    const whole = Math.max(0, this.#held.length - this.#bytes);
    if (whole > 0) this.push(this.#held.subarray(0, whole));
    this.#held = this.#held.subarray(whole);
    done();
  }
}
