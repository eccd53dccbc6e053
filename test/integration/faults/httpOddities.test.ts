import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { answers, chatAnswer, rawEndpoint, startRawProvider, type RawProvider } from '../support/rawProvider.ts';
import { until } from '../support/serverProcess.ts';
import { startTestRouter, type TestRouter } from '../support/testRouter.ts';

const chat = JSON.stringify({ model: 'a/m', messages: [{ role: 'user', content: 'hello' }] });
const streamed = JSON.stringify({ ...JSON.parse(chat) as object, stream: true });

describe('the local endpoint, addressed with raw bytes', () => {
  let provider: RawProvider;
  let testRouter: TestRouter;
  let port: number;
  before(async () => {
    provider = await startRawProvider(answers);
    testRouter = await startTestRouter({ endpoints: { a: rawEndpoint(provider) } });
    port = Number(new URL(testRouter.url).port);
  });
  after(async () => {
    await testRouter.close();
    await provider.close();
  });

  /** Everything that comes until the server closes the connection or `enough` says so. */
  async function say(bytes: string | readonly (string | Buffer)[], options: { halfClose?: boolean; enough?: RegExp } = {}): Promise<string> {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    let text = '';
    socket.on('data', chunk => { text += chunk.toString('latin1'); });
    const ended = once(socket, 'end');
    for (const piece of [bytes].flat()) socket.write(piece);
    if (options.halfClose === true) socket.end();
    await (options.enough === undefined ? ended : until(`the answer is there; so far: ${text}`, () => options.enough?.test(text) === true));
    socket.destroy();
    return text;
  }

  function post(target: string, body: string, headers: readonly string[] = [`host: 127.0.0.1:${port}`]): string {
    return [`POST ${target} HTTP/1.1`, ...headers, `authorization: Bearer ${testRouter.token}`, 'content-type: application/json', `content-length: ${Buffer.byteLength(body)}`, '', body].join('\r\n');
  }

  const statusOf = (text: string): number => Number(/^HTTP\/1\.1 ([2-5]\d\d)/m.exec(text)?.[1]);
  const whole = /\r\n\r\n\{[^]*\}$/;

  describe('what is no request', () => {
    const flood = 'x'.repeat(4_000_000);
    const cases: Record<string, { bytes: string; status: number; shape: RegExp }> = {
      'headers that are too long, with a body still on its way': { bytes: `POST /v1/messages HTTP/1.1\r\nhost: x\r\nx: ${'a'.repeat(100_000)}\r\ncontent-length: ${flood.length}\r\n\r\n${flood}`, status: 431, shape: /larger than 64 KB/ },
      'an address that is too long': { bytes: `GET /v1beta/models/m:generateContent?${'u'.repeat(90_000)} HTTP/1.1\r\nhost: x\r\n\r\n`, status: 431, shape: /larger than 64 KB/ },
      'a header without a colon': { bytes: `POST /v1/messages HTTP/1.1\r\nhost: x\r\nno header\r\n\r\n${flood}`, status: 400, shape: /"type":"error"/ },
      'a call of Gemini with a header without a colon': { bytes: 'POST /v1beta/models/m:generateContent HTTP/1.1\r\nhost: x\r\nno header\r\n\r\n', status: 400, shape: /"status":"INVALID_ARGUMENT"/ },
      'two lengths': { bytes: `POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\n${flood}`, status: 400, shape: /"code":"invalid_request"/ },
      'TLS at a port without TLS': { bytes: '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', status: 400, shape: /begins with http:/ },
      'HTTP/2': { bytes: 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', status: 400, shape: /HTTP\/1\.1/ },
    };
    for (const [name, { bytes, status, shape }] of Object.entries(cases)) it(`is answered and read to its end: ${name}`, async () => {
      const text = await say([Buffer.from(bytes, 'latin1')], { halfClose: true });
      assert.equal(statusOf(text), status, text);
      assert.match(text, shape);
      assert.match(text, /"message":"[^"]+\."/);
    });

    it('is answered once, also when it comes in the middle of a body', async () => {
      const head = `POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\nauthorization: Bearer ${testRouter.token}\r\ntransfer-encoding: chunked\r\n\r\n`;
      const text = await say([head, 'ZZ\r\n', flood, flood], { halfClose: true });
      assert.equal(text.split('HTTP/1.1 400').length, 2, text);
    });
  });

  it('answers 100 Continue only for a body that it accepts', async () => {
    const head = (length: number): string => `POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\nauthorization: Bearer ${testRouter.token}\r\nexpect: 100-continue\r\ncontent-length: ${length}\r\n\r\n`;
    const refused = await say(head(99_999_999_999), { enough: whole });
    assert.match(refused, /^HTTP\/1\.1 413/);
    assert.match(await say(head(10), { enough: /\r\n\r\n/ }), /^HTTP\/1\.1 100 Continue/);
  });

  describe('a request target that is a whole URL', () => {
    for (const host of ['127.0.0.1', 'localhost', 'LOCALHOST']) it(`is accepted when it is http://${host} with the port of the endpoint`, async () => {
      assert.equal(statusOf(await say(post(`http://${host}:${port}/v1/chat/completions`, chat), { enough: whole })), 200);
    });

    it('counts in the place of the Host header', async () => {
      assert.equal(statusOf(await say(post(`http://127.0.0.1:${port}/v1/chat/completions`, chat, ['host: example.com']), { enough: whole })), 200);
    });

    it('keeps its query, and may have no path', async () => {
      const get = (target: string): string => `GET ${target} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${testRouter.token}\r\n\r\n`;
      assert.equal(statusOf(await say(get(`http://127.0.0.1:${port}/waybill/spend?range=never`), { enough: whole })), 400);
      assert.match(await say(get(`http://127.0.0.1:${port}`), { enough: /Waybill/ }), /^HTTP\/1\.1 200/);
    });

    for (const authority of ['example.com', '127.0.0.1:1', '127.0.0.1', 'user@127.0.0.1:PORT', '127.0.0.1:PORT.example.com', '']) it(`is refused when it is for ${authority || 'no host'}`, async () => {
      const before = provider.requests.length;
      const text = await say(post(`http://${authority.replace('PORT', String(port))}/v1/chat/completions`, chat), { enough: whole });
      assert.equal(statusOf(text), 421, text);
      assert.equal(provider.requests.length, before);
    });

    it('is refused when it is of another scheme', async () => {
      for (const scheme of ['https', 'ftp', 'ws']) assert.equal(statusOf(await say(post(`${scheme}://127.0.0.1:${port}/v1/chat/completions`, chat), { enough: whole })), 421, scheme);
    });
  });

  it('a request with two Host headers, or none, is refused as wrong', async () => {
    const own = `host: 127.0.0.1:${port}`;
    for (const headers of [[own, own], [own, 'Host: example.com'], ['HOST: example.com', own], []]) {
      const text = await say(post('/v1/chat/completions', chat, headers), { enough: whole });
      assert.equal(statusOf(text), 400, text);
      assert.match(text, /Host header/);
    }
  });

  describe('a caller that closes its side after the request', () => {
    it('gets its whole answer, at once and late, plain and streamed', async () => {
      const sse = ['{"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":"hello"},"finish_reason":null}]}',
        '{"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}', '[DONE]'].map(data => `data: ${data}\n\n`);
      for (const waitMs of [0, 400]) {
        provider.behave(({ socket, body }) => void setTimeout(() => {
          if (!body.includes('"stream":true')) {
            socket.write(chatAnswer());
            return;
          }
          socket.write('HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n');
          socket.write(sse[0] ?? '');
          setTimeout(() => socket.end(sse.slice(1).join('')), waitMs);
        }, waitMs));
        const plain = await say(post('/v1/chat/completions', chat), { halfClose: true });
        assert.equal(statusOf(plain), 200, plain);
        assert.match(plain, /"content":"hello"/);
        const stream = await say(post('/v1/chat/completions', streamed), { halfClose: true });
        assert.equal(statusOf(stream), 200, stream);
        assert.match(stream, /"content":"hello"[^]*\[DONE\]/);
      }
    });

    it('gets the answers to all pipelined requests, also to those about the server', async () => {
      provider.behave(answers);
      const text = await say(Array.from({ length: 12 }, () => post('/v1/chat/completions', chat)), { halfClose: true });
      assert.equal(text.match(/"content":"hello"/g)?.length, 12, text);
      assert.match(await say(`GET /health HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\n\r\n`, { halfClose: true }), /^HTTP\/1\.1 200[^]*"ok"/);
    });
  });

  describe('a caller that went away', () => {
    const goodbyes: readonly (readonly [string, (socket: Socket) => unknown])[] = [['closes', socket => socket.destroy()], ['resets', socket => socket.resetAndDestroy()]];
    for (const [name, leave] of goodbyes) for (const [kind, body] of [['plain', chat], ['streamed', streamed]] as const) {
      it(`and ${name} ends the provider's work at once (${kind})`, async () => {
        let gone: number | undefined;
        provider.behave(({ socket, body: asked }) => {
          socket.once('close', () => { gone = performance.now(); });
          if (asked.includes('"stream":true')) socket.write('HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\ndata: {"choices":[{"index":0,"delta":{"role":"assistant","content":"he"}}]}\n\n');
        });
        const already = provider.requests.length;
        const socket = connect(port, '127.0.0.1');
        socket.on('error', () => undefined);
        socket.resume();
        socket.write(post('/v1/chat/completions', body));
        await until('the provider was asked', () => provider.requests.length > already);
        await sleep(50);
        const leftAt = performance.now();
        leave(socket);
        await until('the provider is left alone', () => gone !== undefined);
        assert.ok((gone ?? Infinity) - leftAt < 1000, `${String((gone ?? Infinity) - leftAt)} ms`);
      });
    }
  });

  describe('an early refusal is read to the end by a caller that still sends', () => {
    const megabyte = Buffer.alloc(1024 * 1024, 0x20);
    /** Sends the whole body before it reads a byte, as many clients do. */
    async function refusal(head: readonly string[], megabytes: number, chunked: boolean): Promise<string> {
      const socket = connect(port, '127.0.0.1');
      let text = '';
      let broken: Error | undefined;
      socket.on('error', error => { broken = error; });
      socket.pause();
      const length = chunked ? 'transfer-encoding: chunked' : `content-length: ${megabytes * megabyte.length}`;
      const write = (piece: string | Buffer): Promise<void> => new Promise(resolve => { socket.write(piece, () => resolve()); });
      await write([...head, length, '', ''].join('\r\n'));
      for (let index = 0; index < megabytes && broken === undefined; index += 1) {
        if (chunked) await write('100000\r\n');
        await write(megabyte);
        if (chunked) await write('\r\n');
      }
      if (chunked) await write('0\r\n\r\n');
      socket.on('data', chunk => { text += chunk.toString('latin1'); }).resume();
      await until(`an answer came; ${String(broken)}`, () => whole.test(text) || broken !== undefined);
      assert.equal(broken, undefined, text);
      socket.destroy();
      return text;
    }

    const token = (): string => `authorization: Bearer ${testRouter.token}`;
    const host = (): string => `host: 127.0.0.1:${port}`;
    for (const connection of ['close', 'keep-alive']) for (const chunked of [false, true]) {
      const times = connection === 'close' && !chunked ? 10 : 3;
      it(`413, ${times} times of ${times} (connection: ${connection}, ${chunked ? 'in chunks' : 'length declared'})`, async () => {
        for (let time = 0; time < times; time += 1) {
          const text = await refusal(['POST /v1/chat/completions HTTP/1.1', host(), token(), `connection: ${connection}`], 66, chunked);
          assert.equal(statusOf(text), 413, text);
          assert.match(text, /larger than 64 MB/);
        }
      });
    }

    const early: readonly (readonly [number, string, () => string[]])[] = [
      [401, 'a wrong token', () => ['POST /v1/chat/completions HTTP/1.1', host(), 'authorization: Bearer wrong']],
      [404, 'an unknown path', () => ['POST /v1/nothing HTTP/1.1', host(), token()]],
      [405, 'a wrong method', () => ['PUT /v1/chat/completions HTTP/1.1', host(), token()]],
      [403, 'a foreign host', () => ['POST /v1/chat/completions HTTP/1.1', 'host: example.com', token()]],
      [400, 'two hosts', () => ['POST /v1/chat/completions HTTP/1.1', host(), host(), token()]],
      [400, 'no host', () => ['POST /v1/chat/completions HTTP/1.1', token()]],
      [421, 'another server', () => ['POST http://example.com/v1/chat/completions HTTP/1.1', host(), token()]],
    ];
    for (const [status, why, head] of early) it(`${status} (${why})`, async () => {
      for (let time = 0; time < 3; time += 1) assert.equal(statusOf(await refusal([...head(), 'connection: close'], 24, false)), status);
    });

    it('leaves a kept connection fit for the next request', async () => {
      const text = await say([`POST /v1/nothing HTTP/1.1\r\n${host()}\r\n${token()}\r\ncontent-length: ${3 * megabyte.length}\r\n\r\n`, megabyte, megabyte, megabyte, `GET /health HTTP/1.1\r\n${host()}\r\n\r\n`], { enough: /"ok"/ });
      assert.match(text, /^HTTP\/1\.1 404[^]*HTTP\/1\.1 200/);
    });
  });
});
