import type { KeyMaterial } from '../api/messages.ts';
import { isObject, parseJson } from '../base/json.ts';
import type { AuthScheme } from '../catalog/provider.ts';
import type { EndpointConfig } from '../config/config.ts';

/** How a request proves who sends it. */
export interface Authorization {
  url: string;
  headers: Record<string, string>;
  /** Set where a login stands before the request. */
  login?: CloudLogin | undefined;
}
/** What a request to a cloud has to get or to make before it is sent. */
export type CloudLogin = GoogleLogin | AwsLogin | EntraLogin;
/** For what Microsoft Entra ID is asked for a token, and where. */
export interface EntraLogin {
  kind: 'entra';
  /** Such as `https://cognitiveservices.azure.com`. */
  resource: string;
  /** Without a slash at its end. */
  authority: string;
  /** Absent: the one that the login names. */
  tenant?: string | undefined;
}
/** Who asks AWS: the request is signed, and its stream is AWS's binary one. */
export interface AwsLogin {
  kind: 'aws';
  region: string;
  /** An access key as `ID:SECRET` or `ID:SECRET:TOKEN`, or as JSON; absent: an API key is in the headers, or the machine's own credentials sign. */
  accessKey?: string | undefined;
  /** The machine's own credentials sign. */
  machine?: true | undefined;
  /** Of the machine's AWS configuration. */
  profile?: string | undefined;
}
/** By what an access token of Google's is got. */
export interface GoogleLogin {
  kind: 'google';
  /** The JSON of a service account or of a stored login; absent: application default credentials. */
  keyFile: string | undefined;
}

/** The scheme of an endpoint, or of another protocol at the same provider. */
export function authScheme({ provider, protocol }: Pick<EndpointConfig, 'provider' | 'protocol'>): AuthScheme {
  return provider.authByProtocol?.[protocol] ?? provider.auth;
}

/**
 * Adds the credential to a request. Secrets reach a request nowhere else. A key of Vertex AI that is not JSON is an API
 * key, for which Google has addresses without a project ("express mode").
 */
export function authorize(endpoint: Pick<EndpointConfig, 'provider' | 'protocol' | 'awsRegion' | 'profile' | 'tenant'>, key: KeyMaterial | undefined, url: string): Authorization {
  const scheme = authScheme(endpoint);
  if (scheme === 'aws') return { url, ...awsAuthorization(endpoint, key) };
  if (scheme === 'entra') return key === undefined ? { url, headers: {}, login: entraLogin(url, endpoint.tenant) } : { url, headers: authHeader('api-key', key) };
  if (scheme !== 'google-oauth') return { url, headers: authHeader(scheme, key) };
  if (key === undefined || isKeyFile(key.secret)) return { url, headers: {}, login: { kind: 'google', keyFile: key?.secret } };
  return {
    url: url.replace(/\/projects\/[^/]+\/locations\/[^/]+(?=\/publishers\/)/, ''),
    headers: authHeader('x-goog-api-key', key),
  };
}

function awsAuthorization({ awsRegion: region = 'us-east-1', profile }: Pick<EndpointConfig, 'awsRegion' | 'profile'>, key: KeyMaterial | undefined): Pick<Authorization, 'headers' | 'login'> {
  if (key === undefined) return { headers: {}, login: { kind: 'aws', region, machine: true, profile } };
  return isAccessKey(key.secret) ? { headers: {}, login: { kind: 'aws', region, accessKey: key.secret } } : { headers: authHeader('bearer', key), login: { kind: 'aws', region } };
}

/** Each cloud of Microsoft has a login and resources of its own. Source: Microsoft's pages on Azure's national clouds. */
function entraLogin(url: string, tenant: string | undefined): EntraLogin {
  const host = new URL(url).hostname;
  if (host.endsWith('.azure.us')) return { kind: 'entra', resource: 'https://cognitiveservices.azure.us', authority: 'https://login.microsoftonline.us', tenant };
  if (host.endsWith('.azure.cn')) return { kind: 'entra', resource: 'https://cognitiveservices.azure.cn', authority: 'https://login.partner.microsoftonline.cn', tenant };
  return { kind: 'entra', resource: 'https://cognitiveservices.azure.com', authority: 'https://login.microsoftonline.com', tenant };
}

/** Whether a key is an access key of AWS rather than an API key of Bedrock. */
function isAccessKey(secret: string): boolean {
  return isKeyFile(secret) || /^\s*A[KS]IA[A-Z0-9]{12,}:/.test(secret);
}

/** The header that carries a credential. */
export function authHeader(scheme: Exclude<AuthScheme, 'google-oauth' | 'aws' | 'entra'>, key: KeyMaterial | undefined): Record<string, string> {
  if (key === undefined) return {};
  switch (scheme) {
    case 'bearer': return { authorization: `Bearer ${key.secret}` };
    case 'x-api-key': return { 'x-api-key': key.secret };
    case 'x-goog-api-key': return { 'x-goog-api-key': key.secret };
    case 'api-key': return { 'api-key': key.secret };
    case 'none': return {};
  }
}

/** Whether a key is the text of a JSON key file rather than a token. */
export function isKeyFile(secret: string): boolean {
  return secret.trimStart().startsWith('{');
}

/** As AWS's own tools print them. */
const awsSecretNames = ['SecretAccessKey', 'SessionToken', 'secretAccessKey', 'sessionToken', 'aws_secret_access_key', 'aws_session_token'];

/** Everything that is secret in a key: the key itself and, of a key file, each secret in it, which may appear on its own. */
export function secretsOf({ secret }: KeyMaterial): string[] {
  if (!isKeyFile(secret)) return isAccessKey(secret) ? [secret, ...secret.trim().split(':').slice(1)] : [secret];
  const file = parseJson(secret);
  if (!isObject(file)) return [secret];
  const parts = ['private_key', 'private_key_id', 'refresh_token', 'client_secret', ...awsSecretNames].flatMap(name => {
    const value = file[name];
    return typeof value === 'string' && value.length >= 8 ? [value, JSON.stringify(value).slice(1, -1)] : [];
  });
  return [secret, ...new Set(parts)];
}
