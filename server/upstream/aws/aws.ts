import type { AwsLogin } from '../../keys/authHeader.ts';
import type { AskLogin } from '../machineLogin.ts';

/** What signs a request to AWS, or the API key that is sent in place of a signature. */
export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
  /** Milliseconds since the epoch; absent: they do not end. */
  readonly expiresAt?: number | undefined;
}
export interface AwsApiKey { readonly apiKey: string; readonly expiresAt?: undefined }

/** A request before it is signed. */
export interface Unsigned {
  readonly method: string;
  readonly url: string;
  readonly contentType: string | undefined;
  readonly body: readonly Uint8Array[];
}

/** Turns a binary event stream of AWS into server-sent events. */
export interface FrameReader {
  /**
   * @returns the text of the events that became whole
   * @throws Error when the bytes are no such stream: a wrong checksum, an impossible length
   */
  push(chunk: Buffer): string;
}

/** What is loaded when AWS is asked for the first time. */
export interface AwsParts {
  /** The headers that prove who sends the request. */
  sign(request: Unsigned, credentials: AwsCredentials, place: { region: string; service: string }, at: Date): Promise<Record<string, string>>;
  /** @throws MachineLoginError when there are none, with what to do about it */
  findCredentials(login: AwsLogin, ask: AskLogin): Promise<AwsCredentials | AwsApiKey>;
  openFrames(): FrameReader;
}
