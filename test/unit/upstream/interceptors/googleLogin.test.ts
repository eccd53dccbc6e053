import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { generateKeyPairSync } from 'node:crypto';
import { describe, test } from 'node:test';
import { WaybillError } from '../../../../server/base/failure.ts';
import { readProxy } from '../../../../server/config/proxyAddress.ts';
import { selfSignedCertificate } from '../../../../server/sandbox/selfSignedCertificate.ts';
import { SystemCertificates } from '../../../../server/upstream/proxies/systemCertificates.ts';
import { startHttpProxy } from '../../../integration/support/outboundProxy.ts';
import { findProvider } from '../../../../server/catalog/providers.ts';
import { authorize, secretsOf } from '../../../../server/keys/authHeader.ts';
import { fetchText } from '../../../../server/upstream/fetchText.ts';
import type { CallPlace } from '../../../../server/upstream/call.ts';
import { googleAuth } from '../../../../server/upstream/interceptors/googleAuth.ts';
import type { AskLogin, LoginQuestion } from '../../../../server/upstream/machineLogin.ts';
import { GoogleTokens, type GoogleLibrary } from '../../../../server/upstream/interceptors/googleTokens.ts';
import { Transport } from '../../../../server/upstream/transport.ts';

const vertex = findProvider('vertex') ?? assert.fail();
const account = (changes: Record<string, unknown> = {}): string => JSON.stringify({
  type: 'service_account', project_id: 'team-1', private_key_id: 'abcdef0123456789', private_key: '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n',
  client_email: 'robot@team-1.iam.gserviceaccount.com', token_uri: 'https://oauth2.googleapis.com/token', ...changes,
});

/** The network of an endpoint that is not to be asked. */
const unasked: AskLogin = () => Promise.reject(new Error('nothing was to be asked'));

/** A fake of Google's library: it returns numbered tokens, or fails. */
class FakeGoogle {
  asked = 0;
  lifeMs = 3_600_000;
  failure: Error | undefined;
  now = 1_000_000;
  release: (() => void) | undefined;
  hold = false;

  readonly tokens = new GoogleTokens(() => Promise.resolve(this.library()), () => this.now);

  library(): GoogleLibrary {
    const client = {
      credentials: {} as Record<string, unknown>,
      setCredentials(credentials: Record<string, unknown>): void { client.credentials = credentials; },
      getAccessToken: async (): Promise<{ token: string }> => {
        this.asked += 1;
        const token = `token-${String(this.asked)}`;
        if (this.hold) await new Promise<void>(resolve => { this.release = resolve; });
        if (this.failure !== undefined) throw this.failure;
        client.credentials = { access_token: token, expiry_date: this.now + this.lifeMs };
        return { token };
      },
    };
    const made = function Client() { return client; };
    const auth = function Auth() { return { getClient: () => Promise.resolve(client), getProjectId: () => Promise.resolve('adc-project') }; };
    return { JWT: made, UserRefreshClient: made, GoogleAuth: auth } as unknown as GoogleLibrary;
  }
}

