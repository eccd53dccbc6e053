import type { AuthClient, GoogleAuth } from 'google-auth-library';
import { WaybillError } from '../../base/failure.ts';
import { asString, isObject, parseJson } from '../../base/json.ts';
import { loginFailure } from '../failures/loginFailure.ts';
import type { AskLogin } from '../machineLogin.ts';
import { googleNetwork } from './googleNetwork.ts';

/** The part of Google's own library that is used. */
export type GoogleLibrary = Pick<typeof import('google-auth-library'), 'GoogleAuth' | 'JWT' | 'UserRefreshClient'>;

/** An access token, and the project it belongs to where the credential says so. */
export interface GoogleToken { token: string; project: string | undefined }

interface Login {
  /** Over the network of the endpoint that wanted a token last. */
  ask: AskLogin;
  client: Promise<{ client: AuthClient; project: string | undefined }>;
  current: (GoogleToken & { expiresAt: number }) | undefined;
  pending: Promise<GoogleToken> | undefined;
}

const scope = 'https://www.googleapis.com/auth/cloud-platform';
/** A token is renewed this long before it ends, so that no request meets its end. */
const earlyMs = 5 * 60_000;
/** A token with less than this left is not used any more. */
const uselessMs = 30_000;
/** The life of a token where Google does not state it. */
const usualLifeMs = 55 * 60_000;

/**
 * Access tokens for Google Cloud, of key files and of the machine's own login. Each is kept until shortly before it
 * ends, renewed in the background when it nears its end, and fetched once for all calls that wait for it.
 */
export class GoogleTokens {
  #logins = new Map<string, Login>();
  #load: () => Promise<GoogleLibrary>;
  #now: () => number;

  /** @param load replaces Google's library, which is half a megabyte and loaded at the first need; for tests */
  constructor(load: () => Promise<GoogleLibrary> = () => import('google-auth-library'), now: () => number = Date.now) {
    this.#load = load;
    this.#now = now;
  }

  /**
   * @param keyFile the JSON of a service account or a stored login; undefined: application default credentials
   * @param ask asks over the network of the endpoint
   * @throws WaybillError when no token can be had, with what to do about it
   */
  async token(keyFile: string | undefined, ask: AskLogin): Promise<GoogleToken> {
    const login = this.#login(keyFile, ask);
    login.ask = ask;
    const left = login.current === undefined ? 0 : login.current.expiresAt - this.#now();
    if (login.current !== undefined && left > uselessMs) {
      // A renewal that fails here is tried again, and its failure is reported, when the token is needed.
      if (left < earlyMs) void this.#renew(keyFile, login).catch(() => undefined);
      return login.current;
    }
    return this.#renew(keyFile, login);
  }

  /** Drops a token that was refused. A newer one stays. */
  forget(keyFile: string | undefined, token: string): void {
    const login = this.#logins.get(keyFile ?? '');
    if (login?.current?.token === token) login.current = undefined;
  }

  #login(keyFile: string | undefined, ask: AskLogin): Login {
    const known = this.#logins.get(keyFile ?? '');
    if (known !== undefined) return known;
    const network = googleNetwork(() => login.ask);
    const login: Login = { ask, client: this.#open(keyFile, network), current: undefined, pending: undefined };
    login.client.catch(() => this.#logins.delete(keyFile ?? ''));
    this.#logins.set(keyFile ?? '', login);
    return login;
  }

  #renew(keyFile: string | undefined, login: Login): Promise<GoogleToken> {
    login.pending ??= this.#fetch(keyFile, login).finally(() => { login.pending = undefined; });
    return login.pending;
  }

  async #fetch(keyFile: string | undefined, login: Login): Promise<GoogleToken> {
    try {
      const { client, project } = await login.client;
      // The library keeps tokens of its own; the one it has may be the one that was refused.
      client.setCredentials({ ...client.credentials, access_token: null, expiry_date: 1 });
      const { token } = await client.getAccessToken();
      if (typeof token !== 'string' || token === '') throw new WaybillError('google-login', 'auth', 'Google gave no access token.', { advice: 'check the service account or the login of this machine' });
      login.current = { token, project, expiresAt: client.credentials.expiry_date ?? this.#now() + usualLifeMs };
      return login.current;
    } catch (error) {
      throw loginFailure(error, keyFile !== undefined);
    }
  }

  async #open(keyFile: string | undefined, transporterOptions: ReturnType<typeof googleNetwork>): Promise<{ client: AuthClient; project: string | undefined }> {
    const library = await this.#load();
    if (keyFile === undefined) {
      const auth: GoogleAuth = new library.GoogleAuth({ scopes: [scope], clientOptions: { transporterOptions } });
      const client = await auth.getClient();
      return { client, project: await auth.getProjectId().catch(() => undefined) };
    }
    const file = parseJson(keyFile);
    if (!isObject(file)) throw new WaybillError('google-key-file', 'auth', 'The key is no key file of Google: it is not valid JSON. Paste the whole file again.');
    const project = asString(file.project_id) ?? asString(file.quota_project_id);
    switch (file.type) {
      case 'service_account': {
        const email = asString(file.client_email);
        const key = asString(file.private_key);
        if (email === undefined || key === undefined) throw new WaybillError('google-key-file', 'auth', 'The key file of the service account is not complete.', { advice: 'create a new key and paste the whole file' });
        const keyId = asString(file.private_key_id);
        return { client: new library.JWT({ email, key, scopes: [scope], transporterOptions, ...(keyId === undefined ? {} : { keyId }) }), project };
      }
      case 'authorized_user': {
        const [clientId, clientSecret, refreshToken] = [asString(file.client_id), asString(file.client_secret), asString(file.refresh_token)];
        if (clientId === undefined || clientSecret === undefined || refreshToken === undefined) {
          throw new WaybillError('google-key-file', 'auth', 'The stored Google login is not complete.', { advice: 'run "gcloud auth application-default login" again' });
        }
        return { client: new library.UserRefreshClient({ clientId, clientSecret, refreshToken, transporterOptions }), project };
      }
      default:
        // Other types can name programs to run and addresses to call, which a pasted text must not.
        throw new WaybillError('google-key-file', 'auth', `A Google key file of the type "${printable(file.type)}" cannot be pasted as a key.`, { advice: 'use a service account, or leave the key empty to use the login of this machine' });
    }
  }
}

function printable(type: unknown): string {
  return typeof type === 'string' ? type.replace(/[^\w-]/g, '').slice(0, 40) : 'unknown';
}
