import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { createServer as createTcpServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';

const host = '127.0.0.1';
const maximumHeaderBytes = 256 * 1024;

export interface ListenerOptions {
  port: number;
  tls?: { key: string; cert: string } | undefined;
  onRequest: (request: IncomingMessage, response: ServerResponse) => void;
  /** A new connection shall be accepted and never read. */
  swallows?: () => boolean;
}

/**
 * A loopback listener that can be switched off and on again at the same port, and that can leave a connection
 * unread before HTTP or TLS begins.
 */
export class SandboxListener {
  readonly #front;
  readonly #sockets = new Map<Socket, number>();
  #connectionCount = 0;
  #port: number;

  constructor(options: ListenerOptions) {
    this.#port = options.port;
    const serverOptions = { maxHeaderSize: maximumHeaderBytes, keepAliveTimeout: 60_000 };
    const inner = options.tls === undefined
      ? createHttpServer(serverOptions, options.onRequest)
      : createHttpsServer({ ...serverOptions, ...options.tls }, options.onRequest);
    this.#front = createTcpServer((socket) => {
      this.#connectionCount += 1;
      this.#sockets.set(socket, this.#connectionCount);
      socket.once('close', () => this.#sockets.delete(socket));
      socket.setNoDelay(true);
      if (options.swallows?.() === true) {
        socket.on('error', () => socket.destroy());
        socket.pause();
        return;
      }
      inner.emit('connection', socket);
    });
  }

  get port(): number {
    return this.#port;
  }

  /** Connections accepted so far, swallowed ones included. */
  get connectionCount(): number {
    return this.#connectionCount;
  }

  get listening(): boolean {
    return this.#front.listening;
  }

  /** The number of the connection a request came over; 0 when it is not known (TLS). */
  connectionOf(request: IncomingMessage): number {
    return this.#sockets.get(request.socket) ?? 0;
  }

  /** @throws Error when the port is taken */
  async open(): Promise<void> {
    if (this.#front.listening) return;
    this.#front.listen(this.#port, host);
    await once(this.#front, 'listening');
    this.#port = (this.#front.address() as AddressInfo).port;
  }

  /** From now on connections are refused; those that exist are reset. */
  shut(): void {
    if (this.#front.listening) this.#front.close();
    for (const socket of this.#sockets.keys()) socket.resetAndDestroy();
  }

  /** Shuts, and waits until every connection is gone. */
  async close(): Promise<void> {
    const closed = this.#front.listening ? once(this.#front, 'close') : Promise.resolve();
    this.shut();
    await closed;
  }
}
