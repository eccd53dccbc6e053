import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import zlib from 'node:zlib';
import { protocolNames, type ProtocolName } from '../../../server/api/conversation.ts';
import { startSandboxProvider, type SandboxProvider } from '../../../server/sandbox/sandboxProvider.ts';
import { callers, readAnswer } from '../../faultwall/callers/callers.ts';
import { boxCodings, startCompressingBox, type CompressingBox } from '../support/compressingBox.ts';
import { EditorDoor } from '../support/editorDoor.ts';
import { rawRequest, type RawAnswer } from '../support/rawClient.ts';
import { rawEndpoint } from '../support/rawProvider.ts';
import { sandboxEndpoint } from '../support/sandboxPair.ts';
import { startTestRouter, type TestRouter } from '../support/testRouter.ts';

const targets = ['openai-chat', 'anthropic-messages', 'openai-responses', 'gemini'] as const;
const prompt = 'tell me of the sea';

describe('a provider that compresses although `identity` was asked for', () => {
  const providers: SandboxProvider[] = [];
  const boxes: CompressingBox[] = [];
  let direct: SandboxProvider;
  let testRouter: TestRouter;
  before(async () => {
    for (const protocol of targets) {
      const provider = await startSandboxProvider({ protocol, name: protocol });
      providers.push(provider);
      boxes.push(await startCompressingBox(provider.url));
    }
    direct = await startSandboxProvider({ protocol: 'openai-chat', name: 'direct' });
    testRouter = await startTestRouter({ endpoints: {} });
  });
  after(async () => {
    await testRouter.close();
    await Promise.all([...boxes, ...providers, direct].map(one => one.close()));
  });

  /** Resets health and behaviour; endpoints are named after their protocols. */
  async function use(coding: string, cutBytes = 0): Promise<void> {
    for (const box of boxes) Object.assign(box, { coding, cutBytes });
    for (const provider of [...providers, direct]) provider.script({ type: 'answer' });
    await testRouter.configure({ endpoints: {} });
    await testRouter.configure({
      endpoints: { ...Object.fromEntries(targets.map((protocol, index) => [protocol, behind(index)])), direct: sandboxEndpoint(direct) },
      routes: { auto: { targets: ['openai-chat/m', 'direct/m'] } },
    });
  }

  function behind(index: number): ReturnType<typeof sandboxEndpoint> {
    const [provider, box] = [providers[index], boxes[index]];
    assert.ok(provider !== undefined && box !== undefined);
    return { ...sandboxEndpoint(provider), baseUrl: provider.url.replace(new URL(provider.url).origin, box.url) };
  }

  function ask(caller: ProtocolName, model: string, stream: boolean, onChunk?: (chunk: Buffer) => void): Promise<RawAnswer> {
    const { path, headers, body } = callers[caller];
    return rawRequest({
      url: testRouter.url + path(model, stream), headers: headers(testRouter.token), onChunk,
      body: JSON.stringify(body({ model, prompt, stream })),
    });
  }

  for (const coding of boxCodings) {
    it(`is read by callers of every protocol, streamed and plain: ${coding}`, async () => {
      await use(coding);
      for (const target of targets) {
        for (const caller of protocolNames) {
          for (const stream of [true, false]) {
            const { status, headers, text } = await ask(caller, `${target}/m`, stream);
            const seen = readAnswer(caller, text, stream);
            assert.ok(status === 200 && seen.finished && seen.problems.length === 0 && seen.text.includes('sea'), `${caller} to ${target}: ${text}`);
            assert.equal(headers['content-encoding'], undefined);
          }
        }
      }
      assert.deepEqual([...new Set(boxes.flatMap(box => box.asked))], ['identity']);
    });

    it(`has its refusals read, and passed on as they are: ${coding}`, async () => {
      await use(coding);
      for (const [index, target] of targets.entries()) {
        providers[index]?.script({ type: 'error', error: 'bad-request', message: 'the field zebra is not known' });
        for (const caller of protocolNames) {
          const { status, text } = await ask(caller, `${target}/m`, true);
          assert.ok(status === 400 && text.includes('zebra'), `${caller} to ${target}: ${status} ${text}`);
        }
      }
    });

    it(`lists its models, and answers a test of the endpoint: ${coding}`, async () => {
      await use(coding);
      for (const target of targets) {
        const endpoint = testRouter.testRouter.services.routeTable().target(target, 'm')?.endpoint;
        assert.ok(endpoint !== undefined);
        const { ok, models, message } = await testRouter.testRouter.endpointTester.testWith(endpoint, []);
        assert.ok(ok && models.length > 0, `${target}: ${message}`);
      }
    });
  }

  it('is read in the editor', async () => {
    await use('br');
    const editor = new EditorDoor(testRouter.testRouter);
    await editor.open();
    const { events, result } = await editor.chat('anthropic-messages/m', { system: [], messages: [{ role: 'user', content: [{ type: 'text', text: prompt }] }], tools: [] });
    assert.equal(result.outcome, 'ok');
    assert.match(events.map(event => (event.type === 'text' ? event.text : '')).join(''), /sea/);
    editor.close();
  });

  it('fails over where the coded answer breaks off, and where it is damaged', async () => {
    for (const coding of ['gzip', 'br', 'zstd', 'deflate, gzip']) {
      await use(coding, 40);
      const { status, headers, text } = await ask('openai-chat', 'auto', false);
      assert.equal(status, 200, text);
      assert.equal(headers['x-waybill-target'], 'direct/m', coding);
    }
  });

  it('ends a stream that breaks off in the middle of its coding with an error event, not silently', async () => {
    await use('gzip');
    providers[0]?.script({ type: 'cut', after: 'content', how: 'close' });
    const { text } = await ask('openai-chat', 'openai-chat/m', true);
    const seen = readAnswer('openai-chat', text, true);
    assert.ok(!seen.finished && seen.error !== undefined && seen.text !== '', text);
  });
});

