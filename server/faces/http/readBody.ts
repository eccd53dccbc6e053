import type { IncomingMessage } from 'node:http';
import { promisify } from 'node:util';
import type { Refusal } from './access.ts';

/** Bodies of agents with images reach some ten megabytes; providers refuse more than this anyway. */
export const maxBodyBytes = 64 * 1024 * 1024;

/** Reads a request body whole. @param done called once, with the bytes or with why there are none */
export function readBody(request: IncomingMessage, done: (body: Buffer | Refusal) => void): void {
  const declared = Number(request.headers['content-length'] ?? '0');
  if (declared > maxBodyBytes) {
    request.resume();
    done(tooLarge);
    return;
  }
  const chunks: Buffer[] = [];
  let bytes = 0;
  request.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > maxBodyBytes) {
      request.removeAllListeners('data');
      request.removeAllListeners('end');
      request.resume();
      done(tooLarge);
      return;
    }
    chunks.push(chunk);
  });
  request.on('end', () => {
    const body = chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks, bytes);
    const encoding = request.headers['content-encoding'];
    if (encoding === undefined || encoding === 'identity') done(body);
    else void inflate(body, encoding).then(done);
  });
}

const tooLarge: Refusal = { status: 413, message: `The request is larger than ${maxBodyBytes / 1024 / 1024} MB.` };

async function inflate(body: Buffer, encoding: string): Promise<Buffer | Refusal> {
  const zlib = await import('node:zlib');
  const methods: Record<string, ((bytes: Buffer, options: { maxOutputLength: number }) => Promise<Buffer>) | undefined> = {
    gzip: promisify(zlib.gunzip) as never,
    'x-gzip': promisify(zlib.gunzip) as never,
    deflate: promisify(zlib.inflate) as never,
    br: promisify(zlib.brotliDecompress) as never,
    zstd: promisify(zlib.zstdDecompress) as never,
  };
  const method = methods[encoding.trim().toLowerCase()];
  if (method === undefined) return { status: 415, message: `The content encoding ${encoding} is not known; send the body as it is, or with gzip.` };
  try {
    return await method(body, { maxOutputLength: maxBodyBytes });
  } catch {
    return { status: 400, message: `The body is not valid ${encoding}, or larger than accepted.` };
  }
}
