import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { anyPath, type HttpRoute } from '../../../../../server/inbound/http/routes/httpRoute.ts';
import { RouteTable } from '../../../../../server/inbound/http/routes/routeTable.ts';
import { identityPath } from '../../../../../server/inbound/http/auth/identity.ts';
import { httpRoutes, routeTable } from '../../../../../server/inbound/http/routes/table.ts';

/** Paths of the table, with the method and the access that serve them. */
const served: readonly (readonly [method: string, path: string, access: string, protocol?: string])[] = [
  ['POST', '/chat/completions', 'token', 'openai-chat'],
  ['POST', '/messages', 'token', 'anthropic-messages'],
  ['POST', '/responses', 'token', 'openai-responses'],
  ['POST', '/v1beta/models/m:generateContent', 'token', 'gemini'],
  ['POST', '/v1beta/models/endpoint/m:streamGenerateContent', 'token', 'gemini'],
  ['POST', '/models/m:generateContent', 'token', 'gemini'],
  ['POST', '/v1beta/models/m:countTokens', 'token', 'gemini'],
  ['POST', '/messages/count_tokens', 'token', 'anthropic-messages'],
  ['POST', '/responses/input_tokens', 'token', 'openai-responses'],
  ['POST', '/completions', 'token'],
  ['POST', '/fim/completions', 'token'],
  ['POST', '/embeddings', 'token'],
  ['GET', '/models', 'token'],
  ['GET', '/models/a/b', 'token'],
  ['GET', '/v1beta/models', 'token'],
  ['GET', '/v1beta1/models', 'token'],
  ['GET', '/api/tags', 'token'],
  ['GET', '/waybill/status', 'owner'],
  ['GET', '/waybill/endpoints', 'owner'],
  ['POST', '/waybill/endpoints', 'owner'],
  ['GET', '/waybill/spend', 'owner'],
  ['GET', '/waybill/export', 'owner'],
  ['GET', '/waybill/drills', 'owner'],
  ['POST', '/waybill/drills', 'owner'],
  ['POST', '/waybill/reconcile', 'owner'],
  ['GET', '/waybill/savings', 'owner'],
  ['GET', '/waybill/cache', 'owner'],
  ['GET', '/waybill/migration', 'owner'],
  ['GET', '/waybill/incidents', 'owner'],
  ['GET', '/waybill/canary', 'owner'],
  ['POST', '/waybill/canary', 'owner'],
  ['GET', '/waybill/shadow', 'owner'],
  ['POST', '/waybill/shadow', 'owner'],
  ['GET', '/waybill/response-cache', 'owner'],
  ['POST', '/waybill/response-cache', 'owner'],
  ['GET', '/waybill/budgets', 'owner'],
  ['POST', '/waybill/budgets', 'owner'],
  ['POST', '/mcp', 'tool'],
  ['GET', '/waybill/exchanges', 'owner'],
  ['GET', '/waybill/exchanges/wb_1', 'owner'],
  ['POST', '/waybill/exchanges/wb_1/cancel', 'owner'],
  ['GET', '/waybill/identity', 'loopback'],
  ['GET', '/metrics', 'metrics'],
  ['GET', '/health', 'loopback'],
  ['HEAD', '/health', 'loopback'],
  ['GET', '/waybill/ready', 'loopback'],
  ['HEAD', '/waybill/live', 'loopback'],
  ['GET', '/', 'loopback'],
  ['HEAD', '/', 'loopback'],
  ['HEAD', '/chat/completions', 'loopback', 'openai-chat'],
  ['OPTIONS', '/messages', 'loopback', 'anthropic-messages'],
  ['OPTIONS', '/nowhere', 'loopback'],
];

describe('the table of routes', () => {
  for (const [method, path, access, protocol] of served) {
    it(`serves ${method} ${path} with ${access}`, () => {
      const { route, ofPath } = routeTable.find(path, method);
      assert.equal(route?.access, access);
      assert.equal(ofPath[0]?.protocol, protocol);
    });
  }

  it('has no route that the cases above leave out', () => {
    const reached = new Set(served.map(([method, path]) => routeTable.find(path, method).route));
    assert.deepEqual(httpRoutes.filter(route => !reached.has(route)).map(({ path }) => String(path)), []);
  });

  it('has no route without a token that can read or spend', () => {
    assert.deepEqual(httpRoutes.filter(({ access }) => access === 'loopback').map(({ path }) => path), ['/health', '/waybill/ready', '/waybill/live', '/waybill/identity', '/', anyPath, anyPath]);
  });

  it('has its own rule for metrics alone', () => {
    assert.deepEqual(httpRoutes.filter(({ access }) => access === 'metrics').map(({ path }) => path), ['/metrics']);
  });

  it('leaves every path of the administration to the owner of the endpoint', () => {
    const pathOf = ({ path }: HttpRoute): string => (typeof path === 'string' ? path : path.source.replaceAll('\\/', '/').replace(/^\^/, ''));
    const administration = httpRoutes.filter(route => pathOf(route).startsWith('/waybill/') && ![identityPath, '/waybill/ready', '/waybill/live'].includes(pathOf(route)));
    assert.ok(administration.length > 15);
    assert.deepEqual(administration.filter(({ access }) => access !== 'owner').map(pathOf), []);
  });

  it('knows a path whose method is not served', () => {
    const { route, ofPath } = routeTable.find('/models/m:generateContent', 'GET');
    assert.equal(route, undefined);
    assert.deepEqual(ofPath.map(({ methods }) => methods), [['POST']]);
  });

  it('finds nothing at an unknown path', () => {
    assert.deepEqual(routeTable.find('/nowhere', 'GET'), { route: undefined, ofPath: [], groups: [] });
  });

  it('takes a new route as one more entry', () => {
    const toy: HttpRoute = { methods: ['GET'], path: '/toy', access: 'loopback', handle: call => call.json(200, {}) };
    const table = new RouteTable([...httpRoutes, toy]);
    assert.equal(table.find('/toy', 'GET').route, toy);
    assert.equal(table.find('/toy', 'POST').route, undefined);
  });
});
