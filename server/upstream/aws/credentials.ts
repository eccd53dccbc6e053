import { readFile } from 'node:fs/promises';
import { fromProcess } from '@aws-sdk/credential-provider-process';
import { parseKnownFiles } from '@smithy/core/config';
import { fromContainerMetadata, fromInstanceMetadata } from '@smithy/credential-provider-imds';
import { asString, isObject, parseJson } from '../../base/json.ts';
import type { AwsLogin } from '../../keys/authHeader.ts';
import type { AskLogin } from '../machineLogin.ts';
import type { AwsApiKey, AwsCredentials } from './aws.ts';
import { noLogin } from './loginFailures.ts';
import { assumeRole, assumeRoleWithToken } from './roles.ts';
import { ssoCredentials } from './ssoLogin.ts';

type Environment = Readonly<Record<string, string | undefined>>;
type Profile = Readonly<Record<string, string | undefined>>;

/** How many profiles may lead from one to the next. */
const longestChain = 5;
/** A service of the machine itself answers at once, or it is not there. */
const machine = { timeout: 1_000, maxRetries: 1 };

/**
 * The credentials of a login, in the order of AWS's own tools: a key; the environment, unless a profile is named; the profile; a
 * token of a workload; the container; the machine.
 */
export async function findCredentials(login: AwsLogin, ask: AskLogin, environment: Environment = process.env): Promise<AwsCredentials | AwsApiKey> {
  if (login.accessKey !== undefined) return fromKey(login.accessKey);
  const named = login.profile ?? textOf(environment.AWS_PROFILE);
  if (login.profile === undefined) {
    const apiKey = textOf(environment.AWS_BEARER_TOKEN_BEDROCK);
    if (apiKey !== undefined) return { apiKey };
  }
  if (named === undefined) {
    const found = staticKeys({ aws_access_key_id: environment.AWS_ACCESS_KEY_ID, aws_secret_access_key: environment.AWS_SECRET_ACCESS_KEY, aws_session_token: environment.AWS_SESSION_TOKEN });
    if (found !== undefined) return found;
  }
  const profiles = await readProfiles();
  const chain = new ProfileChain(profiles, login.region, ask, environment);
  if (named !== undefined) return chain.credentialsOf(named);
  if (profiles.default !== undefined) {
    const found = await chain.optionalCredentialsOf('default');
    if (found !== undefined) return found;
  }
  const [tokenFile, roleArn] = [textOf(environment.AWS_WEB_IDENTITY_TOKEN_FILE), textOf(environment.AWS_ROLE_ARN)];
  if (tokenFile !== undefined && roleArn !== undefined) {
    return assumeRoleWithToken({ roleArn, region: login.region, sessionName: environment.AWS_ROLE_SESSION_NAME, token: await tokenIn(tokenFile) }, ask);
  }
  return fromMachine(environment);
}

async function readProfiles(): Promise<Readonly<Record<string, Profile>>> {
  try {
    return await parseKnownFiles({ ignoreCache: true });
  } catch (cause) {
    throw noLogin('The AWS configuration of this machine cannot be read.', { detail: String(cause), advice: 'check the files in ~/.aws' });
  }
}

async function tokenIn(file: string): Promise<string> {
  try {
    return (await readFile(file, 'utf8')).trim();
  } catch (cause) {
    throw noLogin('The token file of the AWS role cannot be read.', { detail: String(cause), advice: 'check AWS_WEB_IDENTITY_TOKEN_FILE, or "web_identity_token_file" of the profile' });
  }
}

/** Credentials of profiles, which may stand on those of others. */
class ProfileChain {
  readonly #profiles: Readonly<Record<string, Profile>>;
  readonly #region: string;
  readonly #ask: AskLogin;
  readonly #environment: Environment;

  constructor(profiles: Readonly<Record<string, Profile>>, region: string, ask: AskLogin, environment: Environment) {
    this.#profiles = profiles;
    this.#region = region;
    this.#ask = ask;
    this.#environment = environment;
  }

  async credentialsOf(name: string, before: readonly string[] = []): Promise<AwsCredentials> {
    const found = await this.optionalCredentialsOf(name, before);
    if (found === undefined) throw noLogin(`The AWS profile "${name}" names no credentials that can be used here.`, { advice: 'use static keys, a role, SSO or "credential_process" in the profile' });
    return found;
  }

