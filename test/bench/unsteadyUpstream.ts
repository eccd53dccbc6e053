import { createServer, type Server, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import { MessageReader } from './messageReader.ts';
import { contentEvent, lastEvents, nowUs, roleEvent, smallAnswer, upstreamModel } from './traffic.ts';

/**
 * A process of its own: providers that are not always well. `first` and `second` stream answers whose first words come
 * after lognormal times; told to, every so many answers of `first` one stalls after its headers. `closing` answers at once and closes the connection, so that each request needs a new one. Tells its parent the ports;
 * answers each `{ stallEvery }` with how many requests `first` and `second` had since the last one.
 */

export interface UnsteadyPorts { first: number; second: number; closing: number }
/** Every so many requests `first` stalls; 0: never. */
export interface UnsteadyOrder { stallEvery: number }
export interface UnsteadyCounts { first: number; second: number }

/** Lognormal: half of the first words come within this, one in a hundred takes more than five times as long. */
const middleMs = 40;
const sigma = 0.7;
/** Shorter than any timer of Waybill's: what ends a stall is the second request. */
const stallMs = 1_000;
/** So few may wait for a connection to be taken up that it takes no more than two to make the port swallow the next. */
const backlog = 1;

const counts: UnsteadyCounts = { first: 0, second: 0 };
let stallEvery = 0;
let arrived = 0;
let state = 20_261_121;

const streamHead = 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n';
const plainHead = (length: number, connection: string): string => `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\nConnection: ${connection}\r\n\r\n`;
const models = JSON.stringify({ object: 'list', data: [{ id: upstreamModel, object: 'model', created: 0, owned_by: 'bench' }] });

function random(): number {
  state ^= state << 13; state >>>= 0;
  state ^= state >>> 17;
  state ^= state << 5; state >>>= 0;
  return state / 2 ** 32;
}

function delayMs(): number {
  const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  return middleMs * Math.exp(sigma * normal);
}

function serve(socket: Socket, answer: (socket: Socket) => void): void {
  socket.setNoDelay(true);
  let listsModels = false;
  const reader = new MessageReader({
    onHead: head => { listsModels = head.startsWith('GET '); },
    onBody: () => undefined,
    onEnd: () => {
      if (listsModels) socket.write(plainHead(Buffer.byteLength(models), 'keep-alive') + models);
      else answer(socket);
    },
  });
  socket.on('data', (bytes: Buffer) => reader.push(bytes));
  socket.on('error', () => socket.destroy());
}

function stream(socket: Socket, waitMs: number): void {
  socket.write(streamHead + chunk(roleEvent));
  setTimeout(() => {
    if (!socket.destroyed) socket.write(`${chunk(contentEvent(nowUs()) + lastEvents)}0\r\n\r\n`);
  }, waitMs);
}

function chunk(text: string): string {
  return `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;
}

const servers: Record<keyof UnsteadyPorts, Server> = {
  first: createServer(socket => serve(socket, one => {
    counts.first++;
    arrived++;
    stream(one, stallEvery > 0 && arrived % stallEvery === 0 ? stallMs : delayMs());
  })),
  second: createServer(socket => serve(socket, one => {
    counts.second++;
    stream(one, delayMs());
  })),
  closing: createServer(socket => serve(socket, one => {
    one.end(Buffer.concat([Buffer.from(plainHead(smallAnswer.length, 'close')), smallAnswer]));
  })),
};

await Promise.all(Object.values(servers).map(server => new Promise<void>(resolve => { server.listen({ port: 0, host: '127.0.0.1', backlog: server === servers.closing ? backlog : 511 }, resolve); })));
process.on('message', (order: UnsteadyOrder) => {
  process.send?.({ ...counts } satisfies UnsteadyCounts);
  counts.first = 0;
  counts.second = 0;
  stallEvery = order.stallEvery;
});
process.on('disconnect', () => process.exit(0));
const port = (server: Server): number => (server.address() as AddressInfo).port;
process.send?.({ first: port(servers.first), second: port(servers.second), closing: port(servers.closing) } satisfies UnsteadyPorts);
