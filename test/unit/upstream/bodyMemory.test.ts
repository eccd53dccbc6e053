import assert from 'node:assert/strict';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterEach, describe, it } from 'node:test';
import { BodyMemory } from '../../../server/base/bodyMemory.ts';
import type { CallPlace, UpstreamCall } from '../../../server/upstream/call.ts';
import { Transport } from '../../../server/upstream/transport.ts';

/** More than the buffers of a connection take. */
const bodyBytes = 16 * 1024 * 1024;
const answer = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}';

const transport = new Transport();
const servers: Server[] = [];
afterEach(() => servers.splice(0).forEach(server => server.close()));

/** @returns where the server listens, and its connections */
async function listen(onConnection: (socket: Socket) => void): Promise<{ url: string; sockets: Socket[] }> {
  const sockets: Socket[] = [];
  const server = createServer(socket => {
    sockets.push(socket);
    socket.on('error', () => undefined);
    onConnection(socket);
  });
  servers.push(server);
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, sockets };
}

/** A server that answers when it has read the whole request, and keeps what it read. */
async function thoroughServer(): Promise<{ url: string; received: () => Buffer; sockets: Socket[] }> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  const place = await listen(socket => socket.on('data', piece => {
    pieces.push(piece);
    bytes += piece.length;
    if (bytes >= bodyBytes + Buffer.concat(pieces.slice(0, 1)).indexOf('\r\n\r\n') + 4) socket.write(answer);
  }));
  return { ...place, received: () => Buffer.concat(pieces) };
}

function newBody(): { bytes: Buffer; memory: BodyMemory; text: string } {
  const text = 'a body that is long '.repeat(bodyBytes / 20 + 1).slice(0, bodyBytes);
  const bytes = Buffer.from(text);
  return { bytes, memory: new BodyMemory(bytes), text };
}

function send(url: string, bytes: Buffer, memory: BodyMemory, ended: () => void): UpstreamCall {
  return transport.dispatch({ name: url, timeouts: { connectMs: 5000 } } as CallPlace,
    { method: 'POST', url, headers: { 'content-length': String(bodyBytes) }, body: [bytes.subarray(0, 9), bytes.subarray(9)], memory },
    { onHeaders: () => undefined, onData: () => undefined, onEnd: ended, onError: error => assert.fail(String(error)) });
}

describe('the memory of a body', () => {
  it('is given back when the provider has read it and answered', async () => {
    const { url, received, sockets } = await thoroughServer();
    const { bytes, memory, text } = newBody();
    await new Promise<void>(resolve => { send(url, bytes, memory, resolve); });
    memory.release();
    assert.equal(bytes.length, 0);
    const whole = received();
    assert.ok(whole.subarray(whole.indexOf('\r\n\r\n') + 4).equals(Buffer.from(text)), 'every byte arrived');
    sockets.forEach(socket => socket.destroy());
  });

  it('is kept where the provider answered before it read it, because the system still reads from it', async () => {
    const { url, sockets } = await listen(socket => {
      socket.once('data', () => {
        socket.pause();
        socket.write(answer);
      });
    });
    const { bytes, memory } = newBody();
    await new Promise<void>(resolve => { send(url, bytes, memory, resolve); });
    memory.release();
    assert.equal(bytes.length, bodyBytes);
    sockets.forEach(socket => socket.destroy());
  });

  it('is kept after a call that was given up', async () => {
    const { url, sockets } = await listen(socket => socket.pause());
    const { bytes, memory } = newBody();
    const call = send(url, bytes, memory, () => assert.fail('no answer'));
    while (sockets.length === 0) await new Promise(resolve => setTimeout(resolve, 5));
    call.abort();
    memory.release();
    assert.equal(bytes.length, bodyBytes);
    sockets.forEach(socket => socket.destroy());
  });

  it('is kept while a second call runs', async () => {
    const { url, sockets } = await thoroughServer();
    const silent = await listen(socket => socket.pause());
    const { bytes, memory } = newBody();
    const second = send(silent.url, bytes, memory, () => assert.fail('no answer'));
    await new Promise<void>(resolve => { send(url, bytes, memory, resolve); });
    memory.release();
    assert.equal(bytes.length, bodyBytes);
    second.abort();
    [...sockets, ...silent.sockets].forEach(socket => socket.destroy());
  });

  it('is kept where no call was made, and where the bytes are a part of other memory', () => {
    const { bytes, memory } = newBody();
    memory.release();
    assert.equal(bytes.length, bodyBytes);
    const part = bytes.subarray(1);
    const ofPart = new BodyMemory(part);
    ofPart.lend();
    ofPart.giveBack();
    ofPart.release();
    assert.deepEqual([part.length, bytes.length], [bodyBytes - 1, bodyBytes]);
  });
});
