import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { WaybillError } from '../../../../server/base/failure.ts';
import type { ResponseHeaders } from '../../../../server/base/headers/responseHeaders.ts';
import { bedrock } from '../../../../server/catalog/bedrock.ts';
import type { AwsLogin } from '../../../../server/keys/authHeader.ts';
import type { AwsApiKey, AwsCredentials, AwsParts } from '../../../../server/upstream/aws/aws.ts';
import { noLogin } from '../../../../server/upstream/aws/loginFailures.ts';
import type { CallPlace, Dispatch, ResponseListener, UpstreamRequest } from '../../../../server/upstream/call.ts';
import { awsSigning } from '../../../../server/upstream/interceptors/aws.ts';
import { AwsLogins } from '../../../../server/upstream/interceptors/awsCredentials.ts';

const place = { name: 'work', protocol: 'anthropic-messages', provider: bedrock, timeouts: {} } as CallPlace;
const machine: AwsLogin = { kind: 'aws', region: 'us-east-1', machine: true };
const url = 'https://bedrock-runtime.us-east-1.amazonaws.com/model/m/invoke';
const start = Date.parse('2026-11-27T10:00:00Z');

/** Parts without AWS's libraries: a signature is the id of the key, and a moment. */
class FakeParts implements AwsParts {
  asked = 0;
  found: (AwsCredentials | AwsApiKey | Error)[] = [];

  sign(_request: unknown, { accessKeyId }: AwsCredentials, _place: unknown, at: Date): Promise<Record<string, string>> {
    return Promise.resolve({ authorization: `${accessKeyId} ${at.toISOString()}` });
  }

  findCredentials(): Promise<AwsCredentials | AwsApiKey> {
    this.asked += 1;
    const next = this.found.length > 1 ? this.found.shift() : this.found[0];
    return next instanceof Error || next === undefined ? Promise.reject(next ?? new Error('none')) : Promise.resolve(next);
  }

  openFrames(): never {
    throw new Error('no stream here');
  }
}

const key = (accessKeyId: string, expiresAt?: number): AwsCredentials => ({ accessKeyId, secretAccessKey: 's', expiresAt });

/** Sends one request. @param answers what comes back for each time it goes out */
async function send(logins: AwsLogins, login: AwsLogin, answers: readonly (readonly [number, ResponseHeaders])[]): Promise<{ sent: UpstreamRequest[]; places: string[]; seen: string[] }> {
  const [sent, places, seen]: [UpstreamRequest[], string[], string[]] = [[], [], []];
  await new Promise<void>(resolve => {
    const listener: ResponseListener = {
      onHeaders: status => { seen.push(String(status)); },
      onData: () => undefined,
      onEnd: resolve,
      onError: error => {
        seen.push(`${error.code} ${error.message}`);
        resolve();
      },
    };
    const next: Dispatch = (at, request, inner) => {
      const [status, headers] = answers[sent.length] ?? [200, {}];
      sent.push(request);
      places.push(at.name);
      let aborted = false;
      queueMicrotask(() => {
        inner.onHeaders(status, headers);
        if (!aborted) inner.onEnd();
      });
      return { source: 'provider', abort: () => { aborted = true; }, pause: () => undefined, resume: () => undefined };
    };
    awsSigning(logins)(next)(place, { method: 'POST', url, headers: { 'content-type': 'application/json' }, login }, listener);
  });
  return { sent, places, seen };
}

