import { WaybillError } from '../../base/failure.ts';
import { projectPlaceholder } from '../../catalog/paths.ts';
import type { GoogleLogin } from '../../keys/authHeader.ts';
import type { GoogleToken, GoogleTokens } from './googleTokens.ts';
import { networkFailure } from '../failures/networkFailure.ts';
import type { ResponseHeaders, ResponseListener, UpstreamCall, UpstreamRequest } from '../transport.ts';

/**
 * A call that needs an access token before it can be sent. A token that is refused although it should be good is
 * dropped, and the call is sent once more with a new one before anybody hears of it.
 */
export class SignedCall implements ResponseListener, UpstreamCall {
  #tokens: GoogleTokens;
  #login: GoogleLogin;
  #request: UpstreamRequest;
  #listener: ResponseListener | undefined;
  #send: (request: UpstreamRequest, listener: ResponseListener) => UpstreamCall;
  #endpoint: string;
  #call: UpstreamCall | undefined;
  #token: GoogleToken | undefined;
  #again = false;
  #paused = false;

  constructor(options: {
    tokens: GoogleTokens; login: GoogleLogin; request: UpstreamRequest; listener: ResponseListener; endpoint: string;
    send(request: UpstreamRequest, listener: ResponseListener): UpstreamCall;
  }) {
    this.#tokens = options.tokens;
    this.#login = options.login;
    this.#request = options.request;
    this.#listener = options.listener;
    this.#endpoint = options.endpoint;
    this.#send = (request, listener) => options.send(request, listener);
    void this.#start();
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
    if (status === 401 && !this.#again && this.#token !== undefined) {
      this.#again = true;
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
      // Whoever waited may have gone meanwhile.
      if (this.#listener === undefined) return;
      this.#token = token;
      const url = withProject(this.#request.url, token.project);
      const { googleLogin: _googleLogin, ...request } = this.#request;
      this.#call = this.#send({ ...request, url, headers: { ...request.headers, authorization: `Bearer ${token.token}` } }, this);
      if (this.#paused) this.#call.pause();
    } catch (error) {
      this.#listener?.onError(error instanceof WaybillError ? error : networkFailure(error, this.#endpoint, 'connecting'));
    }
  }
}

function withProject(url: string, project: string | undefined): string {
  if (!url.includes(projectPlaceholder)) return url;
  if (project === undefined) {
    throw new WaybillError('google-project', 'auth', 'The Google login names no project; set "project" for this endpoint.');
  }
  return url.replace(projectPlaceholder, encodeURIComponent(project.toWellFormed()));
}