describe('access tokens of Google', () => {
  test('are fetched once for all who wait, and kept', async () => {
    const google = new FakeGoogle();
    const all = await Promise.all([google.tokens.token(account(), unasked), google.tokens.token(account(), unasked), google.tokens.token(account(), unasked)]);
    assert.deepEqual(all.map(one => [one.token, one.project]), [['token-1', 'team-1'], ['token-1', 'team-1'], ['token-1', 'team-1']]);
    google.now += 3_000_000;
    assert.equal((await google.tokens.token(account(), unasked)).token, 'token-1');
    assert.equal(google.asked, 1);
  });

  test('are renewed before they end, while the old one is still used', async () => {
    const google = new FakeGoogle();
    await google.tokens.token(account(), unasked);
    google.now += 3_600_000 - 200_000;
    assert.equal((await google.tokens.token(account(), unasked)).token, 'token-1');
    await new Promise(resolve => setImmediate(resolve));
    assert.equal((await google.tokens.token(account(), unasked)).token, 'token-2');
  });

  test('that have ended, or were refused, are not used again', async () => {
    const google = new FakeGoogle();
    await google.tokens.token(account(), unasked);
    google.now += 3_600_000;
    assert.equal((await google.tokens.token(account(), unasked)).token, 'token-2');
    google.tokens.forget(account(), 'token-1');
    assert.equal((await google.tokens.token(account(), unasked)).token, 'token-2', 'an older refusal does not drop the newer token');
    google.tokens.forget(account(), 'token-2');
    assert.equal((await google.tokens.token(account(), unasked)).token, 'token-3');
  });

  test("come of the machine's own login where there is no key", async () => {
    assert.deepEqual((({ token, project }) => ({ token, project }))(await new FakeGoogle().tokens.token(undefined, unasked)), { token: 'token-1', project: 'adc-project' });
  });

  const failures: readonly (readonly [string, Error & { response?: { status: number }; code?: string }, string | undefined, string, RegExp])[] = [
    ['a machine without a login', new Error('Could not load the default credentials. Browse to https://…'), undefined, 'auth', /gcloud auth application-default login/],
    ['a deleted key', Object.assign(new Error('invalid_grant: Invalid JWT Signature.'), { response: { status: 400 } }), account(), 'auth', /key was deleted, or the clock/],
    ['a login that has ended', Object.assign(new Error('invalid_grant'), { response: { status: 400 } }), undefined, 'auth', /has ended/],
    ['trouble at Google', Object.assign(new Error('backend error'), { response: { status: 503 } }), account(), 'server', /503/],
    ['no network', Object.assign(new Error('getaddrinfo ENOTFOUND'), { code: 'ENOTFOUND' }), account(), 'network', /host name was not found/],
  ];
  for (const [title, failure, key, failureClass, words] of failures) {
    test(`say what is wrong: ${title}`, async () => {
      const google = new FakeGoogle();
      google.failure = failure;
      await assert.rejects(google.tokens.token(key, unasked), (error: unknown) => error instanceof WaybillError && error.failureClass === failureClass && words.test(error.message));
      google.failure = undefined;
      assert.equal((await google.tokens.token(key, unasked)).token, 'token-2', 'and work again afterwards');
    });
  }

  const wrongFiles: readonly (readonly [string, string, RegExp])[] = [
    ['a file cut short', '{"type":"service_account"', /not valid JSON/],
    ['an account without its key', account({ private_key: undefined }), /not complete/],
    ['a kind that may run programs', JSON.stringify({ type: 'external_account', credential_source: { executable: { command: 'x' } } }), /"external_account" cannot be pasted/],
  ];
  for (const [title, file, words] of wrongFiles) {
    test(`are not asked for with ${title}`, async () => {
      await assert.rejects(new FakeGoogle().tokens.token(file, unasked), (error: unknown) => error instanceof WaybillError && error.failureClass === 'auth' && words.test(error.message) && !error.message.includes('PRIVATE'));
    });
  }

  test("are really asked for by Google's library: a key that is no key is refused before anything is sent", async () => {
    await assert.rejects(new GoogleTokens().token(account(), unasked), (error: unknown) => error instanceof WaybillError && error.failureClass === 'auth');
  });

  test('are asked for with a signed statement of the service account', async () => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const { JWT } = await import('google-auth-library');
    let asked: unknown;
    class RecordingJwt extends JWT {
      override getAccessToken(): Promise<{ token: string }> {
        asked = { email: this.email, scopes: this.scopes, keyId: this.keyId };
        return Promise.resolve({ token: 'real' });
      }
    }
    const library = { ...await import('google-auth-library'), JWT: RecordingJwt } as unknown as GoogleLibrary;
    const key = account({ private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }) });
    assert.equal((await new GoogleTokens(() => Promise.resolve(library)).token(key, unasked)).token, 'real');
    assert.deepEqual(asked, { email: 'robot@team-1.iam.gserviceaccount.com', scopes: ['https://www.googleapis.com/auth/cloud-platform'], keyId: 'abcdef0123456789' });
  });
});

