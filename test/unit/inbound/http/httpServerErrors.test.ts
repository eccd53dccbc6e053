import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { silentLog } from '../../../../server/base/log.ts';
import type { Router } from '../../../../server/router/router.ts';
import { TokenCheck } from '../../../../server/inbound/http/auth/access.ts';
import { HttpServer } from '../../../../server/inbound/http/httpServer.ts';
import { LedgerUnavailableError } from '../../../../server/ledger/ledgerUnavailable.ts';
import { codecFor } from '../../../../server/protocols/registry.ts';

const logged: string[] = [];
let cancelled = 0;
let spend: () => Promise<never> = () => Promise.reject(new Error('no spend'));

/** A router in which everything that an answer needs fails: at once where it is synchronous, else by a rejection. */
const broken = {
  clock: { now: () => 0 },
  codecFor,
  newId: () => 'x',
  countTokens: () => Promise.reject(new URIError('URI malformed')),
  create: () => ({ start() { throw new Error('no start'); }, cancel() { cancelled += 1; } }),
  status() { throw new Error('no status'); },
  offeredNames() { throw new Error('no names'); },
  canServe() { throw new Error('no health'); },
  spend: () => spend(),
  recent: () => Promise.reject(new Error('no lines')),
  receipt: () => Promise.reject(new Error('no receipt')),
} as unknown as Router;

let url = '';
const httpServer = new HttpServer({
  router: broken, token: new TokenCheck('secret', { tokens: new Map() }), log: { ...silentLog, error: (message) => { logged.push(message); } },
  identityToken: 'secret', localEndpoint: () => ({ state: 'off' }),
});

before(async () => {
  httpServer.server.listen(0, '127.0.0.1');
  await once(httpServer.server, 'listening');
  url = `http://127.0.0.1:${(httpServer.server.address() as AddressInfo).port}`;
});
after(() => {
  httpServer.server.closeAllConnections();
  httpServer.server.close();
});

const anthropic = { model: 'v/m', messages: [{ role: 'user', content: 'hello' }], max_tokens: 9 };
const chat = { model: 'm', messages: [{ role: 'user', content: 'hello' }] };
const cases: readonly { what: string; path: string; body?: object; shape: (answer: Record<string, unknown>) => unknown }[] = [
  { what: 'counting tokens', path: '/v1/messages/count_tokens', body: anthropic, shape: ({ type, error }) => type === 'error' && (error as { type: string }).type === 'api_error' },
  { what: 'counting for Gemini', path: '/v1beta/models/m:countTokens', body: { contents: [{ parts: [{ text: 'x' }] }] }, shape: ({ error }) => (error as { status: string }).status === 'INTERNAL' },
  { what: 'a chat', path: '/v1/chat/completions', body: chat, shape: ({ error }) => (error as { code: string }).code === 'internal_error' },
  { what: 'a message', path: '/v1/messages', body: anthropic, shape: ({ type }) => type === 'error' },
  ...['/health', '/v1/models', '/waybill/status', '/waybill/spend', '/waybill/exchanges', '/waybill/exchanges/x', '/api/tags']
    .map((path) => ({ what: path, path, shape: ({ error }: Record<string, unknown>) => typeof (error as { message: string }).message === 'string' })),
];

describe('a caller gets the protocol\'s own error when the router fails at', () => {
  for (const { what, path, body, shape } of cases) {
    it(what, async () => {
      logged.length = 0;
      const response = await fetch(url + path, {
        method: body === undefined ? 'GET' : 'POST', headers: { authorization: 'Bearer secret', 'content-type': 'application/json' }, signal: AbortSignal.timeout(10_000),
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      assert.equal(response.status, 500);
      const answer = await response.json() as Record<string, unknown>;
      assert.ok(shape(answer), JSON.stringify(answer));
      assert.equal(logged.length, 1);
    });
  }

  it('nothing, where the name is no valid text: that is refused before', async () => {
    for (const path of ['/v1/messages/count_tokens', '/v1/messages']) {
      const response = await fetch(url + path, { method: 'POST', headers: { authorization: 'Bearer secret' }, body: JSON.stringify({ ...anthropic, model: 'v/\ud800' }), signal: AbortSignal.timeout(10_000) });
      assert.equal(response.status, 400);
      assert.match(await response.text(), /model name holds control characters or broken text/);
    }
  });

  it('nothing, where a range of spend cannot be read: that is refused in the same shape', async () => {
    const response = await fetch(`${url}/waybill/spend?range=yesterday`, { headers: { authorization: 'Bearer secret' } });
    assert.equal(response.status, 400);
    const { error } = await response.json() as { error: { type: string; code: string; message: string } };
    assert.deepEqual([error.type, error.code], ['invalid_request_error', 'invalid_request']);
    assert.match(error.message, /^Give range=today, 7d or month/);
  });

  it('a start, whose run is given up', () => { assert.equal(cancelled, 2); });

  it('a ledger that cannot be read now, with its sentence', async () => {
    spend = () => Promise.reject(new LedgerUnavailableError('The ledger is being repaired; try again in a moment.'));
    const response = await fetch(`${url}/waybill/spend`, { headers: { authorization: 'Bearer secret' } });
    assert.equal(response.status, 503);
    assert.match(await response.text(), /being repaired; try again in a moment/);
  });
});
