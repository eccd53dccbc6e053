import type { Duplex } from 'node:stream';
import type { ServerResponse } from 'node:http';
import { maxDiscardedBytes, maxDiscardedMs } from '../sendJson.ts';
import { refusalBody } from '../refusal.ts';
import { routeTable } from '../routes/table.ts';
import { plainPath } from './requestPath.ts';

/** Node keeps the response that a connection waits for there; absent between two requests. */
type Connection = Duplex & { _httpMessage?: ServerResponse | null };
type ParserError = Error & { code?: string; rawPacket?: Buffer };

const answered = new WeakSet<Duplex>();

/**
 * Answers what Node's parser cannot read as a request: in a protocol's shape, and reading on until the caller has ended
 * or sent enough, because a connection that is closed while bytes arrive loses the answer (see sendJson.ts). Listens to
 * `clientError`, which comes again with each piece that arrives after the first.
 */
export function refuseUnreadable(error: ParserError, connection: Connection): void {
  if (answered.has(connection)) return;
  answered.add(connection);
  // An answer that has begun cannot be followed by another one.
  if (error.code === 'ECONNRESET' || !connection.writable || connection._httpMessage?.headersSent === true) {
    connection.destroy();
    return;
  }
  const { status, reason, message } = refusalOf(error.code);
  const body = Buffer.from(JSON.stringify(refusalBody(protocolOf(error.rawPacket), status, message)));
  connection.end(Buffer.concat([
    Buffer.from(`HTTP/1.1 ${status} ${reason}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n`), body,
  ]));
  // A whole request that is being answered ends with its connection.
  if (connection._httpMessage?.req.complete === true) connection.once('finish', () => connection.destroy());
  else lingerOn(connection);
}

/** Reads and drops what comes until the caller closes its side. */
function lingerOn(connection: Duplex): void {
  let left = maxDiscardedBytes;
  const timer = setTimeout(() => connection.destroy(), maxDiscardedMs);
  timer.unref();
  connection.on('data', (chunk: Buffer) => {
    left -= chunk.length;
    if (left < 0) connection.destroy();
  });
  connection.once('end', () => connection.destroy());
  connection.once('close', () => clearTimeout(timer));
  connection.resume();
}

function refusalOf(code: string | undefined): { status: number; reason: string; message: string } {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW': return { status: 431, reason: 'Request Header Fields Too Large', message: 'The address and headers of the request are larger than 64 KB. Send fewer or shorter headers.' };
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW': return { status: 413, reason: 'Payload Too Large', message: 'The extensions of a chunk are too long. Send the body without chunk extensions.' };
    case 'ERR_HTTP_REQUEST_TIMEOUT': return { status: 408, reason: 'Request Timeout', message: 'The request did not arrive in time. Send it again.' };
    default: return { status: 400, reason: 'Bad Request', message: 'This is no HTTP/1.1 request that can be read. Check the address, which begins with http://, and the headers.' };
  }
}

/** As far as the first line shows the protocol. @param packet the piece in which the parser stopped, the first unless the headers are long */
function protocolOf(packet: Buffer | undefined): Parameters<typeof refusalBody>[0] {
  const path = /^[A-Z]+ ([^\s?]{1,200})/.exec(packet?.toString('latin1', 0, 256) ?? '')?.[1];
  const routes = path === undefined ? [] : routeTable.find(plainPath(path), 'POST').ofPath;
  return routes[0]?.protocol ?? 'openai-chat';
}
