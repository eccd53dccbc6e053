import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, beforeEach, describe, it } from 'node:test';
import { configureRequest } from '../../../server/api/messages.ts';
import type { EndpointSettings, NetworkSettings } from '../../../server/api/settings.ts';
import { startSandboxProvider, type SandboxProvider } from '../../../server/sandbox/sandboxProvider.ts';
import { selfSignedCertificate } from '../../../server/sandbox/selfSignedCertificate.ts';
import { callers, readAnswer } from '../../faultwall/callers/callers.ts';
import { EditorDoor } from '../support/editorDoor.ts';
import { startHttpProxy, startSocksProxy, type OutboundProxy } from '../support/outboundProxy.ts';
import { rawRequest, type RawAnswer } from '../support/rawClient.ts';
import { sandboxEndpoint } from '../support/sandboxPair.ts';
import { startServer, type ServerProcess } from '../support/serverProcess.ts';
import { temporaryFolder } from '../support/temporaryFolder.ts';
import { startTestRouter, type TestRouter } from '../support/testRouter.ts';
import { askServer } from '../support/typedMessages.ts';

const login = 'worker:s3cret-pass%word';
const loginInUrl = 'worker:s3cret-pass%25word';
const secret = 's3cret-pass';
const host = 'llm.corp.internal';

