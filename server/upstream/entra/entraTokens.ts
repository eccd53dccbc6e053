import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { asNumber, asString, isObject, parseJson, type JsonValue } from '../../base/json.ts';
import type { EntraLogin } from '../../keys/authHeader.ts';
import { MachineLoginError, type AskLogin } from '../machineLogin.ts';
import type { EntraParts, EntraToken } from './entra.ts';

type Environment = Readonly<Record<string, string | undefined>>;
/** Runs Azure CLI and gives what it prints. @throws the system's error, with `stderr` where there is any */
export type RunCli = (parameters: readonly string[]) => Promise<string>;

const usualAdvice = 'run "az login", or set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET';
const cliTimeoutMs = 20_000;
/** The life of a token where nothing states it. */
const usualLifeMs = 55 * 60_000;

/**
 * A token for Azure by what the machine has, in the order of Microsoft's own libraries: a service principal in the environment, the
 * token of a workload, the identity of an app service, the login of Azure CLI, the identity of the machine. Source: Microsoft's
 * documentation of the identity platform, of managed identities and of `az account get-access-token`; read 2026-11-27.
 */
export async function findToken(login: EntraLogin, ask: AskLogin, environment: Environment = process.env, run: RunCli = runCli): Promise<EntraToken> {
  const tenant = login.tenant ?? textOf(environment.AZURE_TENANT_ID);
  const client = textOf(environment.AZURE_CLIENT_ID);
  const secret = textOf(environment.AZURE_CLIENT_SECRET);
  const tokenFile = textOf(environment.AZURE_FEDERATED_TOKEN_FILE);
  if (tenant !== undefined && client !== undefined && secret !== undefined) {
    return fromAuthority(login, tenant, { client_id: client, client_secret: secret, grant_type: 'client_credentials' }, 'the service principal of AZURE_CLIENT_ID', ask, environment);
  }
  if (tenant !== undefined && client !== undefined && tokenFile !== undefined) {
    const assertion = await tokenIn(tokenFile);
    return fromAuthority(login, tenant, {
      client_id: client, grant_type: 'client_credentials', client_assertion: assertion, client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    }, 'the workload identity', ask, environment);
  }
  const [identity, header] = [textOf(environment.IDENTITY_ENDPOINT), textOf(environment.IDENTITY_HEADER)];
  if (identity !== undefined && header !== undefined) {
    const query = new URLSearchParams({ 'api-version': '2019-08-01', resource: login.resource, ...(client === undefined ? {} : { client_id: client }) });
    return tokenOf(await ask({ method: 'GET', url: `${identity}?${query.toString()}`, headers: { 'x-identity-header': header }, ofMachine: true }), 'the identity of the app service');
  }
  const ofCli = await fromCli(login, run);
  if ('token' in ofCli) return ofCli;
  return await fromMachine(login, client, ask) ?? fail(ofCli.says, { advice: ofCli.advice });
}

function textOf(value: string | undefined): string | undefined {
  const text = value?.trim();
  return text === undefined || text === '' ? undefined : text;
}

function fail(says: string, { advice = usualAdvice, detail }: { advice?: string | undefined; detail?: string | undefined } = {}): never {
  throw new MachineLoginError('entra-login', 'auth', says, { advice, detail });
}

async function tokenIn(file: string): Promise<string> {
  try {
    return (await readFile(file, 'utf8')).trim();
  } catch (cause) {
    return fail('The token file of the workload identity cannot be read.', { advice: 'check AZURE_FEDERATED_TOKEN_FILE', detail: String(cause) });
  }
}

async function fromAuthority({ resource, authority }: EntraLogin, tenant: string, fields: Record<string, string>, who: string, ask: AskLogin, environment: Environment): Promise<EntraToken> {
  if (!/^[A-Za-z0-9.-]{1,255}$/.test(tenant)) fail('The Entra tenant is no ID and no domain.', { advice: 'check "tenant", or AZURE_TENANT_ID' });
  const host = authorityHost(environment.AZURE_AUTHORITY_HOST) ?? authority;
  const body = new URLSearchParams({ ...fields, scope: `${resource}/.default` }).toString();
  return tokenOf(await ask({ method: 'POST', url: `${host}/${tenant}/oauth2/v2.0/token`, headers: { 'content-type': 'application/x-www-form-urlencoded' }, body }), who);
}

