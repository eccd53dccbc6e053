import assert from 'node:assert/strict';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import type { ConversationRequest } from '../../../server/api/conversation.ts';
import type { Receipt } from '../../../server/api/receipt.ts';
import { EditorDoor } from '../support/editorDoor.ts';
import { rawRequest, type RawAnswer } from '../support/rawClient.ts';
import { until } from '../support/serverProcess.ts';
import { startTestRouter, type TestRouter } from '../support/testRouter.ts';

/** A provider that answers what the test wants. */
class Liar {
  list = '{"data":[]}';
  answer: (response: ServerResponse) => void = response => void response.writeHead(500).end();
  readonly #server: Server = createServer((request, response) => {
    request.resume();
    if (request.url?.endsWith('/models') === true) response.writeHead(200, { 'content-type': 'application/json' }).end(this.list);
    else this.answer(response);
  });

  async listen(): Promise<void> {
    await new Promise<void>(resolve => this.#server.listen(0, '127.0.0.1', resolve));
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/v1`;
  }

  /** Answers with one plain chat completion. */
  says(usage: unknown, headers: Record<string, string> = {}): void {
    this.answer = response => void response.writeHead(200, { 'content-type': 'application/json', ...headers }).end(JSON.stringify({
      id: 'c', object: 'chat.completion', created: 1, model: 'm', choices: [{ index: 0, message: { role: 'assistant', content: 'hello' }, finish_reason: 'stop' }], usage,
    }));
  }

  /** Answers with a stream: one word, and then this text again and again until the connection is closed. */
  floods(text: string, everyMs?: number): void {
    this.answer = response => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(word);
      const pour = (): void => {
        while (!response.destroyed && response.write(text));
      };
      if (everyMs === undefined) {
        response.on('drain', pour);
        pour();
      } else {
        const timer = setInterval(() => response.write(text), everyMs);
        response.on('close', () => clearInterval(timer));
      }
    };
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

/** Prices as JSON that no model has. */
const oddPrices = ['"1e300"', '1e300', '-1', '"NaN"', '"Infinity"', '{}', '[]', 'null', '"free"'];

const chunk = (delta: object): string => `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', model: 'm', choices: [{ index: 0, delta }] })}\n\n`;
const word = chunk({ content: 'hello ' });

const believable = { prompt_tokens: 100, completion_tokens: 10, total_tokens: 110 };

describe('a provider or a caller that sends absurd data', () => {
  const liar = new Liar();
  let testRouter: TestRouter;

  before(async () => {
    await liar.listen();
    liar.list = `{"data":[${oddPrices.map((price, index) => `{"id":"odd-${index}","context_length":1e300,"pricing":{"prompt":${price},"completion":${price}}}`).join()},{"id":"good","pricing":{"prompt":"0.000001","completion":"0.000002"}}]}`;
    const endpoint = { provider: 'openai-compatible', baseUrl: liar.url, keys: ['k'], breaker: { failures: 1_000, minimumAttempts: 10_000 } };
    testRouter = await startTestRouter({
      endpoints: { liar: { ...endpoint, probe: { enabled: true, intervalMs: 200 } }, still: { ...endpoint, probe: { enabled: false }, timeouts: { idleMs: 100 } } },
      routes: { best: { targets: ['still/m'] } },
    });
  });
  after(async () => {
    await testRouter.close();
    liar.close();
  });

  const ask = (body: object, headers: Record<string, string> = {}): Promise<RawAnswer> => rawRequest({
    url: `${testRouter.url}/v1/chat/completions`, headers: { authorization: `Bearer ${testRouter.token}`, ...headers }, body: JSON.stringify({ messages: [{ role: 'user', content: 'hi' }], ...body }),
  });
  const receiptOf = (answer: RawAnswer): Promise<Receipt> => testRouter.receipt(String(answer.headers['x-waybill-exchange']));
  const spendIsReadable = async (): Promise<void> => {
    const spend = await rawRequest({ url: `${testRouter.url}/waybill/spend`, headers: { authorization: `Bearer ${testRouter.token}` } });
    assert.equal(spend.status, 200, spend.text);
  };

  it('leaves only the cost unknown when its list names impossible prices', async () => {
    liar.says(believable);
    await until('the list was read', async () => (await testRouter.status()).offered.some(({ name }) => name === 'odd-8'));
    for (const [index, price] of oddPrices.entries()) {
      const answer = await ask({ model: `liar/odd-${index}` });
      assert.equal(answer.status, 200, answer.text);
      assert.deepEqual((await receiptOf(answer)).cost, { certainty: 'unknown' }, price);
      await spendIsReadable();
    }
    const answer = await ask({ model: 'liar/good' });
    await until('the next answer was priced', async () => (await receiptOf(answer)).cost.microUsd === 120);
  });

  const operations: readonly { path: (name: string) => string; body: (name: string) => object; length: number }[] = [
    { path: () => '/v1/chat/completions', body: model => ({ model, messages: [] }), length: 1_000_000 },
    { path: () => '/v1/messages', body: model => ({ model, messages: [], max_tokens: 1 }), length: 1_000_000 },
    { path: () => '/v1/messages/count_tokens', body: model => ({ model, messages: [] }), length: 1_000_000 },
    { path: () => '/v1/responses', body: model => ({ model, input: 'hi' }), length: 1_000_000 },
    { path: () => '/v1/completions', body: model => ({ model, prompt: 'hi' }), length: 1_000_000 },
    { path: () => '/v1/embeddings', body: model => ({ model, input: 'hi' }), length: 1_000_000 },
    { path: name => `/v1beta/models/${name}:generateContent`, body: () => ({ contents: [] }), length: 20_000 },
  ];
  for (const { path, body, length } of operations) {
    it(`gets a refusal of its protocol at ${path('…')} for an endless model name, and nothing of it is recorded`, async () => {
      const name = 'n'.repeat(length);
      const answer = await rawRequest({ url: testRouter.url + path(name), headers: { authorization: `Bearer ${testRouter.token}` }, body: JSON.stringify(body(name)) });
      assert.equal(answer.status, 400, answer.text);
      const { error } = JSON.parse(answer.text) as { error: { message: string } };
      assert.match(error.message, /^The model name has \d+ characters and at most 300 are allowed: set "model"/);
      const { text } = await rawRequest({ url: `${testRouter.url}/waybill/exchanges`, headers: { authorization: `Bearer ${testRouter.token}` } });
      assert.ok(!text.includes('nnnnnnnn'));
    });
  }

  it('has its usage recorded as exact only when it adds up', async () => {
    const usages: [usage: object, certainty: string][] = [
      [{ ...believable, cost: 0.5 }, 'exact'],
      [{ ...believable, cost: 1e300 }, 'unknown'],
      [{ ...believable, cost: 0.5, prompt_tokens_details: { cached_tokens: 5000 } }, 'estimated'],
      [{ ...believable, cost: 0.5, total_tokens: 1 }, 'estimated'],
      [{ ...believable, cost: 0.5, prompt_tokens: '100' }, 'estimated'],
      [{ ...believable, cost: 0.5, completion_tokens: -1 }, 'estimated'],
    ];
    for (const [usage, certainty] of usages) {
      liar.says(usage);
      const answer = await ask({ model: 'still/m' });
      assert.equal(answer.status, 200);
      await until(`${JSON.stringify(usage)} is ${certainty}`, async () => {
        const { cost, attempts } = await receiptOf(answer);
        return cost.certainty === certainty && attempts[0]?.usageEstimated === (certainty === 'estimated');
      });
      await spendIsReadable();
    }
  });

  it('gets a refusal in the editor for a model name of 1 MB', async () => {
    const door = new EditorDoor(testRouter.testRouter);
    await door.open();
    const conversation: ConversationRequest = { system: [], messages: [{ role: 'user', content: [{ type: 'text', text: 'hi' }] }], tools: [] };
    const { result } = await door.chat('n'.repeat(1_000_000), conversation);
    assert.equal(result.outcome, 'failed');
    assert.match(result.error?.message ?? '', /at most 300 are allowed/);
    door.close();
  });

  for (const name of ['constructor', '__proto__', 'toString', 'hasOwnProperty']) {
    it(`may use the name ${name}, a property of every object, for a model and an encoding`, async () => {
      liar.says(believable);
      for (const [model, status] of [[`still/${name}`, 200], [name, 404]] as const) {
        const answer = await ask({ model });
        assert.equal(answer.status, status, answer.text);
      }
      assert.equal((await ask({ model: 'still/m' }, { 'content-encoding': name })).status, 415);
    });
  }

  it('may send a body in a hundred thousand pieces of one byte', async () => {
    liar.says(believable);
    const body = JSON.stringify({ model: 'still/m', messages: [{ role: 'user', content: 'x'.repeat(100_000) }] });
    const { hostname, port } = new URL(testRouter.url);
    const text = await new Promise<string>((resolve, reject) => {
      const socket = connect(Number(port), hostname, () => {
        socket.write(`POST /v1/chat/completions HTTP/1.1\r\nhost: ${hostname}:${port}\r\nauthorization: Bearer ${testRouter.token}\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n`);
        socket.write(`${[...body].map(letter => `1\r\n${letter}\r\n`).join('')}0\r\n\r\n`);
      });
      let seen = '';
      socket.setEncoding('utf8').on('data', (piece: string) => { seen += piece; }).on('end', () => resolve(seen)).on('error', reject);
    });
    assert.match(text, /^HTTP\/1\.1 200 /);
    assert.match(text, /hello/);
  });

  it('has its labels shortened, and different labels stay different', async () => {
    liar.says(believable);
    const long = 'c'.repeat(8_000);
    const receipts = [];
    for (const end of ['1', '2']) {
      const answer = await ask({ model: 'still/m' }, { 'x-waybill-conversation': long + end, 'x-waybill-tool': long + end, 'x-waybill-workspace': long + end, 'x-waybill-purpose': long + end });
      assert.equal(answer.status, 200, answer.text);
      receipts.push(await receiptOf(answer));
    }
    const [one, other] = receipts.map(({ caller }) => Object.values(caller));
    one?.forEach((label, index) => {
      assert.ok(String(label).length <= 100);
      assert.notEqual(label, other?.[index]);
    });
  });

  const floods: readonly [what: string, text: string][] = [
    ['comments', ': nothing to say\n'.repeat(1_000)], ['comments with blank lines', ': nothing to say\n\n'.repeat(1_000)], ['a comment without an end', 'x'.repeat(16_000)], ['unknown fields', 'field: value\n'.repeat(1_000)],
    ['empty data', 'data:\n'.repeat(1_000)], ['blank lines', '\n'.repeat(16_000)], ['an event without an end', `data: ${'x'.repeat(16_000)}\n`], ['bare JSON', '{"a":1}\n'.repeat(1_000)],
    ['unreadable data', 'data: {x\n\n'.repeat(1_000)], ['words for data', 'data: ping\n\n'.repeat(1_000)], ['halves of JSON', '[]x]\n'.repeat(1_000)],
    ['pings', 'data: {"choices":[]}\n\n'.repeat(1_000)], ['text without an end', chunk({ content: 'x'.repeat(10_000) })],
    ['tool calls without an end', chunk({ tool_calls: [{ id: 'a', function: { name: 'f', arguments: '' } }] }).repeat(10)],
    ['arguments without a name', chunk({ tool_calls: [{ index: 0, function: { arguments: 'x'.repeat(10_000) } }] })],
  ];
  for (const [what, text] of floods) for (const path of ['/v1/chat/completions', '/v1/messages']) {
    it(`may flood a stream with ${what}: the answer ends with a failure at ${path}, and the next one is served`, async () => {
      liar.floods(text);
      let bytes = 0;
      const answer = await rawRequest({
        url: testRouter.url + path, headers: { authorization: `Bearer ${testRouter.token}` }, onChunk: piece => { bytes += piece.length; },
        body: JSON.stringify({ model: 'liar/m', stream: true, max_tokens: 10, messages: [{ role: 'user', content: 'hi' }] }),
      });
      assert.ok(!answer.endedCleanly || !answer.text.includes('[DONE]'));
      const { attempts } = await receiptOf(answer);
      assert.equal(attempts[0]?.failureClass, 'server', attempts[0]?.message);
      assert.match(attempts[0]?.message ?? '', /larger than|much that/);
      liar.says(believable);
      assert.equal((await ask({ model: 'still/m' })).status, 200);
    });
  }

  it('does not keep a stream alive with comments alone', async () => {
    liar.floods(': still here\n\n', 10);
    const answer = await rawRequest({
      url: `${testRouter.url}/v1/chat/completions`, headers: { authorization: `Bearer ${testRouter.token}` }, body: JSON.stringify({ model: 'still/m', stream: true, messages: [{ role: 'user', content: 'hi' }] }),
    });
    assert.equal((await receiptOf(answer)).attempts[0]?.failureClass, 'timeout');
  });

  const calls = Array.from({ length: 30_000 }, (_, index) => ({ id: `call_${index}`, type: 'function', function: { name: 'f', arguments: '{}' } }));
  const excesses: Record<string, object> = {
    calls: { role: 'assistant', content: null, tool_calls: calls },
    text: { role: 'assistant', content: 'x'.repeat(17 * 1024 * 1024) },
  };
  for (const [name, message] of Object.entries(excesses)) for (const path of ['/v1/messages', '/v1/responses']) {
    it(`may not send more ${name} in a plain answer than in a stream (${path})`, async () => {
      const body = JSON.stringify({ id: 'c', object: 'chat.completion', created: 1, model: 'm', choices: [{ index: 0, message, finish_reason: 'stop' }], usage: believable });
      liar.answer = response => void response.writeHead(200, { 'content-type': 'application/json' }).end(body);
      const asked = path === '/v1/messages' ? { messages: [{ role: 'user', content: 'hi' }], max_tokens: 10 } : { input: 'hi' };
      const answer = await rawRequest({ url: testRouter.url + path, headers: { authorization: `Bearer ${testRouter.token}` }, body: JSON.stringify({ model: 'still/m', stream: true, ...asked }) });
      assert.equal(answer.status, 503, answer.text.slice(0, 300));
      assert.match((await receiptOf(answer)).attempts[0]?.message ?? '', /larger than is accepted/);
      liar.says(believable);
    });
  }

  for (const wait of ['99999999999999999999', '1e300', '-1', 'Fri, 20 Nov 9999 12:00:30 GMT', '99999999999d']) {
    it(`may ask for a wait of ${wait}: the failure reaches the caller, and its receipt stays readable`, async () => {
      liar.answer = response => void response.writeHead(400, { 'content-type': 'application/json', 'retry-after': wait, 'x-ratelimit-remaining-constructor': '0', 'x-ratelimit-remaining-__proto__': '0' })
        .end(JSON.stringify({ error: { message: 'no', retry_after: 1e300, retry_after_ms: 9e15 } }));
      const answer = await ask({ model: 'best' });
      assert.equal(answer.status, 400);
      assert.equal((await receiptOf(answer)).attempts[0]?.retryAfterMs, undefined);
      liar.says(believable);
      assert.equal((await ask({ model: 'best' })).status, 200);
    });
  }
});
