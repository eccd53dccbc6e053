import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, beforeEach, describe, it } from 'node:test';
import type { EndpointSettings } from '../../../server/api/settings.ts';
import { startTestRouter, type TestRouter } from '../support/testRouter.ts';

const keys = ['sk-pool-key-aaaa-1111', 'sk-pool-key-bbbb-2222', 'sk-pool-key-cccc-3333'] as const;
const usage = { prompt_tokens: 5, completion_tokens: 2, total_tokens: 7 };

/** A provider whose keys are valid or not, and of organizations, and whose streams wait for the test. */
class Provider {
  readonly asked: string[] = [];
  valid: readonly string[] = keys;
  limited: readonly string[] = [];
  readonly held: (() => void)[] = [];
  holds = false;
  organization: Readonly<Record<string, string>> = {};
  readonly server: Server = createServer((request, response) => { void this.#answer(request, response); });

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const key = (request.headers.authorization ?? '').replace('Bearer ', '');
    let body = '';
    for await (const chunk of request) body += String(chunk);
    this.asked.push(key.slice(-4));
    const of = this.organization[key];
    const headers = { 'content-type': 'application/json', ...(of === undefined ? {} : { 'openai-organization': of }) };
    if (!(JSON.parse(body) as { stream?: boolean }).stream) {
      if (this.holds) await new Promise<void>(resolve => this.held.push(resolve));
      if (!this.valid.includes(key)) response.writeHead(401, headers).end(JSON.stringify({ error: { message: 'Incorrect API key provided.', type: 'invalid_request_error', code: 'invalid_api_key' } }));
      else if (this.limited.includes(key)) response.writeHead(429, { ...headers, 'retry-after': '30' }).end(JSON.stringify({ error: { message: 'Rate limit reached.', type: 'requests', code: 'rate_limit_exceeded' } }));
      else response.writeHead(200, headers).end(JSON.stringify({ id: 'x', object: 'chat.completion', model: 'm', choices: [{ index: 0, message: { role: 'assistant', content: 'well' }, finish_reason: 'stop' }], usage }));
      return;
    }
    response.writeHead(200, { ...headers, 'content-type': 'text/event-stream' });
    response.write(chunkOf({ content: 'one' }));
    await new Promise<void>(resolve => this.held.push(resolve));
    response.end(`${chunkOf({ content: ' two' })}${chunkOf({}, 'stop')}data: [DONE]\n\n`);
  }
}

function chunkOf(delta: object, finish?: string): string {
  return `data: ${JSON.stringify({ id: 'x', object: 'chat.completion.chunk', model: 'm', choices: [{ index: 0, delta, finish_reason: finish ?? null }] })}\n\n`;
}

describe('a pool of keys', () => {
  const provider = new Provider();
  let router: TestRouter;
  let endpoint: EndpointSettings;
  before(async () => {
    await new Promise<void>(resolve => provider.server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(provider.server.address() as AddressInfo).port}/v1`;
    endpoint = { provider: 'openai-compatible', baseUrl: url, probe: { enabled: false }, models: { m: {} } };
    router = await startTestRouter({ endpoints: {} });
  });
  after(async () => {
    await router.close();
    provider.server.close();
    provider.server.closeAllConnections();
  });
  beforeEach(async () => {
    Object.assign(provider, { valid: keys, limited: [], holds: false, organization: {} });
    await router.configure({ endpoints: {} });
    provider.asked.length = 0;
  });

  /** The keys stand in the file by their place, so a new set has the ids of the old one. */
  async function configure(secrets: readonly string[], settings: Partial<EndpointSettings> = {}): Promise<void> {
    await router.configure({ endpoints: { pool: { ...endpoint, ...settings, keys: [...secrets] } } });
  }

  function ask(prompt: string, stream = false): Promise<Response> {
    return fetch(`${router.url}/v1/chat/completions`, {
      method: 'POST', headers: { authorization: `Bearer ${router.token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'pool/m', stream, messages: [{ role: 'user', content: prompt }] }),
    });
  }

  async function isHeld(): Promise<void> {
    while (provider.held.length === 0) await new Promise(resolve => setTimeout(resolve, 5));
  }

  it('is replaced while a stream runs, which goes on to its end', async () => {
    await configure([keys[0]]);
    const streamed = ask('a', true);
    await isHeld();
    provider.valid = [keys[1]];
    await configure([keys[1]]);
    assert.equal((await ask('b')).status, 200);
    provider.held.splice(0).forEach(release => { release(); });
    const text = await (await streamed).text();
    assert.match(text, /one[\s\S]* two[\s\S]*\[DONE\]/);
    assert.deepEqual(provider.asked, ['1111', '2222']);
  });

  it('is replaced while a request runs whose old key was revoked: the new one serves it, and is not blamed', async () => {
    await configure([keys[0]]);
    provider.holds = true;
    const asked = ask('a');
    await isHeld();
    Object.assign(provider, { valid: [keys[1]], holds: false });
    await configure([keys[1]]);
    provider.held.splice(0).forEach(release => { release(); });
    assert.equal((await asked).status, 200);
    assert.deepEqual(provider.asked, ['1111', '2222']);
    assert.deepEqual((await router.status()).endpoints[0]?.keys.map(({ state }) => state), ['ok']);
  });

  it('in turn gives each conversation a key of its own', async () => {
    await configure(keys, { keyRotation: 'round-robin' });
    for (const prompt of ['a', 'b', 'c', 'a', 'b', 'c', 'b']) assert.equal((await ask(prompt)).status, 200);
    assert.deepEqual(provider.asked, ['1111', '2222', '3333', '1111', '2222', '3333', '2222']);
  });

  it('of one account rests as one, as the settings name it', async () => {
    await configure(keys, { keyAccounts: { team: ['key 1', 'key 2'] } });
    provider.limited = keys.slice(0, 2);
    assert.equal((await ask('a')).status, 200);
    assert.deepEqual(provider.asked, ['1111', '3333'], 'the second key is not asked in vain');
    const shown = (await router.status()).endpoints[0]?.keys;
    assert.deepEqual(shown?.map(({ state, sharesLimitsWith }) => [state, sharesLimitsWith]), [['cooling', ['key 2']], ['cooling', ['key 1']], ['ok', undefined]]);
  });

  it('has no account with keys that it lacks, and says so', async () => {
    await configure(keys.slice(0, 1), { keyAccounts: { team: ['key 1', 'kye 2'] } });
    const { problems } = await router.status();
    assert.match(problems.map(({ message }) => message).join(), /names the key "kye 2", and no key has that name; its keys are "key 1"/);
  });
});