/** Only Microsoft's own hosts may learn a secret. */
function authorityHost(written: string | undefined): string | undefined {
  const text = textOf(written);
  if (text === undefined) return undefined;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  return url?.protocol === 'https:' && /^login\.(?:microsoftonline\.(?:com|us)|partner\.microsoftonline\.cn|chinacloudapi\.cn)$/.test(url.hostname) ? url.origin : undefined;
}

function tokenOf({ status, text }: { status: number; text: string }, who: string): EntraToken {
  const body = parseJson(text);
  const token = isObject(body) ? asString(body.access_token) : undefined;
  if (status === 200 && isObject(body) && token !== undefined) return { token, expiresAt: endOf(body.expires_on, body.expires_in) };
  const detail = isObject(body) ? asString(body.error_description) ?? asString(body.error) ?? '' : '';
  if (status >= 500 || status === 429) throw new MachineLoginError('entra-login', status === 429 ? 'rate-limit' : 'server', `Microsoft Entra ID could not be asked: it answered with ${status}.`, { detail });
  return fail(`Microsoft Entra ID refused ${who} (${status}${/AADSTS\d{3,8}/.exec(detail)?.[0].replace(/^/, ', ') ?? ''}).`, { advice: 'check the tenant, the ID and the secret, and the role of the identity', detail });
}

/** Either the moment of the end in seconds since the epoch, or the seconds until then. */
function endOf(moment: JsonValue | undefined, seconds: JsonValue | undefined): number {
  const [at, left] = [numberOf(moment), numberOf(seconds)];
  return at !== undefined ? at * 1000 : Date.now() + (left === undefined ? usualLifeMs : left * 1000);
}

function numberOf(value: JsonValue | undefined): number | undefined {
  return asNumber(value) ?? (typeof value === 'string' && /^\d{1,12}$/.test(value) ? Number(value) : undefined);
}

async function fromCli({ resource, tenant }: EntraLogin, run: RunCli): Promise<EntraToken | { says: string; advice?: string }> {
  let printed: string;
  try {
    printed = await run(['account', 'get-access-token', '--output', 'json', '--resource', resource, ...(tenant === undefined ? [] : ['--tenant', tenant])]);
  } catch (error) {
    const code = (error as { code?: unknown }).code;
    if (code === 'ENOENT' || code === 127) return { says: 'This machine has no login for Azure.', advice: 'install Azure CLI and run "az login", or set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET' };
    return { says: 'Azure CLI gives no token for Azure OpenAI.', advice: `run "az login${tenant === undefined ? '' : ` --tenant ${tenant}`}" again` };
  }
  const body = parseJson(printed);
  const token = isObject(body) ? asString(body.accessToken) : undefined;
  if (!isObject(body) || token === undefined) return { says: 'Azure CLI printed no token.', advice: 'run "az account get-access-token" in a terminal to see why' };
  const local = asString(body.expiresOn);
  return { token, expiresAt: numberOf(body.expires_on) === undefined && local !== undefined && !Number.isNaN(Date.parse(local)) ? Date.parse(local) : endOf(body.expires_on, undefined) };
}

/** Parameters are words of ours, addresses of Azure and the name of a tenant that was checked, so that a shell finds nothing in them. */
const runCli: RunCli = parameters => new Promise((resolve, reject) => {
  // A program of that name in the folder of a workspace is not meant.
  execFile('az', parameters, { timeout: cliTimeoutMs, cwd: homedir(), shell: process.platform === 'win32', windowsHide: true, maxBuffer: 1024 * 1024 }, (error, stdout) => {
    if (error === null) resolve(stdout);
    else reject(error);
  });
});

/** @returns undefined where the machine has no identity */
async function fromMachine({ resource }: EntraLogin, client: string | undefined, ask: AskLogin): Promise<EntraToken | undefined> {
  const query = new URLSearchParams({ 'api-version': '2018-02-01', resource, ...(client === undefined ? {} : { client_id: client }) });
  let answer: { status: number; text: string };
  try {
    answer = await ask({ method: 'GET', url: `http://169.254.169.254/metadata/identity/oauth2/token?${query.toString()}`, headers: { metadata: 'true' }, ofMachine: true });
  } catch {
    return undefined;
  }
  // Other clouds have a service at the same address.
  return answer.status === 200 && isObject(parseJson(answer.text)) ? tokenOf(answer, 'the identity of the machine') : undefined;
}

/** Logins at Microsoft; the bundle keeps them in a file of its own. */
export const entraParts: EntraParts = { findToken: (login, ask) => findToken(login, ask) };
