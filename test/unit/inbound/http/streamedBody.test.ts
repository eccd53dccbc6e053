import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Agent, createServer } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { it } from 'node:test';
import { StreamedBody } from '../../../../server/inbound/http/streamedBody.ts';
import { rawRequest } from '../../../integration/support/rawClient.ts';

const long = Buffer.alloc(100_000, 'long ');
const pieces: readonly (Buffer | string)[] = [Buffer.from('data: {"a":1}\n\n'), 'data: "xin chào"\n\n', Buffer.alloc(0), '', long, Buffer.from('data: [DONE]\n\n')];
const whole = Buffer.concat(pieces.map(piece => Buffer.from(piece)));

async function withServer(work: (port: number) => Promise<void>): Promise<void> {
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const body = new StreamedBody(response);
    for (const piece of pieces) body.write(piece);
    body.end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    await work((server.address() as AddressInfo).port);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

it('a streamed body comes whole and ends cleanly, and its connection takes the next request', async () => {
  await withServer(async port => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    try {
      for (let request = 0; request < 2; request += 1) {
        const answer = await rawRequest({ url: `http://127.0.0.1:${port}/`, agent });
        assert.equal(answer.headers['transfer-encoding'], 'chunked');
        assert.deepEqual(answer.body, whole);
        assert.equal(answer.endedCleanly, true);
      }
    } finally {
      agent.destroy();
    }
  });
});

it('a caller of HTTP/1.0 gets the pieces without the frames of chunks', async () => {
  await withServer(async port => {
    const socket = connect(port, '127.0.0.1');
    socket.write('GET / HTTP/1.0\r\n\r\n');
    const received: Buffer[] = [];
    for await (const bytes of socket) received.push(bytes as Buffer);
    const answer = Buffer.concat(received);
    assert.deepEqual(answer.subarray(answer.indexOf('\r\n\r\n') + 4), whole);
  });
});

it('each piece is one chunk', async () => {
  await withServer(async port => {
    const socket = connect(port, '127.0.0.1');
    socket.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    const received: Buffer[] = [];
    for await (const bytes of socket) received.push(bytes as Buffer);
    const answer = Buffer.concat(received);
    const frames = pieces.filter(piece => piece.length > 0).map(piece => Buffer.concat([Buffer.from(`${Buffer.byteLength(piece).toString(16)}\r\n`), Buffer.from(piece), Buffer.from('\r\n')]));
    assert.deepEqual(answer.subarray(answer.indexOf('\r\n\r\n') + 4), Buffer.concat([...frames, Buffer.from('0\r\n\r\n')]));
  });
});
