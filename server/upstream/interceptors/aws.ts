import type { WaybillError } from '../../base/failure.ts';
import type { ResponseHeaders } from '../../base/headers/responseHeaders.ts';
import type { AwsLogin } from '../../keys/authHeader.ts';
import type { AskAws, AwsApiKey, AwsCredentials, AwsParts, FrameReader } from '../aws/aws.ts';
import type { AnswerSource, CallPlace, Dispatch, Interceptor, ResponseListener, UpstreamCall, UpstreamRequest } from '../call.ts';
import { awsFailure } from '../failures/awsFailure.ts';
import { unreadableAnswer } from '../failures/unreadableAnswer.ts';
import { fetchText } from '../fetchText.ts';
import type { AwsLogins } from './awsCredentials.ts';

const binaryStream = 'application/vnd.amazon.eventstream';
const loginTimeoutMs = 10_000;

/** Refusals of credentials that were good when they were found: others may be there by now. */
const renewable = /^(?:ExpiredToken|UnrecognizedClient|InvalidClientTokenId|RequestExpired|RequestTimeTooSkewed|InvalidSignature|SignatureDoesNotMatch)/;

/** Signs requests to AWS, and turns its binary streams into server-sent events. */
export function awsSigning(logins: AwsLogins): Interceptor {
  return next => (place, request, listener) => {
    const { aws } = request;
    return aws === undefined ? next(place, request, listener) : new AwsCall(logins, aws, next, place, request, listener);
  };
}

/**
 * A call that is signed before it can be sent. Where the credentials have ended or the clock of this machine is wrong, the call
 * is sent once more with a new signature; the listener learns of the second only.
 */
class AwsCall implements ResponseListener, UpstreamCall {
  readonly #logins: AwsLogins;
  readonly #login: AwsLogin;
  readonly #next: Dispatch;
  readonly #place: CallPlace;
  readonly #request: UpstreamRequest;
  #listener: ResponseListener | undefined;
  #call: UpstreamCall | undefined;
  #used: AwsCredentials | AwsApiKey | undefined;
  #parts: AwsParts | undefined;
  #frames: FrameReader | undefined;
  #signedAgain = false;
  #paused = false;

  constructor(logins: AwsLogins, login: AwsLogin, next: Dispatch, place: CallPlace, request: UpstreamRequest, listener: ResponseListener) {
    this.#logins = logins;
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
    if (status >= 400 && this.#mayGoBetter(headers)) {
      this.#signedAgain = true;
      this.#call?.abort();
      void this.#start();
      return;
    }
    const type = headers['content-type'];
    if (typeof type !== 'string' || !type.startsWith(binaryStream)) {
      this.#listener?.onHeaders(status, headers);
      return;
    }
    this.#frames = this.#parts?.openFrames();
    this.#listener?.onHeaders(status, { ...headers, 'content-type': 'text/event-stream' });
  }

  onData(chunk: Buffer): void {
    const frames = this.#frames;
    if (frames === undefined) {
      this.#listener?.onData(chunk);
      return;
    }
    let text: string;
    try {
      text = frames.push(chunk);
    } catch (error) {
      const listener = this.#listener;
      this.abort();
      listener?.onError(unreadableAnswer(this.#place.name, error));
      return;
    }
    if (text !== '') this.#listener?.onData(Buffer.from(text, 'utf8'));
  }

  onEnd(): void {
    this.#listener?.onEnd();
  }

  onError(error: WaybillError): void {
    this.#listener?.onError(error);
  }

  /** Whether a refused request may be accepted with a new signature. */
  #mayGoBetter(headers: ResponseHeaders): boolean {
    const [used, type] = [this.#used, headers['x-amzn-errortype']];
    if (this.#signedAgain || used === undefined || 'apiKey' in used || typeof type !== 'string' || !renewable.test(type)) return false;
    if (this.#logins.learnTime(typeof headers.date === 'string' ? headers.date : undefined)) return true;
    // An access key that a person gave stays what it is.
    if (this.#login.machine === undefined || /^(?:InvalidSignature|SignatureDoesNotMatch)/.test(type)) return false;
    this.#logins.forget(this.#login, used);
    return true;
  }

  async #start(): Promise<void> {
    try {
      this.#parts = await this.#logins.parts();
      const proof = await this.#proof(this.#parts);
      // The call may have been aborted meanwhile.
      if (this.#listener === undefined) return;
      const { aws: _aws, ...request } = this.#request;
      this.#call = this.#next(placeOf(this.#place, request.url), { ...request, headers: { ...request.headers, ...proof } }, this);
      if (this.#paused) this.#call.pause();
    } catch (error) {
      this.#listener?.onError(awsFailure(error, this.#place.name));
    }
  }

  /** The headers that prove who sends the request; none where it has them. */
  async #proof(parts: AwsParts): Promise<Record<string, string>> {
    const { method, url, headers, body = [] } = this.#request;
    if (this.#login.accessKey === undefined && this.#login.machine === undefined) return {};
    const credentials = await this.#logins.credentials(this.#login, this.#ask);
    this.#used = credentials;
    if ('apiKey' in credentials) return { authorization: `Bearer ${credentials.apiKey}` };
    return parts.sign({ method, url, contentType: headers['content-type'], body }, credentials, { region: this.#login.region, service: 'bedrock' }, this.#logins.signingTime());
  }

  readonly #ask: AskAws = ({ method, url, headers, body }) => {
    const bytes = body === undefined ? undefined : Buffer.from(body);
    return fetchText({ dispatch: this.#next }, { ...this.#place, name: `the AWS login of ${this.#place.name}` }, {
      method, url, body: bytes === undefined ? undefined : [bytes],
      headers: { accept: 'application/json, text/xml', 'accept-encoding': 'identity', 'user-agent': 'waybill', ...(bytes === undefined ? {} : { 'content-length': String(bytes.length) }), ...headers },
    }, loginTimeoutMs);
  };
}

/** Lists of models stand at another host than calls, and an endpoint has one pool of connections. */
function placeOf(place: CallPlace, url: string): CallPlace {
  return url.startsWith('https://bedrock.') || url.startsWith('https://bedrock-fips.') ? { ...place, name: `the models of ${place.name}` } : place;
}
