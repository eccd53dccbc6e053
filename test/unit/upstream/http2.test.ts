import assert from 'node:assert/strict';
import http2, { createSecureServer, type Http2SecureServer, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import { after, before, beforeEach, describe, it } from 'node:test';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:tls';
import type { WaybillError } from '../../../server/base/failure.ts';
import { directNetwork } from '../../../server/config/network.ts';
import { readProxy } from '../../../server/config/proxyAddress.ts';
import { selfSignedCertificate } from '../../../server/sandbox/selfSignedCertificate.ts';
import type { CallPlace, UpstreamCall } from '../../../server/upstream/call.ts';
import { SystemCertificates } from '../../../server/upstream/proxies/systemCertificates.ts';
import { Transport } from '../../../server/upstream/transport.ts';
import { startHttpProxy } from '../../integration/support/outboundProxy.ts';

const { NGHTTP2_CANCEL, NGHTTP2_ENHANCE_YOUR_CALM, NGHTTP2_INTERNAL_ERROR, NGHTTP2_NO_ERROR, NGHTTP2_REFUSED_STREAM } = http2.constants;
const certificate = selfSignedCertificate('localhost');
type Answer = (stream: ServerHttp2Stream, body: string, session: ServerHttp2Session) => void;

/** A server for HTTP/2. It answers with its answers in turn, the last one for ever. */
class Http2Server {
  readonly requests: { method: string; version: string; body: string; length: string | undefined }[] = [];
  readonly sessions = new Set<ServerHttp2Session>();
  readonly sockets = new Set<Socket>();
  handshakes = 0;
  refused = 0;
  answers: Answer[] = [];
  readonly #server: Http2SecureServer;

  constructor(allowHTTP1: boolean) {
    this.#server = createSecureServer({ ...certificate, allowHTTP1 });
    this.#server.on('connection', (socket: Socket) => this.sockets.add(socket.on('error', () => undefined)));
    this.#server.on('secureConnection', () => { this.handshakes += 1; });
    this.#server.on('tlsClientError', error => { if (String((error as { code?: string }).code).includes('NO_APPLICATION_PROTOCOL')) this.refused += 1; });
    this.#server.on('session', session => this.sessions.add(session.on('error', () => undefined)));
    this.#server.on('stream', (stream, headers) => {
      const pieces: Buffer[] = [];
      stream.on('error', () => undefined).on('data', (piece: Buffer) => pieces.push(piece)).on('end', () => {
        const body = Buffer.concat(pieces).toString();
        this.requests.push({ method: String(headers[':method']), version: '2', body, length: headers['content-length'] });
        const answer = this.answers.length > 1 ? this.answers.shift() : this.answers[0];
        if (answer !== undefined && stream.session !== undefined) answer(stream, body, stream.session as ServerHttp2Session);
      });
    });
    this.#server.on('request', (request, response) => {
      if (request.httpVersion !== '1.1') return;
      this.requests.push({ method: request.method, version: '1.1', body: '', length: undefined });
      response.end('over 1.1');
    });
  }

  async listen(): Promise<this> {
    await new Promise<void>(resolve => this.#server.listen(0, '127.0.0.1', resolve));
    return this;
  }

  get port(): number { return (this.#server.address() as AddressInfo).port; }

  close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    return new Promise(resolve => this.#server.close(() => resolve()));
  }
}

/** A server that writes its frames itself: Node's takes no GOAWAY that names stream 0. Source: RFC 9113, sections 4.1 and 6; RFC 7541, appendix A. */
class GoingServer {
  requests = 0;
  /** How many requests get a GOAWAY instead of an answer. */
  goAways = 0;
  readonly #sockets = new Set<Socket>();
  readonly #server: TlsServer;

  constructor(code: number) {
    this.#server = createTlsServer({ ...certificate, ALPNProtocols: ['h2'] }, socket => {
      this.#sockets.add(socket.on('error', () => undefined));
      const write = (type: number, flags: number, stream: number, payload: Buffer): void => {
        const head = Buffer.alloc(9);
        head.writeUIntBE(payload.length, 0, 3);
        head.writeUInt8(type, 3);
        head.writeUInt8(flags, 4);
        head.writeUInt32BE(stream, 5);
        socket.write(Buffer.concat([head, payload]));
      };
      write(4, 0, 0, Buffer.alloc(0));
      let read = Buffer.alloc(0);
      let preface = 24;
      socket.on('data', (chunk: Buffer) => {
        read = Buffer.concat([read, chunk]);
        if (read.length < preface + 9) return;
        read = read.subarray(preface);
        preface = 0;
        while (read.length >= 9 && read.length >= 9 + read.readUIntBE(0, 3)) {
          const [type, flags, stream] = [read[3], read[4] ?? 0, read.readUInt32BE(5)];
          read = read.subarray(9 + read.readUIntBE(0, 3));
          if (type === 4 && (flags & 1) === 0) write(4, 1, 0, Buffer.alloc(0));
          if ((type !== 0 && type !== 1) || (flags & 1) === 0) continue;
          this.requests += 1;
          if (this.goAways > 0) {
            this.goAways -= 1;
            const payload = Buffer.alloc(8);
            payload.writeUInt32BE(Math.max(0, stream - 2), 0);
            payload.writeUInt32BE(code, 4);
            write(7, 0, 0, payload);
          } else {
            write(1, 4, stream, Buffer.from([0x88]));
            write(0, 1, stream, Buffer.from('ok'));
          }
        }
      });
    });
  }

  async listen(): Promise<number> {
    await new Promise<void>(resolve => this.#server.listen(0, '127.0.0.1', resolve));
    return (this.#server.address() as AddressInfo).port;
  }

  close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    return new Promise(resolve => this.#server.close(() => resolve()));
  }
}

const whole: Answer = (stream, body) => {
  stream.respond({ ':status': 200, 'content-type': 'text/plain' });
  stream.write('got ');
  stream.end(body);
};
const reset = (code: number): Answer => stream => { stream.close(code); };
/** The connection is lost before the answer. */
let lose: () => void = () => undefined;
const lost: Answer = () => { lose(); };

interface Outcome { status: number; text: string; failure: WaybillError | undefined; call: UpstreamCall }

describe('a provider that offers HTTP/2 only', () => {
  let server: Http2Server;
  let transport: Transport;
  before(async () => { server = await new Http2Server(false).listen(); });
  after(() => server.close());
  beforeEach(async () => {
    await transport?.shutdown();
    transport = new Transport([], new SystemCertificates(() => [certificate.cert]));
    server.answers = [whole];
    server.requests.length = 0;
    Object.assign(server, { handshakes: 0, refused: 0 });
    lose = () => { for (const socket of server.sockets) socket.destroy(); };
  });
  after(() => transport.shutdown());

  function send(body: string | undefined, { url = `https://localhost:${server.port}/v1/chat`, place = {} as Partial<CallPlace>, onCall = (_call: UpstreamCall, _text: string): void => undefined } = {}): Promise<Outcome> {
    return new Promise(resolve => {
      let status = 0;
      let text = '';
      const pieces = body === undefined ? undefined : body.length > 20 ? [Buffer.from(body.slice(0, 10)), Buffer.from(body.slice(10))] : [Buffer.from(body)];
      const call: UpstreamCall = transport.dispatch({ name: 'a', timeouts: { connectMs: 5000 }, ...place } as CallPlace, {
        method: body === undefined ? 'GET' : 'POST', url, headers: { 'authorization': 'Bearer sk-1', ...(body === undefined ? {} : { 'content-length': String(body.length) }) }, body: pieces,
      }, {
        onHeaders: got => { status = got; },
        onData: chunk => { text += chunk.toString(); onCall(call, text); },
        onEnd: () => resolve({ status, text, failure: undefined, call }),
        onError: failure => resolve({ status, text, failure, call }),
      });
    });
  }

  it('is asked in HTTP/2, and that is learnt with one refused handshake', async () => {
    for (const body of ['hello', undefined, 'again']) {
      const { status, text, failure, call } = await send(body);
      assert.deepEqual([status, text, failure?.message], [200, `got ${body ?? ''}`, undefined]);
      assert.equal(call.resent, false);
    }
    assert.deepEqual(server.requests.map(({ method, version, length }) => [method, version, length]), [['POST', '2', '5'], ['GET', '2', undefined], ['POST', '2', '5']]);
    assert.deepEqual([server.refused, server.handshakes], [1, 1]);
    const before = server.handshakes;
    await send('kept');
    assert.equal(server.handshakes, before, 'the connection was kept');
    transport.retire('a');
    await send('retired');
    assert.equal(server.refused, 1, 'it is not asked in HTTP/1.1 again');
  });

  it('answers requests that run at the same time, each over its own connection', async () => {
    await send('first');
    const answers: Answer[] = [];
    let waiting = 0;
    const together: Answer = (stream, body, session) => {
      answers.push(() => whole(stream, body, session));
      waiting += 1;
      if (waiting === 4) for (const answer of answers) answer(stream, body, session);
    };
    server.answers = [together];
    const outcomes = await Promise.all(['a', 'b', 'c', 'd'].map(body => send(body)));
    assert.deepEqual(outcomes.map(({ text }) => text), ['got a', 'got b', 'got c', 'got d']);
  });

  it('is sent large bodies and sends large answers, and is held back meanwhile', async () => {
    const body = 'x'.repeat(3_000_000);
    let held = 0;
    const { text, failure } = await send(body, {
      onCall: call => {
        if (held > 20) return;
        held += 1;
        call.pause();
        setTimeout(() => call.resume(), 1);
      },
    });
    assert.equal(failure?.message, undefined);
    assert.equal(text.length, body.length + 4);
    assert.equal(server.requests[0]?.body.length, body.length);
    assert.ok(held > 1);
  });

  it('is sent a request again that it refused unread, once', async () => {
    await send('first');
    server.answers = [reset(NGHTTP2_REFUSED_STREAM), whole];
    const again = await send('second');
    assert.deepEqual([again.text, again.failure?.message, again.call.resent], ['got second', undefined, true]);
    assert.equal(server.requests.length, 3);
    server.answers = [reset(NGHTTP2_REFUSED_STREAM)];
    const { failure } = await send('third');
    assert.deepEqual([failure?.code, failure?.failureClass], ['connection-failed', 'network'], failure?.detail);
    assert.equal(server.requests.length, 5);
    server.answers = [whole];
    assert.equal((await send('fourth')).text, 'got fourth');
  });

  for (const code of [NGHTTP2_NO_ERROR, NGHTTP2_ENHANCE_YOUR_CALM]) {
    it(`is sent a request again that its GOAWAY with code ${code} names as unread, once`, async () => {
      const going = new GoingServer(code);
      const url = `https://localhost:${await going.listen()}/v1/chat`;
      await send('first', { url });
      for (const [goAways, expected] of [[1, ['ok', undefined, true]], [2, ['', 'connection-failed', true]], [0, ['ok', undefined, false]]] as const) {
        going.requests = 0;
        going.goAways = goAways;
        const { text, failure, call } = await send('next', { url });
        assert.deepEqual([text, failure?.code, call.resent], expected, failure?.detail);
        assert.equal(going.requests, goAways === 0 ? 1 : 2);
      }
      await going.close();
    });
  }

  it('ends an answer that a GOAWAY promises to end, and takes the next request on a fresh connection', async () => {
    server.answers = [(stream, body, session) => {
      stream.respond({ ':status': 200 });
      stream.write('got ');
      session.goaway(NGHTTP2_NO_ERROR, stream.id ?? 1);
      setTimeout(() => stream.end(body), 20);
    }, whole];
    assert.deepEqual([(await send('first')).text, (await send('second')).text], ['got first', 'got second']);
    assert.equal(server.requests.length, 2);
  });

  it('is not sent a request again that it may have processed', async () => {
    for (const [name, answer] of Object.entries({ error: reset(NGHTTP2_INTERNAL_ERROR), cancel: reset(NGHTTP2_CANCEL), none: reset(NGHTTP2_NO_ERROR), lost })) {
      server.requests.length = 0;
      server.answers = [answer];
      const { failure } = await send('once', { place: { name } });
      assert.deepEqual([failure?.code, failure?.failureClass, server.requests.length], ['connection-reset', 'server', 1], failure?.detail);
    }
  });

  it('that loses a kept connection right after a request is as one of HTTP/1.1', async () => {
    await send('first');
    server.answers = [lost, whole];
    const { failure } = await send('second');
    assert.deepEqual([failure?.code, failure?.failureClass], ['kept-connection-lost', 'network'], failure?.detail);
    assert.equal((await send('third')).text, 'got third');
  });

  it('that breaks an answer off never has it taken for whole', async () => {
    for (const end of [reset(NGHTTP2_INTERNAL_ERROR), reset(NGHTTP2_CANCEL), lost]) {
      server.answers = [(stream, body, session) => {
        stream.respond({ ':status': 200, 'content-length': '20' });
        stream.write('half');
        setTimeout(() => end(stream, body, session), 20);
      }];
      const { failure, text } = await send('hello');
      assert.deepEqual([text, failure?.code, failure?.failureClass], ['half', 'stream-cut', 'server'], failure?.detail);
    }
  });

  it('learns of a call that is given up, and answers the next one', async () => {
    const gone = new Promise<void>(resolve => {
      server.answers = [stream => {
        stream.on('close', () => resolve());
        stream.respond({ ':status': 200 });
        stream.write('half');
      }, whole];
    });
    void send('hello', { onCall: call => call.abort() });
    await gone;
    assert.equal((await send('next')).text, 'got next');
  });

  it('is reached through a proxy, which is itself asked in HTTP/1.1', async () => {
    for (const tls of [undefined, certificate]) {
      const proxy = await startHttpProxy({ tls });
      proxy.hosts.set('localhost', server.port);
      const own = readProxy(`${tls === undefined ? 'http' : 'https'}://localhost:${proxy.address.split(':')[1]}`, 'here');
      assert.ok(!('problem' in own));
      const { text, failure } = await send('hello', { place: { name: `through ${tls === undefined ? 'http' : 'https'}`, proxy: own } });
      assert.deepEqual([text, failure?.message], ['got hello', undefined]);
      assert.ok(proxy.asked.length > 0 && proxy.asked.every(asked => asked.startsWith('CONNECT')));
      await proxy.close();
    }
  });

  it('is asked in HTTP/1.1 first again when its address changes', async () => {
    await send('hello');
    transport.configure(new Map(), directNetwork);
    await send('hello');
    assert.equal(server.refused, 2);
  });
});

describe('a provider that offers more', () => {
  const place = { name: 'a', timeouts: { connectMs: 5000 } } as CallPlace;
  const ask = (transport: Transport, port: number): Promise<string> => new Promise(resolve => {
    let text = '';
    transport.dispatch(place, { method: 'GET', url: `https://localhost:${port}/`, headers: {} }, { onHeaders: () => undefined, onData: chunk => { text += chunk.toString(); }, onEnd: () => resolve(text), onError: ({ code, message }) => resolve(`${code}: ${message}`) });
  });

  it('is asked in HTTP/1.1 where it offers both', async () => {
    const server = await new Http2Server(true).listen();
    const transport = new Transport([], new SystemCertificates(() => [certificate.cert]));
    assert.equal(await ask(transport, server.port), 'over 1.1');
    assert.equal(server.requests[0]?.version, '1.1');
    await transport.shutdown();
    await server.close();
  });

  it('is named as such where it offers neither', async () => {
    const server = createTlsServer({ ...certificate, ALPNProtocols: ['dot'] });
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
    const transport = new Transport([], new SystemCertificates(() => [certificate.cert]));
    assert.match(await ask(transport, (server.address() as AddressInfo).port), /^tls-failed: a and this machine agree on no version of HTTP/);
    await transport.shutdown();
    server.close();
  });
});
