import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { protocolNames, type ConversationRequest, type ProtocolName } from '../../../server/api/conversation.ts';
import type { EndpointSettings } from '../../../server/api/settings.ts';
import { isObject, type JsonObject } from '../../../server/base/json.ts';
import { bodyOf, headersOf, pathOf, readCallerAnswer, type CallerAnswer } from '../support/codecCaller.ts';
import { EditorDoor } from '../support/editorDoor.ts';
import { rawRequest } from '../support/rawClient.ts';
import { startRefusingProvider, type GotRequest, type ProviderRefusal, type RefusingProvider } from '../support/refusingProvider.ts';
import { startTestRouter, type TestRouter } from '../support/testRouter.ts';

const conversation: ConversationRequest = {
  system: [], messages: [{ role: 'user', content: [{ type: 'text', text: 'tell me of the sea' }] }], temperature: 0.2, maxOutputTokens: 100,
  tools: [{ name: 'f', description: 'finds', parameters: { type: 'object', properties: { place: { type: 'string', title: 'Place' } } } }],
};

interface Seen extends CallerAnswer { id: string; attempts: string }

/** The model of a protocol's provider. */
const names: Readonly<Record<ProtocolName, string>> = { 'openai-chat': 'm', 'openai-responses': 'm', 'anthropic-messages': 'm', 'gemini': 'gemini-2.5-flash' };

const openAi = (status: number, message: string, param: string | null = null): ProviderRefusal => ({ status, body: { error: { message, type: 'invalid_request_error', param, code: null } } });
const claude = (status: number, message: string): ProviderRefusal => ({ status, body: { type: 'error', error: { type: 'invalid_request_error', message } } });
const google = (message: string): ProviderRefusal => ({ status: 400, body: { error: { code: 400, message, status: 'INVALID_ARGUMENT' } } });
const pydantic = (...fields: string[]): ProviderRefusal => ({ status: 422, body: { detail: fields.map(field => ({ type: 'extra_forbidden', loc: ['body', field], msg: 'Extra inputs are not permitted', input: 1 })) } });

/** A part that every caller's request has at each provider, refused as a real one refuses it. */
const refusals: Readonly<Record<ProtocolName, (got: GotRequest) => ProviderRefusal | undefined>> = {
  'openai-chat': ({ body }) => (body.temperature === undefined ? undefined
    : openAi(400, "Unsupported value: 'temperature' does not support 0.2 with this model. Only the default (1) value is supported.", 'temperature')),
  'openai-responses': ({ body }) => (body.max_output_tokens === undefined ? undefined : openAi(400, 'Unsupported parameter: max_output_tokens')),
  'anthropic-messages': ({ body }) => (body.temperature === undefined ? undefined : claude(400, '`temperature` is deprecated for this model.')),
  'gemini': ({ body }) => (isObject(body.generationConfig) && body.generationConfig.temperature !== undefined
    ? google('Invalid JSON payload received. Unknown name "temperature" at \'generation_config\': Cannot find field.') : undefined),
};

