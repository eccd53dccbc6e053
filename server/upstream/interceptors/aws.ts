import type { WaybillError } from '../../base/failure.ts';
import type { ResponseHeaders } from '../../base/headers/responseHeaders.ts';
import type { AwsLogin } from '../../keys/authHeader.ts';
import type { AwsApiKey, AwsCredentials, AwsParts, FrameReader } from '../aws/aws.ts';
import type { CallPlace, Dispatch, Interceptor, ResponseListener, UpstreamRequest } from '../call.ts';
import { machineLoginFailure } from '../failures/machineLoginFailure.ts';
import { unreadableAnswer } from '../failures/unreadableAnswer.ts';
import { askLogin } from './askLogin.ts';
import type { AwsLogins } from './awsCredentials.ts';
import { LoggedInCall, type CallLogin } from './loggedInCall.ts';

const binaryStream = 'application/vnd.amazon.eventstream';

/** Refusals of credentials that were good when they were found: others may be there by now. */
const renewable = /^(?:ExpiredToken|UnrecognizedClient|InvalidClientTokenId|RequestExpired|RequestTimeTooSkewed|InvalidSignature|SignatureDoesNotMatch)/;

/** Signs requests to AWS, and turns its binary streams into server-sent events. */
export function awsSigning(logins: AwsLogins): Interceptor {
  return next => (place, request, listener) => (request.login?.kind === 'aws' ? signedCall(logins, request.login, next, place, request, listener) : next(place, request, listener));
}

function signedCall(logins: AwsLogins, aws: AwsLogin, next: Dispatch, place: CallPlace, request: UpstreamRequest, listener: ResponseListener): LoggedInCall {
  const login = new AwsCallLogin(logins, aws, next, place, request);
  const frames = new FrameListener(listener, place.name, () => login.parts, () => { call.abort(); });
  const call = new LoggedInCall(login, next, frames);
  return call;
}

/** Where the credentials have ended or the clock of this machine is wrong, the call is signed again. */
class AwsCallLogin implements CallLogin {
  readonly #logins: AwsLogins;
  readonly #login: AwsLogin;
  readonly #next: Dispatch;
  readonly #place: CallPlace;
  readonly #request: UpstreamRequest;
  #used: AwsCredentials | AwsApiKey | undefined;
  /** Loaded before the call is sent. */
  parts: AwsParts | undefined;

  constructor(logins: AwsLogins, login: AwsLogin, next: Dispatch, place: CallPlace, request: UpstreamRequest) {
    this.#logins = logins;
    this.#login = login;
    this.#next = next;
    this.#place = place;
    this.#request = request;
  }

  async prove(): Promise<{ place: CallPlace; request: UpstreamRequest }> {
    this.parts = await this.#logins.parts();
    const proof = await this.#proof(this.parts);
    const { login: _login, ...request } = this.#request;
    return { place: placeOf(this.#place, request.url), request: { ...request, headers: { ...request.headers, ...proof } } };
  }

  mayGoBetter(_status: number, headers: ResponseHeaders): boolean {
    const [used, type] = [this.#used, headers['x-amzn-errortype']];
    if (used === undefined || 'apiKey' in used || typeof type !== 'string' || !renewable.test(type)) return false;
    if (this.#logins.learnTime(typeof headers.date === 'string' ? headers.date : undefined)) return true;
    // An access key that a person gave stays what it is.
    if (this.#login.machine === undefined || /^(?:InvalidSignature|SignatureDoesNotMatch)/.test(type)) return false;
    this.#logins.forget(this.#login, used);
    return true;
  }

  failureOf(error: unknown): WaybillError {
    return machineLoginFailure(error, this.#place.name);
  }

  /** The headers that prove who sends the request; none where it has them. */
  async #proof(parts: AwsParts): Promise<Record<string, string>> {
    const { method, url, headers, body = [] } = this.#request;
    if (this.#login.accessKey === undefined && this.#login.machine === undefined) return {};
    const credentials = await this.#logins.credentials(this.#login, askLogin(this.#next, this.#place, 'the AWS login'));
    this.#used = credentials;
    if ('apiKey' in credentials) return { authorization: `Bearer ${credentials.apiKey}` };
    return parts.sign({ method, url, contentType: headers['content-type'], body }, credentials, { region: this.#login.region, service: 'bedrock' }, this.#logins.signingTime());
  }
}

/** Passes answers on, and binary streams as server-sent events. */
class FrameListener implements ResponseListener {
  readonly #listener: ResponseListener;
  readonly #endpoint: string;
  readonly #parts: () => AwsParts | undefined;
  readonly #abort: () => void;
  #frames: FrameReader | undefined;

  /** @param parts those that were loaded for the call */
  constructor(listener: ResponseListener, endpoint: string, parts: () => AwsParts | undefined, abort: () => void) {
    this.#listener = listener;
    this.#endpoint = endpoint;
    this.#parts = parts;
    this.#abort = abort;
  }

  onConnected(connectMs: number): void {
    this.#listener.onConnected?.(connectMs);
  }

  onHeaders(status: number, headers: ResponseHeaders): void {
    const type = headers['content-type'];
    if (typeof type === 'string' && type.startsWith(binaryStream)) this.#frames = this.#parts()?.openFrames();
    this.#listener.onHeaders(status, this.#frames === undefined ? headers : { ...headers, 'content-type': 'text/event-stream' });
  }

  onData(chunk: Buffer): void {
    if (this.#frames === undefined) {
      this.#listener.onData(chunk);
      return;
    }
    let text: string;
    try {
      text = this.#frames.push(chunk);
    } catch (error) {
      this.#abort();
      this.#listener.onError(unreadableAnswer(this.#endpoint, error));
      return;
    }
    if (text !== '') this.#listener.onData(Buffer.from(text, 'utf8'));
  }

  onEnd(): void {
    this.#listener.onEnd();
  }

  onError(error: WaybillError): void {
    this.#listener.onError(error);
  }
}

/** Lists of models stand at another host than calls, and an endpoint has one pool of connections. */
function placeOf(place: CallPlace, url: string): CallPlace {
  return url.startsWith('https://bedrock.') || url.startsWith('https://bedrock-fips.') ? { ...place, name: `the models of ${place.name}` } : place;
}
