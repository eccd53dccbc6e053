import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { protocolNames, type ConversationRequest, type ProtocolName } from '../../../server/api/conversation.ts';
import { bodyOf, headersOf, pathOf, readCallerAnswer } from '../support/codecCaller.ts';
import { rawRequest } from '../support/rawClient.ts';
import { startRefusingProvider, type RefusingProvider } from '../support/refusingProvider.ts';
import { startTestRouter, type TestRouter } from '../support/testRouter.ts';

const conversation: ConversationRequest = { system: [], messages: [{ role: 'user', content: [{ type: 'text', text: 'tell me of the sea' }] }], maxOutputTokens: 100, tools: [] };

describe('a route that leads back to the Waybill that it belongs to', () => {
  let provider: RefusingProvider;
  let first: TestRouter;
  let second: TestRouter;

  before(async () => {
    provider = await startRefusingProvider('openai-chat');
    [first, second] = [await startTestRouter({ endpoints: {} }), await startTestRouter({ endpoints: {} })];
  });
  after(async () => {
    await Promise.all([first.close(), second.close()]);
    await provider.close();
  });
  beforeEach(() => { provider.got.length = 0; });

  /** `there`: the Waybill behind the endpoint `peer` of `here`. */
  async function connect(here: TestRouter, there: TestRouter, targets: string[]): Promise<void> {
    const rest = { probe: { enabled: false } };
    await here.configure({
      endpoints: {
        peer: { provider: 'waybill', baseUrl: `${there.url}/v1`, keys: ['${PEER}'], models: { auto: {}, plain: {} }, ...rest },
        real: { provider: 'openai-compatible', baseUrl: `${provider.url}/v1`, models: { m: {} }, ...rest },
      },
      routes: { auto: { targets }, plain: { targets: ['real/m'] } }, environment: { PEER: there.token },
    });
  }

  async function ask(caller: ProtocolName, model: string, stream: boolean): Promise<{ status: number; text: string; raw: string; attempts: string[] }> {
    const { status, text, headers } = await rawRequest({ url: first.url + pathOf(caller, model, stream), headers: headersOf(caller, first.token), body: JSON.stringify(bodyOf({ caller, model, request: conversation, stream })) });
    const receipt = await first.receipt(String(headers['x-waybill-exchange']));
    const answer = readCallerAnswer(caller, status, text, stream && status === 200);
    return { status, text: answer.text, raw: text, attempts: receipt.attempts.map(one => `${one.endpoint} ${one.failureClass ?? 'ok'} ${String(one.status ?? '')}`) };
  }

  for (const caller of protocolNames) {
    for (const stream of [true, false]) {
      test(`goes on to the next target, ${stream ? 'streamed' : 'plain'} for a caller of ${caller}`, async () => {
        await connect(first, first, ['peer/auto', 'real/m']);
        const answer = await ask(caller, 'auto', stream);
        assert.equal(answer.text, 'all well', answer.raw);
        assert.equal(provider.got.length, 1, 'the inner request went on, the one that came back did not');
      });
    }
  }

  test('over another Waybill ends with one sentence where nothing else is left', async () => {
    await connect(first, second, ['peer/auto']);
    await connect(second, first, ['peer/auto']);
    const answer = await ask('openai-chat', 'auto', false);
    assert.ok(answer.status >= 500, answer.raw);
    assert.match(answer.raw, /has come back to the Waybill that sent it\. Take the endpoint that leads back here out of the route/);
    assert.equal(provider.got.length, 0);
  });

  test('is no chain of Waybills, which is served and says where it was', async () => {
    await connect(first, second, ['peer/plain']);
    await connect(second, first, ['peer/auto']);
    const answer = await ask('anthropic-messages', 'auto', true);
    assert.equal(answer.text, 'all well', answer.raw);
    assert.equal(provider.got[0]?.headers['x-waybill-hops'], undefined, 'no other provider is shown it');
  });

  test('does not count tokens in a circle', async () => {
    await connect(first, first, ['peer/auto']);
    const { status, text } = await rawRequest({ url: `${first.url}/v1/messages/count_tokens`, headers: headersOf('anthropic-messages', first.token), body: JSON.stringify({ model: 'peer/auto', messages: [{ role: 'user', content: 'hi' }] }) });
    assert.deepEqual([status, /"input_tokens":\d+/.test(text)], [200, true]);
  });
});
