import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import type { ConversationEvent } from '../../../server/api/conversation.ts';
import type { ByteSink, ExchangeFailure, ReaderSink, RequestBody } from '../../../server/exchange/request.ts';
import { startTestRouter, type TestRouter } from '../support/testRouter.ts';

/** Provider families that offer completions, with the path below the address; Mistral's answer in the shape of a chat. */
const completionPaths: readonly (readonly [provider: string, path: string, chatShaped?: true])[] = [
  ['openai', '/v1/completions'], ['deepseek', '/beta/completions'], ['mistral', '/v1/fim/completions', true], ['codestral', '/v1/fim/completions', true],
  ['openrouter', '/v1/completions'], ['ollama', '/v1/completions'], ['lmstudio', '/v1/completions'], ['openai-compatible', '/v1/completions'],
];
const embeddingProviders = ['openai', 'mistral', 'ollama', 'lmstudio', 'openai-compatible'];

const asked: { path: string; body: Record<string, unknown> }[] = [];
const provider = createServer((request, response) => {
  let sent = '';
  request.setEncoding('utf8').on('data', (piece: string) => { sent += piece; }).on('end', () => {
    const path = request.url ?? '';
    const body = JSON.parse(sent) as Record<string, unknown>;
    asked.push({ path, body });
    const usage = { prompt_tokens: 7, completion_tokens: 3, total_tokens: 10 };
    const chatShaped = path.includes('/fim/');
    const answer = path.endsWith('/embeddings') ? { object: 'list', model: 'm', data: [{ object: 'embedding', index: 0, embedding: [0.5, 0.25] }], usage }
      : chatShaped ? { id: 'c', object: 'chat.completion', model: 'm', choices: [{ index: 0, message: { role: 'assistant', content: 'return a + b;' }, finish_reason: 'stop' }], usage }
      : { id: 'c', object: 'text_completion', model: 'm', choices: [{ index: 0, text: 'return a + b;', finish_reason: 'stop' }], usage };
    if (body['stream'] !== true) {
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
      return;
    }
    const chunk = (text: string, reason: string | null): object => ({
      id: 'c', object: chatShaped ? 'chat.completion.chunk' : 'text_completion', model: 'm',
      choices: [{ index: 0, ...(chatShaped ? { delta: { content: text } } : { text }), finish_reason: reason }],
    });
    response.writeHead(200, { 'content-type': 'text/event-stream' }).end(`${[chunk('return ', null), chunk('a + b;', 'stop')].map(one => `data: ${JSON.stringify(one)}\n\n`).join('')}data: [DONE]\n\n`);
  });
});
let testRouter: TestRouter;

before(async () => {
  provider.listen(0, '127.0.0.1');
  await once(provider, 'listening');
  const origin = `http://127.0.0.1:${String((provider.address() as AddressInfo).port)}`;
  const names = [...new Set([...completionPaths.map(([name]) => name), ...embeddingProviders])];
  testRouter = await startTestRouter({
    environment: { TEST_KEY: 'key-for-the-test-0001' },
    endpoints: {
      ...Object.fromEntries(names.map(name => [name, {
        provider: name, baseUrl: `${origin}/v1`, probe: { enabled: false }, models: { m: { upstream: 'inner' } }, keys: ['${TEST_KEY}'],
      }])),
      claude: { provider: 'anthropic', baseUrl: origin, probe: { enabled: false }, models: { m: {} }, keys: ['${TEST_KEY}'] },
    },
  });
});
after(async () => {
  await testRouter.close();
  provider.closeAllConnections();
  provider.close();
});

interface Answer { text: string; body: unknown; failure: ExchangeFailure | undefined }

/** Sends a request that never was HTTP, as an inbound side for editors does. */
function send(requestedModel: string, body: RequestBody, stream: boolean): Promise<Answer> {
  const { router } = testRouter.testRouter;
  return new Promise(resolve => {
    const answer: Answer = { text: '', body: undefined, failure: undefined };
    const common = {
      events(events: readonly ConversationEvent[]) {
        for (const event of events) if (event.type === 'text') answer.text += event.text;
        return true;
      },
      end: () => resolve(answer),
      fail: (failure: ExchangeFailure) => resolve({ ...answer, failure }),
    };
    const reader: ReaderSink = { ...common, kind: 'reader', restart: () => undefined, ask: () => Promise.resolve(false) };
    const bytes: ByteSink = { ...common, kind: 'bytes', begin: () => undefined, bytes: () => true, keepAlive: () => undefined, buffered: whole => { answer.body = JSON.parse(whole.toString('utf8')); } };
    router.create({
      id: router.newId(), inbound: 'lsp', protocol: 'editor', requestedModel, stream, caller: { tool: 'test', purpose: 'inline' }, patienceMs: 0, body,
      requirements: { tools: false, images: false, documents: false, jsonSchema: false, estimatedInputTokens: 10 },
    }, body.kind === 'embedding' ? bytes : reader).start();
  });
}

describe('a completion without HTTP bytes', () => {
  for (const [name, path] of completionPaths) {
    for (const stream of [true, false]) {
      it(`goes to ${name} at ${path}, ${stream ? 'streamed' : 'buffered'}, and its text comes back as events`, async () => {
        const { text, failure } = await send(`${name}/m`, { kind: 'completion', request: { prompt: 'function add(a, b) {', suffix: '}', maxOutputTokens: 20, temperature: 0, stop: ['\n\n'] } }, stream);
        assert.equal(failure?.error.message, undefined);
        assert.equal(text, 'return a + b;');
        assert.deepEqual(asked.at(-1), { path, body: { model: 'inner', prompt: 'function add(a, b) {', suffix: '}', max_tokens: 20, temperature: 0, stop: ['\n\n'], stream } });
      });
    }
  }

  it('is refused where no target offers completions', async () => {
    const { failure } = await send('claude/m', { kind: 'completion', request: { prompt: 'x' } }, true);
    assert.match(failure?.error.message ?? '', /offers no text completions/);
  });
});

describe('an embedding without HTTP bytes', () => {
  for (const name of embeddingProviders) {
    it(`goes to ${name}, and the vectors come back as they are`, async () => {
      const { body, failure } = await send(`${name}/m`, { kind: 'embedding', request: { input: ['one', 'two'] } }, false);
      assert.equal(failure?.error.message, undefined);
      assert.deepEqual((body as { data: { embedding: number[] }[] }).data[0]?.embedding, [0.5, 0.25]);
      assert.deepEqual(asked.at(-1), { path: '/v1/embeddings', body: { model: 'inner', input: ['one', 'two'] } });
    });
  }

  it('is refused where no target offers embeddings', async () => {
    const { failure } = await send('claude/m', { kind: 'embedding', request: { input: ['x'] } }, false);
    assert.match(failure?.error.message ?? '', /offers no embeddings/);
  });
});
