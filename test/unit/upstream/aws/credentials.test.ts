import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, beforeEach, describe, it } from 'node:test';
import type { AwsLogin } from '../../../../server/keys/authHeader.ts';
import type { AskLogin, LoginQuestion } from '../../../../server/upstream/machineLogin.ts';
import { findCredentials } from '../../../../server/upstream/aws/credentials.ts';

const inHour = new Date(Date.now() + 3_600_000);
const roleAnswer = `<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ASIAROLE</AccessKeyId><SecretAccessKey>roleSecret</SecretAccessKey><SessionToken>roleToken</SessionToken><Expiration>${inHour.toISOString()}</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`;
const ssoAnswer = JSON.stringify({ roleCredentials: { accessKeyId: 'ASIASSO', secretAccessKey: 'ssoSecret', sessionToken: 'ssoToken', expiration: inHour.getTime() } });

describe('the credentials of this machine for AWS', () => {
  let folder = '';
  let home: string | undefined;
  const kept: Record<string, string | undefined> = {};
  const asked: LoginQuestion[] = [];
  let answers: Record<string, { status: number; text: string }> = {};
  const ask: AskLogin = question => {
    asked.push(question);
    const host = new URL(question.url).hostname;
    return Promise.resolve(answers[host] ?? { status: 500, text: '' });
  };
  const machine: AwsLogin = { kind: 'aws', region: 'us-east-1', machine: true };
  const quiet = { AWS_EC2_METADATA_DISABLED: 'true' };

  before(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'waybill-aws-'));
    home = process.env.HOME;
    for (const name of ['AWS_CONFIG_FILE', 'AWS_SHARED_CREDENTIALS_FILE', 'AWS_PROFILE']) kept[name] = process.env[name];
    process.env.HOME = folder;
    process.env.AWS_CONFIG_FILE = path.join(folder, 'config');
    process.env.AWS_SHARED_CREDENTIALS_FILE = path.join(folder, 'credentials');
    delete process.env.AWS_PROFILE;
    mkdirSync(path.join(folder, '.aws', 'sso', 'cache'), { recursive: true });
  });
  after(() => {
    for (const [name, value] of Object.entries({ ...kept, HOME: home })) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
    rmSync(folder, { recursive: true, force: true });
  });
  beforeEach(() => {
    asked.length = 0;
    answers = {};
    files('', '');
  });

  function files(config: string, credentials: string): void {
    writeFileSync(path.join(folder, 'config'), config);
    writeFileSync(path.join(folder, 'credentials'), credentials);
  }

  function tokenFile(id: string): string {
    return path.join(folder, '.aws', 'sso', 'cache', `${createHash('sha1').update(id).digest('hex')}.json`);
  }

  const failure = (promise: Promise<unknown>): Promise<string> => promise.then(() => 'none', (error: Error) => `${error.name}: ${error.message}`);

  it('are an access key that was given, in each of its forms', async () => {
    for (const accessKey of ['AKIA1:secret/1:token', ' {"AccessKeyId":"AKIA1","SecretAccessKey":"secret/1","SessionToken":"token"}', '{"Credentials":{"AccessKeyId":"AKIA1","SecretAccessKey":"secret/1","SessionToken":"token"}}', '{"aws_access_key_id":"AKIA1","aws_secret_access_key":"secret/1","aws_session_token":"token"}']) {
      assert.deepEqual(await findCredentials({ kind: 'aws', region: 'us-east-1', accessKey }, ask, {}), { accessKeyId: 'AKIA1', secretAccessKey: 'secret/1', sessionToken: 'token' });
    }
    assert.match(await failure(findCredentials({ kind: 'aws', region: 'us-east-1', accessKey: 'AKIA1' }, ask, {})), /^MachineLoginError: The access key is not complete/);
  });

  it('are those of the environment, an API key before an access key', async () => {
    const environment = { ...quiet, AWS_ACCESS_KEY_ID: 'AKIAENV', AWS_SECRET_ACCESS_KEY: 's', AWS_SESSION_TOKEN: '' };
    assert.deepEqual(await findCredentials(machine, ask, environment), { accessKeyId: 'AKIAENV', secretAccessKey: 's', sessionToken: undefined });
    assert.deepEqual(await findCredentials(machine, ask, { ...environment, AWS_BEARER_TOKEN_BEDROCK: 'ABSKabc' }), { apiKey: 'ABSKabc' });
  });

  it('are those of a profile where one is named, in the settings before the environment', async () => {
    files('[profile work]\nregion = eu-west-1\n', '[default]\naws_access_key_id = AKIADEFAULT\naws_secret_access_key = d\n[work]\naws_access_key_id = AKIAWORK\naws_secret_access_key = w\n');
    const environment = { ...quiet, AWS_ACCESS_KEY_ID: 'AKIAENV', AWS_SECRET_ACCESS_KEY: 's', AWS_PROFILE: 'work', AWS_BEARER_TOKEN_BEDROCK: '' };
    assert.deepEqual(await findCredentials(machine, ask, environment), { accessKeyId: 'AKIAWORK', secretAccessKey: 'w', sessionToken: undefined });
    assert.deepEqual(await findCredentials({ ...machine, profile: 'default' }, ask, environment), { accessKeyId: 'AKIADEFAULT', secretAccessKey: 'd', sessionToken: undefined });
    assert.deepEqual(await findCredentials(machine, ask, quiet), { accessKeyId: 'AKIADEFAULT', secretAccessKey: 'd', sessionToken: undefined });
    assert.match(await failure(findCredentials({ ...machine, profile: 'other' }, ask, environment)), /There is no AWS profile "other"/);
  });

  it('are those of a role on another profile, by a signed question to STS of the region', async () => {
    files('[profile base]\n[profile dev]\nrole_arn = arn:aws:iam::123456789012:role/dev\nsource_profile = base\nregion = eu-central-1\nexternal_id = x 1\n', '[base]\naws_access_key_id = AKIABASE\naws_secret_access_key = b\n');
    answers = { 'sts.eu-central-1.amazonaws.com': { status: 200, text: roleAnswer } };
    assert.deepEqual(await findCredentials({ ...machine, profile: 'dev' }, ask, quiet), { accessKeyId: 'ASIAROLE', secretAccessKey: 'roleSecret', sessionToken: 'roleToken', expiresAt: inHour.getTime() });
    assert.match(asked[0]?.headers.authorization ?? '', /Credential=AKIABASE\/\d{8}\/eu-central-1\/sts\/aws4_request/);
    assert.equal(new URLSearchParams(asked[0]?.body).get('ExternalId'), 'x 1');
    answers = { 'sts.eu-central-1.amazonaws.com': { status: 403, text: '<ErrorResponse><Error><Code>AccessDenied</Code><Message>not authorized</Message></Error></ErrorResponse>' } };
    assert.match(await failure(findCredentials({ ...machine, profile: 'dev' }, ask, quiet)), /The role arn:aws:iam::123456789012:role\/dev was refused by AWS \(403\)/);
  });

  it('are those of a role by the token of a workload', async () => {
    writeFileSync(path.join(folder, 'token'), 'web.identity.token\n');
    answers = { 'sts.us-east-1.amazonaws.com': { status: 200, text: roleAnswer } };
    const found = await findCredentials(machine, ask, { ...quiet, AWS_WEB_IDENTITY_TOKEN_FILE: path.join(folder, 'token'), AWS_ROLE_ARN: 'arn:aws:iam::1:role/pod' });
    assert.equal('accessKeyId' in found && found.accessKeyId, 'ASIAROLE');
    assert.equal(asked[0]?.headers.authorization, undefined);
    assert.equal(new URLSearchParams(asked[0]?.body).get('WebIdentityToken'), 'web.identity.token');
  });

  it('are those of an SSO login, whose token is renewed in the file of AWS\'s own tools', async () => {
    files('[profile sso]\nsso_session = corp\nsso_account_id = 123456789012\nsso_role_name = Developer\n[sso-session corp]\nsso_start_url = https://corp.awsapps.com/start\nsso_region = eu-west-1\n', '');
    const login = { ...machine, profile: 'sso' };
    assert.match(await failure(findCredentials(login, ask, quiet)), /There is no SSO login for the AWS profile "sso"/);
    writeFileSync(tokenFile('corp'), JSON.stringify({ accessToken: 'token1', expiresAt: inHour.toISOString() }));
    answers = { 'portal.sso.eu-west-1.amazonaws.com': { status: 200, text: ssoAnswer } };
    assert.deepEqual(await findCredentials(login, ask, quiet), { accessKeyId: 'ASIASSO', secretAccessKey: 'ssoSecret', sessionToken: 'ssoToken', expiresAt: inHour.getTime() });
    assert.equal(asked[0]?.headers['x-amz-sso_bearer_token'], 'token1');
    writeFileSync(tokenFile('corp'), JSON.stringify({ accessToken: 'token1', expiresAt: '2020-01-01T00:00:00Z', clientId: 'c', clientSecret: 'cs', refreshToken: 'r1', registrationExpiresAt: 'kept' }));
    answers['oidc.eu-west-1.amazonaws.com'] = { status: 200, text: JSON.stringify({ accessToken: 'token2', expiresIn: 3600, refreshToken: 'r2' }) };
    await findCredentials(login, ask, quiet);
    assert.equal(asked.at(-1)?.headers['x-amz-sso_bearer_token'], 'token2');
    const file = JSON.parse(readFileSync(tokenFile('corp'), 'utf8')) as Record<string, string>;
    assert.deepEqual([file.accessToken, file.refreshToken, file.registrationExpiresAt], ['token2', 'r2', 'kept']);
    writeFileSync(tokenFile('corp'), JSON.stringify({ accessToken: 'token1', expiresAt: '2020-01-01T00:00:00Z' }));
    assert.match(await failure(findCredentials(login, ask, quiet)), /The SSO login of the AWS profile "sso" has ended/);
  });

  it('are those that a program of the profile prints', async () => {
    const program = path.join(folder, 'program.mjs');
    writeFileSync(program, `console.log(JSON.stringify({ Version: 1, AccessKeyId: 'AKIAPROGRAM', SecretAccessKey: 'p', Expiration: '${inHour.toISOString()}' }))`);
    files(`[profile program]\ncredential_process = "${process.execPath}" ${program}\n[profile broken]\ncredential_process = "${process.execPath}" ${program}.not\n`, '');
    const found = await findCredentials({ ...machine, profile: 'program' }, ask, quiet);
    assert.deepEqual('accessKeyId' in found && [found.accessKeyId, found.expiresAt], ['AKIAPROGRAM', inHour.getTime()]);
    assert.match(await failure(findCredentials({ ...machine, profile: 'broken' }, ask, quiet)), /The program for credentials of the AWS profile "broken" failed/);
  });

  it('that cannot be had are said in one sentence', async () => {
    files('[profile loop]\nrole_arn = arn:aws:iam::1:role/a\nsource_profile = loop2\n[profile loop2]\nrole_arn = arn:aws:iam::1:role/b\nsource_profile = loop\n[profile mfa]\nrole_arn = arn:aws:iam::1:role/a\nmfa_serial = arn:aws:iam::1:mfa/me\nsource_profile = loop\n[profile empty]\nregion = us-east-1\n', '');
    assert.match(await failure(findCredentials({ ...machine, profile: 'loop' }, ask, quiet)), /stands on itself/);
    assert.match(await failure(findCredentials({ ...machine, profile: 'mfa' }, ask, quiet)), /a code of a second factor/);
    assert.match(await failure(findCredentials({ ...machine, profile: 'empty' }, ask, quiet)), /names no credentials/);
    assert.match(await failure(findCredentials(machine, ask, quiet)), /This machine has no AWS credentials/);
  });
});
