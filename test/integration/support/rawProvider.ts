import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { EndpointSettings } from '../../../server/api/settings.ts';

/** A request as it came over a connection, head and body. */
export interface RawExchange {
  socket: Socket;
  /** Counted from 1 over all connections. */
  connection: number;
  /** How many requests this connection has carried, this one included. */
  nth: number;
  body: string;
}

/** What a provider does with a request that it has read whole. */
export type RawBehaviour = (exchange: RawExchange) => void;

/** A provider that writes raw bytes, which the test chooses. */
export interface RawProvider {
  readonly url: string;
  readonly connections: readonly Socket[];
  /** Requests that were read whole. */
  readonly requests: readonly RawExchange[];
  behave(behaviour: RawBehaviour): void;
  close(): Promise<void>;
}

/** A whole answer in the shape of OpenAI's chat completions. */
export function chatAnswer(headers = ''): string {
  const body = JSON.stringify({
    id: 'c', object: 'chat.completion', created: 1, model: 'm', choices: [{ index: 0, message: { role: 'assistant', content: 'hello' }, finish_reason: 'stop' }],
    usage: { prompt_tokens: 3, completion_tokens: 1, total_tokens: 4 },
  });
  return `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n${headers}\r\n${body}`;
}

export const answers: RawBehaviour = ({ socket }) => void socket.write(chatAnswer());

/** @param server absent: a plain one @param event the server's event for a new connection; a TLS server has its own */
export async function startRawProvider(behaviour: RawBehaviour, server: Server = createServer(), event = 'connection'): Promise<RawProvider> {
  const connections: Socket[] = [];
  const requests: RawExchange[] = [];
  let current = behaviour;
  server.on(event, (socket: Socket) => {
    const connection = connections.push(socket);
    let nth = 0;
    let read = Buffer.alloc(0);
    socket.on('error', () => undefined);
    socket.on('data', chunk => {
      read = Buffer.concat([read, chunk]);
      for (let request = wholeRequest(read); request !== undefined; request = wholeRequest(read)) {
        read = read.subarray(request.bytes);
        nth += 1;
        const exchange = { socket, connection, nth, body: request.body };
        requests.push(exchange);
        current(exchange);
      }
    });
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, connections, requests,
    behave: next => { current = next; },
    close: () => new Promise(resolve => {
      server.close(() => resolve());
      for (const socket of connections) socket.destroy();
    }),
  };
}

function wholeRequest(bytes: Buffer): { bytes: number; body: string } | undefined {
  const headEnd = bytes.indexOf('\r\n\r\n');
  if (headEnd < 0) return undefined;
  const length = Number(/^content-length: *(\d+)/im.exec(bytes.toString('latin1', 0, headEnd))?.[1] ?? '0');
  const end = headEnd + 4 + length;
  return bytes.length < end ? undefined : { bytes: end, body: bytes.toString('utf8', headEnd + 4, end) };
}

/** An endpoint at such a provider, without probes: only the test sends requests. */
export function rawEndpoint(provider: Pick<RawProvider, 'url'>, more: Partial<EndpointSettings> = {}): EndpointSettings {
  return { provider: 'openai-compatible', baseUrl: `${provider.url}/v1`, models: { m: {} }, probe: { enabled: false }, ...more };
}
