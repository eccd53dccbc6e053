import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { protocolNames, type ConversationRequest, type ProtocolName } from '../../../server/api/conversation.ts';
import type { ResponseCacheSettings } from '../../../server/api/settings.ts';
import { startSandboxProvider, type SandboxProvider } from '../../../server/sandbox/sandboxProvider.ts';
import { callers, readAnswer } from '../../faultwall/callers/callers.ts';
import { EditorDoor } from '../support/editorDoor.ts';
import { rawRequest, type RawAnswer } from '../support/rawClient.ts';
import { sandboxEndpoint } from '../support/sandboxPair.ts';
import { startTestRouter, type TestRouter } from '../support/testRouter.ts';

const responseCache: ResponseCacheSettings = {};

describe('answers that a route keeps', () => {
  const targets: Partial<Record<ProtocolName, SandboxProvider>> = {};
  let router: TestRouter;

  before(async () => {
    for (const protocol of protocolNames) targets[protocol] = await startSandboxProvider({ protocol, name: protocol });
    const endpoints = Object.fromEntries(protocolNames.map(protocol => [protocol, sandboxEndpoint(targets[protocol] ?? assert.fail())]));
    router = await startTestRouter({ endpoints, routes: Object.fromEntries(protocolNames.map(protocol => [`kept-${protocol}`, { targets: [`${protocol}/m`], responseCache }])) });
  });
  after(async () => {
    await router.close();
    await Promise.all(Object.values(targets).map(target => target.close()));
  });

  /** A request at temperature 0. */
  function send(caller: ProtocolName, model: string, prompt: string, stream: boolean, headers: Record<string, string> = {}): Promise<RawAnswer> {
    const { path, body, headers: own } = callers[caller];
    const asked = body({ model, prompt, stream });
    if (caller === 'gemini') asked.generationConfig = { ...asked.generationConfig as object, temperature: 0 };
    else asked.temperature = 0;
    return rawRequest({ url: router.url + path(model, stream), method: 'POST', headers: { 'content-type': 'application/json', ...own(router.token), ...headers }, body: JSON.stringify(asked) });
  }

  test('headers of Waybill with an unknown value are named in the answer and its receipt', async () => {
    for (const stream of [true, false]) {
      const answer = await send('openai-chat', 'kept-openai-chat', `which kind ${String(stream)}`, stream, { 'x-waybill-kind': 'expensive' });
      const sentence = 'x-waybill-kind has an unknown value; accepted are low-cost, balanced, high-quality';
      assert.equal(answer.headers['x-waybill-ignored'], sentence);
      assert.deepEqual((await router.receipt(String(answer.headers['x-waybill-exchange']))).plan.ignored, [sentence]);
    }
    assert.equal((await send('openai-chat', 'kept-openai-chat', 'which kind', false, { 'x-waybill-kind': 'balanced' })).headers['x-waybill-ignored'], undefined);
  });

  const stateOf = ({ headers }: RawAnswer): unknown => headers['x-waybill-cache'];

  for (const target of protocolNames) {
    test(`are streamed and plain answers of every caller's protocol, from a target that speaks ${target}`, async () => {
      for (const caller of protocolNames) {
        const provider = targets[target] ?? assert.fail();
        const prompt = `say something to ${caller}`;
        const first = await send(caller, `kept-${target}`, prompt, caller !== 'gemini');
        assert.equal(first.status, 200, first.text);
        assert.equal(stateOf(first), 'miss', first.text);
        const said = readAnswer(caller, first.text, caller !== 'gemini').text;
        assert.notEqual(said, '');
        const before = provider.requests.length;
        const ids = new Set<string>();
        for (const stream of [true, false, true]) {
          const again = await send(caller, `kept-${target}`, prompt, stream);
          const seen = readAnswer(caller, again.text, stream);
          assert.deepEqual([again.status, stateOf(again), seen.text, seen.finished, seen.problems], [200, 'hit', said, true, []], `${caller} ${String(stream)}: ${again.text}`);
          for (const id of seen.openings) ids.add(id);
          const receipt = await router.receipt(String(again.headers['x-waybill-exchange']));
          assert.deepEqual([receipt.cache?.state, receipt.cache?.of, receipt.attempts.length, receipt.cost.microUsd], ['hit', first.headers['x-waybill-exchange'], 0, 0]);
          assert.ok((receipt.cache?.savedMicroUsd ?? 0) > 0);
        }
        assert.equal(provider.requests.length, before, 'nothing was sent');
      }
    });
  }

  test('are the editor\'s, too, and what they saved is in the report of spend and in the state', async () => {
    const door = new EditorDoor(router.testRouter);
    await door.open();
    const conversation: ConversationRequest = { system: [], messages: [{ role: 'user', content: [{ type: 'text', text: 'say something to the editor' }] }], tools: [], temperature: 0 };
    const first = await door.chat('kept-openai-chat', conversation);
    const second = await door.chat('kept-openai-chat', conversation);
    door.close();
    const textOf = ({ events }: typeof first): string => events.flatMap(event => (event.type === 'text' ? [event.text] : [])).join('');
    assert.deepEqual([textOf(second), second.result.outcome, second.result.attempts, second.result.cost.microUsd], [textOf(first), 'ok', 0, 0]);
    const spend = await rawRequest({ url: `${router.url}/waybill/spend?range=today`, method: 'GET', headers: { authorization: `Bearer ${router.token}` } });
    const { cached } = JSON.parse(spend.text) as { cached?: { exchanges: number; savedMicroUsd: number } };
    assert.ok(cached !== undefined && cached.exchanges > 0 && cached.savedMicroUsd > 0, spend.text);
    const status = (await router.status()).responseCaches?.find(({ route }) => route === 'kept-openai-chat');
    assert.ok(status !== undefined && status.hits > 0 && status.savedMicroUsd > 0 && status.bytes > 0);
    const cleared = await rawRequest({ url: `${router.url}/waybill/response-cache`, method: 'POST', headers: { authorization: `Bearer ${router.token}` }, body: '{"action":"clear"}' });
    assert.ok((JSON.parse(cleared.text) as { answers: number }).answers > 0);
    assert.equal(stateOf(await send('openai-chat', 'kept-openai-chat', 'say something to openai-chat', true)), 'miss');
  });

  test('cross no workspace and no tool, and heed what the caller says', async () => {
    const ask = async (headers: Record<string, string> = {}): Promise<unknown> => stateOf(await send('openai-chat', 'kept-openai-chat', 'who may know', false, headers));
    assert.deepEqual([await ask(), await ask(), await ask({ 'x-waybill-workspace': 'shop' }), await ask({ 'x-waybill-tool': 'other' }), await ask({ 'x-waybill-cache': 'off' }), await ask({ 'x-waybill-cache': 'refresh' }), await ask()],
      ['miss', 'hit', 'miss', 'miss', 'bypass', 'refresh', 'hit']);
  });
});
