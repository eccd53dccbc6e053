import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it } from 'node:test';
import { protocolNames } from '../../../server/api/conversation.ts';
import * as catalog from '../../../server/catalog/providers.ts';
import { resolveConfig } from '../../../server/config/resolve.ts';
import { Transport } from '../../../server/upstream/transport.ts';
import { tryEndpoint } from '../../../server/upstream/tryEndpoint.ts';

const goodKey = 'sk-the-good-one';
const list = { data: [{ id: 'm-1' }, { id: 'm-2' }] };
const page = '<!doctype html><title>Welcome</title>';
type Answer = { status: number; body?: unknown; location?: string };
/** A server's answers by `METHOD path` and key; a missing entry is 404. */
type Site = Record<string, (key: string | undefined) => Answer>;

const forKey = (answer: Answer) => (key: string | undefined): Answer => (key === goodKey ? answer : { status: 401, body: { error: { message: 'bad key' } } });
const open = (answer: Answer) => (): Answer => answer;

async function tried(site: Site, base: string, key: string | null = goodKey, provider = 'openai-compatible') {
  const seen: string[] = [];
  const server = createServer((request, response) => {
    request.resume().on('end', () => {
      const line = `${request.method ?? ''} ${request.url ?? ''}`;
      seen.push(line);
      const answer = (site[line] ?? site['*'] ?? open({ status: 404, body: { error: 'not found' } }))(request.headers.authorization?.replace('Bearer ', '') ?? request.headers['x-api-key']?.toString());
      response.writeHead(answer.status, answer.location === undefined ? {} : { location: answer.location });
      response.end(typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body ?? {}));
    });
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const transport = new Transport();
  try {
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const { config } = resolveConfig({ endpoints: { south: { provider, baseUrl: origin + base } }, routes: {} }, { catalog, supportedProtocols: protocolNames, source: 'file' });
    const endpoint = config.endpoints.get('south') ?? assert.fail();
    const { endpoint: found, result } = await tryEndpoint(transport, endpoint, key === null ? undefined : { id: 'new', label: 'the new key', secret: key }, { now: 0 });
    return {
      base: found.baseUrl.slice(origin.length), ok: result.ok, proved: result.provedKey, models: result.models?.length, failure: result.error?.failureClass,
      message: result.error?.message.replace(origin, ''), seen,
    };
  } finally {
    await transport.shutdown();
    server.closeAllConnections();
    server.close();
  }
}

describe('trying an endpoint', () => {
  const strict: Site = { 'GET /v1/models': forKey({ status: 200, body: list }), 'POST /v1/chat/completions': forKey({ status: 400, body: { error: { message: 'model is required' } } }) };

  it('finds nothing at a wrong path, and says so with the address', async () => {
    const { ok, message, failure } = await tried(strict, '/wrong');
    assert.deepEqual([ok, failure, message], [false, 'server', 'Nothing answers at /wrong/models (404): check the base URL of south.']);
  });

  for (const [given, what] of [['/v1', 'as it is given'], ['', 'with the /v1 that is missing'], ['/v1/v1', 'without the /v1 that is doubled']] as const) {
    it(`keeps the address that answers: ${what}`, async () => {
      assert.deepEqual((({ base, ok, models, proved }) => ({ base, ok, models, proved }))(await tried(strict, given)), { base: '/v1', ok: true, models: 2, proved: true });
    });
  }

  it('keeps an address without the /v1 that the server does not have', async () => {
    const { base, models } = await tried({ 'GET /models': open({ status: 200, body: list }) }, '/v1');
    assert.deepEqual([base, models], ['', 2]);
  });

  for (const [what, site] of [
    ['a web page', { '*': open({ status: 200, body: page }) }],
    ['a web page with status 404', { '*': open({ status: 404, body: page }) }],
    ['"method not allowed"', { '*': open({ status: 405 }) }],
    ['a redirect', { '*': open({ status: 301, location: '/login' }) }],
  ] satisfies [string, Site][]) {
    it(`takes ${what} for no success`, async () => {
      const { ok, message } = await tried(site, '/v1');
      assert.equal(ok, false);
      assert.match(message ?? '', /check the base URL/);
    });
    it(`looks beside ${what}`, async () => {
      const { base, models } = await tried({ ...site, 'GET /v1/models': open({ status: 200, body: list }) }, '');
      assert.deepEqual([base, models], ['/v1', 2]);
    });
  }

  it('rejects a wrong key also where only the other address knows it', async () => {
    const { ok, base, failure, message } = await tried(strict, '', 'sk-wrong');
    assert.deepEqual([ok, base, failure], [false, '/v1', 'auth']);
    assert.equal(message, 'south rejected the new key (401); replace the key, or check what it may use.');
  });

  it('says that a key is wanted where none was given', async () => {
    const { failure, message } = await tried(strict, '/v1', null);
    assert.deepEqual([failure, message], ['auth', 'south wants a key (401); add one.']);
  });

  it('takes a server without a model list that knows the path of chat calls, and proves no key by it', async () => {
    const { ok, base, proved, models } = await tried({ 'POST /api/chat/completions': open({ status: 422, body: { detail: 'messages missing' } }) }, '/api');
    assert.deepEqual([ok, base, proved, models], [true, '/api', false, undefined]);
    assert.equal((await tried({ 'POST /v1/chat/completions': forKey({ status: 400 }) }, '/v1', 'sk-wrong')).failure, 'auth');
    assert.equal((await tried({ 'POST /v1/chat/completions': open({ status: 404, body: { error: { code: 'model_not_found', message: 'no model' } } }) }, '/v1')).ok, true);
  });

  it('proves a key by a list that is refused without one, and not by a list that is public', async () => {
    const publicList: Site = { 'GET /v1/models': open({ status: 200, body: list }) };
    assert.equal((await tried(strict, '/v1')).proved, true);
    assert.deepEqual((({ ok, proved }) => [ok, proved])(await tried(publicList, '/v1')), [true, false]);
  });

  it('tries the other spelling for servers of Anthropic\'s protocol as well', async () => {
    const site: Site = { 'GET /v1/models': forKey({ status: 200, body: list }) };
    for (const given of ['', '/v1', '/v1/v1']) {
      const { ok, models, proved } = await tried(site, given, goodKey, 'anthropic-compatible');
      assert.deepEqual([ok, models, proved], [true, 2, true], given);
    }
  });

  it('does not look for other addresses after a failure that is not about the address', async () => {
    const { seen, failure } = await tried({ '*': open({ status: 503, body: { error: { message: 'later' } } }) }, '/v1');
    assert.deepEqual([seen, failure], [['GET /v1/models'], 'server']);
  });
});
