import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { protocolNames, type ConversationRequest, type ProtocolName } from '../../../server/api/conversation.ts';
import type { EndpointSettings } from '../../../server/api/settings.ts';
import { isObject, type JsonObject } from '../../../server/base/json.ts';
import { chunkFrame, eventFrame, exceptionFrame } from '../support/bedrock/frames.ts';
import { answerText, claudeFrames, claudeOpening, converseFrames, startBedrock, usage, type Behaviour, type BedrockSimulator } from '../support/bedrock/simulator.ts';
import { bodyOf, headersOf, pathOf, readCallerAnswer, type CallerAnswer } from '../support/codecCaller.ts';
import { EditorDoor } from '../support/editorDoor.ts';
import { rawRequest } from '../support/rawClient.ts';
import { chatAnswer, startRawProvider, type RawProvider } from '../support/rawProvider.ts';
import { startTestRouter, type TestRouter } from '../support/testRouter.ts';

const apiKey = 'ABSKQmVkcm9ja0FQSUtleS1hYmNkZWZnaGlqa2xtbm9wcXJzdHV2d3h5';
const accessKey = { id: 'AKIAIOSFODNN7EXAMPLE', secret: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY', token: 'IQoJb3JpZ2luX2VjEExampleSessionToken==' };
const environment = { API_KEY: apiKey, ACCESS_KEY: `${accessKey.id}:${accessKey.secret}:${accessKey.token}`, OTHER_KEY: 'sk-test-key-aaaaaaaa', WRONG_SECRET: `${accessKey.id}:${'x'.repeat(40)}:${accessKey.token}` };

const claude = 'us.anthropic.claude-sonnet-4-5-20250929-v1:0';
const nova = 'amazon.nova-pro-v1:0';
const gptOss = 'openai.gpt-oss-120b-1:0';

const conversation: ConversationRequest = { system: [{ type: 'text', text: 'be brief' }], messages: [{ role: 'user', content: [{ type: 'text', text: 'tell me of the sea' }] }], tools: [], maxOutputTokens: 500 };

const longName = `mcp__a_server_with_a_rather_long_name__${'find_'.repeat(8)}things`;
/** A history that another provider began, with all that Converse is particular about. */
const difficult: ConversationRequest = {
  system: [{ type: 'text', text: 'be brief', cache: '5m' }],
  messages: [
    { role: 'user', content: [{ type: 'text', text: 'look' }, { type: 'text', text: '  ' }] },
    { role: 'assistant', content: [{ type: 'thinking', text: 'hm', signature: 'c2ln', origin: 'anthropic-messages' }, { type: 'tool-call', id: 'call.1|fc_with:odd/characters', name: longName, arguments: '{"id":9007199254740993123,"ratio":1.0}' }] },
    { role: 'user', content: [{ type: 'tool-result', callId: 'call.1|fc_with:odd/characters', content: [{ type: 'text', text: 'no such file' }], isError: true }] },
    { role: 'user', content: [{ type: 'text', text: 'and now?' }] },
  ],
  tools: [{ name: longName, description: '', parameters: { anyOf: [{ type: 'object', properties: { id: { type: 'integer' } } }] } }],
  toolChoice: { type: 'required' }, temperature: 1.4, topK: 40, seed: 7, maxOutputTokens: 500,
};

interface Seen extends CallerAnswer { id: string; attempts: string }

describe('Amazon Bedrock', () => {
  let bedrock: BedrockSimulator;
  let other: RawProvider;
  let router: TestRouter;
  let editor: EditorDoor;
  let serial = 0;
  /** Endpoints have other names in each test, so that nothing is known of them. */
  let name = '';

  before(async () => {
    bedrock = await startBedrock();
    other = await startRawProvider(({ socket }) => void socket.write(chatAnswer()));
    router = await startTestRouter({ endpoints: {} });
    editor = new EditorDoor(router.testRouter);
    await editor.open();
  });
  after(async () => {
    editor.close();
    await router.close();
    await bedrock.close();
    await other.close();
  });
  beforeEach(async () => {
    serial += 1;
    name = `aws${String(serial)}`;
    bedrock.calls.length = 0;
    bedrock.next.length = 0;
    bedrock.usual = {};
    bedrock.clockAheadMs = 0;
    bedrock.apiKeys.clear();
    bedrock.apiKeys.add(apiKey);
    bedrock.accessKeys.clear();
    bedrock.accessKeys.set(accessKey.id, { secret: accessKey.secret, token: accessKey.token });
    await configure({});
  });

  async function configure(settings: Partial<EndpointSettings>): Promise<void> {
    await router.configure({
      endpoints: {
        [name]: { provider: 'bedrock', region: 'us-east-1', baseUrl: bedrock.url, keys: ['${ACCESS_KEY}'], probe: { enabled: false }, ...settings },
        other: { provider: 'openai-compatible', baseUrl: `${other.url}/v1`, keys: ['${OTHER_KEY}'], models: { m: {} }, probe: { enabled: false } },
      },
      routes: { both: { targets: [`${name}/${claude}`, 'other/m'] }, converse: { targets: [`${name}/${gptOss}`, 'other/m'] } },
      environment,
    });
  }

  async function ask(caller: ProtocolName, model: string, options: { stream?: boolean; request?: ConversationRequest; edit?: (body: JsonObject) => void; headers?: Record<string, string> } = {}): Promise<Seen> {
    const stream = options.stream ?? true;
    const body = bodyOf({ caller, model, request: options.request ?? conversation, stream, edit: options.edit });
    const { status, text, headers } = await rawRequest({ url: router.url + pathOf(caller, model, stream), headers: { ...headersOf(caller, router.token), ...options.headers }, body: JSON.stringify(body) });
    return { ...readCallerAnswer(caller, status, text, stream && status === 200), id: String(headers['x-waybill-exchange']), attempts: String(headers['x-waybill-attempts']) };
  }

  for (const model of [claude, nova, gptOss]) {
    for (const caller of protocolNames) {
      for (const stream of [true, false]) {
        test(`${model}, ${caller} caller, ${stream ? 'streamed' : 'plain'}: is answered, and the ledger has every token`, async () => {
          const seen = await ask(caller, `${name}/${model}`, { stream });
          assert.ok(seen.complete && seen.text === answerText, seen.raw);
          assert.deepEqual(bedrock.calls.map(call => [call.model, call.operation]), [[model, `${model === claude ? 'invoke' : 'converse'}${stream ? model === claude ? '-with-response-stream' : '-stream' : ''}`]]);
          const { attempts: [attempt] } = await router.receipt(seen.id);
          assert.deepEqual([attempt?.usage.inputTokens, attempt?.usage.cacheReadTokens, attempt?.usage.cacheWriteTokens, attempt?.usage.outputTokens], [usage.input, usage.cacheRead, usage.cacheWrite, usage.output]);
          // A profile of one part of the world costs a tenth more than the list: 3.3, 0.33, 4.125 and 16.5 dollars.
          if (model === claude) assert.deepEqual([attempt?.cost.microUsd, attempt?.cost.certainty], [Math.round(1200 * 3.3 + 4000 * 0.33 + 500 * 4.125 + 300 * 16.5), 'exact']);
          else assert.equal(attempt?.cost.certainty, 'estimated');
        });
      }
    }

    test(`${model}: a chat of the editor is answered`, async () => {
      const turn = await editor.chat(`${name}/${model}`, conversation);
      assert.equal(turn.events.map(event => (event.type === 'text' ? event.text : '')).join(''), answerText);
    });

    for (const caller of protocolNames) {
      test(`${model}, ${caller} caller: a history of another provider is made fit, and names and numbers stay`, async () => {
        const call = { id: 'tooluse_1', name: '', input: '{"id":9007199254740993123,"ratio":1.0}' };
        bedrock.next.push({ frames: seen => toolFrames({ ...call, name: sentToolName(seen.body) }, model === claude) });
        const seen = await ask(caller, `${name}/${model}`, { request: difficult });
        assert.equal(seen.status, 200, seen.raw);
        const found = seen.answer.parts.filter(part => part.type === 'tool-call').map(part => part.name);
        if (caller !== 'gemini') assert.deepEqual(found, [longName]);
        else assert.equal(found.length, 1);
        assert.equal(seen.attempts, '1');
      });
    }
  }

  test('numbers in a history arrive as they were written', async () => {
    for (const model of [claude, gptOss]) {
      for (const caller of ['anthropic-messages', 'openai-chat'] as const) await ask(caller, `${name}/${model}`, { request: difficult });
    }
    assert.deepEqual(bedrock.calls.map(({ text }) => [text.includes('9007199254740993123'), text.includes('"ratio":1.0')]), Array.from({ length: 4 }, () => [true, true]));
  });

  test('what Converse has no place for is named in the receipt', async () => {
    const seen = await ask('anthropic-messages', `${name}/${gptOss}`, { request: difficult });
    assert.match(JSON.stringify(await router.receipt(seen.id)), /top_k was left out/);
  });

  for (const caller of protocolNames) {
    test(`${caller} caller: a model that cannot stream calls of tools is asked for the whole, and the caller gets a stream`, async () => {
      const llama = 'us.meta.llama3-3-70b-instruct-v1:0';
      const [tool] = difficult.tools;
      const request: ConversationRequest = { ...conversation, tools: tool === undefined ? [] : [tool] };
      bedrock.next.push({ plain: { output: { message: { role: 'assistant', content: [{ text: 'I look.' }, { toolUse: { toolUseId: 'tooluse_1', name: 'x', input: { id: 1 } } }] } }, stopReason: 'tool_use', usage: { inputTokens: 5, outputTokens: 5, totalTokens: 10 } } });
      const seen = await ask(caller, `${name}/${llama}`, { request });
      assert.ok(seen.complete && seen.answer.parts.some(part => part.type === 'tool-call'), seen.raw);
      assert.equal(bedrock.calls[0]?.operation, 'converse');
      await ask(caller, `${name}/${llama}`);
      assert.equal(bedrock.calls[1]?.operation, 'converse-stream');
    });
  }

  test('a quota that one model has reached keeps no other model of the endpoint away', async () => {
    bedrock.next.push({ refuse: { status: 429, type: 'ThrottlingException', message: 'Too many requests' } });
    await ask('openai-chat', 'both');
    assert.equal((await ask('openai-chat', 'converse')).text, answerText);
    assert.equal((await ask('openai-chat', 'both')).text, 'hello');
  });

  describe('who asks', () => {
    test('is an API key as a bearer token', async () => {
      await configure({ keys: ['${API_KEY}'] });
      assert.equal((await ask('openai-chat', `${name}/${claude}`)).text, answerText);
      assert.equal(bedrock.calls[0]?.authorization, `Bearer ${apiKey}`);
    });

    test('is an access key, by a signature that covers body, path and session token', async () => {
      assert.equal((await ask('openai-chat', `${name}/${claude}`)).text, answerText);
      assert.match(bedrock.calls[0]?.authorization ?? '', /^AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE\/\d{8}\/us-east-1\/bedrock\/aws4_request, SignedHeaders=content-type;host;x-amz-content-sha256;x-amz-date;x-amz-security-token,/);
    });

    test('is signed for with an ARN in the path', async () => {
      const arn = 'arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/a1b2c3d4e5f6';
      await configure({ models: { 'claude-sonnet-4.5': { upstream: arn } } });
      await ask('openai-chat', `${name}/claude-sonnet-4.5`, { stream: true });
      assert.equal(bedrock.calls[0]?.model, arn);
    });

    test('and the clock of this machine is wrong: the request is signed again with the time of AWS', async () => {
      bedrock.clockAheadMs = 20 * 60_000;
      const seen = await ask('openai-chat', `${name}/${claude}`);
      assert.equal(seen.text, answerText, seen.raw);
      assert.equal(seen.attempts, '1');
    });

    test('with a wrong secret is refused, is the key\'s fault, and what AWS repeats of the request is shown nowhere', async () => {
      await configure({ keys: ['${WRONG_SECRET}'] });
      const seen = await ask('openai-chat', `${name}/${claude}`);
      assert.notEqual(seen.status, 200);
      const receipt = await router.receipt(seen.id);
      assert.equal(receipt.attempts[0]?.failureClass, 'auth');
      for (const text of [seen.raw, JSON.stringify(receipt)]) assert.ok(!text.includes(accessKey.token) && !text.includes('Canonical'), text);
    });
  });

  describe('refuses before the stream', () => {
    const table: readonly (readonly [title: string, refuse: NonNullable<Behaviour['refuse']>, failureClass: string, scope?: string])[] = [
      ['for its quota', { status: 429, type: 'ThrottlingException', message: 'Too many tokens, please wait before trying again.' }, 'rate-limit'],
      ['because the model is not ready', { status: 429, type: 'ModelNotReadyException', message: 'The model is not ready for inference.' }, 'overloaded'],
      ['because it has no room', { status: 503, type: 'ServiceUnavailableException', message: 'Bedrock is unable to process your request.' }, 'overloaded'],
      ['because the model took too long', { status: 408, type: 'ModelTimeoutException', message: 'Model has timed out in processing the request. Try your request again.' }, 'timeout'],
      ['because the model failed', { status: 424, type: 'ModelErrorException', message: 'The system encountered an unexpected error during processing. Try your request again.' }, 'server'],
      ['because access was not granted', { status: 403, type: 'AccessDeniedException', message: "You don't have access to the model with the specified model ID." }, 'auth'],
      ['because the role has no right', { status: 403, type: 'AccessDeniedException', message: 'User: arn:aws:iam::123456789012:user/x is not authorized to perform: bedrock:InvokeModel on resource: arn:aws:bedrock:us-east-1::foundation-model/m' }, 'auth'],
      ['because a form was not filled in', { status: 404, type: 'ResourceNotFoundException', message: 'Model use case details have not been submitted for this account. Fill out the Anthropic use case details form before using the model.' }, 'auth'],
      ['because the model is gone', { status: 404, type: 'ResourceNotFoundException', message: 'This model version has reached the end of its life. Please refer to the AWS documentation for more details.' }, 'model-not-found'],
      ['because the token ended', { status: 403, type: 'ExpiredTokenException', message: 'The security token included in the request is expired' }, 'auth'],
      ['because the payment failed', { status: 403, type: 'AccessDeniedException', message: 'Model access is denied due to INVALID_PAYMENT_INSTRUMENT:A valid payment instrument must be provided.' }, 'quota'],
      ['because the prompt is too long', { status: 400, type: 'ValidationException', message: 'Input is too long for requested model.' }, 'context-overflow'],
    ];
    for (const [title, refuse, failureClass] of table) {
      for (const route of ['both', 'converse']) {
        test(`${title}: ${failureClass}, and the next target of ${route} answers`, async () => {
          bedrock.usual = { refuse };
          const seen = await ask('openai-chat', route);
          const receipt = await router.receipt(seen.id);
          assert.equal(receipt.attempts[0]?.failureClass, failureClass, JSON.stringify(receipt.attempts[0]));
          assert.equal(receipt.attempts[0]?.cost.microUsd, 0);
          if (failureClass !== 'context-overflow') assert.equal(seen.text, 'hello', seen.raw);
        });
      }
    }

    test('a request that is wrong is reported as it is, and no other target is asked', async () => {
      bedrock.usual = { refuse: { status: 400, type: 'ValidationException', message: 'messages.0.content: something is wrong here' } };
      const seen = await ask('anthropic-messages', 'both');
      assert.equal(seen.status, 400);
      assert.match(seen.raw, /something is wrong here/);
      assert.equal(other.requests.length > 0 && seen.attempts !== '1', false);
    });
  });

  describe('fails within the stream', () => {
    const begun = [...claudeOpening(), chunkFrame({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'The sea' } })];
    for (const caller of protocolNames) {
      for (const [exception, failureClass] of [['throttlingException', 'rate-limit'], ['modelStreamErrorException', 'server'], ['serviceUnavailableException', 'overloaded'], ['internalServerException', 'server'], ['modelTimeoutException', 'timeout']] as const) {
        test(`${caller} caller: ${exception} before the first word is unseen, and the next target answers`, async () => {
          bedrock.usual = { frames: ({ operation }) => [...(operation.startsWith('invoke') ? claudeOpening() : [eventFrame('messageStart', { role: 'assistant' })]), exceptionFrame(exception, 'no luck')] };
          for (const route of ['both', 'converse']) {
            const seen = await ask(caller, route);
            assert.ok(seen.complete && seen.text === 'hello', seen.raw);
            assert.equal((await router.receipt(seen.id)).attempts[0]?.failureClass, failureClass);
          }
        });
      }

      test(`${caller} caller: an exception after the first words ends the answer with an error`, async () => {
        bedrock.usual = { frames: () => [...begun, exceptionFrame('modelStreamErrorException', 'the model broke')] };
        const seen = await ask(caller, `${name}/${claude}`);
        assert.equal(seen.answer.parts.map(part => (part.type === 'text' ? part.text : '')).join(''), 'The sea');
        assert.ok(!seen.complete || seen.answer.error !== undefined, seen.raw);
        assert.equal((await router.receipt(seen.id)).attempts[0]?.outcome, 'failed');
      });
    }

    test('a frame with a wrong checksum ends the attempt, and the next target answers', async () => {
      const broken = Buffer.from(claudeFrames()[0] ?? '');
      broken.writeUInt8(broken.readUInt8(40) ^ 1, 40);
      bedrock.usual = { frames: () => [broken] };
      const seen = await ask('openai-chat', 'both');
      assert.equal(seen.text, 'hello', seen.raw);
      assert.equal((await router.receipt(seen.id)).attempts[0]?.failureClass, 'server');
    });

    test('a stream that is cut inside a frame is no whole answer', async () => {
      bedrock.usual = { frames: () => [...begun, (claudeFrames()[3] ?? Buffer.alloc(0)).subarray(0, 30)] };
      const seen = await ask('openai-chat', `${name}/${claude}`);
      assert.equal((await router.receipt(seen.id)).attempts[0]?.outcome, 'failed');
    });
  });

  for (const pieceBytes of [1, 7, 13, 100]) {
    test(`frames in pieces of ${pieceBytes} bytes are read the same`, async () => {
      bedrock.usual = { pieceBytes };
      for (const model of [claude, nova]) assert.equal((await ask('anthropic-messages', `${name}/${model}`)).text, answerText);
    });
  }

  describe('a guardrail or filter that steps in', () => {
    test('is a refusal in a stream of Claude, and in a plain answer', async () => {
      const frames = claudeFrames();
      bedrock.next.push({ frames: () => [...frames.slice(0, -1), chunkFrame({ type: 'message_stop', 'amazon-bedrock-guardrailAction': 'INTERVENED' })] });
      const streamed = await ask('openai-chat', `${name}/${claude}`);
      const [attempt] = (await router.receipt(streamed.id)).attempts;
      assert.deepEqual([attempt?.failureClass, attempt?.cost.unpriced], ['content-policy', ['guardrail']], 'its fee is in no answer');
    });

    for (const stopReason of ['guardrail_intervened', 'content_filtered']) {
      test(`${stopReason} of Converse is a refusal`, async () => {
        bedrock.next.push({ frames: () => [...converseFrames().slice(0, 4), eventFrame('messageStop', { stopReason }), ...converseFrames().slice(5)] });
        const seen = await ask('openai-chat', `${name}/${gptOss}`);
        const [attempt] = (await router.receipt(seen.id)).attempts;
        assert.deepEqual([attempt?.failureClass, attempt?.cost.unpriced], ['content-policy', stopReason === 'guardrail_intervened' ? ['guardrail'] : undefined]);
      });
    }
  });

  describe('bytes of a caller of Anthropic\'s protocol', () => {
    test('reach Claude with the version in the body, and with the betas that Bedrock knows', async () => {
      const seen = await ask('anthropic-messages', `${name}/${claude}`, {
        headers: { 'anthropic-beta': 'interleaved-thinking-2025-05-14,oauth-2025-04-20,prompt-caching-scope-2026-01-05' },
        edit: body => { body.service_tier = 'auto'; },
      });
      assert.equal(seen.text, answerText, seen.raw);
      const [call] = bedrock.calls;
      assert.deepEqual([call?.body.anthropic_version, call?.body.anthropic_beta, call?.body.model, call?.body.stream], ['bedrock-2023-05-31', ['interleaved-thinking-2025-05-14'], undefined, undefined]);
      assert.match(JSON.stringify((await router.receipt(seen.id)).attempts[0]), /anthropic-beta that Amazon Bedrock does not know/);
    });

    test('a beta that the model refuses all the same is left out in one more attempt, and not sent again', async () => {
      const headers = { 'anthropic-beta': 'fine-grained-tool-streaming-2025-05-14' };
      const first = await ask('anthropic-messages', `${name}/${claude}`, { headers });
      assert.equal(first.text, answerText, first.raw);
      assert.equal(bedrock.calls.length, 2);
      await ask('anthropic-messages', `${name}/${claude}`, { headers });
      assert.equal(bedrock.calls.length, 3);
    });

    test('a field that Bedrock calls extraneous is left out in one more attempt', async () => {
      const seen = await ask('anthropic-messages', `${name}/${claude}`, { edit: body => { body.diagnostics = { level: 1 }; } });
      assert.equal(seen.text, answerText, seen.raw);
      assert.equal(bedrock.calls.length, 2);
    });
  });

  for (const caller of ['anthropic-messages', 'openai-chat'] as const) {
    for (const model of [claude, nova]) {
      test(`${model}, ${caller} caller: an image behind an address becomes words, and is named in the receipt`, async () => {
        const request: ConversationRequest = { ...conversation, messages: [{ role: 'user', content: [{ type: 'text', text: 'what is this?' }, { type: 'image', source: { kind: 'url', url: 'https://example.test/a.png' } }] }] };
        const seen = await ask(caller, `${name}/${model}`, { request });
        assert.equal(seen.text, answerText, seen.raw);
        assert.match(bedrock.calls[0]?.text ?? '', /An image[\w ]* was left out/);
        assert.match(JSON.stringify(await router.receipt(seen.id)), /an image[\w ]* was left out/);
      });
    }
  }

  test('a tool that runs at Anthropic is left out, and tools of the caller stay', async () => {
    const hosted = { type: 'web_search_20250305', name: 'web_search', max_uses: 3 };
    const own = { name: 'find', input_schema: { type: 'object', properties: { type: { type: 'string' } } } };
    const seen = await ask('anthropic-messages', `${name}/${claude}`, { edit: body => { body.tools = [hosted, own]; } });
    assert.equal(seen.text, answerText, seen.raw);
    assert.deepEqual(bedrock.calls[0]?.body.tools, [own]);
    assert.match(JSON.stringify(await router.receipt(seen.id)), /the tool web_search, which runs at Anthropic, was left out/);
    await ask('anthropic-messages', `${name}/${claude}`, { edit: body => { Object.assign(body, { tools: [hosted], tool_choice: { type: 'tool', name: 'web_search' } }); } });
    assert.deepEqual([bedrock.calls[1]?.body.tools, bedrock.calls[1]?.body.tool_choice], [undefined, undefined]);
  });

  test('a model of Claude that no list names is asked by the profile of the part of the world', async () => {
    assert.equal((await ask('openai-chat', `${name}/claude-sonnet-4.5`)).text, answerText);
    assert.equal(bedrock.calls[0]?.model, claude);
  });

  test('its models are listed by the names of routes, and the profile of the region is asked', async () => {
    await configure({ probe: { enabled: true, intervalMs: 60_000 } });
    await until(async () => (await names()).includes('nova-pro'));
    assert.deepEqual((await names()).filter(id => !['both', 'converse', 'm'].includes(id)).toSorted(), ['claude-sonnet-4.5', 'deepseek-r1', 'gpt-oss-120b', 'llama-3.3-70b-instruct', 'mistral-large-2402', 'nova-pro']);
    await ask('openai-chat', `${name}/claude-sonnet-4.5`);
    assert.equal(bedrock.calls.at(-1)?.model, claude);
    await ask('openai-chat', `${name}/global.anthropic.claude-sonnet-4-5-20250929-v1:0`);
    assert.equal(bedrock.calls.at(-1)?.model, 'global.anthropic.claude-sonnet-4-5-20250929-v1:0');
  });

  async function names(): Promise<string[]> {
    const { text } = await rawRequest({ url: `${router.url}/v1/models`, headers: { authorization: `Bearer ${router.token}` } });
    return (JSON.parse(text) as { data: { id: string }[] }).data.map(({ id }) => id);
  }
});

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 100; tries += 1) {
    if (await holds()) return;
    await new Promise(resolve => setTimeout(resolve, 50));
  }
  throw new Error('it did not come about within five seconds');
}

