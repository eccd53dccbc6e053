import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import type { ProtocolName } from '../../../server/api/conversation.ts';
import type { EndpointSettings } from '../../../server/api/settings.ts';
import type { KeyStatus } from '../../../server/api/status.ts';
import { isObject, parseJson, type JsonObject } from '../../../server/base/json.ts';
import { callers } from '../../faultwall/callers/callers.ts';
import { EditorDoor } from '../support/editorDoor.ts';
import { rawRequest, type RawAnswer } from '../support/rawClient.ts';
import { startTestRouter, type TestRouter } from '../support/testRouter.ts';

/** The keys of one test. What is known of a key outlives its removal, so each test has keys of its own. */
let keyA = '';
let keyB = '';
let made = 0;

/** How the relay refuses a key that may not use a model. */
type Refuse = (model: string) => { status: number; body: JsonObject };

/** A relay whose keys have rights to different models, in each of three wire formats. It knows a key and a model as the real ones do: by header and body or path. */
class Relay {
  readonly asked: { key: string; model: string }[] = [];
  rights: Record<string, readonly string[]> = {};
  refuse: Refuse = model => ({ status: 403, body: { error: { message: `This token has no access to model ${model}`, type: 'new_api_error' } } });
  readonly #server = createServer((request, response) => { void this.#serve(request, response); });

