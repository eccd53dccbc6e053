import { getSSOTokenFilepath, loadSsoSessionData } from '@smithy/core/config';
import { readFile } from 'node:fs/promises';
import { replaceSharedFile } from '../../base/files/sharedFile.ts';
import { asNumber, asString, isObject, parseJson, type JsonObject } from '../../base/json.ts';
import type { AskLogin } from '../machineLogin.ts';
import type { AwsCredentials } from './aws.ts';
import { noLogin, refusedLogin } from './loginFailures.ts';

type Profile = Readonly<Record<string, string | undefined>>;

/** A token is renewed this long before it ends. */
const earlyMs = 5 * 60_000;
const region = /^[a-z]{2}(?:-[a-z]{2,10}){1,3}-\d{1,2}$/;

/**
 * Credentials of a role by the login at IAM Identity Center that `aws sso login` keeps. Its token is renewed as AWS's own tools
 * renew it, and kept in their file. Source: AWS's library for JavaScript, and the API references of SSO and SSO OIDC.
 */
export async function ssoCredentials(name: string, profile: Profile, ask: AskLogin, now = Date.now()): Promise<AwsCredentials> {
  const session = profile.sso_session;
  const settings = session === undefined ? profile : { ...profile, ...await sessionSettings(session) };
  const { sso_start_url: startUrl, sso_region: ssoRegion, sso_account_id: account, sso_role_name: role } = settings;
  if (startUrl === undefined || ssoRegion === undefined || !region.test(ssoRegion) || account === undefined || role === undefined) {
    throw noLogin(`The SSO settings of the AWS profile "${name}" are not complete.`, { advice: 'run "aws configure sso"' });
  }
  const token = await accessToken(name, session ?? startUrl, ssoRegion, ask, now);
  const url = `https://portal.sso.${ssoRegion}.amazonaws.com/federation/credentials?${new URLSearchParams({ account_id: account, role_name: role }).toString()}`;
  const { status, text } = await ask({ method: 'GET', url, headers: { 'x-amz-sso_bearer_token': token } });
  const body = parseJson(text);
  if (status === 401) throw ended(name);
  const found = isObject(body) && isObject(body.roleCredentials) ? body.roleCredentials : undefined;
  const [accessKeyId, secretAccessKey, sessionToken] = [asString(found?.accessKeyId), asString(found?.secretAccessKey), asString(found?.sessionToken)];
  if (status !== 200 || accessKeyId === undefined || secretAccessKey === undefined || sessionToken === undefined) {
    throw refusedLogin(`The SSO role ${role} of the AWS profile "${name}"`, status, isObject(body) ? asString(body.message) ?? '' : '');
  }
  return { accessKeyId, secretAccessKey, sessionToken, expiresAt: asNumber(found?.expiration) };
}

async function sessionSettings(session: string): Promise<Profile> {
  const sessions = await loadSsoSessionData().catch(() => ({}) as Record<string, Profile>);
  return sessions[session] ?? {};
}

function ended(name: string): ReturnType<typeof noLogin> {
  return noLogin(`The SSO login of the AWS profile "${name}" has ended.`, { advice: `run "aws sso login --profile ${name}"` });
}

/** @param id the session's name, or the address of the start page: what the file of the token is named after */
async function accessToken(name: string, id: string, ssoRegion: string, ask: AskLogin, now: number): Promise<string> {
  const file = getSSOTokenFilepath(id);
  const kept = parseJson(await readFile(file, 'utf8').catch(() => ''));
  const token = isObject(kept) ? asString(kept.accessToken) : undefined;
  if (!isObject(kept) || token === undefined) throw noLogin(`There is no SSO login for the AWS profile "${name}".`, { advice: `run "aws sso login --profile ${name}"` });
  const left = Date.parse(asString(kept.expiresAt) ?? '') - now;
  if (left > earlyMs) return token;
  const renewed = await renew(kept, ssoRegion, ask);
  if (renewed !== undefined) {
    replaceSharedFile(file, Buffer.from(JSON.stringify({ ...kept, ...renewed.kept, expiresAt: new Date(now + renewed.seconds * 1000).toISOString() }, undefined, 2)));
    return renewed.token;
  }
  if (left > 0) return token;
  throw ended(name);
}

async function renew(kept: JsonObject, ssoRegion: string, ask: AskLogin): Promise<{ token: string; seconds: number; kept: JsonObject } | undefined> {
  const [clientId, clientSecret, refreshToken] = [asString(kept.clientId), asString(kept.clientSecret), asString(kept.refreshToken)];
  if (clientId === undefined || clientSecret === undefined || refreshToken === undefined) return undefined;
  const { status, text } = await ask({
    method: 'POST', url: `https://oidc.${ssoRegion}.amazonaws.com/token`, headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ clientId, clientSecret, grantType: 'refresh_token', refreshToken }),
  });
  const body = parseJson(text);
  const token = isObject(body) ? asString(body.accessToken) : undefined;
  if (status !== 200 || !isObject(body) || token === undefined) return undefined;
  return { token, seconds: asNumber(body.expiresIn) ?? 3600, kept: { accessToken: token, refreshToken: asString(body.refreshToken) ?? refreshToken } };
}
