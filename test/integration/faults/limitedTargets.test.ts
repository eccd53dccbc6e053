import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { ProtocolName } from '../../../server/api/conversation.ts';
import type { EndpointSettings } from '../../../server/api/settings.ts';
import { protocolNames } from '../../../server/api/conversation.ts';
import { startSandboxProvider, type SandboxProvider } from '../../../server/sandbox/sandboxProvider.ts';
import { sandboxProtocols } from '../../../server/sandbox/wires/sandboxWire.ts';
import { callers, readAnswer } from '../../faultwall/callers/callers.ts';
import { EditorDoor } from '../support/editorDoor.ts';
import { rawRequest, type RawAnswer } from '../support/rawClient.ts';
import { sandboxEndpoint } from '../support/sandboxPair.ts';
import { startTestRouter, type TestRouter } from '../support/testRouter.ts';

/** What OpenAI says of a limit on tokens: asked again soon, and full again much later. */
const soonAndLate = {
  'retry-after': '1', 'x-ratelimit-limit-tokens': '30000', 'x-ratelimit-remaining-tokens': '0', 'x-ratelimit-reset-tokens': '6m0s',
};
const words = 'Too many tokens this minute, said the provider.';

describe('a limit that the provider named', () => {
  let testRouter: TestRouter;
  let made = 0;
  const limited = new Map<ProtocolName, SandboxProvider>();
  const provider = (protocol: ProtocolName): SandboxProvider => limited.get(protocol) ?? assert.fail();
  before(async () => {
    for (const protocol of sandboxProtocols) limited.set(protocol, await startSandboxProvider({ protocol, name: protocol }));
    testRouter = await startTestRouter({ endpoints: {} });
  });
  after(async () => {
    await testRouter.close();
    await Promise.all([...limited.values()].map(one => one.close()));
  });

  /** Nothing is known of the endpoints, and all of them answer well. */
  async function fresh(settings: Partial<EndpointSettings> = {}, targets: ProtocolName[] = ['openai-chat', 'anthropic-messages']): Promise<void> {
    for (const one of limited.values()) one.script({ type: 'answer' });
    await testRouter.configure({ endpoints: {} });
    await testRouter.configure({
      // What is known of a key outlives its removal.
      environment: { ONE: `the-only-key-${made += 1}` },
      endpoints: Object.fromEntries([...limited].map(([name, one]) => [name, sandboxEndpoint(one, { keys: ['${ONE}'], ...settings })])),
      routes: { both: { targets: targets.map(name => `${name}/m`) } },
    });
  }

  function ask(protocol: ProtocolName, model: string, stream = false): Promise<RawAnswer> {
    const caller = callers[protocol];
    return rawRequest({
      url: testRouter.url + caller.path(model, stream), headers: caller.headers(testRouter.token), body: JSON.stringify(caller.body({ model, prompt: 'hello', stream })),
    });
  }

  for (const caller of protocolNames) {
    for (const target of sandboxProtocols) {
      for (const stream of [false, true]) {
        it(`does not make a sole target unreachable: ${caller} to ${target}, ${stream ? 'streamed' : 'plain'}`, async () => {
          await fresh();
          const one = provider(target);
          one.script({ type: 'error', error: 'rate-limit', message: words, retryAfter: { form: 'seconds', ms: 300_000 } });
          for (let round = 0; round < 3; round += 1) {
            const seen = one.requests.length;
            const answer = await ask(caller, `${target}/m`, stream);
            assert.equal(answer.status, 429, answer.text);
            assert.equal(one.requests.length, seen + 1, 'the provider is asked');
            const wait = Number(answer.headers['retry-after']);
            assert.ok(wait > 290 && wait <= 300, `retry-after ${wait}`);
            const { error } = readAnswer(caller, answer.text, false);
            assert.ok(error?.message.includes(words), answer.text);
          }
          one.script({ type: 'answer' });
          assert.equal((await ask(caller, `${target}/m`, stream)).status, 200);
          const state = (await testRouter.status()).endpoints.find(({ name }) => name === target);
          assert.deepEqual([state?.keys[0]?.state, state?.condition.kind], ['ok', 'healthy'], 'an answer ends what was said before');
        });
      }
    }
  }

  for (const target of ['openai-chat', 'anthropic-messages'] as const) {
    it(`ends with Retry-After, whatever resets stand beside it: ${target}`, async () => {
      await fresh();
      const one = provider(target);
      one.script([{ type: 'error', error: 'rate-limit', headers: soonAndLate }]);
      const first = await ask('openai-chat', `${target}/m`);
      assert.equal(first.status, 200, 'within the patience of the caller the wait is waited for');
      const receipt = await testRouter.receipt(String(first.headers['x-waybill-exchange']));
      assert.deepEqual(receipt.attempts.map(({ failureClass, role }) => [failureClass, role]), [['rate-limit', undefined], [undefined, undefined]]);
    });
  }

  it('that came with a good answer does not keep a sole target away either', async () => {
    await fresh();
    const one = provider('openai-chat');
    one.script({ type: 'answer', headers: { 'x-ratelimit-limit-requests': '60', 'x-ratelimit-remaining-requests': '0', 'x-ratelimit-reset-requests': '6m0s' } });
    for (let round = 0; round < 3; round += 1) assert.equal((await ask('openai-responses', 'openai-chat/m')).status, 200);
  });

  it('moves the target behind the others of its route', async () => {
    await fresh();
    const one = provider('openai-chat');
    one.script({ type: 'error', error: 'rate-limit', headers: { ...soonAndLate, 'retry-after': '600' } });
    assert.equal((await ask('openai-chat', 'both')).headers['x-waybill-target'], 'anthropic-messages/m');
    const seen = one.requests.length;
    assert.equal((await ask('openai-chat', 'both')).headers['x-waybill-target'], 'anthropic-messages/m');
    assert.equal(one.requests.length, seen);
    one.script({ type: 'answer' });
    provider('anthropic-messages').script({ type: 'error', error: 'server' });
    assert.equal((await ask('openai-chat', 'both')).headers['x-waybill-target'], 'openai-chat/m', 'the last one left is asked');
  });

  it('of two targets, each limited, leads to the one that is available first', async () => {
    await fresh();
    provider('openai-chat').script({ type: 'error', error: 'rate-limit', retryAfter: { form: 'seconds', ms: 900_000 } });
    provider('anthropic-messages').script({ type: 'error', error: 'rate-limit', message: words, retryAfter: { form: 'seconds', ms: 120_000 } });
    assert.equal((await ask('gemini', 'both')).status, 429);
    const [later, sooner] = [provider('openai-chat').requests.length, provider('anthropic-messages').requests.length];
    const answer = await ask('gemini', 'both');
    assert.equal(answer.status, 429);
    assert.ok(Number(answer.headers['retry-after']) <= 120 && answer.text.includes(words), answer.text);
    assert.deepEqual([provider('openai-chat').requests.length, provider('anthropic-messages').requests.length], [later, sooner + 1]);
  });

  it('is no reason for a flood: one request at a time finds out, the others get the answer at once', async () => {
    await fresh();
    const one = provider('anthropic-messages');
    one.script({ type: 'error', error: 'rate-limit', retryAfter: { form: 'seconds', ms: 300_000 } });
    assert.equal((await ask('anthropic-messages', 'anthropic-messages/m')).status, 429);
    const seen = one.requests.length;
    const answers = await Promise.all(Array.from({ length: 40 }, () => ask('anthropic-messages', 'anthropic-messages/m')));
    assert.ok(one.requests.length - seen <= 6, `${one.requests.length - seen} requests were sent`);
    for (const { status, headers, text } of answers) {
      assert.equal(status, 429, text);
      assert.ok(Number(headers['retry-after']) > 290, text);
      assert.match(text, /rate_limit_error/);
    }
  });

  it('leaves limits of the user as they are', async () => {
    await fresh({ limits: { requestsPerMinute: 1 } });
    const one = provider('openai-chat');
    assert.equal((await ask('openai-chat', 'openai-chat/m')).status, 200);
    const seen = one.requests.length;
    const answer = await ask('openai-chat', 'openai-chat/m');
    assert.equal(answer.status, 503);
    assert.match(answer.text, /its own limit of 1 requests a minute is used up/);
    assert.equal(one.requests.length, seen);
    await fresh({ limits: { perKey: { requestsPerMinute: 1 } } });
    one.script({ type: 'error', error: 'rate-limit', retryAfter: { form: 'seconds', ms: 300_000 } });
    assert.equal((await ask('openai-chat', 'openai-chat/m')).status, 429);
    const limitedOnce = one.requests.length;
    assert.match((await ask('openai-chat', 'openai-chat/m')).text, /used up|rate-limited/);
    assert.equal(one.requests.length, limitedOnce, "the user's limit for the key holds beside the provider's");
  });

  it('is passed on in the editor, with the words of the provider', async () => {
    await fresh();
    const door = new EditorDoor(testRouter.testRouter);
    try {
      await door.open();
      const one = provider('gemini');
      one.script({ type: 'error', error: 'rate-limit', message: words, retryAfter: { form: 'seconds', ms: 300_000 } });
      for (let round = 0; round < 2; round += 1) {
        const { result } = await door.chat('gemini/m', { system: [], messages: [{ role: 'user', content: [{ type: 'text', text: 'hello' }] }], tools: [] });
        assert.equal(result.error?.failureClass, 'rate-limit');
        assert.ok(result.error?.message.includes(words), result.error?.message);
      }
      assert.equal(one.requests.filter(({ method }) => method === 'POST').length >= 2, true);
      one.script({ type: 'answer' });
      const { result } = await door.chat('gemini/m', { system: [], messages: [{ role: 'user', content: [{ type: 'text', text: 'hello' }] }], tools: [] });
      assert.equal(result.outcome, 'ok');
    } finally {
      door.close();
    }
  });
});