function sentToolName(body: JsonObject): string {
  const tools = Array.isArray(body.tools) ? body.tools : isObject(body.toolConfig) && Array.isArray(body.toolConfig.tools) ? body.toolConfig.tools : [];
  const [first] = tools;
  if (!isObject(first)) return '';
  return String(isObject(first.toolSpec) ? first.toolSpec.name : first.name);
}

function toolFrames({ id, name, input }: { id: string; name: string; input: string }, invoked: boolean): Buffer[] {
  return invoked
    ? [
        claudeOpening()[0] ?? Buffer.alloc(0),
        chunkFrame({ type: 'content_block_start', index: 0, content_block: { type: 'tool_use', id, name, input: {} } }),
        chunkFrame({ type: 'content_block_delta', index: 0, delta: { type: 'input_json_delta', partial_json: input } }),
        chunkFrame({ type: 'content_block_stop', index: 0 }),
        chunkFrame({ type: 'message_delta', delta: { stop_reason: 'tool_use', stop_sequence: null }, usage: { output_tokens: 5 } }),
        chunkFrame({ type: 'message_stop' }),
      ]
    : [
        eventFrame('messageStart', { role: 'assistant' }),
        eventFrame('contentBlockStart', { contentBlockIndex: 0, start: { toolUse: { toolUseId: id, name } } }),
        eventFrame('contentBlockDelta', { contentBlockIndex: 0, delta: { toolUse: { input: input.slice(0, 9) } } }),
        eventFrame('contentBlockDelta', { contentBlockIndex: 0, delta: { toolUse: { input: input.slice(9) } } }),
        eventFrame('contentBlockStop', { contentBlockIndex: 0 }),
        eventFrame('messageStop', { stopReason: 'tool_use' }),
        eventFrame('metadata', { usage: { inputTokens: 5, outputTokens: 5, totalTokens: 10 } }),
      ];
}
