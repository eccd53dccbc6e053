import http from 'node:http';

/** What came back over HTTP, also of an answer that broke off. */
export interface RawAnswer {
  status: number;
  headers: http.IncomingHttpHeaders;
  body: Buffer;
  text: string;
  /** The answer ended as HTTP says answers end; false when the connection broke inside it. */
  endedCleanly: boolean;
}

export interface RawRequest {
  url: string;
  method?: string | undefined;
  headers?: Record<string, string> | undefined;
  body?: string | Buffer | undefined;
  /** Called with each chunk as it comes. */
  onChunk?: ((chunk: Buffer) => void) | undefined;
  /** Takes the connection down when it is aborted. */
  signal?: AbortSignal | undefined;
  agent?: http.Agent | undefined;
}

/**
 * One HTTP request without any client library between, so that a broken end is seen as one. Rejects only when no answer
 * began at all.
 */
export function rawRequest({ url, method, headers, body, onChunk, signal, agent }: RawRequest): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const request = http.request(url, {
      method: method ?? (body === undefined ? 'GET' : 'POST'), agent: agent ?? false, ...(signal === undefined ? {} : { signal }),
      headers: { ...(body === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }), ...headers },
    }, response => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        onChunk?.(chunk);
      });
      response.on('error', () => undefined);
      response.on('close', () => {
        const whole = Buffer.concat(chunks);
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: whole, text: whole.toString('utf8'), endedCleanly: response.complete });
      });
    });
    request.on('error', reject);
    request.end(body);
  });
}
