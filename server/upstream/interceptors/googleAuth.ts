import { WaybillError } from '../../base/failure.ts';
import { projectPlaceholder } from '../../catalog/paths.ts';
import type { GoogleLogin } from '../../keys/authHeader.ts';
import type { CallPlace, Interceptor, UpstreamRequest } from '../call.ts';
import { networkFailure } from '../failures/networkFailure.ts';
import type { AskLogin } from '../machineLogin.ts';
import { askLogin } from './askLogin.ts';
import type { GoogleToken, GoogleTokens } from './googleTokens.ts';
import { LoggedInCall, type CallLogin } from './loggedInCall.ts';

/** Gives requests that need a login at Google their access token, and their project where the URL has a place for one. */
export function googleAuth(tokens: GoogleTokens): Interceptor {
  return next => (place, request, listener) => {
    const { login } = request;
    return login?.kind === 'google' ? new LoggedInCall(new GoogleCallLogin(tokens, askLogin(next, place, 'the Google login'), login, place, request), next, listener) : next(place, request, listener);
  };
}

/** A token that is refused although it should be good is dropped. */
class GoogleCallLogin implements CallLogin {
  readonly #tokens: GoogleTokens;
  readonly #ask: AskLogin;
  readonly #login: GoogleLogin;
  readonly #place: CallPlace;
  readonly #request: UpstreamRequest;
  #token: GoogleToken | undefined;

  constructor(tokens: GoogleTokens, ask: AskLogin, login: GoogleLogin, place: CallPlace, request: UpstreamRequest) {
    this.#tokens = tokens;
    this.#ask = ask;
    this.#login = login;
    this.#place = place;
    this.#request = request;
  }

  async prove(): Promise<{ place: CallPlace; request: UpstreamRequest }> {
    const token = await this.#tokens.token(this.#login.keyFile, this.#ask);
    this.#token = token;
    const url = withProject(this.#request.url, token.project);
    const { login: _login, ...request } = this.#request;
    return { place: this.#place, request: { ...request, url, headers: { ...request.headers, authorization: `Bearer ${token.token}` } } };
  }

  mayGoBetter(status: number): boolean {
    if (status !== 401 || this.#token === undefined) return false;
    this.#tokens.forget(this.#login.keyFile, this.#token.token);
    return true;
  }

  failureOf(error: unknown): WaybillError {
    return error instanceof WaybillError ? error : networkFailure(error, this.#place.name, 'connecting');
  }
}

function withProject(url: string, project: string | undefined): string {
  if (!url.includes(projectPlaceholder)) return url;
  if (project === undefined) {
    throw new WaybillError('google-project', 'auth', 'The Google login names no project.', { advice: 'set "project" for this endpoint' });
  }
  return url.replace(projectPlaceholder, encodeURIComponent(project.toWellFormed()));
}
