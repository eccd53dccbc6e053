import type { WaybillError } from '../../base/failure.ts';
import type { EntraLogin } from '../../keys/authHeader.ts';
import type { CallPlace, Dispatch, Interceptor, UpstreamRequest } from '../call.ts';
import type { EntraParts, EntraToken } from '../entra/entra.ts';
import { machineLoginFailure } from '../failures/machineLoginFailure.ts';
import type { AskLogin } from '../machineLogin.ts';
import { askLogin } from './askLogin.ts';
import { KeptCredentials } from './keptCredentials.ts';
import { LoggedInCall, type CallLogin } from './loggedInCall.ts';

/** Access tokens of Microsoft Entra ID by the logins of this machine. */
export class EntraTokens {
  readonly #kept: KeptCredentials<EntraToken>;
  readonly #load: () => Promise<EntraParts>;

  /** @param load replaces the logins, which are loaded at the first need; for tests */
  constructor(load: () => Promise<EntraParts> = async () => (await import('../entra/entraTokens.ts')).entraParts, now: () => number = Date.now) {
    this.#load = load;
    this.#kept = new KeptCredentials(now);
  }

  token(login: EntraLogin, ask: AskLogin): Promise<EntraToken> {
    return this.#kept.get(idOf(login), async () => {
      const parts = await this.#load();
      return parts.findToken(login, ask);
    });
  }

  /** Drops a token that was refused. A newer one stays. */
  forget(login: EntraLogin, refused: EntraToken): void {
    this.#kept.forget(idOf(login), refused);
  }
}

function idOf({ resource, authority, tenant }: EntraLogin): string {
  return JSON.stringify([resource, authority, tenant]);
}

/** Gives requests to Azure that need a login at Microsoft Entra ID their access token. */
export function entraAuth(tokens: EntraTokens): Interceptor {
  return next => (place, request, listener) => {
    const { login } = request;
    return login?.kind === 'entra' ? new LoggedInCall(new EntraCallLogin(tokens, login, next, place, request), next, listener) : next(place, request, listener);
  };
}

/** A token that is refused although it should be good is dropped. */
class EntraCallLogin implements CallLogin {
  readonly #tokens: EntraTokens;
  readonly #login: EntraLogin;
  readonly #next: Dispatch;
  readonly #place: CallPlace;
  readonly #request: UpstreamRequest;
  #token: EntraToken | undefined;

  constructor(tokens: EntraTokens, login: EntraLogin, next: Dispatch, place: CallPlace, request: UpstreamRequest) {
    this.#tokens = tokens;
    this.#login = login;
    this.#next = next;
    this.#place = place;
    this.#request = request;
  }

  async prove(): Promise<{ place: CallPlace; request: UpstreamRequest }> {
    const token = await this.#tokens.token(this.#login, askLogin(this.#next, this.#place, 'the Entra login'));
    this.#token = token;
    const { login: _login, ...request } = this.#request;
    return { place: this.#place, request: { ...request, headers: { ...request.headers, authorization: `Bearer ${token.token}` } } };
  }

  mayGoBetter(status: number): boolean {
    if (status !== 401 || this.#token === undefined) return false;
    this.#tokens.forget(this.#login, this.#token);
    return true;
  }

  failureOf(error: unknown): WaybillError {
    return machineLoginFailure(error, this.#place.name);
  }
}
