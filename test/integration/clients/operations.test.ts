import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import OpenAI from 'openai';
import { startTestRouter, type TestRouter } from '../support/testRouter.ts';

/** A provider that only answers completions and embeddings, plainly or as a stream, and keeps what it was sent. */
const asked: { path: string; body: Record<string, unknown> }[] = [];
/** Fields that the provider refuses by name. */
let refused: readonly string[] = [];
let provider: Server;
let testRouter: TestRouter;

function answer(path: string, body: Record<string, unknown>): { type: string; text: string } {
  const usage = { prompt_tokens: 7, completion_tokens: 3, total_tokens: 10 };
  if (path.endsWith('/embeddings')) {
    return { type: 'application/json', text: JSON.stringify({ object: 'list', model: 'm', data: [{ object: 'embedding', index: 0, embedding: [0.5, 0.25] }], usage: { prompt_tokens: 7, total_tokens: 7 } }) };
  }
  const chunk = (text: string, reason: string | null): object => ({ id: 'cmpl-1', object: 'text_completion', created: 1, model: 'm', choices: [{ index: 0, text, logprobs: null, finish_reason: reason }] });
  if (body['stream'] !== true) return { type: 'application/json', text: JSON.stringify({ ...chunk('return a + b;', 'stop'), usage }) };
  return { type: 'text/event-stream', text: `${[chunk('return ', null), chunk('a + b;', 'stop')].map(one => `data: ${JSON.stringify(one)}\n\n`).join('')}data: [DONE]\n\n` };
}

before(async () => {
  provider = createServer((request, response) => {
    let text = '';
    request.setEncoding('utf8').on('data', (piece: string) => { text += piece; }).on('end', () => {
      const body = text === '' ? {} : JSON.parse(text) as Record<string, unknown>;
      asked.push({ path: request.url ?? '', body });
      // Asked for this model, it never answers.
      if (body['model'] === 'silent') return;
      const unknown = refused.find(name => body[name] !== undefined);
      if (unknown !== undefined) {
        response.writeHead(400, { 'content-type': 'application/json' }).end(JSON.stringify({ error: { message: `Unrecognized request argument supplied: ${unknown}`, type: 'invalid_request_error', param: null, code: null } }));
        return;
      }
      const { type, text: answered } = answer(request.url ?? '', body);
      response.writeHead(200, { 'content-type': type }).end(answered);
    });
  });
  await new Promise<void>(resolve => { provider.listen(0, '127.0.0.1', resolve); });
  const { port } = provider.address() as AddressInfo;
  testRouter = await startTestRouter({
    endpoints: { local: { provider: 'openai-compatible', baseUrl: `http://127.0.0.1:${port}/v1`, probe: { enabled: false }, models: { m: { upstream: 'inner', prices: { inputPerMTok: 1, outputPerMTok: 2 } }, silent: {} } } },
    routes: { fill: { targets: ['local/m'] }, slow: { targets: ['local/silent', 'local/m'], hedge: { afterMs: 50 } } },
  });
});
after(async () => {
  await testRouter.close();
  await new Promise(resolve => provider.close(resolve));
});

const client = (): OpenAI => new OpenAI({ baseURL: `${testRouter.url}/v1`, apiKey: testRouter.token, maxRetries: 0 });

test('a gap is filled through a route, with the provider\'s own model name and the suffix as it was', async () => {
  const filled = await client().completions.create({ model: 'fill', prompt: 'function add(a, b) {', suffix: '}', max_tokens: 20 });
  assert.equal(filled.choices[0]?.text, 'return a + b;');
  const last = asked.at(-1);
  assert.equal(last?.path, '/v1/completions');
  assert.deepEqual(last.body, { model: 'inner', prompt: 'function add(a, b) {', suffix: '}', max_tokens: 20 });
});

test('a gap is filled as a stream, and its cost is recorded', async () => {
  let text = '';
  for await (const chunk of await client().completions.create({ model: 'fill', prompt: 'x', stream: true })) text += chunk.choices[0]?.text ?? '';
  assert.equal(text, 'return a + b;');
});

test('embeddings go through with their usage', async () => {
  const vectors = await client().embeddings.create({ model: 'fill', input: 'words', encoding_format: 'float' });
  assert.deepEqual(vectors.data[0]?.embedding, [0.5, 0.25]);
  assert.equal(vectors.usage.prompt_tokens, 7);
});

test('a gap whose first target takes long to begin is filled by the second: inline completions are hedged by default', async () => {
  const { response } = await client().completions.create({ model: 'slow', prompt: 'function add(a, b) {', max_tokens: 20 }).withResponse();
  const receipt = await testRouter.receipt(response.headers.get('x-waybill-exchange') ?? '');
  assert.deepEqual(receipt.attempts.map(({ target, outcome, role }) => [target, outcome, role]), [['local/silent', 'cancelled', undefined], ['local/m', 'ok', 'hedge']]);
});

test('a field that the provider refuses by name is left out of a completion in one more attempt, said in the receipt, and not sent again', async () => {
  refused = ['logit_bias', 'user'];
  asked.length = 0;
  for (const stream of [true, false]) {
    const sent = await fetch(`${testRouter.url}/v1/completions`, {
      method: 'POST', headers: { 'authorization': `Bearer ${testRouter.token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'fill', prompt: 'x', stream, max_tokens: 5, logit_bias: { 50256: -100 }, user: 'u' }),
    });
    assert.equal(sent.status, 200, await sent.text());
    const receipt = await testRouter.receipt(sent.headers.get('x-waybill-exchange') ?? '');
    assert.match(receipt.attempts.at(-1)?.message ?? '', /logit_bias was left out.*user was left out/);
  }
  assert.deepEqual(asked.map(({ body }) => Object.keys(body).filter(name => refused.includes(name))), [['logit_bias', 'user'], ['user'], [], []]);
  assert.equal(asked.at(-1)?.body['max_tokens'], 5);
});

test('a field that the provider refuses by name is left out of a request for embeddings, but not the form of the vectors', async () => {
  refused = ['user'];
  asked.length = 0;
  const embeds = (body: object): Promise<Response> => fetch(`${testRouter.url}/v1/embeddings`, {
    method: 'POST', headers: { 'authorization': `Bearer ${testRouter.token}`, 'content-type': 'application/json' }, body: JSON.stringify({ model: 'fill', input: ['x'], ...body }),
  });
  assert.equal((await embeds({ user: 'u' })).status, 200);
  assert.equal((await embeds({ user: 'u' })).status, 200);
  assert.equal(asked.length, 3);
  for (const field of [{ dimensions: 256 }, { encoding_format: 'base64' }]) {
    refused = Object.keys(field);
    asked.length = 0;
    const answer = await embeds(field);
    assert.deepEqual([answer.status, asked.length], [400, 1]);
    assert.match(await answer.text(), /Unrecognized request argument supplied/);
  }
  refused = [];
});
