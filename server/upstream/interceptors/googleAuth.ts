import { WaybillError } from '../../base/failure.ts';
import { projectPlaceholder } from '../../catalog/paths.ts';
import type { GoogleLogin } from '../../keys/authHeader.ts';
import type { ResponseHeaders } from '../../base/headers/responseHeaders.ts';
import type { GoogleToken, GoogleTokens } from './googleTokens.ts';
import { networkFailure } from '../failures/networkFailure.ts';
import type { AnswerSource, CallPlace, Dispatch, Interceptor, ResponseListener, UpstreamCall, UpstreamRequest } from '../call.ts';

/** Gives requests that need a login at Google their access token, and their project where the URL has a place for one. */
export function googleAuth(tokens: GoogleTokens): Interceptor {
  return next => (place, request, listener) => {
    const { googleLogin } = request;
    return googleLogin === undefined ? next(place, request, listener) : new AuthorizedCall(tokens, googleLogin, next, place, request, listener);
  };
}

/**
 * A call that needs an access token before it can be sent. A token that is refused although it should be good is
 * dropped, and the call is sent once more with a new one; the listener learns of the second only.
 */
class AuthorizedCall implements ResponseListener, UpstreamCall {
  readonly #tokens: GoogleTokens;
  readonly #login: GoogleLogin;
  readonly #next: Dispatch;
  readonly #place: CallPlace;
  readonly #request: UpstreamRequest;
  #listener: ResponseListener | undefined;
  #call: UpstreamCall | undefined;
  #token: GoogleToken | undefined;
  /** The call went out a second time, with a new token. */
  #tokenRenewed = false;
  #paused = false;

  constructor(tokens: GoogleTokens, login: GoogleLogin, next: Dispatch, place: CallPlace, request: UpstreamRequest, listener: ResponseListener) {
    this.#tokens = tokens;
    this.#login = login;
    this.#next = next;
    this.#place = place;
    this.#request = request;
    this.#listener = listener;
    void this.#start();
  }

  /** Before the call is sent, and where the login fails, the failure is that of the provider's own login. */
  get source(): AnswerSource {
    return this.#call?.source ?? 'provider';
  }

  get resent(): boolean {
    return this.#call?.resent === true;
  }

  abort(silent?: boolean): void {
    this.#listener = undefined;
    this.#call?.abort(silent);
  }

  pause(): void {
    this.#paused = true;
    this.#call?.pause();
  }

  resume(): void {
    this.#paused = false;
    this.#call?.resume();
  }

  onConnected(connectMs: number): void {
    this.#listener?.onConnected?.(connectMs);
  }

  onHeaders(status: number, headers: ResponseHeaders): void {
    if (status === 401 && !this.#tokenRenewed && this.#token !== undefined) {
      this.#tokenRenewed = true;
      this.#tokens.forget(this.#login.keyFile, this.#token.token);
      this.#call?.abort();
      void this.#start();
      return;
    }
    this.#listener?.onHeaders(status, headers);
  }

  onData(chunk: Buffer): void {
    this.#listener?.onData(chunk);
  }

  onEnd(): void {
    this.#listener?.onEnd();
  }

  onError(error: WaybillError): void {
    this.#listener?.onError(error);
  }

  async #start(): Promise<void> {
    try {
      const token = await this.#tokens.token(this.#login.keyFile);
      // The call may have been aborted meanwhile.
      if (this.#listener === undefined) return;
      this.#token = token;
      const url = withProject(this.#request.url, token.project);
      const { googleLogin: _googleLogin, ...request } = this.#request;
      this.#call = this.#next(this.#place, { ...request, url, headers: { ...request.headers, authorization: `Bearer ${token.token}` } }, this);
      if (this.#paused) this.#call.pause();
    } catch (error) {
      this.#listener?.onError(error instanceof WaybillError ? error : networkFailure(error, this.#place.name, 'connecting'));
    }
  }
}

function withProject(url: string, project: string | undefined): string {
  if (!url.includes(projectPlaceholder)) return url;
  if (project === undefined) {
    throw new WaybillError('google-project', 'auth', 'The Google login names no project.', { advice: 'set "project" for this endpoint' });
  }
  return url.replace(projectPlaceholder, encodeURIComponent(project.toWellFormed()));
}
