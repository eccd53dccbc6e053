import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ConversationEvent, ProtocolName } from '../../../server/api/conversation.ts';
import { isObject, parseJson, type JsonObject } from '../../../server/base/json.ts';
import { codecOf } from './codecCaller.ts';

/** A request as the provider got it. */
export interface GotRequest { readonly path: string; readonly body: JsonObject; readonly headers: IncomingHttpHeaders }

/** A refusal with the status and the body of a real provider. */
export interface ProviderRefusal { readonly status: number; readonly body: unknown }

export interface RefusingProvider {
  readonly url: string;
  readonly got: GotRequest[];
  /** Decides of each request whether it is refused; undefined: it is answered. */
  refuse: (request: GotRequest) => ProviderRefusal | undefined;
  close(): Promise<void>;
}

const answered: readonly ConversationEvent[] = [
  { type: 'start' }, { type: 'text', text: 'all well' }, { type: 'usage', usage: { inputTokens: 10, outputTokens: 2 } }, { type: 'finish', reason: 'end' },
];

/** A provider of one protocol that refuses what a test says, and else answers with the words "all well". */
export async function startRefusingProvider(protocol: ProtocolName): Promise<RefusingProvider> {
  const codec = codecOf(protocol);
  const meta = { id: 'a1', model: 'm', createdAt: 1, includeUsage: true };
  const server = createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('end', () => {
      const body = parseJson(Buffer.concat(pieces).toString('utf8'));
      const path = request.url ?? '';
      if (!isObject(body)) {
        response.writeHead(404, { 'content-type': 'application/json' }).end('{"error":{"message":"no such path"}}');
        return;
      }
      const got = { path, body, headers: request.headers };
      provider.got.push(got);
      const refusal = provider.refuse(got);
      if (refusal !== undefined) {
        response.writeHead(refusal.status, { 'content-type': 'application/json' }).end(JSON.stringify(refusal.body));
      } else if (body.stream === true || path.includes('streamGenerateContent')) {
        const encoder = codec.createStreamEncoder(meta);
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        for (const event of answered) response.write(encoder.encode(event));
        response.end(encoder.end());
      } else response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(codec.encodeResponse(answered, meta)));
    });
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const provider: RefusingProvider = {
    url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`, got: [], refuse: () => undefined,
    close: () => new Promise(resolve => {
      server.closeAllConnections();
      server.close(() => { resolve(); });
    }),
  };
  return provider;
}
