import assert from 'node:assert/strict';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { rawRequest } from '../support/rawClient.ts';
import { temporaryFolder } from '../support/temporaryFolder.ts';
import { startTestRouter, type TestRouter } from '../support/testRouter.ts';

/** A resource of Azure OpenAI that takes tokens of Entra and no keys, as one with local authentication turned off does. */
interface AzureResource { url: string; authorizations: string[]; good: Set<string>; close(): void }

async function startAzure(): Promise<AzureResource> {
  const [authorizations, good]: [string[], Set<string>] = [[], new Set()];
  const server = createServer((request, response) => {
    request.resume();
    request.on('end', () => {
      const authorization = String(request.headers.authorization ?? '');
      if (request.url === '/openai/v1/chat/completions') authorizations.push(authorization);
      const answer = (status: number, body: unknown): void => void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
      if (request.headers['api-key'] !== undefined) answer(403, { error: { code: 'AuthenticationTypeDisabled', message: 'Key based authentication is disabled for this resource.' } });
      else if (!authorization.startsWith('Bearer ') || !good.has(authorization.slice(7))) answer(401, { error: { code: '401', message: 'Access denied due to invalid subscription key or wrong API endpoint. The token is missing, invalid or expired.' } });
      else if (request.url === '/openai/v1/models') answer(200, { object: 'list', data: [{ id: 'gpt-4.1', object: 'model' }] });
      else answer(200, { id: 'c', object: 'chat.completion', created: 1, model: 'gpt-4.1', choices: [{ index: 0, message: { role: 'assistant', content: 'hello' }, finish_reason: 'stop' }], usage: { prompt_tokens: 3, completion_tokens: 1, total_tokens: 4 } });
    });
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, authorizations, good, close: () => void server.close().closeAllConnections() };
}

describe('an endpoint at Azure that logs in by Azure CLI', { skip: process.platform === 'win32' }, () => {
  const { folder, remove } = temporaryFolder();
  const variables = ['PATH', 'AZURE_TENANT_ID', 'AZURE_CLIENT_ID', 'AZURE_CLIENT_SECRET', 'AZURE_FEDERATED_TOKEN_FILE', 'IDENTITY_ENDPOINT'];
  const kept = Object.fromEntries(variables.map(name => [name, process.env[name]]));
  let azure: AzureResource;
  let router: TestRouter;

  before(async () => {
    for (const name of variables) if (name !== 'PATH') delete process.env[name];
    process.env.PATH = `${folder}${path.delimiter}${process.env.PATH ?? ''}`;
    azure = await startAzure();
    router = await startTestRouter({ endpoints: {} });
  });
  after(async () => {
    for (const [name, value] of Object.entries(kept)) if (value !== undefined) process.env[name] = value;
    await router.close();
    azure.close();
    remove();
  });
  beforeEach(() => {
    azure.authorizations.length = 0;
    azure.good.clear();
    writeFileSync(path.join(folder, 'runs'), '');
  });

  /** Prints these tokens, one each time it is run, and the last one from then on. */
  function azureCli(...tokens: string[]): void {
    const program = path.join(folder, 'az');
    writeFileSync(path.join(folder, 'tokens'), `${tokens.join('\n')}\n`);
    writeFileSync(program, `#!/bin/sh\ncd ${JSON.stringify(folder)}\necho "$*" >> runs\nn=$(wc -l < runs)\ntoken=$(sed -n "$n"p tokens)\n[ -n "$token" ] || token=$(tail -n 1 tokens)\n[ "$token" = none ] && { echo "Please run 'az login'" >&2; exit 1; }\nprintf '{"accessToken":"%s","expires_on":4102444800}' "$token"\n`);
    chmodSync(program, 0o755);
  }

  let serial = 0;
  async function ask(tenant?: string): Promise<{ status: number; text: string; id: string }> {
    serial += 1;
    // Each tenant is a login of its own, so that nothing of an earlier test is kept.
    await router.configure({ endpoints: { [`azure${serial}`]: { provider: 'azure', baseUrl: azure.url, entra: true, tenant: tenant ?? `t${serial}.example.com`, models: { 'gpt-4.1': {} }, probe: { enabled: false } } } });
    return again();
  }

  async function again(): Promise<{ status: number; text: string; id: string }> {
    const { status, text, headers } = await rawRequest({ url: `${router.url}/v1/chat/completions`, headers: { authorization: `Bearer ${router.token}` }, body: JSON.stringify({ model: `azure${serial}/gpt-4.1`, messages: [{ role: 'user', content: 'hi' }] }) });
    return { status, text, id: String(headers['x-waybill-exchange']) };
  }

  test('is answered, and the token is asked for once', async () => {
    azureCli('first');
    azure.good.add('first');
    assert.equal((await ask('contoso.example.com')).status, 200);
    assert.equal((await again()).status, 200);
    assert.deepEqual(azure.authorizations, ['Bearer first', 'Bearer first']);
    assert.equal(readFileSync(path.join(folder, 'runs'), 'utf8'), 'account get-access-token --output json --resource https://cognitiveservices.azure.com --tenant contoso.example.com\n');
  });

  test('asks for another token where one is refused, unseen', async () => {
    azureCli('old', 'new');
    azure.good.add('new');
    const seen = await ask();
    assert.equal(seen.status, 200, seen.text);
    assert.deepEqual(azure.authorizations, ['Bearer old', 'Bearer new']);
    assert.equal((await router.receipt(seen.id)).attempts.length, 1);
  });

  test('says what to do where there is no login, and shows no token anywhere', async () => {
    azureCli('none');
    const seen = await ask();
    assert.match(seen.text, /Azure CLI gives no token for Azure OpenAI; run \\"az login --tenant t\d+\.example\.com\\" again/);
    assert.equal((await router.receipt(seen.id)).attempts[0]?.failureClass, 'auth');
    assert.deepEqual(azure.authorizations, []);
  });

  test('says whose login is rejected where the identity has no role', async () => {
    azureCli('secretTokenWithoutRole');
    const seen = await ask();
    assert.match(seen.text, /rejected the Entra login of this machine \(401\)/);
    for (const text of [seen.text, JSON.stringify(await router.receipt(seen.id)), JSON.stringify(await router.status())]) assert.ok(!text.includes('secretTokenWithoutRole'));
  });
});
