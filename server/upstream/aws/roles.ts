import type { AskLogin } from '../machineLogin.ts';
import type { AwsCredentials } from './aws.ts';
import { refusedLogin } from './loginFailures.ts';
import { signAws } from './signing.ts';

/** A role that is taken for a while. */
export interface RoleRequest {
  roleArn: string;
  region: string;
  sessionName?: string | undefined;
  externalId?: string | undefined;
  seconds?: string | undefined;
}

const form = 'application/x-www-form-urlencoded';

/** Takes a role with other credentials. Source: the API reference of AWS STS. */
export async function assumeRole(role: RoleRequest, source: AwsCredentials, ask: AskLogin, at = new Date()): Promise<AwsCredentials> {
  const { externalId, seconds } = role;
  const body = fields('AssumeRole', role, { ...(externalId === undefined ? {} : { ExternalId: externalId }), ...(seconds !== undefined && /^\d{3,5}$/.test(seconds) ? { DurationSeconds: seconds } : {}) });
  const url = addressOf(role.region);
  const signed = await signAws({ method: 'POST', url, contentType: form, body: [Buffer.from(body)] }, source, { region: role.region, service: 'sts' }, at);
  return credentialsIn(await ask({ method: 'POST', url, headers: { 'content-type': form, ...signed }, body }), role);
}

/** Takes a role with a token of the workload, which proves by itself who asks. */
export async function assumeRoleWithToken(role: RoleRequest & { token: string }, ask: AskLogin): Promise<AwsCredentials> {
  const body = fields('AssumeRoleWithWebIdentity', role, { WebIdentityToken: role.token });
  return credentialsIn(await ask({ method: 'POST', url: addressOf(role.region), headers: { 'content-type': form }, body }), role);
}

function addressOf(region: string): string {
  return `https://sts.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}/`;
}

function fields(action: string, { roleArn, sessionName }: RoleRequest, more: Record<string, string>): string {
  const name = sessionName !== undefined && /^[\w+=,.@-]{2,64}$/.test(sessionName) ? sessionName : 'waybill';
  return new URLSearchParams({ Action: action, Version: '2011-06-15', RoleArn: roleArn, RoleSessionName: name, ...more }).toString();
}

/** STS answers in XML. */
function credentialsIn({ status, text }: { status: number; text: string }, { roleArn }: RoleRequest): AwsCredentials {
  const field = (name: string): string | undefined => new RegExp(`<${name}>([^<]{1,20000})</${name}>`).exec(text)?.[1]?.trim();
  const [accessKeyId, secretAccessKey, sessionToken, expiration] = [field('AccessKeyId'), field('SecretAccessKey'), field('SessionToken'), field('Expiration')];
  if (status !== 200 || accessKeyId === undefined || secretAccessKey === undefined || sessionToken === undefined) {
    throw refusedLogin(`The role ${roleArn}`, status, `${field('Code') ?? ''} ${field('Message') ?? ''}`.trim());
  }
  const expiresAt = Date.parse(expiration ?? '');
  return { accessKeyId, secretAccessKey, sessionToken, ...(Number.isNaN(expiresAt) ? {} : { expiresAt }) };
}
