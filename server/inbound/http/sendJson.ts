import type { IncomingMessage, ServerResponse } from 'node:http';

/** How much of an unwanted body is read before the connection is closed, and for how long. */
export const maxDiscardedBytes = 1024 * 1024 * 1024;
export const maxDiscardedMs = 30_000;

/** Sends a whole JSON answer. */
export function sendJson(response: ServerResponse, status: number, body: unknown): void {
  const bytes = Buffer.from(JSON.stringify(body));
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': bytes.length });
  endAfterBody(response, bytes);
}

/** Sends a whole answer of text. */
export function sendText(response: ServerResponse, status: number, text: string, contentType: string): void {
  const bytes = Buffer.from(text);
  response.writeHead(status, { 'content-type': `${contentType}; charset=utf-8`, 'content-length': bytes.length });
  endAfterBody(response, bytes);
}

/**
 * Sends the end of an answer, and reads what the caller still sends before the exchange ends. A connection that is
 * closed while bytes arrive is reset, and takes with it the answer that the caller has not read yet (RFC 9112, section 9.6).
 * @param bytes the whole body, whose length the headers name
 */
export function endAfterBody(response: ServerResponse, bytes: Buffer): void {
  const { req: request } = response;
  if (request.complete || !hasBody(request)) {
    response.end(bytes);
    return;
  }
  response.write(bytes);
  let left = maxDiscardedBytes;
  const timer = setTimeout(giveUp, maxDiscardedMs);
  timer.unref();
  request.on('data', (chunk: Buffer) => {
    left -= chunk.length;
    if (left < 0) giveUp();
  });
  request.once('end', () => response.end());
  request.once('close', () => clearTimeout(timer));

  function giveUp(): void {
    response.end();
    request.destroy();
  }
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0';
}
