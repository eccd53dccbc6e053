import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { LLMock } from '@copilotkit/aimock';
import { protocolNames, type ConversationRequest } from '../../../server/api/conversation.ts';
import { completeCalls } from '../../../server/protocols/events.ts';
import { converse, type CallerAnswer } from '../support/codecCaller.ts';
import { weatherSchema } from '../support/fourProviders.ts';
import { startTestRouter, type TestRouter } from '../support/testRouter.ts';

/** An upstream of another author. It does not share mistakes that the server and the simulated providers of this project may have in common. */
describe('aimock as the provider', () => {
  const mock = new LLMock({ port: 0, logLevel: 'silent' });
  let testRouter: TestRouter;

  before(async () => {
    mock.on({ hasToolResult: true }, { content: 'It is sunny in Rome and raining in Oslo.' });
    mock.onMessage('hello', { content: 'Hello from somebody else, in enough words for several pieces.' });
    mock.onMessage('weather', { toolCalls: [{ name: 'look_up', arguments: '{"place":"Rome","day":3}' }, { name: 'look_up', arguments: '{"place":"Oslo"}' }] });
    await mock.start();
    const upstreams = { gemini: 'gemini-3.8-flash', 'anthropic-messages': 'claude-sonnet-4-5', 'openai-chat': 'gpt-4.1', 'openai-responses': 'gpt-4.1' };
    testRouter = await startTestRouter({
      endpoints: Object.fromEntries(protocolNames.map(protocol => [protocol, {
        provider: 'sandbox', protocol, baseUrl: protocol.startsWith('openai') ? `${mock.url}/v1` : mock.url, probe: { enabled: false }, models: { m: { upstream: upstreams[protocol] } },
      }])),
    });
  });
  after(async () => {
    await testRouter.close();
    await mock.stop();
  });

  for (const caller of protocolNames) for (const target of protocolNames) {
    const ask = (request: ConversationRequest, stream: boolean): Promise<CallerAnswer> => converse(testRouter, { caller, model: `${target}/m`, request, stream });
    const said = (text: string): ConversationRequest => ({ system: [], messages: [{ role: 'user', content: [{ type: 'text', text }] }], tools: [] });
    const withTools = (request: ConversationRequest): ConversationRequest => ({ ...request, tools: [{ name: 'look_up', description: 'Weather.', parameters: weatherSchema }] });

    describe(`asked by a caller that speaks ${caller} through ${target}`, () => {
      for (const stream of [false, true]) {
        const how = stream ? 'a stream' : 'a plain answer';

        it(`gives its text in ${how}`, async () => {
          const reply = await ask(said('hello'), stream);
          assert.equal(reply.text, 'Hello from somebody else, in enough words for several pieces.', reply.raw.slice(0, 500));
          assert.ok(reply.complete);
          assert.equal(reply.answer.finish?.reason, 'end');
        });

        it(`gives its tool calls in ${how}, and understands their results`, async () => {
          const asked = withTools(said('the weather, please'));
          const first = await ask(asked, stream);
          const calls = completeCalls(first.answer);
          assert.deepEqual(calls.map(call => [call.name, JSON.parse(call.arguments) as unknown]), [['look_up', { place: 'Rome', day: 3 }], ['look_up', { place: 'Oslo' }]], first.raw.slice(0, 500));
          assert.equal(first.answer.finish?.reason, 'tool-calls');
          assert.equal(new Set(calls.map(call => call.id)).size, 2);
          const results = calls.map(call => ({ type: 'tool-result' as const, callId: call.id, name: call.name, content: [{ type: 'text' as const, text: 'fine' }] }));
          const second = await ask({ ...asked, messages: [...asked.messages, { role: 'assistant', content: calls.map(({ id, name, arguments: text }) => ({ type: 'tool-call', id, name, arguments: text })) }, { role: 'user', content: results }] }, stream);
          assert.equal(second.text, 'It is sunny in Rome and raining in Oslo.', second.raw.slice(0, 500));
        });
      }
    });
  }
});