describe('an endpoint that only a proxy reaches', () => {
  let provider: SandboxProvider;
  let second: SandboxProvider;
  let proxy: OutboundProxy;
  let locked: OutboundProxy;
  let socks: OutboundProxy;
  let lockedSocks: OutboundProxy;
  let testRouter: TestRouter;
  before(async () => {
    provider = await startSandboxProvider({ protocol: 'anthropic-messages', name: 'a' });
    second = await startSandboxProvider({ protocol: 'openai-chat', name: 'b' });
    proxy = await startHttpProxy();
    locked = await startHttpProxy({ login });
    socks = await startSocksProxy();
    lockedSocks = await startSocksProxy({ login });
    for (const one of [proxy, locked, socks, lockedSocks]) one.hosts.set(host, Number(new URL(provider.url).port)).set('127.0.0.1', Number(new URL(provider.url).port));
    testRouter = await startTestRouter({ endpoints: {} });
  });
  after(async () => {
    await testRouter.close();
    await Promise.all([provider, second, proxy, locked, socks, lockedSocks].map(one => one.close()));
  });
  beforeEach(() => {
    for (const one of [proxy, locked, socks, lockedSocks]) {
      one.asked.length = 0;
      Object.assign(one, { silent: false, refusal: undefined });
    }
    provider.script({ type: 'answer' });
  });

  /** Endpoint `a` behind the proxy, `b` on this machine. */
  async function configure(environment: Record<string, string>, settings: Partial<EndpointSettings> = {}): Promise<void> {
    await testRouter.configure({ endpoints: {} });
    await testRouter.configure({
      endpoints: { a: { ...sandboxEndpoint(provider), baseUrl: `http://${host}${new URL(provider.url).pathname.replace(/\/$/, '')}`, ...settings }, b: sandboxEndpoint(second) },
      routes: { auto: { targets: ['a/m', 'b/m'] } }, environment,
    });
  }

  function ask(model: string, stream = true): Promise<RawAnswer> {
    const { path: at, headers, body } = callers['openai-chat'];
    return rawRequest({ url: testRouter.url + at(model, stream), headers: headers(testRouter.token), body: JSON.stringify(body({ model, prompt: 'tell me of the sea', stream })) });
  }

  async function isAnswered(model = 'a/m'): Promise<void> {
    for (const stream of [true, false]) {
      const { status, text } = await ask(model, stream);
      const seen = readAnswer('openai-chat', text, stream);
      assert.ok(status === 200 && seen.finished && seen.error === undefined, text);
    }
  }

  async function failureOf(model = 'a/m'): Promise<{ status: number; message: string; failureClass: string | undefined }> {
    const { status, text, headers } = await ask(model);
    const receipt = await testRouter.receipt(String(headers['x-waybill-exchange']));
    assert.ok(!text.includes(secret) && !JSON.stringify(receipt).includes(secret), 'the password is shown');
    return { status, message: text, failureClass: receipt.attempts[0]?.failureClass };
  }

  const ways: readonly (readonly [string, () => { environment?: Record<string, string>; settings?: Partial<EndpointSettings>; by: OutboundProxy; asked: RegExp }])[] = [
    ['HTTP_PROXY', () => ({ environment: { HTTP_PROXY: `http://${proxy.address}` }, by: proxy, asked: /^POST http:\/\/llm\.corp\.internal\// })],
    ['http_proxy without a scheme', () => ({ environment: { http_proxy: proxy.address, HTTP_PROXY: 'http://127.0.0.1:1' }, by: proxy, asked: /^POST http/ })],
    ['ALL_PROXY', () => ({ environment: { ALL_PROXY: `http://${proxy.address}/` }, by: proxy, asked: /^POST http/ })],
    ['all_proxy with SOCKS', () => ({ environment: { all_proxy: `socks5h://${socks.address}` }, by: socks, asked: /^name llm\.corp\.internal:80$/ })],
    ['a proxy with a login', () => ({ environment: { HTTP_PROXY: `http://${loginInUrl}@${locked.address}` }, by: locked, asked: /^POST http/ })],
    ['its own proxy, which wins', () => ({ environment: { HTTP_PROXY: 'http://127.0.0.1:1' }, settings: { proxy: `http://${proxy.address}` }, by: proxy, asked: /^POST http/ })],
    ['its own SOCKS proxy with a login', () => ({ settings: { proxy: `socks5h://${loginInUrl}@${lockedSocks.address}` }, by: lockedSocks, asked: /^name llm/ })],
    ['its own proxy for a target on this machine', () => ({ settings: { baseUrl: provider.url, proxy: `http://${proxy.address}` }, by: proxy, asked: /^POST http:\/\/127\.0\.0\.1/ })],
    ['its own SOCKS proxy that wants addresses', () => ({ settings: { baseUrl: provider.url, proxy: `socks5://${socks.address}` }, by: socks, asked: /^address 127\.0\.0\.1:/ })],
  ];
  for (const [name, way] of ways) {
    it(`is reached, streamed and plain, for its traffic and its model list: ${name}`, async () => {
      const { environment = {}, settings = {}, by, asked } = way();
      await configure(environment, settings);
      await isAnswered();
      assert.match(by.asked[0] ?? '', asked);
      const endpoint = testRouter.testRouter.services.routeTable().target('a', 'm')?.endpoint;
      assert.ok(endpoint !== undefined);
      const tested = await testRouter.testRouter.endpointTester.testWith(endpoint, []);
      assert.ok(tested.ok && tested.models.length > 0, tested.message);
      assert.ok(provider.requests.every(({ headers }) => headers['proxy-authorization'] === undefined));
      if (name.includes('login') && !name.includes('SOCKS')) assert.equal(by.asked.every(one => !one.includes(secret)), true);
    });
  }

  it('is not reached through an encrypted proxy whose authority nobody knows', async () => {
    const encrypted = await startHttpProxy({ tls: selfSignedCertificate('localhost') });
    await configure({ HTTP_PROXY: `https://${encrypted.address.replace('127.0.0.1', 'localhost')}` });
    const { message, failureClass } = await failureOf();
    assert.match(message, /The proxy https:\/\/localhost:\d+ showed a certificate that is not trusted, so a was not asked; .*NODE_EXTRA_CA_CERTS/);
    assert.equal(failureClass, 'network');
    await encrypted.close();
  });

  it('leaves alone what NO_PROXY excepts, this machine, private addresses, and an endpoint with `none`', async () => {
    await configure({ HTTP_PROXY: `http://${proxy.address}` });
    await isAnswered('b/m');
    assert.deepEqual(proxy.asked, []);
    for (const settings of [{ baseUrl: provider.url }, { baseUrl: provider.url.replace('127.0.0.1', 'localhost') }]) {
      await configure({ HTTP_PROXY: `http://${proxy.address}` }, settings);
      await isAnswered();
    }
    await configure({ HTTP_PROXY: `http://${proxy.address}`, NO_PROXY: 'other.example,.corp.internal' });
    assert.equal((await ask('a/m')).status, 503);
    await configure({ HTTP_PROXY: `http://${proxy.address}` }, { proxy: 'none' });
    assert.equal((await ask('a/m')).status, 503);
    assert.deepEqual(proxy.asked, []);
  });

  it('is reached in another way as soon as the configuration says so', async () => {
    await configure({ HTTP_PROXY: `http://${proxy.address}` });
    await isAnswered();
    await configure({ HTTP_PROXY: `http://${loginInUrl}@${locked.address}` });
    await isAnswered();
    assert.ok(proxy.asked.length > 0 && locked.asked.length > 0);
  });

  it('is not taken for a machine that is offline, whatever the proxy does to several hosts', async () => {
    const at = (name: string, scheme: string): EndpointSettings => ({ ...sandboxEndpoint(provider), baseUrl: `${scheme}://${name}.corp.example` });
    const ways: readonly (readonly [Record<string, string>, string, RegExp])[] = [
      [{ HTTPS_PROXY: `http://${locked.address}` }, 'https', /wants a user name and a password \(407\)/],
      [{ HTTPS_PROXY: `http://${proxy.address}` }, 'https', /could not connect to three\.corp\.example:443 \(503\)/],
      [{ HTTPS_PROXY: 'http://no-such-proxy.invalid:3128' }, 'https', /has no address/],
    ];
    for (const [environment, scheme, sentence] of ways) {
      await testRouter.configure({ endpoints: {} });
      await testRouter.configure({ endpoints: { one: at('one', scheme), two: at('two', scheme), three: at('three', scheme) }, routes: {}, environment });
      for (const name of ['one', 'two', 'three', 'one', 'two']) await ask(`${name}/m`);
      const { text } = await ask('three/m');
      assert.match(text, sentence);
      assert.doesNotMatch(text, /offline/);
    }
  });

  describe('in the editor', () => {
    const strict = { endpoints: {}, routes: {}, keys: {}, http: { enabled: false, port: 0 } };
    let inspecting: OutboundProxy;
    let encrypted: SandboxProvider;
    let editor: EditorDoor;
    before(async () => {
      encrypted = await startSandboxProvider({ protocol: 'openai-chat', name: 'c', tls: selfSignedCertificate(host) });
      inspecting = await startHttpProxy({ tls: selfSignedCertificate('proxy.corp.internal'), login });
      inspecting.hosts.set(host, Number(new URL(encrypted.url).port));
      editor = new EditorDoor(testRouter.testRouter);
      await editor.open();
    });
    after(async () => {
      editor.close();
      await Promise.all([encrypted.close(), inspecting.close()]);
    });

    async function chat(network: NetworkSettings): Promise<string> {
      await askServer(editor.connection, configureRequest, strict);
      const endpoint = { ...sandboxEndpoint(encrypted), baseUrl: `https://${host}${new URL(encrypted.url).pathname.replace(/\/$/, '')}` };
      const { problems } = await askServer(editor.connection, configureRequest, { ...strict, endpoints: { c: endpoint }, network });
      assert.deepEqual(problems, []);
      const { result } = await editor.chat('c/m', { system: [], messages: [{ role: 'user', content: [{ type: 'text', text: 'hello' }] }], tools: [] });
      return result.outcome === 'ok' ? 'ok' : result.error?.message ?? 'failed';
    }

    it('is reached through `http.proxy`, whose certificate and login the settings are about', async () => {
      const proxyUrl = `https://${inspecting.address}`;
      const proxyAuthorization = `Basic ${Buffer.from(login).toString('base64')}`;
      assert.equal(await chat({ proxy: proxyUrl, proxyStrictSSL: false, proxyAuthorization }), 'ok');
      assert.equal(await chat({ proxy: proxyUrl.replace('https://', `https://${loginInUrl}@`), proxyStrictSSL: false }), 'ok');
      assert.deepEqual([...new Set(inspecting.asked)], [`CONNECT ${host}:443`]);
      assert.match(await chat({ proxy: proxyUrl, proxyAuthorization }), /The proxy .* showed a certificate that is not trusted.*http\.proxy/);
      assert.match(await chat({ proxy: proxyUrl, proxyStrictSSL: false }), /wants a user name and a password \(407\).*http\.proxy/);
    });

    it('is asked directly where `http.noProxy` or `http.proxySupport` say so', async () => {
      for (const exception of [{ noProxy: ['*.corp.internal'] }, { proxySupport: 'off' }]) {
        assert.match(await chat({ proxy: `https://${inspecting.address}`, ...exception }), /^c has no address/);
      }
      assert.deepEqual(inspecting.asked.slice(2).filter(one => !one.startsWith('CONNECT')), []);
    });
  });

  const troubles: readonly (readonly [string, () => Promise<[Record<string, string>, Partial<EndpointSettings>]> | [Record<string, string>, Partial<EndpointSettings>], RegExp])[] = [
    ['refuses the connection', () => [{ HTTP_PROXY: 'http://127.0.0.1:1' }, {}], /The proxy http:\/\/127\.0\.0\.1:1 refused the connection, so a was not asked; check that it runs, and its address in HTTP_PROXY/],
    ['has no address', () => [{ http_proxy: 'http://no-such-proxy.invalid:3128' }, {}], /The proxy http:\/\/no-such-proxy\.invalid:3128 has no address.*in http_proxy/],
    ['wants a login', () => [{ HTTP_PROXY: `http://${locked.address}` }, {}], /wants a user name and a password \(407\), so a was not asked; write them into its address in HTTP_PROXY/],
    ['rejects the login', () => [{ HTTP_PROXY: `http://worker:${secret}@${locked.address}` }, {}], /rejected the user name or the password \(407\).*correct them in HTTP_PROXY/],
    ['wants a login over SOCKS', () => [{}, { proxy: `socks5h://${lockedSocks.address}` }], /wants a user name and a password/],
    ['rejects the login over SOCKS', () => [{}, { proxy: `socks5h://worker:${secret}@${lockedSocks.address}` }], /rejected the user name or the password/],
    ['does not know the host over SOCKS', () => [{}, { proxy: `socks5h://${socks.address}`, baseUrl: 'http://other.corp.internal/v1' }], /did not connect to other\.corp\.internal:80 \(host unreachable\)/],
    ['refuses to connect', () => { proxy.refusal = { status: 403 }; return [{ HTTPS_PROXY: `http://${proxy.address}` }, { baseUrl: 'https://llm.corp.internal' }]; }, /did not connect to llm\.corp\.internal:443 \(403\), so a was not asked; .*NO_PROXY/],
    ['rejects the login with 401', () => { proxy.refusal = { status: 401 }; return [{ HTTP_PROXY: `http://worker:${secret}@${proxy.address}` }, {}]; }, /rejected the user name or the password \(401\), so a was not asked/],
    ['cannot reach the host', () => [{ HTTPS_PROXY: `http://${proxy.address}` }, { baseUrl: 'https://other.corp.internal' }], /could not connect to other\.corp\.internal:443 \(503\), so a was not asked; check the base URL of a/],
    ['refuses a request without TLS', () => { proxy.refusal = { status: 403 }; return [{ HTTP_PROXY: `http://${proxy.address}` }, {}]; }, /did not connect to llm\.corp\.internal:80 \(403\), so a was not asked; .*NO_PROXY/],
    ['cannot reach the host of a request without TLS', () => [{ HTTP_PROXY: `http://${proxy.address}` }, { baseUrl: 'http://other.corp.internal/v1' }], /could not connect to other\.corp\.internal:80 \(503\), so a was not asked; check the base URL of a/],
    ['wants a login before it connects', () => [{ HTTPS_PROXY: `http://${locked.address}` }, { baseUrl: 'https://llm.corp.internal' }], /wants a user name and a password \(407\)/],
    ['wants a login that Waybill does not have', () => { proxy.refusal = { status: 407, headers: 'proxy-authenticate: Negotiate\r\nproxy-authenticate: NTLM\r\n' }; return [{ HTTPS_PROXY: `http://${proxy.address}` }, { baseUrl: 'https://llm.corp.internal' }]; }, /\(407: Negotiate, NTLM\)/],
    ['is no proxy', () => [{ HTTPS_PROXY: `http://${socks.address}` }, { baseUrl: 'https://llm.corp.internal' }], /gave no usable answer when it was asked for llm\.corp\.internal:443.*in HTTPS_PROXY/],
    ['is silent', () => { proxy.silent = true; return [{ HTTPS_PROXY: `http://${proxy.address}` }, { baseUrl: 'https://llm.corp.internal', timeouts: { connectMs: 300 } }]; }, /The proxy .* did not answer within 300 ms, so a was not asked/],
  ];
  for (const [name, scene, sentence] of troubles) {
    it(`is named as not asked, and is not blamed, when the proxy ${name}`, async () => {
      const [environment, settings] = await scene();
      await configure(environment, settings);
      for (let round = 0; round < 6; round += 1) {
        const { status, message, failureClass } = await failureOf();
        assert.equal(status, 503);
        assert.match(message, sentence);
        assert.equal(failureClass, 'network');
      }
      // Six failures would have opened the breaker of an endpoint.
      const { headers } = await ask('auto');
      assert.equal(headers['x-waybill-target'], 'b/m');
      assert.equal(headers['x-waybill-attempts'], '2');
    });
  }
});

describe('a proxy in the environment of a server process', () => {
  const { folder, remove } = temporaryFolder();
  const certificate = selfSignedCertificate(host);
  const authority = path.join(folder, 'authority.pem');
  let provider: SandboxProvider;
  let proxy: OutboundProxy;
  let server: ServerProcess | undefined;
  before(async () => {
    writeFileSync(authority, certificate.cert);
    provider = await startSandboxProvider({ protocol: 'openai-chat', name: 'tls', tls: certificate });
    proxy = await startHttpProxy({ login });
    proxy.hosts.set(host, Number(new URL(provider.url).port));
  });
  after(async () => {
    await provider.close();
    await proxy.close();
    remove();
  });

  /** One request to an endpoint with TLS behind the proxy, which is as one that inspects: its authority is the company's own. */
  async function answer(environment: Record<string, string>, network?: object): Promise<{ status: number; text: string; log: string }> {
    const configFile = path.join(folder, 'config.yaml');
    writeFileSync(configFile, JSON.stringify({
      endpoints: { a: { ...sandboxEndpoint(provider), baseUrl: `https://${host}${new URL(provider.url).pathname.replace(/\/$/, '')}` } }, routes: {}, ...(network === undefined ? {} : { network }),
    }));
    server = await startServer({ configFile, dataDir: path.join(folder, `data-${Date.now()}`), environment: { HTTPS_PROXY: `http://${loginInUrl}@${proxy.address}`, ...environment } });
    const { path: at, headers, body } = callers['openai-chat'];
    const { status, text } = await rawRequest({ url: server.url + at('a/m', true), headers: headers(server.token), body: JSON.stringify(body({ model: 'a/m', prompt: 'tell me of the sea', stream: true })) });
    const log = JSON.stringify([server.written, await server.get('/waybill/status')]);
    await server.stop();
    return { status, text, log };
  }

  it('is used with the authority of the system', async () => {
    const { status, text, log } = await answer({ SSL_CERT_FILE: authority });
    assert.equal(status, 200, text);
    assert.deepEqual([...new Set(proxy.asked)], [`CONNECT ${host}:443`]);
    assert.ok(!log.includes(secret));
  });

  it('is used with an authority in NODE_EXTRA_CA_CERTS', async () => {
    assert.equal((await answer({ NODE_EXTRA_CA_CERTS: authority })).status, 200);
  });

  it('does not make up for an authority that nobody trusts, or that the settings leave out', async () => {
    for (const [environment, network] of [[{}, undefined], [{ SSL_CERT_FILE: authority }, { systemCertificates: false }]] as const) {
      const { status, text } = await answer(environment, network);
      assert.equal(status, 503);
      assert.match(text, /certificate that is not trusted/);
    }
  });
});