describe('a part of a request that a provider refuses by name', () => {
  const providers = {} as Record<ProtocolName, RefusingProvider>;
  let router: TestRouter;
  let editor: EditorDoor;

  before(async () => {
    for (const protocol of protocolNames) providers[protocol] = await startRefusingProvider(protocol);
    router = await startTestRouter({ endpoints: {} });
    editor = new EditorDoor(router.testRouter);
    await editor.open();
  });
  after(async () => {
    editor.close();
    await router.close();
    for (const provider of Object.values(providers)) await provider.close();
  });
  let serial = 0;
  /** The endpoints have other names in each test, so that nothing is known of them. */
  let prefix = '';
  beforeEach(async () => {
    serial += 1;
    prefix = `t${String(serial)}-`;
    for (const provider of Object.values(providers)) {
      provider.got.length = 0;
      provider.refuse = () => undefined;
    }
    const common = { keys: ['${TEST_KEY}'], probe: { enabled: false } };
    const endpoints: Record<string, EndpointSettings> = {
      [`${prefix}openai-chat`]: { provider: 'openai-compatible', baseUrl: `${providers['openai-chat'].url}/v1`, models: { m: {}, m2: {} }, limits: { requestsPerMinute: 50 }, ...common },
      [`${prefix}openai-responses`]: { provider: 'openai-compatible', protocol: 'openai-responses', baseUrl: `${providers['openai-responses'].url}/v1`, models: { m: {} }, ...common },
      [`${prefix}anthropic-messages`]: { provider: 'anthropic-compatible', baseUrl: providers['anthropic-messages'].url, models: { m: {} }, ...common },
      [`${prefix}gemini`]: { provider: 'gemini', baseUrl: `${providers.gemini.url}/v1beta`, models: { 'gemini-2.5-flash': {} }, ...common },
    };
    await router.configure({ endpoints, environment: { TEST_KEY: 'sk-test-key-aaaaaaaa' } });
  });

  async function ask(caller: ProtocolName, model: string, options: { stream?: boolean; edit?: (body: JsonObject) => void; headers?: Record<string, string> } = {}): Promise<Seen> {
    const stream = options.stream ?? true;
    const body = bodyOf({ caller, model, request: conversation, stream, edit: options.edit });
    const { status, text, headers } = await rawRequest({
      url: router.url + pathOf(caller, model, stream), headers: { ...headersOf(caller, router.token), ...options.headers }, body: JSON.stringify(body),
    });
    return { ...readCallerAnswer(caller, status, text, stream && status === 200), id: String(headers['x-waybill-exchange']), attempts: String(headers['x-waybill-attempts']) };
  }

  for (const target of protocolNames) {
    for (const caller of protocolNames) {
      for (const stream of [true, false]) {
        test(`${target} provider, ${caller} caller, ${stream ? 'streamed' : 'plain'}: is left out in one more attempt, unseen, and not sent again`, async () => {
          providers[target].refuse = refusals[target];
          const model = `${prefix}${target}/${names[target]}`;
          const first = await ask(caller, model, { stream });
          assert.ok(first.complete && first.text === 'all well', first.raw);
          assert.equal(providers[target].got.length, 2);
          const receipt = await router.receipt(first.id);
          assert.deepEqual(receipt.attempts.map(one => [one.outcome, one.failureClass]), [['failed', 'bad-request'], ['ok', undefined]]);
          assert.match(receipt.attempts[1]?.message ?? '', /was left out, which this target refuses/);
          const second = await ask(caller, model, { stream });
          assert.equal(second.text, 'all well', second.raw);
          assert.equal(providers[target].got.length, 3);
          assert.match((await router.receipt(second.id)).attempts[0]?.message ?? '', /was left out, which this target refuses/);
        });
      }
    }

    test(`${target} provider, the editor: is left out, unseen`, async () => {
      providers[target].refuse = refusals[target];
      const { events, result } = await editor.chat(`${prefix}${target}/${names[target]}`, conversation);
      assert.equal(events.map(event => (event.type === 'text' ? event.text : '')).join(''), 'all well', JSON.stringify(result));
      assert.equal(events.some(event => event.type === 'restart'), false);
      assert.equal(providers[target].got.length, 2);
    });
  }

  const chat = (): string => `${prefix}openai-chat/m`;
  const refuseWhere = (protocol: ProtocolName, holds: (got: GotRequest) => boolean, refusal: ProviderRefusal): void => {
    providers[protocol].refuse = got => (holds(got) ? refusal : undefined);
  };

  test('that the router added (stream_options) does not cost the turn, and callers of the protocol get no usage chunk they did not ask for', async () => {
    refuseWhere('openai-chat', ({ body }) => body.stream_options !== undefined, openAi(400, 'Unrecognized request argument supplied: stream_options'));
    for (const caller of protocolNames) {
      const answer = await ask(caller, chat(), { edit: body => { if (caller === 'openai-chat') delete body.stream_options; } });
      assert.equal(answer.text, 'all well', answer.raw);
    }
    assert.equal(providers['openai-chat'].got.length, protocolNames.length + 1);
  });

  test('leaves everything else of the bytes as it was', async () => {
    refuseWhere('openai-chat', ({ body }) => body.seed !== undefined, openAi(400, "Unknown parameter: 'seed'.", 'seed'));
    const edit = (body: JsonObject): void => { Object.assign(body, { seed: 7, prediction: null, later: { seed: 8 } }); };
    await ask('openai-chat', chat(), { edit });
    const [before, repaired] = providers['openai-chat'].got;
    const { seed: _seed, ...rest } = before?.body ?? {};
    assert.deepEqual(repaired?.body, rest);
  });

  test('of several that are named at once, all are left out; of several that are named one by one, too', async () => {
    providers['openai-chat'].refuse = ({ body }) => {
      const refused = ['store', 'parallel_tool_calls'].filter(name => body[name] !== undefined);
      if (refused.length > 0) return pydantic(...refused);
      return body.stream_options === undefined ? undefined : openAi(400, 'Unrecognized request argument supplied: stream_options');
    };
    const answer = await ask('openai-chat', chat(), { edit: body => { Object.assign(body, { store: false, parallel_tool_calls: false }); } });
    assert.equal(answer.text, 'all well', answer.raw);
    assert.equal(providers['openai-chat'].got.length, 3);
  });

  test('max_tokens is sent under its other name, with the value that was asked for', async () => {
    refuseWhere('openai-chat', ({ body }) => body.max_completion_tokens !== undefined, openAi(400, 'Unrecognized request argument supplied: max_completion_tokens'));
    const edit = (body: JsonObject): void => { delete body.max_tokens; body.max_completion_tokens = 77; };
    assert.equal((await ask('openai-chat', chat(), { edit })).text, 'all well');
    assert.equal(providers['openai-chat'].got[1]?.body.max_tokens, 77);
  });

  test('a limit of the answer above the most that the provider names is lowered to it, for all callers and from then on', async () => {
    const most = 64;
    const limits: Readonly<Record<ProtocolName, (body: JsonObject) => unknown>> = {
      'openai-chat': body => body.max_completion_tokens ?? body.max_tokens, 'openai-responses': body => body.max_output_tokens, 'anthropic-messages': body => body.max_tokens,
      'gemini': body => (isObject(body.generationConfig) ? body.generationConfig.maxOutputTokens : undefined),
    };
    const words: Readonly<Record<ProtocolName, ProviderRefusal>> = {
      'openai-chat': openAi(400, `Invalid max_tokens value, the valid range of max_tokens is [1, ${most}]`),
      'openai-responses': openAi(400, `max_output_tokens is too large: 100. This model supports at most ${most} output tokens.`, 'max_output_tokens'),
      'anthropic-messages': claude(400, `max_tokens: 100 > ${most}, which is the maximum allowed number of output tokens for m`),
      'gemini': google(`Unable to submit request because it has a maxOutputTokens value of 100 but the supported range is from 1 (inclusive) to ${most + 1} (exclusive).`),
    };
    for (const target of protocolNames) {
      const limitOf = limits[target];
      refuseWhere(target, ({ body }) => Number(limitOf(body) ?? 0) > most, words[target]);
      for (const [index, caller] of protocolNames.entries()) {
        const answer = await ask(caller, `${prefix}${target}/${names[target]}`);
        assert.equal(answer.text, 'all well', answer.raw);
        assert.equal(answer.attempts, index === 0 ? '2' : '1', `${caller} to ${target}`);
        assert.match((await router.receipt(answer.id)).attempts.at(-1)?.message ?? '', new RegExp(`the output limit was lowered to ${most}`));
      }
      assert.equal(limitOf(providers[target].got.at(-1)?.body ?? {}), most);
    }
  });

  test('tool fields, cache marks and beta names are left out for callers of the same protocol', async () => {
    const target = `${prefix}anthropic-messages/m`;
    providers['anthropic-messages'].refuse = ({ body, headers }) => {
      if (/new-feature/.test(String(headers['anthropic-beta'] ?? ''))) return claude(400, 'Unexpected value(s) `new-feature-2026-01-01` for the `anthropic-beta` header. Please consult our documentation.');
      if (JSON.stringify(body.tools).includes('defer_loading')) return claude(400, 'tools.0.custom.defer_loading: Extra inputs are not permitted');
      return JSON.stringify(body.messages).includes('cache_control') ? claude(422, 'messages.0.content.0.text.cache_control: Extra inputs are not permitted') : undefined;
    };
    const answer = await ask('anthropic-messages', target, {
      headers: { 'anthropic-beta': 'new-feature-2026-01-01,kept-2025-01-01' },
      edit: body => {
        body.messages = [{ role: 'user', content: [{ type: 'text', text: 'hi', cache_control: { type: 'ephemeral' } }] }];
        body.tools = [{ name: 'f', input_schema: { type: 'object', properties: { cache_control: { type: 'string' } } }, defer_loading: true }];
      },
    });
    assert.equal(answer.text, 'all well', answer.raw);
    const last = providers['anthropic-messages'].got.at(-1);
    assert.equal(last?.headers['anthropic-beta'], 'kept-2025-01-01');
    assert.deepEqual(last?.body.tools, [{ name: 'f', input_schema: { type: 'object', properties: { cache_control: { type: 'string' } } } }]);
    assert.deepEqual(last?.body.messages, [{ role: 'user', content: [{ type: 'text', text: 'hi' }] }]);
  });

  test('a role developer is sent as system, a schema of the answer is asked for in words', async () => {
    providers['openai-chat'].refuse = ({ body }) => {
      const [first] = Array.isArray(body.messages) ? body.messages : [];
      if (isObject(first) && first.role === 'developer') return openAi(422, 'Failed to deserialize the JSON body into the target type: messages[0].role: unknown variant `developer`, expected one of `system`, `user`');
      return isObject(body.response_format) && body.response_format.type === 'json_schema' ? openAi(400, 'This response_format type is unavailable now') : undefined;
    };
    const answer = await ask('openai-chat', chat(), {
      edit: body => {
        body.messages = [{ role: 'developer', content: 'Be brief.' }, { role: 'user', content: 'hi' }];
        body.response_format = { type: 'json_schema', json_schema: { name: 'x', schema: { type: 'object', properties: { height: { type: 'number' } } } } };
      },
    });
    assert.equal(answer.text, 'all well', answer.raw);
    assert.match(JSON.stringify(providers['openai-chat'].got.at(-1)?.body), /height/);
  });

  test('what the caller cannot do without is reported as the provider said it, after one attempt', async () => {
    for (const [name, message] of [['tools', 'tools is not supported in this model.'], ['messages', "Unknown parameter: 'messages'."], ['temperature', "Invalid 'temperature': decimal above maximum value. Expected a value <= 2, but got 5 instead."]] as const) {
      providers['openai-chat'].got.length = 0;
      providers['openai-chat'].refuse = () => openAi(400, message, name);
      const answer = await ask('openai-chat', chat(), { edit: body => { body.temperature = 5; } });
      assert.equal(answer.status, 400);
      assert.ok(answer.raw.includes(message), answer.raw);
      assert.equal(providers['openai-chat'].got.length, 1, name);
    }
  });

  test('a provider that refuses whatever is sent is asked a few times at most, and what did not help is not kept', async () => {
    let count = 0;
    const fields = ['temperature', 'stream_options', 'seed', 'user', 'store', 'metadata'];
    providers['openai-chat'].refuse = () => openAi(400, `Unknown parameter: '${fields[count++] ?? 'n'}'.`);
    const edit = (body: JsonObject): void => { Object.assign(body, { seed: 1, user: 'u', store: true, metadata: { a: 'b' } }); };
    const answer = await ask('openai-chat', chat(), { edit });
    assert.equal(answer.status, 400);
    assert.equal(providers['openai-chat'].got.length, 4);
    providers['openai-chat'].refuse = () => undefined;
    await ask('openai-chat', chat(), { edit });
    assert.equal(providers['openai-chat'].got.at(-1)?.body.temperature, 0.2);
  });

  test('holds for that model at that endpoint, is no failure of the target, and counts as what was sent', async () => {
    refuseWhere('openai-chat', ({ body }) => body.model === 'm' && body.temperature !== undefined, openAi(404, "Unsupported parameter: 'temperature' is not supported with this model.", 'temperature'));
    for (let turn = 0; turn < 8; turn += 1) assert.equal((await ask('openai-chat', chat())).text, 'all well');
    assert.equal((await ask('openai-chat', `${prefix}openai-chat/m2`)).text, 'all well');
    const { got } = providers['openai-chat'];
    assert.equal(got.at(-1)?.body.temperature, 0.2);
    assert.equal(got.length, 10);
    const endpoint = (await router.status()).endpoints.find(one => one.name === `${prefix}openai-chat`);
    assert.equal(endpoint?.condition.kind, 'healthy', JSON.stringify(endpoint));
  });

  test('requests that are under way at the same time are all repaired', async () => {
    providers['openai-chat'].refuse = refusals['openai-chat'];
    const answers = await Promise.all(Array.from({ length: 6 }, () => ask('openai-chat', chat())));
    assert.deepEqual(answers.map(answer => answer.text), answers.map(() => 'all well'));
  });
});