  /** @returns undefined where the profile says nothing about credentials */
  async optionalCredentialsOf(name: string, before: readonly string[] = []): Promise<AwsCredentials | undefined> {
    const profile = Object.hasOwn(this.#profiles, name) ? this.#profiles[name] : undefined;
    if (profile === undefined) throw noLogin(`There is no AWS profile "${name}" on this machine.`, { advice: 'check "profile", or AWS_PROFILE' });
    if (before.includes(name) || before.length >= longestChain) throw noLogin(`The AWS profile "${name}" stands on itself.`, { advice: 'check "source_profile" in ~/.aws/config' });
    const own = staticKeys(profile);
    const roleArn = textOf(profile.role_arn);
    if (roleArn !== undefined && textOf(profile.web_identity_token_file) !== undefined) {
      return assumeRoleWithToken({ roleArn, region: this.#regionOf(profile), sessionName: profile.role_session_name, token: await tokenIn(profile.web_identity_token_file ?? '') }, this.#ask);
    }
    if (roleArn !== undefined) {
      if (textOf(profile.mfa_serial) !== undefined) throw noLogin(`The AWS profile "${name}" wants a code of a second factor, which cannot be asked for here.`, { advice: 'use SSO, or a profile with "credential_process"' });
      const source = await this.#sourceOf(name, profile, own, [...before, name]);
      return assumeRole({ roleArn, region: this.#regionOf(profile), sessionName: profile.role_session_name, externalId: profile.external_id, seconds: profile.duration_seconds }, source, this.#ask);
    }
    if (own !== undefined) return own;
    if (textOf(profile.credential_process) !== undefined) return fromProgram(name);
    if (textOf(profile.sso_account_id) !== undefined || textOf(profile.sso_session) !== undefined) return ssoCredentials(name, profile, this.#ask);
    return undefined;
  }

  #regionOf({ region }: Profile): string {
    return region !== undefined && /^[a-z0-9-]{5,30}$/.test(region) ? region : this.#region;
  }

  #sourceOf(name: string, profile: Profile, own: AwsCredentials | undefined, before: readonly string[]): Promise<AwsCredentials> {
    const source = textOf(profile.source_profile);
    if (source !== undefined) return source === name && own !== undefined ? Promise.resolve(own) : this.credentialsOf(source, before);
    switch (profile.credential_source) {
      case 'Environment': {
        const environment = this.#environment;
        const found = staticKeys({ aws_access_key_id: environment.AWS_ACCESS_KEY_ID, aws_secret_access_key: environment.AWS_SECRET_ACCESS_KEY, aws_session_token: environment.AWS_SESSION_TOKEN });
        if (found === undefined) throw noLogin(`The AWS profile "${name}" wants keys from the environment, and there are none.`, { advice: 'set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY' });
        return Promise.resolve(found);
      }
      case 'Ec2InstanceMetadata':
      case 'EcsContainer': return fromMachine(this.#environment);
      default: throw noLogin(`The AWS profile "${name}" has a role and says not on whose credentials it stands.`, { advice: 'set "source_profile" or "credential_source" in ~/.aws/config' });
    }
  }
}

function staticKeys({ aws_access_key_id: id, aws_secret_access_key: secret, aws_session_token: token }: Profile): AwsCredentials | undefined {
  const [accessKeyId, secretAccessKey] = [textOf(id), textOf(secret)];
  return accessKeyId === undefined || secretAccessKey === undefined ? undefined : { accessKeyId, secretAccessKey, sessionToken: textOf(token) };
}

function textOf(value: string | undefined): string | undefined {
  const text = value?.trim();
  return text === undefined || text === '' ? undefined : text;
}

/** `ID:SECRET`, `ID:SECRET:TOKEN`, or the JSON that AWS's own tools print. */
function fromKey(key: string): AwsCredentials {
  const text = key.trim();
  if (!text.startsWith('{')) {
    const [id, secret, token] = text.split(':');
    const found = staticKeys({ aws_access_key_id: id, aws_secret_access_key: secret, aws_session_token: token });
    if (found !== undefined) return found;
  }
  const parsed = parseJson(text);
  const file = isObject(parsed) && isObject(parsed.Credentials) ? parsed.Credentials : parsed;
  if (isObject(file)) {
    const field = (...names: string[]): string | undefined => names.map(name => asString(file[name])).find(value => value !== undefined);
    const found = staticKeys({
      aws_access_key_id: field('AccessKeyId', 'accessKeyId', 'aws_access_key_id'), aws_secret_access_key: field('SecretAccessKey', 'secretAccessKey', 'aws_secret_access_key'),
      aws_session_token: field('SessionToken', 'sessionToken', 'aws_session_token'),
    });
    if (found !== undefined) return found;
  }
  throw noLogin('The access key is not complete.', { advice: 'write it as ACCESS_KEY_ID:SECRET_ACCESS_KEY, with the session token behind another ":" where there is one' });
}

interface FoundByLibrary { accessKeyId: string; secretAccessKey: string; sessionToken?: string | undefined; expiration?: Date | undefined }

function ofLibrary({ accessKeyId, secretAccessKey, sessionToken, expiration }: FoundByLibrary): AwsCredentials {
  return { accessKeyId, secretAccessKey, sessionToken, ...(expiration === undefined ? {} : { expiresAt: expiration.getTime() }) };
}

/** The program that a profile names; it is run as AWS's own tools run it. */
async function fromProgram(profile: string): Promise<AwsCredentials> {
  try {
    return ofLibrary(await fromProcess({ profile, ignoreCache: true })());
  } catch {
    throw noLogin(`The program for credentials of the AWS profile "${profile}" failed.`, { advice: 'run it in a terminal to see why' });
  }
}

async function fromMachine(environment: Environment): Promise<AwsCredentials> {
  try {
    if (environment.AWS_CONTAINER_CREDENTIALS_RELATIVE_URI !== undefined || environment.AWS_CONTAINER_CREDENTIALS_FULL_URI !== undefined) return ofLibrary(await fromContainerMetadata(machine)());
    if (environment.AWS_EC2_METADATA_DISABLED?.toLowerCase() !== 'true') return ofLibrary(await fromInstanceMetadata(machine)());
  } catch (cause) {
    throw noLogin('This machine has no AWS credentials.', { detail: String(cause) });
  }
  throw noLogin('This machine has no AWS credentials.');
}
