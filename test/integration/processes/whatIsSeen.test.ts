import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import OpenAI from 'openai';
import { startTestRouter, type TestRouter } from '../support/testRouter.ts';

/** Providers by the first part of the path: `good` answers, `limited` says 429 and quotes the prompt, `declines` refuses in words. */
let provider: Server;
let testRouter: TestRouter;
const prompt = 'the plan nobody may read';

before(async () => {
  provider = createServer((request, response) => {
    request.resume();
    const [, who] = (request.url ?? '').split('/');
    if (who === 'limited') {
      response.writeHead(429, { 'content-type': 'application/json', 'retry-after': '30' }).end(JSON.stringify({ error: { message: `too many: ${prompt}` } }));
      return;
    }
    const declines = who === 'declines';
    const message = declines ? { role: 'assistant', content: null, refusal: 'I will not.' } : { role: 'assistant', content: 'Yes.' };
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({
      id: 'c', object: 'chat.completion', created: 1, model: 'm', choices: [{ index: 0, message, finish_reason: declines ? 'content_filter' : 'stop' }],
      usage: { prompt_tokens: 7, completion_tokens: 3, total_tokens: 10 },
    }));
  });
  await new Promise<void>(resolve => { provider.listen(0, '127.0.0.1', resolve); });
  const { port } = provider.address() as AddressInfo;
  const endpoint = (name: string) => ({ provider: 'openai-compatible', baseUrl: `http://127.0.0.1:${port}/${name}`, probe: { enabled: false }, models: { m: {} } });
  testRouter = await startTestRouter({
    endpoints: { limited: endpoint('limited'), good: endpoint('good'), declines: endpoint('declines') },
    routes: { default: { targets: ['limited/m', 'good/m'] } },
  });
});
after(async () => {
  await testRouter.close();
  await new Promise(resolve => provider.close(resolve));
});

const ask = (model: string) => new OpenAI({ baseURL: `${testRouter.url}/v1`, apiKey: testRouter.token, maxRetries: 0 })
  .chat.completions.create({ model, messages: [{ role: 'user', content: prompt }] }).withResponse();

test('the log has a failover with its class and status, an unknown name, and no part of the prompt', async () => {
  await ask('default');
  await assert.rejects(ask('nope'));
  const { text } = testRouter.log;
  assert.match(text, /^warn: Request \S+: attempt 1 at limited\/m failed: rate limited \(429\), after \d+ ms\.$/m);
  assert.match(text, /^info: Request \S+ for "default": good\/m answered after 1 failed attempt, in \d+ ms\.$/m);
  assert.match(text, /^warn: Request \S+ for "nope" was not sent: model not found\.$/m);
  assert.ok(!text.includes(prompt), text);
});

test('the state says what the failover did, in words that stay the same while time passes', async () => {
  const limited = (await testRouter.status()).endpoints.find(endpoint => endpoint.name === 'limited');
  assert.equal(limited?.condition.kind, 'rate-limited');
  assert.ok((limited.condition.until ?? 0) > Date.now());
  assert.deepEqual((await testRouter.status()).offered.find(one => one.id === 'route:default')?.detail, '1/2 up · via good');
});

test('an answer that declines is recorded as one, is paid for, and does not count against its provider', async () => {
  const { response } = await ask('declines/m');
  const receipt = await testRouter.receipt(response.headers.get('x-waybill-exchange') ?? '');
  assert.deepEqual([receipt.outcome, receipt.failureClass], ['ok', 'content-policy']);
  assert.deepEqual(receipt.attempts.map(({ outcome, failureClass, usage }) => [outcome, failureClass, usage.outputTokens]), [['ok', 'content-policy', 3]]);
  assert.equal((await testRouter.status()).endpoints.find(endpoint => endpoint.name === 'declines')?.condition.kind, 'healthy');
});