describe('a provider that answers in codings of its own', () => {
  let answer: { status?: number; coding: string; pieces: readonly Buffer[]; everyMs?: number } = { coding: 'gzip', pieces: [] };
  const server = createServer((request, response) => {
    request.resume();
    response.writeHead(answer.status ?? 200, { 'content-type': answer.pieces.length > 1 ? 'text/event-stream' : 'application/json', 'content-encoding': answer.coding });
    const [first, ...others] = answer.pieces;
    if (first !== undefined) response.write(first);
    const timer = setInterval(() => {
      const next = others.shift();
      if (next !== undefined) response.write(next);
      else { clearInterval(timer); response.end(); }
    }, answer.everyMs ?? 1);
    response.on('close', () => clearInterval(timer));
  });
  let second: SandboxProvider;
  let testRouter: TestRouter;
  before(async () => {
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
    second = await startSandboxProvider({ protocol: 'openai-chat', name: 'second' });
    testRouter = await startTestRouter({ endpoints: {} });
  });
  after(async () => {
    await testRouter.close();
    server.closeAllConnections();
    server.close();
    await second.close();
  });

  async function ask(model: string, next: typeof answer, options: { stream?: boolean; onChunk?: (chunk: Buffer) => void } = {}): Promise<RawAnswer> {
    answer = next;
    await testRouter.configure({ endpoints: {} });
    await testRouter.configure({
      endpoints: { odd: rawEndpoint({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }), second: sandboxEndpoint(second) }, routes: { auto: { targets: ['odd/m', 'second/m'] } },
    });
    return rawRequest({
      url: `${testRouter.url}/v1/chat/completions`, headers: callers['openai-chat'].headers(testRouter.token), onChunk: options.onChunk,
      body: JSON.stringify(callers['openai-chat'].body({ model, prompt, stream: options.stream ?? false })),
    });
  }

  const whole = Buffer.from(JSON.stringify({ id: 'c', object: 'chat.completion', created: 1, model: 'm', choices: [{ index: 0, message: { role: 'assistant', content: 'hello' }, finish_reason: 'stop' }] }));

  it('fails over for a coding that is not known, and for bytes that are not in the coding they claim', async () => {
    for (const [coding, bytes] of [['compress', whole], ['gzip', whole], ['zstd', whole], ['br', Buffer.from([0xff, 0xff, 0xff])], ['gzip, gzip, gzip, gzip, gzip, gzip', whole]] as const) {
      const { status, headers, text } = await ask('auto', { coding, pieces: [bytes] });
      assert.equal(status, 200, text);
      assert.equal(headers['x-waybill-target'], 'second/m', coding);
      const receipt = await testRouter.receipt(String(headers['x-waybill-exchange']));
      assert.equal(receipt.attempts[0]?.failureClass, 'server');
    }
  });

  it('says which coding it is that cannot be read', async () => {
    const { text } = await ask('odd/m', { coding: 'compress', pieces: [whole] });
    assert.match(text, /odd sent an answer in the content coding \\?"compress\\?", which cannot be read/);
  });

  it('keeps the meaning of a refusal whose explanation cannot be read', async () => {
    const { status } = await ask('odd/m', { coding: 'compress', status: 404, pieces: [whole] });
    assert.equal(status, 404);
  });

  it('is read where the coding is `identity`, empty, or has nothing in it', async () => {
    for (const coding of ['identity', 'Identity, identity', '']) {
      const { status, text } = await ask('odd/m', { coding, pieces: [whole] });
      assert.ok(status === 200 && text.includes('hello'), text);
    }
    const { status } = await ask('odd/m', { coding: 'gzip', status: 404, pieces: [] });
    assert.equal(status, 404);
  });

  it('ends with an error where a few bytes stand for more than any answer has, once and in codings in a row', async () => {
    const spaces = Buffer.alloc(33 * 1024 * 1024, 0x20);
    const bombs = [['gzip', zlib.gzipSync(spaces)], ['gzip, gzip', zlib.gzipSync(zlib.gzipSync(spaces))]] as const;
    for (const [coding, bytes] of bombs) {
      // A caller of another protocol: the body is read as a whole.
      answer = { coding, pieces: [bytes] };
      const { path, headers, body } = callers['anthropic-messages'];
      const asked = await rawRequest({ url: testRouter.url + path('odd/m', false), headers: headers(testRouter.token), body: JSON.stringify(body({ model: 'odd/m', prompt, stream: false })) });
      assert.match(asked.text, /larger than is accepted/, coding);
    }
  });

  it('passes on what is flushed at once', async () => {
    const gzip = zlib.createGzip();
    const pieces: Buffer[] = [];
    for (const content of ['one', ' two', ' three']) {
      gzip.write(`data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [{ index: 0, delta: { content }, finish_reason: null }] })}\n\n`);
      pieces.push(await flushed(gzip));
    }
    gzip.end('data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n');
    pieces.push(await new Promise<Buffer>(resolve => {
      const rest: Buffer[] = [];
      gzip.on('data', (chunk: Buffer) => rest.push(chunk)).on('end', () => resolve(Buffer.concat(rest)));
    }));
    const seen: string[] = [];
    await ask('odd/m', { coding: 'gzip', pieces, everyMs: 250 }, { stream: true, onChunk: chunk => seen.push(chunk.toString()) });
    assert.ok(seen.length >= 3, `${seen.length} chunks`);
    assert.ok(seen[0]?.includes('one') === true && !seen[0].includes('three'), seen[0]);
  });
});

function flushed(gzip: zlib.Gzip): Promise<Buffer> {
  return new Promise(resolve => gzip.flush(zlib.constants.Z_SYNC_FLUSH, () => {
    const chunk = gzip.read() as Buffer | null;
    resolve(chunk ?? Buffer.alloc(0));
  }));
}
