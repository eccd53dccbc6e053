import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ProtocolName } from '../../api/conversation.ts';
import { WaybillError } from '../../base/failure.ts';
import type { Log } from '../../base/log.ts';
import type { AddressRules } from './addresses/addressRules.ts';
import type { Refusal } from './auth/access.ts';
import { refusalBody } from './refusal.ts';
import { callerProtocol } from './request/callerProtocol.ts';
import { readBody, type ScannedBody } from './request/readBody.ts';
import { sentPath } from './request/requestPath.ts';
import { requestTarget } from './request/requestTarget.ts';
import type { KnownToken } from '../../router/tokens/tokenBook.ts';
import { sendJson, sendText } from './sendJson.ts';

/** One request to the local endpoint and its response, with its path read. */
export class HttpCall {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** In its plain form, without the query. */
  readonly path: string;
  /** Without the question mark. */
  readonly query: string;
  /** Why the request is not meant for this server; undefined when it is. */
  readonly refusal: Refusal | undefined;
  /** Groups of the path's pattern, as they stand in the path. */
  groups: readonly (string | undefined)[] = [];
  /** The protocol of the path, where it has one. */
  protocol: ProtocolName | undefined;
  /** Tells the token that came with the request from every other one; undefined: none was asked for. */
  tenant: string | undefined;
  /** The tool whose own token came with the request. */
  tool: string | undefined;
  /** What the token that came with the request may do; undefined: everything. */
  access: KnownToken | undefined;
  #log: Pick<Log, 'error'>;
  #waitsSince: number | undefined;

  /** @param rules of another address than the loopback port */
  constructor(request: IncomingMessage, response: ServerResponse, log: Pick<Log, 'error'>, rules?: AddressRules) {
    this.request = request;
    this.response = response;
    const { path, query, refusal } = requestTarget(request, rules);
    this.path = path;
    this.query = query;
    this.refusal = refusal;
    this.#log = log;
  }

  /** The path as the caller sent it, for errors: a caller does not know a path that it did not write. */
  get sentPath(): string {
    return sentPath(this.request.url);
  }

  /** The protocol in whose shape an error is written. */
  get errorProtocol(): ProtocolName {
    return this.protocol ?? callerProtocol(this.request.headers);
  }

  json(status: number, body: unknown): void {
    sendJson(this.response, status, body);
  }

  text(status: number, text: string, contentType: string): void {
    sendText(this.response, status, text, contentType);
  }

  /** Whether the call may wait a little more. @param now milliseconds since the epoch @param patienceMs how long it may wait in all */
  mayWait(now: number, patienceMs: number): boolean {
    this.#waitsSince ??= now;
    return now - this.#waitsSince < patienceMs;
  }

  /** Answers with an error of the local endpoint's own. */
  refuse(status: number, message: string): void {
    sendJson(this.response, status, refusalBody(this.errorProtocol, status, message));
  }

  /** Runs a step of the answer. What it throws or rejects with is answered as an error, so that the caller never waits for ever. */
  answer(step: () => void | Promise<void>): void {
    try {
      step()?.catch((error: unknown) => this.#failed(error));
    } catch (error) {
      this.#failed(error);
    }
  }

  /**
   * Reads the request body and hands it on; refuses what cannot be read.
   * @param words see ObjectScanner
   */
  readBody(words: ReadonlySet<string>, use: (body: ScannedBody) => void | Promise<void>): void {
    readBody(this.request, words, body => this.answer(() => {
      if (this.response.destroyed) return undefined;
      if ('bytes' in body) return use(body);
      return this.refuse(body.status, body.message);
    }), error => this.#failed(error));
  }

  #failed(error: unknown): void {
    // Our own errors say in one sentence what a person can do; they are not worth a stack.
    const known = error instanceof WaybillError;
    if (!known) this.#log.error(`${this.request.method ?? ''} ${this.path} failed`, error);
    if (this.response.headersSent) this.response.destroy();
    else this.refuse(known ? 503 : 500, known ? error.message : 'Waybill failed at this request; its log says more.');
  }
}