  async start(): Promise<string> {
    await new Promise<void>(resolve => { this.#server.listen(0, '127.0.0.1', resolve); });
    return `http://127.0.0.1:${String((this.#server.address() as AddressInfo).port)}`;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const pieces: Buffer[] = [];
    for await (const piece of request) pieces.push(piece as Buffer);
    const path = request.url ?? '';
    const body = parseJson(Buffer.concat(pieces).toString('utf8'));
    const { headers } = request;
    const key = String(headers['x-api-key'] ?? headers['x-goog-api-key'] ?? headers.authorization).replace('Bearer ', '');
    const inPath = /models\/([^:/]+):/.exec(path)?.[1];
    const model = inPath === undefined ? String(isObject(body) ? body.model : '') : decodeURIComponent(inPath);
    this.asked.push({ key, model });
    if (this.rights[key]?.includes(model) !== true) {
      const { status, body: refusal } = this.refuse(model);
      send(response, status, refusal);
      return;
    }
    if (path.includes('/messages')) {
      send(response, 200, { id: 'msg_1', type: 'message', role: 'assistant', model, content: [{ type: 'text', text: 'well' }], stop_reason: 'end_turn', stop_sequence: null, usage: { input_tokens: 3, output_tokens: 1 } });
    } else if (inPath !== undefined) {
      send(response, 200, { candidates: [{ content: { role: 'model', parts: [{ text: 'well' }] }, finishReason: 'STOP' }], usageMetadata: { promptTokenCount: 3, candidatesTokenCount: 1, totalTokenCount: 4 } });
    } else {
      send(response, 200, { id: 'c', object: 'chat.completion', created: 1, model, choices: [{ index: 0, message: { role: 'assistant', content: 'well' }, finish_reason: 'stop' }], usage: { prompt_tokens: 3, completion_tokens: 1, total_tokens: 4 } });
    }
  }
}

function send(response: ServerResponse, status: number, body: JsonObject): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

describe('what a refusal speaks of', () => {
  let testRouter: TestRouter;
  let relay: Relay;
  let url: string;
  before(async () => {
    relay = new Relay();
    url = await relay.start();
    testRouter = await startTestRouter({ endpoints: {} });
  });
  after(async () => {
    await testRouter.close();
    relay.close();
  });

  const wires: Readonly<Record<'chat' | 'messages' | 'gemini', Partial<EndpointSettings>>> = {
    chat: { provider: 'openai-compatible' }, messages: { provider: 'anthropic-compatible' }, gemini: { provider: 'gemini' },
  };

  async function fresh(wire: keyof typeof wires = 'chat', count: 1 | 2 = 2): Promise<void> {
    relay.asked.length = 0;
    made += 1;
    keyA = `sk-relay-key-${made}-1111`;
    keyB = `sk-relay-key-${made}-2222`;
    await testRouter.configure({ endpoints: {} });
    await testRouter.configure({
      environment: { A: keyA, B: keyB },
      endpoints: { relay: { ...wires[wire], provider: wires[wire].provider ?? '', baseUrl: wire === 'chat' ? `${url}/v1` : url, keys: ['${A}', '${B}'].slice(0, count), probe: { enabled: false }, models: { 'gpt-x': {}, 'gem-x': {} } } },
      routes: { both: { targets: ['relay/gem-x', 'relay/gpt-x'] } },
    });
  }

  function ask(protocol: ProtocolName, model: string): Promise<RawAnswer> {
    const caller = callers[protocol];
    return rawRequest({ url: testRouter.url + caller.path(model, false), headers: caller.headers(testRouter.token), body: JSON.stringify(caller.body({ model, prompt: 'hello', stream: false })) });
  }

  async function keys(): Promise<KeyStatus[]> {
    return (await testRouter.status()).endpoints[0]?.keys ?? [];
  }

  const wordings: readonly (readonly [name: string, refuse: Refuse])[] = [
    ['a relay, 403', model => ({ status: 403, body: { error: { message: `This token has no access to model ${model}`, type: 'new_api_error' } } })],
    ['a relay that answers in Chinese, 403', model => ({ status: 403, body: { error: { message: `该令牌无权使用模型：${model}`, type: 'one_api_error' } } })],
    ['LiteLLM, 401', model => ({ status: 401, body: { error: { message: `key not allowed to access model. This key can only access models=['other']. Tried to access ${model}`, type: 'key_model_access_denied', param: 'model', code: '401' } } })],
    ['OpenAI, 404', model => ({ status: 404, body: { error: { message: `The model \`${model}\` does not exist or you do not have access to it.`, type: 'invalid_request_error', code: 'model_not_found' } } })],
    ['OpenAI of a project, 403', model => ({ status: 403, body: { error: { message: `Project \`proj_1\` does not have access to model \`${model}\``, type: 'invalid_request_error', code: 'model_not_found' } } })],
    ['Anthropic, 403', () => ({ status: 403, body: { type: 'error', error: { type: 'permission_error', message: 'Your API key does not have permission to use the specified resource.' } } })],
    ['Google, 403', () => ({ status: 403, body: { error: { code: 403, status: 'PERMISSION_DENIED', message: 'The caller does not have permission' } } })],
    ['Alibaba, 403', () => ({ status: 403, body: { error: { message: 'Access to model denied. Please make sure you are eligible for using the model.', type: 'AccessDenied', code: 'access_denied' } } })],
    ['no words at all, 403', () => ({ status: 403, body: {} })],
  ];

  for (const [name, refuse] of wordings) {
    it(`is the key's right to the model, and other models of the key go on: ${name}`, async () => {
      await fresh();
      relay.rights = { [keyA]: ['gpt-x'], [keyB]: ['gem-x'] };
      relay.refuse = refuse;
      for (const model of ['gem-x', 'gpt-x', 'gem-x', 'gpt-x']) assert.equal((await ask('openai-chat', `relay/${model}`)).status, 200, model);
      assert.deepEqual(relay.asked.map(({ key, model }) => `${key.slice(-4)} ${model}`), ['1111 gem-x', '2222 gem-x', '1111 gpt-x', '2222 gem-x', '1111 gpt-x'], 'a key is asked once for what it may not use');
      assert.deepEqual((await keys()).map(({ state, reason }) => [state, reason]), [['ok', 'may not use gem-x'], ['ok', undefined]]);
    });
  }

  for (const caller of Object.keys(callers) as ProtocolName[]) {
    for (const wire of ['chat', 'messages', 'gemini'] as const) {
      it(`is the key's right to the model for callers of ${caller} at targets of ${wire}`, async () => {
        await fresh(wire);
        relay.rights = { [keyA]: ['gpt-x'], [keyB]: ['gem-x'] };
        relay.refuse = model => ({ status: 403, body: { error: { message: `No access to model ${model}` } } });
        for (const model of ['gem-x', 'gpt-x', 'gem-x', 'gpt-x']) assert.equal((await ask(caller, `relay/${model}`)).status, 200, model);
        assert.equal(relay.asked.length, 5);
      });
    }
  }

  it('is said in words: in the receipt, to the caller, of the key and of the model', async () => {
    await fresh('chat', 1);
    relay.rights = { [keyA]: ['gpt-x'] };
    relay.refuse = model => ({ status: 403, body: { error: { message: `This token has no access to model ${model}` } } });
    const answer = await ask('openai-chat', 'relay/gem-x');
    assert.equal(answer.status, 502, 'a 403 would be taken for one about the token of the caller');
    assert.match(answer.text, /relay says that key .* may not use gem-x \(403\)/);
    const receipt = await testRouter.receipt(String(answer.headers['x-waybill-exchange']));
    assert.match(receipt.attempts[0]?.message ?? '', /may not use gem-x/);
    const status = await testRouter.status();
    const [endpoint] = status.endpoints;
    assert.equal(endpoint?.keys[0]?.reason, 'may not use gem-x');
    assert.equal(endpoint?.condition.kind, 'degraded', 'the other model is served');
    assert.match(endpoint?.condition.why ?? '', /gem-x: .* may not use gem-x/);
    assert.equal((await ask('openai-chat', 'both')).headers['x-waybill-target'], 'relay/gpt-x');
  });

  it('holds within one request as well: the next target of the route is asked with the same key', async () => {
    await fresh('chat', 1);
    relay.rights = { [keyA]: ['gpt-x'] };
    relay.refuse = model => ({ status: 403, body: { error: { message: `This token has no access to model ${model}` } } });
    const answer = await ask('anthropic-messages', 'both');
    assert.equal(answer.headers['x-waybill-target'], 'relay/gpt-x', answer.text);
  });

  it('is the key, and at once nothing when it is tried again because nothing else can serve', async () => {
    await fresh('chat', 1);
    relay.rights = {};
    relay.refuse = () => ({ status: 401, body: { error: { message: 'Incorrect API key provided.', code: 'invalid_api_key' } } });
    for (let round = 0; round < 2; round += 1) assert.equal((await ask('openai-chat', 'relay/gpt-x')).status, 502);
    assert.equal(relay.asked.length, 2, 'each request asks once');
    assert.equal((await keys())[0]?.state, 'rejected');
    relay.rights = { [keyA]: ['gpt-x'] };
    assert.equal((await ask('openai-chat', 'relay/gpt-x')).status, 200);
    assert.equal((await keys())[0]?.state, 'ok');
  });

  it('is one key of two: both are tried when both were rejected in an outage', async () => {
    await fresh();
    relay.rights = {};
    relay.refuse = () => ({ status: 401, body: { error: { message: 'Incorrect API key provided.', code: 'invalid_api_key' } } });
    assert.equal((await ask('openai-chat', 'relay/gpt-x')).status, 502);
    assert.deepEqual((await keys()).map(({ state }) => state), ['rejected', 'rejected']);
    relay.rights = { [keyB]: ['gpt-x'] };
    assert.equal((await ask('openai-chat', 'relay/gpt-x')).status, 200);
    assert.deepEqual((await keys()).map(({ state }) => state), ['rejected', 'ok']);
  });

  it('is the model at the endpoint: no other key is asked, and other models go on', async () => {
    await fresh();
    relay.rights = { [keyA]: ['gpt-x'], [keyB]: ['gpt-x'] };
    relay.refuse = model => ({ status: 404, body: { error: { message: `model ${model} not found`, code: 'model_not_found' } } });
    assert.equal((await ask('openai-chat', 'both')).headers['x-waybill-target'], 'relay/gpt-x');
    assert.equal((await ask('openai-chat', 'both')).headers['x-waybill-target'], 'relay/gpt-x');
    assert.deepEqual(relay.asked.map(({ key, model }) => `${key.slice(-4)} ${model}`), ['1111 gem-x', '1111 gpt-x', '1111 gpt-x'], 'the model is not asked for again at once');
    assert.equal((await ask('openai-chat', 'relay/gem-x')).status, 404, 'alone it is');
    relay.rights = { [keyA]: ['gpt-x', 'gem-x'] };
    assert.equal((await ask('openai-chat', 'relay/gem-x')).status, 200);
    assert.equal((await ask('openai-chat', 'both')).headers['x-waybill-target'], 'relay/gem-x', 'an answer ends it');
  });

  it('is the endpoint: a refusal for the region blames no key', async () => {
    for (const body of [
      { error: { code: 'unsupported_country_region_territory', message: 'Country, region, or territory not supported', type: 'request_forbidden' } },
      { error: { code: 400, status: 'FAILED_PRECONDITION', message: 'User location is not supported for the API use.' } },
    ]) {
      await fresh();
      relay.rights = {};
      relay.refuse = () => ({ status: body.error.code === 400 ? 400 : 403, body });
      const answer = await ask('openai-chat', 'relay/gpt-x');
      assert.match(answer.text, /relay does not serve this country or region/);
      assert.equal(relay.asked.length, 1, 'another key is of no use');
      assert.deepEqual((await keys()).map(({ state }) => state), ['unused', 'unused']);
      assert.match((await testRouter.status()).endpoints[0]?.condition.why ?? '', /country or region/);
      relay.rights = { [keyA]: ['gpt-x'] };
      assert.equal((await ask('openai-chat', 'relay/gpt-x')).status, 200, 'it is asked at once when nothing else can serve');
    }
  });

  it('is the account where money is missing, and comes back with the first answer', async () => {
    await fresh('chat', 1);
    relay.rights = {};
    relay.refuse = () => ({ status: 402, body: { error: { message: 'Insufficient balance', code: 'insufficient_quota' } } });
    assert.equal((await ask('openai-chat', 'relay/gpt-x')).status, 429);
    assert.equal((await keys())[0]?.state, 'no-money');
    relay.rights = { [keyA]: ['gpt-x'] };
    assert.equal((await ask('openai-chat', 'relay/gpt-x')).status, 200);
    assert.equal((await keys())[0]?.state, 'ok');
  });

  it('is the same in the editor, and the reader is told once', async () => {
    await fresh();
    relay.rights = { [keyA]: ['gpt-x'], [keyB]: ['gem-x'] };
    relay.refuse = model => ({ status: 403, body: { error: { message: `This token has no access to model ${model}` } } });
    const door = new EditorDoor(testRouter.testRouter);
    try {
      await door.open();
      for (const model of ['gem-x', 'gpt-x', 'gem-x']) {
        const { result } = await door.chat(`relay/${model}`, { system: [], messages: [{ role: 'user', content: [{ type: 'text', text: 'hello' }] }], tools: [] });
        assert.equal(result.outcome, 'ok', model);
      }
      assert.deepEqual(door.notices.map(({ kind, message }) => [kind, /may not use gem-x/.test(message)]), [['key-rejected', true]]);
    } finally {
      door.close();
    }
  });
});
