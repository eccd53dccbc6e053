import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { rawRequest } from '../support/rawClient.ts';
import { startRefusingProvider, type RefusingProvider } from '../support/refusingProvider.ts';
import { startTestRouter, type TestRouter } from '../support/testRouter.ts';

const summary = 'Summarize these meeting notes in three bullets: we met, we talked, we left.';
const law = 'Is the non-compete clause in this employment contract enforceable in court?';

/** A question in each caller's protocol. */
const callers: Record<string, { path(model: string, stream: boolean): string; body(model: string, text: string, stream: boolean): unknown }> = {
  'Chat': { path: () => '/v1/chat/completions', body: (model, content, stream) => ({ model, stream, messages: [{ role: 'user', content }] }) },
  'Responses': { path: () => '/v1/responses', body: (model, input, stream) => ({ model, stream, input }) },
  'Messages': { path: () => '/v1/messages', body: (model, content, stream) => ({ model, stream, max_tokens: 1000, messages: [{ role: 'user', content }] }) },
  'Gemini': { path: (model, stream) => `/v1beta/models/${model}:${stream ? 'streamGenerateContent?alt=sse' : 'generateContent'}`, body: (_, text) => ({ contents: [{ role: 'user', parts: [{ text }] }] }) },
};

describe('a route that goes by what a request is for', () => {
  let provider: RefusingProvider;
  let router: TestRouter;

  before(async () => {
    provider = await startRefusingProvider('openai-chat');
    const endpoint = { provider: 'openai-compatible', baseUrl: provider.url, probe: { enabled: false }, models: { usual: {}, small: {}, large: {}, helper: {} } };
    router = await startTestRouter({
      endpoints: { it: endpoint },
      routes: { coding: { targets: ['it/usual'], byRole: { subagent: 'it/helper' }, byKind: { 'low-cost': 'cheap', 'high-quality': 'it/large' } }, cheap: { targets: ['it/small'] } },
    });
  });
  after(async () => {
    await router.close();
    await provider.close();
  });

  async function send(caller: string, text: string, stream: boolean, headers: Record<string, string> = {}, model = 'coding'): Promise<{ got: unknown; exchange: string }> {
    const { path, body } = callers[caller] ?? assert.fail();
    provider.got.length = 0;
    const answer = await rawRequest({ url: `${router.url}${path(model, stream)}`, headers: { authorization: `Bearer ${router.token}`, ...headers }, body: JSON.stringify(body(model, text, stream)) });
    assert.equal(answer.status, 200, answer.text);
    return { got: provider.got[0]?.body.model, exchange: String(answer.headers['x-waybill-exchange'] ?? answer.headers['x-waybill-exchange-id']) };
  }

  for (const caller of Object.keys(callers)) {
    test(`${caller}: text, header and name`, async () => {
      for (const stream of [true, false]) {
        assert.equal((await send(caller, summary, stream)).got, 'small');
        assert.equal((await send(caller, law, stream)).got, 'large');
        assert.equal((await send(caller, law, stream, { 'x-waybill-kind': 'balanced' })).got, 'usual');
        assert.equal((await send(caller, law, stream, { 'x-claude-code-request-class': 'subagent' })).got, 'helper');
      }
      assert.equal((await send(caller, law, true, {}, 'coding:low-cost')).got, 'small');
    });
  }

  test('its receipt says why, and the ledger who asked', async () => {
    const { exchange } = await send('Messages', summary, true);
    const { plan, caller } = await router.receipt(exchange);
    assert.deepEqual(plan.purpose, { role: 'main', kind: 'low-cost', why: 'it asks for a summary', entry: 'byKind.low-cost', first: 'cheap' });
    assert.equal(caller.purpose, 'main');
  });
});