describe('signing for AWS', () => {
  it('lets a request that is not for AWS through as it is', () => {
    const request: UpstreamRequest = { method: 'GET', url: 'https://example.test/', headers: {} };
    const listener = {} as ResponseListener;
    let same = false;
    awsSigning(new AwsLogins(() => Promise.reject(new Error('loaded'))))((_place, got, heard) => {
      same = got === request && heard === listener;
      return { source: 'provider', abort: () => undefined, pause: () => undefined, resume: () => undefined };
    })(place, request, listener);
    assert.ok(same);
  });

  for (const type of ['ExpiredTokenException', 'UnrecognizedClientException:http://internal.amazon.com/']) {
    it(`with credentials of this machine is done again with newer ones after ${type}, unseen`, async () => {
      const parts = new FakeParts();
      parts.found = [key('OLD'), key('NEW')];
      const logins = new AwsLogins(() => Promise.resolve(parts), () => start);
      const { sent, seen } = await send(logins, machine, [[403, { 'x-amzn-errortype': type }]]);
      assert.deepEqual(sent.map(request => request.headers.authorization?.split(' ')[0]), ['OLD', 'NEW']);
      assert.deepEqual(seen, ['200']);
    });
  }

  it('is done once more at most', async () => {
    const parts = new FakeParts();
    parts.found = [key('OLD'), key('NEW'), key('NEWER')];
    const refusal = [403, { 'x-amzn-errortype': 'ExpiredTokenException' }] as const;
    const { sent, seen } = await send(new AwsLogins(() => Promise.resolve(parts), () => start), machine, [refusal, refusal, refusal]);
    assert.equal(sent.length, 2);
    assert.deepEqual(seen, ['403']);
  });

  it('with a key that a person gave is not done again', async () => {
    const parts = new FakeParts();
    parts.found = [key('GIVEN')];
    const { sent } = await send(new AwsLogins(() => Promise.resolve(parts), () => start), { kind: 'aws', region: 'us-east-1', accessKey: 'a:b' }, [[403, { 'x-amzn-errortype': 'ExpiredTokenException' }]]);
    assert.equal(sent.length, 1);
  });

  it('takes AWS\'s time where the clock of this machine is wrong, from then on', async () => {
    const parts = new FakeParts();
    parts.found = [key('ID')];
    const logins = new AwsLogins(() => Promise.resolve(parts), () => start);
    const date = new Date(start + 600_000).toUTCString();
    const first = await send(logins, machine, [[403, { 'x-amzn-errortype': 'InvalidSignatureException', date }]]);
    assert.deepEqual(first.sent.map(request => request.headers.authorization), ['ID 2026-11-27T10:00:00.000Z', 'ID 2026-11-27T10:10:00.000Z']);
    assert.equal((await send(logins, machine, [])).sent[0]?.headers.authorization, 'ID 2026-11-27T10:10:00.000Z');
  });

  it('sends an API key of the environment as a bearer token', async () => {
    const parts = new FakeParts();
    parts.found = [{ apiKey: 'ABSKx' }];
    assert.equal((await send(new AwsLogins(() => Promise.resolve(parts)), machine, [])).sent[0]?.headers.authorization, 'Bearer ABSKx');
  });

  it('that fails says why, and that it is the login', async () => {
    const parts = new FakeParts();
    parts.found = [noLogin('There is no AWS profile "x" on this machine.', { advice: 'check "profile", or AWS_PROFILE' })];
    const { sent, seen } = await send(new AwsLogins(() => Promise.resolve(parts)), machine, []);
    assert.deepEqual([sent.length, seen], [0, ['aws-login There is no AWS profile "x" on this machine; check "profile", or AWS_PROFILE.']]);
    parts.found = [new WaybillError('connect-timeout', 'timeout', 'the login did not answer')];
    assert.match((await send(new AwsLogins(() => Promise.resolve(parts)), machine, [])).seen[0] ?? '', /^connect-timeout/);
  });
});

describe('credentials of AWS', () => {
  it('are found once for all that wait, kept, renewed in the background shortly before they end, and not used at their end', async () => {
    const parts = new FakeParts();
    let now = start;
    parts.found = [key('FIRST', start + 3_600_000), key('SECOND', start + 7_200_000), key('THIRD', start + 99_000_000)];
    const logins = new AwsLogins(() => Promise.resolve(parts), () => now);
    const id = async (): Promise<string> => {
      const found = await logins.credentials(machine, () => Promise.reject(new Error('not asked')));
      return 'accessKeyId' in found ? found.accessKeyId : '';
    };
    assert.deepEqual(await Promise.all([id(), id(), id()]), ['FIRST', 'FIRST', 'FIRST']);
    assert.equal(parts.asked, 1);
    now = start + 3_600_000 - 4 * 60_000;
    assert.equal(await id(), 'FIRST');
    await new Promise(resolve => setImmediate(resolve));
    assert.equal(await id(), 'SECOND');
    assert.equal(parts.asked, 2);
    now = start + 7_200_000 - 10_000;
    assert.equal(await id(), 'THIRD');
  });

  it('of different profiles, regions and keys are different', async () => {
    const parts = new FakeParts();
    parts.found = [key('A'), key('B'), key('C'), key('D')];
    const logins = new AwsLogins(() => Promise.resolve(parts), () => start);
    const ids = await Promise.all([machine, { ...machine, profile: 'p' }, { ...machine, region: 'eu-west-1' }, { kind: 'aws' as const, region: 'us-east-1', accessKey: 'x:y' }, machine].map(login => logins.credentials(login, () => Promise.reject(new Error('not asked')))));
    assert.deepEqual(ids.map(found => 'accessKeyId' in found && found.accessKeyId), ['A', 'B', 'C', 'D', 'A']);
  });
});
