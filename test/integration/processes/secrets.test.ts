import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { EndpointSettings } from '../../../server/api/settings.ts';
import { startSandboxProvider, type SandboxProvider } from '../../../server/sandbox/sandboxProvider.ts';
import { callerHeaders, callerPath, callerProtocols, requestBody } from '../support/callerProtocols.ts';
import { EditorClient } from '../support/editorClient.ts';
import { rawRequest } from '../support/rawClient.ts';
import { sandboxEndpoint } from '../support/sandboxPair.ts';
import { exitOf, startServer, until, type ServerProcess } from '../support/serverProcess.ts';
import { temporaryFolder } from '../support/temporaryFolder.ts';

/** Keys of several shapes; none of them may be found anywhere but in requests to its own provider. */
const secrets: Readonly<Record<string, string>> = {
  OPEN: 'sk-test-Zq81mNvB7cXw0pLkJhGf', ODD: 'plainOddKeyWithoutAnyShape77', LOUD: 'sk-ant-test-9Rr4Tt5Yy6Uu7Ii8Oo', SPLIT: 'key"with\\strange/characters+and=more', URL: 'p4sswordInTheUrl',
};

/** A provider that repeats the credential of the request in its errors, in every way it can. */
async function startEcho(): Promise<{ server: Server; url: string }> {
  const server = createServer((request, response) => {
    request.resume();
    const credential = String(request.headers.authorization ?? request.headers['x-api-key'] ?? '').replace(/^Bearer /, '');
    const mode = request.url?.split('/')[1];
    const said = `Incorrect API key provided: ${credential}. You can find your key (${credential}) at example.test?key=${encodeURIComponent(credential)}.`;
    const shown = mode === '400' || mode === '404' ? `The request of ${credential} makes no sense.` : said;
    const error = { error: { message: shown, type: 'invalid_request_error', code: credential, param: credential } };
    if (mode === 'stream') {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.end(`data: {"id":"1","object":"chat.completion.chunk","model":"m","choices":[{"index":0,"delta":{"content":"hi "}}]}\n\ndata: ${JSON.stringify(error)}\n\n`);
    } else if (mode === 'page') {
      response.writeHead(502, { 'content-type': 'text/html' }).end(`<html><body>${said}</body></html>`);
    } else if (mode === 'header') {
      response.writeHead(302, { location: `https://example.test/?key=${credential}`, 'x-request-id': credential }).end();
    } else {
      const status = Number(mode);
      response.writeHead(status, { 'content-type': 'application/json', 'x-request-id': `req-${credential}`, 'openai-organization': credential }).end(JSON.stringify(error));
    }
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

const modes = ['401', '403', '400', '404', '429', '500', 'stream', 'page', 'header'];

/** Every secret, plainly and as it would stand in JSON, in a URL or in base64. */
function traces(text: string): string[] {
  return Object.entries(secrets).flatMap(([name, secret]) => {
    const forms = [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret), Buffer.from(secret).toString('base64')];
    return forms.some(form => text.includes(form)) ? [name] : [];
  });
}

describe('keys', () => {
  const { folder, remove } = temporaryFolder();
  const dataDir = path.join(folder, 'data');
  const configFile = path.join(folder, 'waybill.yaml');
  let echo: Awaited<ReturnType<typeof startEcho>>;
  let good: SandboxProvider;
  let server: ServerProcess;
  const seen: string[] = [];

  before(async () => {
    echo = await startEcho();
    good = await startSandboxProvider({ protocol: 'openai-chat', name: 'good' });
    const endpoints: Record<string, EndpointSettings> = {
      good: sandboxEndpoint(good, { keys: ['${ODD}'] }),
      refused: { ...sandboxEndpoint(good, { keys: ['${ODD}'] }), baseUrl: 'http://127.0.0.1:9/v1' },
      noHost: { ...sandboxEndpoint(good, { keys: ['${ODD}'] }), baseUrl: 'https://no-such-host.invalid/v1' },
      userinfo: { provider: 'sandbox', baseUrl: `https://user:${secrets['URL'] ?? ''}@example.invalid/v1`, keys: ['${ODD}'] },
    };
    for (const protocol of callerProtocols) for (const mode of modes) for (const key of ['OPEN', 'ODD', 'LOUD', 'SPLIT']) {
      endpoints[`${protocol}-${mode}-${key}`] = {
        provider: 'sandbox', protocol, baseUrl: `${echo.url}/${mode}`, keys: [`\${${key}}`], models: { m: {} }, probe: { enabled: mode === '401', intervalMs: 500 },
      };
    }
    writeFileSync(configFile, JSON.stringify({ endpoints, routes: { all: { targets: ['openai-chat-401-OPEN/m', 'anthropic-messages-500-ODD/m', 'refused/m'] } } }, undefined, 1));
    server = await startServer({ configFile, dataDir, environment: Object.fromEntries(Object.entries(secrets).filter(([name]) => name !== 'URL')) });
  });
  after(async () => {
    server.child.kill('SIGKILL');
    await exitOf(server.child);
    echo.server.close();
    echo.server.closeAllConnections();
    await good.close();
    remove();
  });

  it('reach the provider they belong to', async () => {
    await rawRequest({
      url: server.url + callerPath['openai-chat'], headers: callerHeaders('openai-chat', server.token),
      body: JSON.stringify(requestBody('openai-chat', { model: 'good/m', prompt: 'hi', stream: false })),
    });
    assert.equal(good.requests.at(-1)?.headers.authorization, `Bearer ${secrets['ODD'] ?? ''}`);
  });

  it('are in no answer of a failing run: bodies, headers, streams', async () => {
    const names = [...callerProtocols.flatMap(protocol => modes.flatMap(mode => ['OPEN', 'ODD', 'LOUD', 'SPLIT'].map(key => `${protocol}-${mode}-${key}/m`))), 'refused/m', 'noHost/m', 'userinfo/m', 'all'];
    const found: string[] = [];
    for (const caller of callerProtocols) {
      await Promise.all(names.map(async (model, index) => {
        const body = JSON.stringify(requestBody(caller, { model, prompt: 'hi', stream: index % 2 === 0 || model.includes('stream') }));
        const answer = await rawRequest({ url: server.url + callerPath[caller], headers: callerHeaders(caller, server.token), body });
        const whole = `${JSON.stringify(answer.headers)}\n${answer.text}`;
        seen.push(whole);
        for (const name of traces(whole)) found.push(`${name} in the answer of ${model} to ${caller}: ${whole.slice(0, 600)}`);
      }));
    }
    assert.deepEqual(found, []);
  });

  it('are in nothing the local endpoint shows: status, spend, receipts, models', async () => {
    const exchanges = await server.get('/waybill/exchanges?limit=1000') as { id: string }[];
    assert.ok(exchanges.length > 100);
    const shown = [await server.get('/waybill/status'), await server.get('/waybill/spend'), exchanges, await server.get('/v1/models')];
    for (const { id } of exchanges) shown.push(await server.receipt(id));
    assert.deepEqual(shown.flatMap(one => traces(JSON.stringify(one))), []);
    assert.deepEqual(traces((await rawRequest({ url: `${server.url}/health` })).text), []);
  });

  it('are in no command line, in no environment but the one they came from, and in no child', () => {
    if (!existsSync('/proc/self/cmdline')) return;
    const pid = String(server.child.pid);
    assert.deepEqual(traces(readFileSync(`/proc/${pid}/cmdline`, 'utf8')), []);
    const children = readdirSync('/proc').filter(name => /^\d+$/.test(name)).filter(name => {
      try {
        return readFileSync(`/proc/${name}/stat`, 'utf8').split(') ')[1]?.split(' ')[1] === pid;
      } catch {
        return false;
      }
    });
    assert.deepEqual(children, []);
  });

  it('are in no file of the ledger and in no log line', async () => {
    await server.stop();
    assert.deepEqual(traces(server.written.stdout + server.written.stderr), []);
    const files = readdirSync(dataDir, { recursive: true, encoding: 'utf8' }).map(name => path.join(dataDir, name)).filter(file => statSync(file).isFile());
    assert.ok(files.some(file => statSync(file).size > 10_000), 'there is no ledger');
    assert.deepEqual(files.filter(file => traces(readFileSync(file, 'latin1')).length > 0), []);
  });

  it('travel to a language server over its channel only, and come back in none of its messages', async () => {
    const client = new EditorClient('node-ipc');
    const said: string[] = [];
    client.child.on('message', message => said.push(JSON.stringify(message)));
    try {
      await client.initialize(path.join(folder, 'editor'));
      const endpoints = Object.fromEntries(['401', 'stream', 'page'].map(mode => [`e-${mode}`, { provider: 'sandbox', baseUrl: `${echo.url}/${mode}`, models: { m: {} } }]));
      await client.configure({
        endpoints, routes: {},
        keys: Object.fromEntries(Object.keys(endpoints).map(name => [name, [{ id: 'k', label: 'my key', secret: secrets['ODD'] ?? '' }, { id: 'l', label: 'other', secret: secrets['SPLIT'] ?? '' }]])),
      });
      for (const name of Object.keys(endpoints)) {
        await client.chat(`${name}/m`, 'hello').result;
        await client.connection.sendRequest('waybill/testEndpoint', { name, settings: endpoints[name], secret: secrets['LOUD'] });
      }
      await until('the state was sent', () => client.snapshots.length > 0);
      assert.ok(said.length > 5);
      assert.deepEqual(said.filter(message => traces(message).length > 0), []);
      assert.deepEqual(traces(client.log.join('\n')), []);
      if (process.platform === 'linux') assert.deepEqual(traces(execFileSync('cat', [`/proc/${client.child.pid ?? 0}/environ`, `/proc/${client.child.pid ?? 0}/cmdline`], { encoding: 'latin1' })), []);
    } finally {
      client.kill();
      await exitOf(client.child);
    }
  });
});
