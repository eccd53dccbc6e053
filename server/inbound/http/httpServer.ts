import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { ProtocolName } from '../../api/conversation.ts';
import { WaybillError } from '../../base/failure.ts';
import type { Log } from '../../base/log.ts';
import { isObject, parseJson } from '../../base/json.ts';
import { modelNameProblem } from '../../base/names.ts';
import { scanObject } from '../../base/objectScan.ts';
import type { Router } from '../../router/router.ts';
import { RequestFormatError, type ProtocolCodec } from '../../protocols/codec.ts';
import { openAiCompletions } from '../../protocols/openAiLegacy/completions.ts';
import { openAiEmbeddings } from '../../protocols/openAiLegacy/embeddings.ts';
import { presentedToken, type TokenCheck } from './auth/access.ts';
import { callerOf } from './request/callerOf.ts';
import { ResponseItemStore } from './request/responseItemStore.ts';
import { askWhetherGone } from './halfClosed.ts';
import { callerProtocol } from './request/callerProtocol.ts';
import { countTokens } from './routes/countTokens.ts';
import { HttpSink } from './httpSink.ts';
import type { InfoRoutes } from './routes/infoRoutes.ts';
import { isTooLarge, readBody, type ScannedBody } from './request/readBody.ts';
import { refusalBody } from './refusal.ts';
import { mediaTypes, outputLimit, readRequestFacts } from './request/requirements.ts';
import { meaningOf, sentPath, type PathMeaning } from './request/requestPath.ts';
import { requestTarget } from './request/requestTarget.ts';
import { sendJson } from './sendJson.ts';
import { refuseUnreadable } from './request/unreadableRequest.ts';

export interface HttpServerOptions {
  router: Router;
  token: TokenCheck;
  log: Log;
  info: InfoRoutes;
}

const patienceMs = 20_000;
const itemReference = 'item_reference';
const watchedWords: ReadonlySet<string> = new Set([...mediaTypes, itemReference]);
/** Headers that belong to a protocol and go on to targets that speak it. */
const protocolHeaderNames: Partial<Record<ProtocolName, readonly string[]>> = {
  'anthropic-messages': ['anthropic-version', 'anthropic-beta'],
  'openai-chat': ['openai-beta'],
  'openai-responses': ['openai-beta'],
};

/** The local endpoint: one HTTP server that speaks the callers' protocols. */
export class HttpServer {
  readonly server: Server;
  #options: HttpServerOptions;
  readonly #given = new ResponseItemStore();

