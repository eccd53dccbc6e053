import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, beforeEach, describe, it } from 'node:test';
import type { KeyMaterial } from '../../../../server/api/messages.ts';
import { azure } from '../../../../server/catalog/clouds.ts';
import { authorize, type EntraLogin } from '../../../../server/keys/authHeader.ts';
import { findToken, type RunCli } from '../../../../server/upstream/entra/entraTokens.ts';
import type { AskLogin, LoginQuestion } from '../../../../server/upstream/machineLogin.ts';

const login: EntraLogin = { kind: 'entra', resource: 'https://cognitiveservices.azure.com', authority: 'https://login.microsoftonline.com' };
const noCli: RunCli = () => Promise.reject(Object.assign(new Error('spawn az ENOENT'), { code: 'ENOENT' }));

describe('a token of Microsoft Entra ID', () => {
  const asked: LoginQuestion[] = [];
  let answer: { status: number; text: string } | undefined;
  let folder = '';
  const ask: AskLogin = question => {
    asked.push(question);
    return answer === undefined ? Promise.reject(new Error('nothing there')) : Promise.resolve(answer);
  };
  const failure = (promise: Promise<unknown>): Promise<string> => promise.then(() => 'none', (error: Error & { advice?: string }) => `${error.name}: ${error.message} ${error.advice ?? ''}`);

  before(() => { folder = mkdtempSync(path.join(tmpdir(), 'waybill-entra-')); });
  after(() => { rmSync(folder, { recursive: true, force: true }); });
  beforeEach(() => {
    asked.length = 0;
    answer = undefined;
  });

  it('is given to a service principal of the environment, in the tenant of the settings before that of the environment', async () => {
    answer = { status: 200, text: JSON.stringify({ token_type: 'Bearer', expires_in: 3599, access_token: 'eyJ.token' }) };
    const before = Date.now();
    const environment = { AZURE_TENANT_ID: 'env-tenant', AZURE_CLIENT_ID: 'client', AZURE_CLIENT_SECRET: 'se cret' };
    const found = await findToken({ ...login, tenant: 'contoso.onmicrosoft.com' }, ask, environment, noCli);
    assert.equal(found.token, 'eyJ.token');
    assert.ok(found.expiresAt >= before + 3_599_000 && found.expiresAt <= Date.now() + 3_599_000);
    assert.equal(asked[0]?.url, 'https://login.microsoftonline.com/contoso.onmicrosoft.com/oauth2/v2.0/token');
    assert.deepEqual(Object.fromEntries(new URLSearchParams(asked[0].body)), { client_id: 'client', client_secret: 'se cret', grant_type: 'client_credentials', scope: 'https://cognitiveservices.azure.com/.default' });
    await findToken(login, ask, environment, noCli);
    assert.match(asked[1]?.url ?? '', /\/env-tenant\//);
  });

  it('is asked of Microsoft\'s own hosts only', async () => {
    answer = { status: 200, text: JSON.stringify({ expires_in: 3599, access_token: 't' }) };
    const environment = { AZURE_TENANT_ID: 't', AZURE_CLIENT_ID: 'client', AZURE_CLIENT_SECRET: 'secret' };
    for (const [written, host] of [['https://login.microsoftonline.us/', 'login.microsoftonline.us'], ['https://evil.example', 'login.microsoftonline.com'], ['http://login.microsoftonline.us', 'login.microsoftonline.com'], ['https://login.microsoftonline.com.evil.example', 'login.microsoftonline.com']] as const) {
      await findToken(login, ask, { ...environment, AZURE_AUTHORITY_HOST: written }, noCli);
      assert.equal(new URL(asked.at(-1)?.url ?? '').hostname, host);
    }
    assert.match(await failure(findToken(login, ask, { ...environment, AZURE_TENANT_ID: 't/../x' }, noCli)), /The Entra tenant is no ID/);
  });

  it('is given to the token of a workload', async () => {
    writeFileSync(path.join(folder, 'token'), 'assertion\n');
    answer = { status: 200, text: JSON.stringify({ expires_in: '3599', access_token: 't' }) };
    await findToken(login, ask, { AZURE_TENANT_ID: 't', AZURE_CLIENT_ID: 'c', AZURE_FEDERATED_TOKEN_FILE: path.join(folder, 'token') }, noCli);
    assert.equal(new URLSearchParams(asked[0]?.body).get('client_assertion'), 'assertion');
  });

  it('is given by the identity of an app service, and by that of the machine', async () => {
    answer = { status: 200, text: JSON.stringify({ access_token: 't', expires_on: '1795780800', resource: login.resource }) };
    assert.deepEqual(await findToken(login, ask, { IDENTITY_ENDPOINT: 'http://127.0.0.1:41000/msi/token', IDENTITY_HEADER: 'h' }, noCli), { token: 't', expiresAt: 1_795_780_800_000 });
    assert.deepEqual([asked[0]?.url, asked[0]?.headers, asked[0]?.ofMachine], ['http://127.0.0.1:41000/msi/token?api-version=2019-08-01&resource=https%3A%2F%2Fcognitiveservices.azure.com', { 'x-identity-header': 'h' }, true]);
    assert.equal((await findToken(login, ask, {}, noCli)).token, 't');
    assert.match(asked[1]?.url ?? '', /^http:\/\/169\.254\.169\.254\/metadata\/identity\/oauth2\/token\?api-version=2018-02-01&/);
    answer = { status: 404, text: '<html>another cloud</html>' };
    assert.match(await failure(findToken(login, ask, {}, noCli)), /This machine has no login for Azure/);
  });

  it('is given by Azure CLI, whichever of its ends it prints', async () => {
    const runs: (readonly string[])[] = [];
    const run = (printed: unknown): RunCli => parameters => {
      runs.push(parameters);
      return Promise.resolve(JSON.stringify(printed));
    };
    assert.deepEqual(await findToken({ ...login, tenant: 'contoso.com' }, ask, {}, run({ accessToken: 'cli', expires_on: 1_795_780_800, expiresOn: '2026-11-27 12:00:00.000000' })), { token: 'cli', expiresAt: 1_795_780_800_000 });
    assert.deepEqual(runs[0], ['account', 'get-access-token', '--output', 'json', '--resource', 'https://cognitiveservices.azure.com', '--tenant', 'contoso.com']);
    assert.equal((await findToken(login, ask, {}, run({ accessToken: 'cli', expiresOn: '2026-11-27 12:00:00.000000' }))).expiresAt, Date.parse('2026-11-27 12:00:00.000000'));
    assert.equal(asked.length, 0);
  });

  it('that cannot be had is said in one sentence with the next step', async () => {
    assert.match(await failure(findToken(login, ask, {}, noCli)), /^MachineLoginError: This machine has no login for Azure\. install Azure CLI/);
    assert.match(await failure(findToken({ ...login, tenant: 'x' }, ask, {}, () => Promise.reject(Object.assign(new Error('az failed'), { code: 1 })))), /Azure CLI gives no token for Azure OpenAI\. run "az login --tenant x" again/);
    answer = { status: 401, text: JSON.stringify({ error: 'invalid_client', error_description: 'AADSTS7000215: Invalid client secret provided. Trace ID: 1' }) };
    assert.match(await failure(findToken(login, ask, { AZURE_TENANT_ID: 't', AZURE_CLIENT_ID: 'c', AZURE_CLIENT_SECRET: 's' }, noCli)), /refused the service principal of AZURE_CLIENT_ID \(401, AADSTS7000215\)/);
    answer = { status: 503, text: '' };
    assert.match(await failure(findToken(login, ask, { AZURE_TENANT_ID: 't', AZURE_CLIENT_ID: 'c', AZURE_CLIENT_SECRET: 's' }, noCli)), /could not be asked: it answered with 503/);
  });

  it('is asked for the cloud that the endpoint is in, and a key wins over it', () => {
    const provider = { ...azure, auth: 'entra' } as const;
    const at = (url: string, key?: KeyMaterial): ReturnType<typeof authorize> => authorize({ provider, protocol: 'openai-chat', tenant: 't' }, key, url);
    assert.deepEqual(at('https://x.openai.azure.com/openai/v1/models').login, { ...login, tenant: 't' });
    assert.deepEqual(at('https://x.openai.azure.us/openai/v1/models').login, { kind: 'entra', resource: 'https://cognitiveservices.azure.us', authority: 'https://login.microsoftonline.us', tenant: 't' });
    assert.deepEqual(at('https://x.openai.azure.cn/openai/v1/models').login, { kind: 'entra', resource: 'https://cognitiveservices.azure.cn', authority: 'https://login.partner.microsoftonline.cn', tenant: 't' });
    const keyed = at('https://x.openai.azure.com/openai/v1/models', { id: 'k', label: 'k', secret: 'abc' });
    assert.deepEqual([keyed.headers, keyed.login], [{ 'api-key': 'abc' }, undefined]);
  });
});
