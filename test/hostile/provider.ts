import net from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { hostileKinds, type HostileAnswer } from './kinds.ts';

/** The provider holds a request this large at most. */
const largestRequestBytes = 1024 * 1024;

/**
 * A provider that answers raw bytes. The path says which kind of answer is wanted: `/KIND/v1/...`; the kind `good` answers
 * as it should. Model lists are hostile only where the kind is one of a list.
 */
export class HostileProvider {
  readonly #server: net.Server;
  readonly #sockets = new Set<Socket>();
  readonly #asked = new Map<string, number>();

  private constructor(server: net.Server) {
    this.#server = server;
    server.on('connection', socket => this.#serve(socket));
  }

  static async start(): Promise<HostileProvider> {
    const server = net.createServer();
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
    return new HostileProvider(server);
  }

  baseUrl(kind: string): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/${kind}/v1`;
  }

  /** How often each kind was asked. */
  get asked(): ReadonlyMap<string, number> {
    return this.#asked;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>(resolve => this.#server.close(() => resolve()));
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket)).on('error', () => undefined);
    let received = Buffer.alloc(0);
    socket.on('data', piece => {
      received = Buffer.concat([received, typeof piece === 'string' ? Buffer.from(piece) : piece]);
      if (received.length > largestRequestBytes) socket.destroy();
      const request = wholeRequest(received);
      if (request === undefined) return;
      received = Buffer.alloc(0);
      void this.#answer(socket, request);
    });
  }

  async #answer(socket: Socket, { method, path, body }: { method: string; path: string; body: string }): Promise<void> {
    const kindName = path.split('/')[1] ?? '';
    const kind = hostileKinds[Number(kindName.slice(1))];
    const isList = method === 'GET';
    const hostile = kind !== undefined && kindName !== 'good' && (kind.place === 'model list') === isList;
    if (hostile) this.#asked.set(kindName, (this.#asked.get(kindName) ?? 0) + 1);
    await write(socket, hostile ? kind.answer({ streamed: /"stream":\s*true/.test(body) }) : goodAnswer(isList));
  }
}

const goodText = 'all is well here';

function goodAnswer(isList: boolean): HostileAnswer {
  const body = isList ? { object: 'list', data: [{ id: 'm' }] } : {
    id: 'c', object: 'chat.completion', model: 'm', choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: goodText } }],
    usage: { prompt_tokens: 12, completion_tokens: 4, total_tokens: 16 },
  };
  return { status: 200, headers: [['content-type', 'application/json']], body: [JSON.stringify(body)], framing: 'length' };
}

async function write(socket: Socket, answer: HostileAnswer): Promise<void> {
  const head = [`HTTP/1.1 ${answer.status} Odd`, ...answer.headers.map(([name, value]) => `${name}: ${value}`)];
  if (answer.framing === 'length') {
    const body = Buffer.concat([...answer.body].map(piece => (typeof piece === 'string' ? Buffer.from(piece) : piece)));
    socket.write(Buffer.concat([Buffer.from(`${[...head, `content-length: ${body.length}`].join('\r\n')}\r\n\r\n`, 'latin1'), body]));
    return;
  }
  socket.write(Buffer.from(`${[...head, 'connection: close'].join('\r\n')}\r\n\r\n`, 'latin1'));
  for (const piece of answer.body) {
    if (socket.destroyed) return;
    if (socket.write(piece)) await new Promise(resolve => setImmediate(resolve));
    else await roomOrEnd(socket);
  }
  socket.end();
}

function roomOrEnd(socket: Socket): Promise<void> {
  return new Promise(resolve => {
    const settle = (): void => {
      socket.off('drain', settle).off('close', settle);
      resolve();
    };
    socket.on('drain', settle).on('close', settle);
  });
}

/** Undefined: more of it is to come. */
function wholeRequest(received: Buffer): { method: string; path: string; body: string } | undefined {
  const headEnd = received.indexOf('\r\n\r\n');
  if (headEnd < 0) return undefined;
  const head = received.subarray(0, headEnd).toString('latin1');
  const length = Number(/^content-length:\s*(\d+)/im.exec(head)?.[1] ?? 0);
  if (received.length < headEnd + 4 + length) return undefined;
  const [method = '', path = ''] = head.split(' ', 2);
  return { method, path, body: received.subarray(headEnd + 4).toString('utf8') };
}