describe("Google's library asks over the network of the endpoint", () => {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const key = account({ private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }) });

  test('with the body and the answer as they are', async () => {
    const asked: LoginQuestion[] = [];
    const answers = [{ status: 200, text: '{"access_token":"real-1","expires_in":3600,"token_type":"Bearer"}' }, { status: 400, text: '{"error":"invalid_grant","error_description":"Invalid JWT Signature."}' }];
    const ask: AskLogin = question => {
      asked.push(question);
      return Promise.resolve(answers.shift() ?? { status: 503, text: '<html>' });
    };
    const tokens = new GoogleTokens();
    assert.equal((await tokens.token(key, ask)).token, 'real-1');
    assert.deepEqual(asked.map(({ method, url }) => [method, url]), [['POST', 'https://oauth2.googleapis.com/token']]);
    assert.match(asked[0]?.body ?? '', /^grant_type=urn.*jwt-bearer&assertion=ey/);
    assert.match(asked[0]?.headers['content-type'] ?? '', /x-www-form-urlencoded/);
    tokens.forget(key, 'real-1');
    await assert.rejects(tokens.token(key, ask), /key was deleted, or the clock/);
    const user = JSON.stringify({ type: 'authorized_user', client_id: 'id', client_secret: 'sec', refresh_token: 'ref' });
    answers.push({ status: 200, text: '{"access_token":"real-2","expires_in":3600}' });
    assert.equal((await tokens.token(user, ask)).token, 'real-2');
    assert.match(asked.at(-1)?.body ?? '', /refresh_token=ref/);
  });

  test('and so through its proxy, whose failures stay what they are', async () => {
    const authority = { name: 'Company Root', ...selfSignedCertificate('Company Root') };
    const seen: string[] = [];
    const cloud = createTlsServer(selfSignedCertificate('cloud'), (request, response) => {
      seen.push(`${request.headers.host ?? ''} ${request.headers.authorization ?? ''}`);
      request.resume();
      response.end(request.url === '/token' ? '{"access_token":"of-cloud","expires_in":3600}' : '{}');
    });
    await new Promise<void>(resolve => cloud.listen(0, '127.0.0.1', resolve));
    const proxy = await startHttpProxy({ inspects: authority });
    for (const host of ['oauth2.googleapis.com', 'vertex.corp.internal']) proxy.hosts.set(host, (cloud.address() as AddressInfo).port);
    const own = readProxy(`http://${proxy.address}`, 'here');
    assert.ok(!('problem' in own));
    const transport = new Transport([googleAuth(new GoogleTokens())], new SystemCertificates(() => [authority.cert]));
    const place = { name: 'vertex', timeouts: { connectMs: 2000 }, proxy: own } as CallPlace;
    const ask = (): Promise<{ status: number }> => fetchText(transport, place, { method: 'GET', url: 'https://vertex.corp.internal/x', headers: {}, login: { kind: 'google', keyFile: key } }, 5000);
    assert.equal((await ask()).status, 200);
    assert.deepEqual(seen, ['oauth2.googleapis.com ', 'vertex.corp.internal Bearer of-cloud']);
    assert.ok(proxy.asked.includes('CONNECT oauth2.googleapis.com:443'));
    proxy.refusal = { status: 403 };
    const second = new Transport([googleAuth(new GoogleTokens())], new SystemCertificates(() => [authority.cert]));
    await assert.rejects(fetchText(second, place, { method: 'GET', url: 'https://vertex.corp.internal/x', headers: {}, login: { kind: 'google', keyFile: key } }, 5000), (error: unknown) => {
      assert.ok(error instanceof WaybillError);
      assert.deepEqual([error.code, error.failureClass], ['proxy-refused', 'network']);
      assert.match(error.message, /did not connect to oauth2\.googleapis\.com:443 \(403\), so the Google login of vertex was not asked/);
      return true;
    });
    await Promise.all([transport.shutdown(), second.shutdown(), proxy.close()]);
    cloud.closeAllConnections();
    cloud.close();
  });
});

