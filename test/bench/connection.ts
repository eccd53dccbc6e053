import { connect, type Socket } from 'node:net';
import type { ProtocolName } from '../../server/api/conversation.ts';
import { MessageReader } from './messageReader.ts';
import { callPath } from './protocolTraffic.ts';
import { nowUs } from './traffic.ts';

/** Where requests go and what their sender must show. */
export interface Target {
  name: string;
  port: number;
  /** Sent as a bearer token. */
  token: string;
  /** The model name that is asked for. */
  model: string;
  /** In which protocol it is asked; absent: OpenAI Chat. */
  protocol?: ProtocolName | undefined;
}

export interface Exchange {
  startedUs: number;
  endedUs: number;
}

interface Running {
  startedUs: number;
  status: number;
  onBody: ((bytes: Buffer, atUs: number) => void) | undefined;
  beginning: Buffer | undefined;
  resolve: (exchange: Exchange) => void;
  reject: (error: Error) => void;
}

/** The bytes of a request as they go over the wire. */
export function wireRequest(target: Target, body: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`POST ${callPath(target.protocol ?? 'openai-chat', target.model)} HTTP/1.1\r\n`
    + `Host: 127.0.0.1:${target.port}\r\nAuthorization: Bearer ${target.token}\r\nUser-Agent: bench/1.0\r\nAccept: application/json\r\n`
    + `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`), body]);
}

/** A kept-alive connection that carries one request at a time. */
export class Connection {
  #socket: Socket;
  #running: Running | undefined;
  #closed = false;

  constructor(target: Target) {
    const socket = connect({ port: target.port, host: '127.0.0.1', noDelay: true });
    const reader = new MessageReader({
      onHead: head => {
        if (this.#running !== undefined) this.#running.status = Number(head.slice(9, 12));
      },
      onBody: bytes => {
        const running = this.#running;
        if (running === undefined) return;
        running.beginning ??= bytes;
        running.onBody?.(bytes, nowUs());
      },
      onEnd: () => this.#answered(target),
    });
    socket.on('data', (bytes: Buffer) => {
      try {
        reader.push(bytes);
      } catch (error) {
        socket.destroy(error as Error);
      }
    });
    socket.on('error', error => this.#fail(new Error(`${target.name}: ${error.message}`)));
    socket.on('close', () => {
      this.#closed = true;
      this.#fail(new Error(`${target.name} closed the connection`));
    });
    this.#socket = socket;
  }

  get usable(): boolean {
    return !this.#closed;
  }

  /** Sends one request. @throws Error for any answer but a whole one with status 200 */
  send(request: Buffer, onBody?: (bytes: Buffer, atUs: number) => void): Promise<Exchange> {
    return new Promise((resolve, reject) => {
      this.#running = { startedUs: nowUs(), status: 0, onBody, beginning: undefined, resolve, reject };
      this.#socket.write(request);
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #answered(target: Target): void {
    const running = this.#running;
    this.#running = undefined;
    if (running === undefined) return;
    const { status, startedUs } = running;
    if (status === 200) running.resolve({ startedUs, endedUs: nowUs() });
    else running.reject(new Error(`${target.name} answered ${status}: ${running.beginning?.toString('utf8', 0, 300) ?? ''}`));
  }

  #fail(error: Error): void {
    const running = this.#running;
    this.#running = undefined;
    running?.reject(error);
  }
}

/** Idle connections to one target; more are opened when more run at once. */
export class ConnectionPool {
  #target: Target;
  #idle: Connection[] = [];

  constructor(target: Target) {
    this.#target = target;
  }

  async send(request: Buffer, onBody?: (bytes: Buffer, atUs: number) => void): Promise<Exchange> {
    let connection = this.#idle.pop();
    while (connection !== undefined && !connection.usable) connection = this.#idle.pop();
    connection ??= new Connection(this.#target);
    const exchange = await connection.send(request, onBody);
    this.#idle.push(connection);
    return exchange;
  }

  close(): void {
    for (const connection of this.#idle.splice(0)) connection.close();
  }
}