  constructor(options: HttpServerOptions) {
    this.#options = options;
    // A request without Host is refused here, so that its refusal is in the caller's protocol and read to the end.
    this.server = createServer({ maxHeaderSize: 64 * 1024, keepAliveTimeout: 65_000, requestTimeout: 300_000, headersTimeout: 60_000, requireHostHeader: false },
      (request, response) => this.#answering(request, response, () => this.#handle(request, response)));
    // A caller may close its side once it has asked, and still read (see halfClosed.ts). Node has the switch, its types do not.
    Object.assign(this.server, { httpAllowHalfOpen: true });
    this.server.on('clientError', refuseUnreadable);
    // Without this listener Node asks for every announced body, also for one that is refused.
    this.server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
      if (!isTooLarge(request)) response.writeContinue();
      this.server.emit('request', request, response);
    });
    // Each request that waits listens for that, and a caller may send many ahead.
    this.server.on('connection', socket => socket.setMaxListeners(0));
  }

  #handle(request: IncomingMessage, response: ServerResponse): void {
    const { path, query, refusal } = requestTarget(request);
    if (refusal !== undefined) {
      this.#refuse(request, response, path, refusal.status, refusal.message);
      return;
    }
    if (this.#options.info.withoutToken(request, response, path)) return;
    const owner = this.#options.token.ownerOf(presentedToken(request.headers));
    if (owner === undefined) {
      this.#refuse(request, response, path, 401,
        'The token of the local Waybill endpoint is missing or wrong. Send the content of its token file as Authorization: Bearer, x-api-key or x-goog-api-key.');
      return;
    }
    const meaning = meaningOf(path, query);
    if (meaning.kind === 'other') {
      this.#answering(request, response, () => this.#options.info.withToken(request, response, path, query));
      return;
    }
    if (request.method !== 'POST') {
      response.setHeader('allow', 'POST');
      this.#refuse(request, response, path, 405, `Use POST for ${sentPath(request.url)}.`);
      return;
    }
    readBody(request, watchedWords, body => this.#answering(request, response, () => {
      if (response.destroyed) return;
      if ('bytes' in body) return this.#answer(meaning, request, response, path, body, owner.tool);
      this.#refuse(request, response, path, body.status, body.message);
    }));
  }

  /** A caller always gets an answer: whatever is thrown or rejected on the way to it becomes the protocol's own error. */
  #answering(request: IncomingMessage, response: ServerResponse, answer: () => void | Promise<void>): void {
    const failed = (error: unknown): void => {
      const { path } = requestTarget(request);
      // Our own errors say in one sentence what a person can do; they are not worth a stack.
      const known = error instanceof WaybillError;
      if (!known) this.#options.log.error(`${request.method ?? ''} ${path} failed`, error);
      if (response.headersSent) response.destroy();
      else this.#refuse(request, response, path, known ? 503 : 500, known ? error.message : 'Waybill failed at this request; its log says more.');
    };
    try {
      answer()?.catch(failed);
    } catch (error) {
      failed(error);
    }
  }

  #answer(meaning: Exclude<PathMeaning, { kind: 'other' }>, request: IncomingMessage, response: ServerResponse, path: string, body: ScannedBody, tool: string | undefined): void | Promise<void> {
    const { router } = this.#options;
    const protocol = 'protocol' in meaning ? meaning.protocol : 'openai-chat';
    const { bytes, scan } = protocol === 'openai-responses' ? this.#withGivenItems(body) : body;
    const codec = meaning.kind === 'completion' ? openAiCompletions : meaning.kind === 'embedding' ? openAiEmbeddings : router.codecFor(protocol);
    const named = 'model' in meaning ? meaning : {};
    const facts = scan === undefined ? undefined : readRequestFacts(protocol, bytes, scan, named);
    const nameProblem = modelNameProblem(facts?.model ?? '');
    if (codec === undefined || scan === undefined || facts === undefined || nameProblem !== undefined) {
      this.#refuse(request, response, path, 400, scan === undefined ? 'The body is not a JSON object.' : nameProblem ?? 'This protocol is not supported.');
      return;
    }
    if (meaning.kind === 'count') {
      return countTokens(router, protocol, facts, { bytes, scan }, protocolHeaders(protocol, request)).then(body => sendJson(response, 200, body));
    }
    if (protocol === 'anthropic-messages' && scan.fields.has('thread')) {
      this.#refuseThread(response);
      return;
    }
    const id = router.newId();
    const conversation = onlyOnce(() => decode(codec, bytes));
    const jsonArray = meaning.kind === 'conversation' && meaning.jsonArray === true;
    const caller = new HttpSink(response, {
      codec, stream: facts.stream, includeUsage: facts.includeUsage, estimatedInputTokens: facts.requirements.estimatedInputTokens, exchangeId: id, requestedModel: facts.model,
      given: protocol === 'openai-responses' ? this.#given : undefined,
      jsonArray, tools: () => (meaning.kind === 'conversation' ? conversation().tools : []),
    });
    const run = router.create({
      id, inbound: 'http', protocol, requestedModel: facts.model, stream: facts.stream, caller: callerOf(request.headers, tool), requirements: facts.requirements,
      // An array is put together here from the provider's events, so its bytes cannot go through.
      raw: jsonArray ? undefined : { bytes, scan },
      conversation, protocolHeaders: protocolHeaders(protocol, request), includeUsage: facts.includeUsage,
      thinkingAsked: facts.thinkingAsked,
      limitField: outputLimit(protocol, bytes, scan)?.field,
      operation: meaning.kind === 'conversation' ? undefined : meaning.kind,
      patienceMs,
    }, caller);
    response.on('close', () => {
      if (!response.writableFinished) run.cancel();
    });
    askWhetherGone(response, () => caller.keepAlive());
    try {
      run.start();
    } catch (error) {
      // Its caller is answered with the error; what it may have begun upstream is stopped.
      run.cancel();
      throw error;
    }
  }

  /** Puts items of our own answers back in where the caller only refers to them. */
  #withGivenItems(body: ScannedBody): ScannedBody {
    if (body.scan?.words.has(itemReference) !== true) return body;
    const request = parseJson(body.bytes.toString('utf8'));
    const resolved = isObject(request) ? this.#given.resolve(request) : undefined;
    if (resolved === undefined) return body;
    const bytes = Buffer.from(JSON.stringify(resolved));
    return { bytes, scan: scanObject(bytes, watchedWords) };
  }

  /** Conversations kept by the provider cannot follow a request to another one; the caller then sends the whole history. */
  #refuseThread(response: ServerResponse): void {
    const error = {
      type: 'invalid_request_error', message: 'Message threads are not supported here; send the whole conversation.', details: { error_code: 'thread_unsupported_request' },
    };
    sendJson(response, 400, { type: 'error', error });
  }

  #refuse(request: IncomingMessage, response: ServerResponse, path: string, status: number, message: string): void {
    sendJson(response, status, refusalBody(protocolOf(request, path), status, message));
  }
}

/** The protocol whose shape an error should have. */
function protocolOf(request: IncomingMessage, path: string): ProtocolName {
  const meaning = meaningOf(path, '');
  if ('protocol' in meaning) return meaning.protocol;
  return callerProtocol(request.headers);
}

function decode(codec: ProtocolCodec, bytes: Buffer): ReturnType<ProtocolCodec['decodeRequest']> {
  const body = parseJson(bytes.toString('utf8'));
  if (!isObject(body)) throw new RequestFormatError('body', 'is not valid JSON');
  return codec.decodeRequest(body);
}

function protocolHeaders(protocol: ProtocolName, request: IncomingMessage): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const name of protocolHeaderNames[protocol] ?? []) {
    const value = request.headers[name];
    if (typeof value === 'string') headers[name] = value;
  }
  return headers;
}

function onlyOnce<Value>(make: () => Value): () => Value {
  let made: { value: Value } | undefined;
  return () => (made ??= { value: make() }).value;
}