describe('a request to Vertex AI', () => {
  const url = 'https://aiplatform.googleapis.com/v1/projects/{project}/locations/global/publishers/google/models/m:generateContent';
  const endpoint = { provider: vertex, protocol: 'gemini' } as const;

  test('never holds the key file, only the wish for its token', () => {
    const authorization = authorize(endpoint, { id: '1', label: 'robot', secret: account() }, url);
    assert.deepEqual(authorization, { url, headers: {}, login: { kind: 'google', keyFile: account() } });
    assert.deepEqual(authorize(endpoint, undefined, url), { url, headers: {}, login: { kind: 'google', keyFile: undefined } });
  });

  test('with an API key goes to the address without a project', () => {
    assert.deepEqual(authorize(endpoint, { id: '1', label: 'k', secret: 'AQ.abc' }, url), {
      url: 'https://aiplatform.googleapis.com/v1/publishers/google/models/m:generateContent', headers: { 'x-goog-api-key': 'AQ.abc' },
    });
  });

  test('is known by every secret in its key file, so that none is ever shown', () => {
    const secrets = secretsOf({ id: '1', label: 'robot', secret: account() });
    assert.ok(secrets.some(secret => secret.startsWith('-----BEGIN')));
    assert.ok(secrets.includes('abcdef0123456789'));
    assert.ok(!secrets.includes('team-1'));
    assert.deepEqual(secretsOf({ id: '1', label: 'k', secret: 'sk-1' }), ['sk-1']);
  });

  async function atServer(answer: (authorization: string | undefined) => number, run: (origin: string, seen: string[]) => Promise<void>): Promise<void> {
    const seen: string[] = [];
    const server: Server = createServer((request, response) => {
      seen.push(`${request.url ?? ''} ${request.headers.authorization ?? ''}`);
      response.writeHead(answer(request.headers.authorization)).end('{}');
    });
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
    try {
      await run(`http://127.0.0.1:${String((server.address() as AddressInfo).port)}`, seen);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  }
  const timeouts: CallPlace['timeouts'] = { connectMs: 2000, headersMs: 2000, bufferedHeadersMs: 2000, firstTokenMs: 2000, idleMs: 2000, totalMs: 2000, minTokensPerSecond: 0 };
  const place: CallPlace = { name: 'vertex', timeouts, protocol: 'gemini', provider: vertex };

  test('is sent with a token and the project of the credential, and once more with a new token when that is refused', async () => {
    await atServer(authorization => (authorization === 'Bearer token-1' ? 401 : 200), async (origin, seen) => {
      const transport = new Transport([googleAuth(new FakeGoogle().tokens)]);
      const answer = await fetchText(transport, place, { method: 'GET', url: `${origin}/v1/projects/{project}/x`, headers: {}, login: { kind: 'google', keyFile: account() } }, 2000);
      assert.equal(answer.status, 200);
      assert.deepEqual(seen, ['/v1/projects/team-1/x Bearer token-1', '/v1/projects/team-1/x Bearer token-2']);
      await transport.shutdown();
    });
  });

  test('that is refused twice is refused', async () => {
    await atServer(() => 401, async (origin, seen) => {
      const transport = new Transport([googleAuth(new FakeGoogle().tokens)]);
      const answer = await fetchText(transport, place, { method: 'GET', url: `${origin}/x`, headers: {}, login: { kind: 'google', keyFile: account() } }, 2000);
      assert.equal(answer.status, 401);
      assert.equal(seen.length, 2);
      await transport.shutdown();
    });
  });

  test('is not sent any more when its caller went while it waited for a token', async () => {
    await atServer(() => 200, async (origin, seen) => {
      const google = new FakeGoogle();
      google.hold = true;
      const transport = new Transport([googleAuth(google.tokens)]);
      const aborter = new AbortController();
      const call = fetchText(transport, place, { method: 'GET', url: `${origin}/x`, headers: {}, login: { kind: 'google', keyFile: account() } }, 2000, aborter.signal);
      await new Promise(resolve => setTimeout(resolve, 20));
      aborter.abort();
      await assert.rejects(call, (error: unknown) => error instanceof WaybillError && error.failureClass === 'cancelled');
      google.release?.();
      await new Promise(resolve => setTimeout(resolve, 20));
      assert.deepEqual(seen, []);
      await transport.shutdown();
    });
  });
});
