import type { IncomingMessage } from 'node:http';
import type { Caller } from '../../api/receipt.ts';
import type { ConversationRequest, ProtocolName } from '../../api/conversation.ts';
import { BodyMemory } from '../../base/bodyMemory.ts';
import { parseExact } from '../../base/exactJson.ts';
import { hopsHeader, readHops } from '../../base/hops.ts';
import { isObject, type JsonValue } from '../../base/json.ts';
import { modelNameProblem } from '../../base/names.ts';
import { scanObject, type ObjectScan } from '../../base/objectScan.ts';
import { encodedConversation, type RawBody, type RequestBody } from '../../exchange/request.ts';
import { ignoredHeaders } from '../../exchange/purpose/ignoredHeaders.ts';
import { blankWords } from '../../protocols/bodyRules/fieldStrings.ts';
import { watchedImageTypes } from '../../protocols/bodyRules/imageTypes.ts';
import type { Refusal } from '../../limits/rateWindow.ts';
import { tokenRefusal } from '../../limits/tokenRefusal.ts';
import { RequestFormatError, type ProtocolCodec } from '../../protocols/codec.ts';
import { openAiCompletions } from '../../protocols/openAiLegacy/completions.ts';
import { openAiEmbeddings } from '../../protocols/openAiLegacy/embeddings.ts';
import type { ToolListMemory } from '../../protocols/toolLists.ts';
import type { Router } from '../../router/router.ts';
import type { KnownToken } from '../../router/tokens/tokenBook.ts';
import { askWhetherGone } from './halfClosed.ts';
import type { HttpCall } from './httpCall.ts';
import { HttpSink } from './httpSink.ts';
import { agentOf, callerOf } from './request/callerOf.ts';
import type { ScannedBody } from './request/readBody.ts';
import { mediaTypes, readRequestFacts, type NamedInPath, type RequestFacts } from './request/requirements.ts';
import type { ResponseItemStore } from './request/responseItemStore.ts';
import type { RouteServices } from './routes/httpRoute.ts';

const patienceMs = 20_000;
/** So long a request waits for the count of the limits of its token, and looks so often. */
const countPatienceMs = 10_000;
const countLookMs = 100;
const itemReference = 'item_reference';
/** What the scan of a request body looks for. */
export const watchedWords: ReadonlySet<string> = new Set([
  ...mediaTypes, itemReference,
  // What a target may refuse stands beside these words; see protocols/bodyRules.
  'developer', 'system', 'assistant', 'tool', 'tool_use', 'tool_result', 'function_call_output', 'json_object', ...watchedImageTypes, ...blankWords,
]);

/** Headers that belong to a protocol and go on to targets that speak it; Anthropic's are all that begin with its name. */
const anthropicHeaders = 'anthropic-';
const protocolHeaderNames: Partial<Record<ProtocolName, readonly string[]>> = {
  'openai-chat': ['openai-beta'],
  'openai-responses': ['openai-beta'],
};

/** What a route knows of a request from its path. */
export interface InferenceKind {
  kind: RequestBody['kind'];
  protocol: ProtocolName;
  named?: NamedInPath | undefined;
  /** Gemini: the stream is one JSON array. */
  jsonArray?: boolean | undefined;
}

/** A request body in which everything that routing needs was found. */
export interface ReadInference { bytes: Buffer; scan: ObjectScan; facts: RequestFacts }

/** Answers a request that goes to a model: creates its exchange and connects it with the response. */
export function answerInference(call: HttpCall, services: RouteServices, { kind, protocol, named = {}, jsonArray = false }: InferenceKind, scanned: ScannedBody): void {
  const { router, responseItems } = services;
  const { request, response } = call;
  const read = readInference(call, responseItems, protocol, named, scanned);
  if (read === undefined) return;
  const codec = codecOf(router, kind, protocol);
  if (codec === undefined) {
    call.refuse(400, 'This protocol is not supported.');
    return;
  }
  if (protocol === 'anthropic-messages' && read.scan.fields.has('thread')) {
    refuseThread(call);
    return;
  }
  const { facts } = read;
  const caller = callerOf(request.headers, call.tool, call.access);
  if (call.access !== undefined && isRefused(call, call.access, router, router.modelFor(caller.tool, facts.model, isSubagent(request)))) return;
  const id = router.newId();
  const refusal = call.access === undefined ? undefined : router.tokens.enter(call.access, id, facts.requirements);
  if (refusal !== undefined) {
    // What peers used is not known at this moment: the request waits for that, and is not refused.
    if (refusal.cause === undefined && call.mayWait(router.clock.now(), countPatienceMs)) setTimeout(() => { call.answer(() => (response.destroyed ? undefined : answerInference(call, services, { kind, protocol, named, jsonArray }, scanned))); }, countLookMs);
    else refuseBeyondLimits(call, call.access?.name ?? '', refusal, router.clock.now());
    return;
  }
  try {
    startExchange(call, services, { kind, protocol, jsonArray }, read, codec, caller, id);
  } catch (error) {
    // Of an exchange that did not begin nobody says that it ended.
    router.tokens.limits.ended({ id, attempts: [] });
    throw error;
  }
}

function startExchange(
  call: HttpCall, { router, responseItems, toolLists }: RouteServices, { kind, protocol, jsonArray = false }: InferenceKind, read: ReadInference, codec: ProtocolCodec, caller: Caller, id: string,
): void {
  const { request, response } = call;
  const { facts } = read;
  const memory = new BodyMemory(read.bytes);
  const body = requestBody(kind, codec, read, memory, toolLists, protocolHeaders(protocol, request), jsonArray);
  const sink = new HttpSink(response, {
    codec, stream: facts.stream, includeUsage: facts.includeUsage, estimatedInputTokens: facts.requirements.estimatedInputTokens, exchangeId: id, requestedModel: facts.model,
    items: protocol === 'openai-responses' ? responseItems : undefined,
    jsonArray, ignored: ignoredHeaders(request.headers), tools: () => (body.kind === 'conversation' ? body.decoded().tools : []),
  });
  const exchange = router.create({
    id, inbound: 'http', protocol, requestedModel: facts.model, stream: facts.stream, caller, agent: agentOf(request.headers), headers: request.headers, subagent: isSubagent(request), hops: readHops(request.headers[hopsHeader]), tenant: call.tenant, ownBudget: call.access?.hasBudget, allowedModels: call.access?.models === 'all' ? undefined : call.access?.models, requirements: facts.requirements, body, patienceMs,
  }, sink);
  const gone = askWhetherGone(response, sink);
  response.on('close', () => {
    gone.dispose();
    if (response.writableFinished) memory.release();
    else exchange.cancel();
  });
  try {
    exchange.start();
  } catch (error) {
    // The caller is answered with the error; calls that have started upstream are stopped.
    exchange.cancel();
    throw error;
  }
}

/** Refuses a name that the token may not ask for. 403 is tried again by no client. @returns whether it was refused */
export function isRefused(call: HttpCall, access: KnownToken, router: Router, model: string): boolean {
  const why = router.tokens.whyNotAllowed(access, model);
  if (why !== undefined) call.refuse(403, why);
  return why !== undefined;
}

/** Refuses a request over the limits of its token. */
export function refuseBeyondLimits(call: HttpCall, name: string, { retryAt, reason }: Refusal, now: number): void {
  const { message, waitS } = tokenRefusal(name, reason, retryAt - now);
  call.response.setHeader('retry-after', String(waitS));
  call.refuse(429, message);
}

/** Claude Code says which requests are its subagents'. */
export function isSubagent({ headers }: IncomingMessage): boolean {
  return headers['x-claude-code-request-class'] === 'subagent' || headers['x-claude-code-agent-id'] !== undefined;
}

/** Reads what routing needs out of a request body. @returns undefined when the request was refused */
export function readInference(call: HttpCall, items: ResponseItemStore, protocol: ProtocolName, named: NamedInPath, scanned: ScannedBody): ReadInference | undefined {
  const { bytes, scan } = protocol === 'openai-responses' ? withReferencedItems(scanned, items) : scanned;
  if (scan === undefined) {
    call.refuse(400, 'The body is not a JSON object.');
    return undefined;
  }
  const facts = readRequestFacts(protocol, bytes, scan, named);
  const problem = modelNameProblem(facts?.model ?? '');
  if (facts === undefined || problem !== undefined) {
    call.refuse(400, problem ?? 'This protocol is not supported.');
    return undefined;
  }
  return { bytes, scan, facts };
}

/** The headers of a request that belong to its protocol. */
export function protocolHeaders(protocol: ProtocolName, { headers }: IncomingMessage): Record<string, string> {
  const own: Record<string, string> = {};
  if (protocol === 'anthropic-messages') {
    for (const name in headers) {
      const value = name.startsWith(anthropicHeaders) ? headers[name] : undefined;
      if (typeof value === 'string') own[name] = value;
    }
  }
  for (const name of protocolHeaderNames[protocol] ?? []) {
    const value = headers[name];
    if (typeof value === 'string') own[name] = value;
  }
  return own;
}

function codecOf(router: Router, kind: RequestBody['kind'], protocol: ProtocolName): ProtocolCodec | undefined {
  switch (kind) {
    case 'completion': return openAiCompletions;
    case 'embedding': return openAiEmbeddings;
    case 'conversation': return router.codecFor(protocol);
  }
}

function requestBody(
  kind: RequestBody['kind'], codec: ProtocolCodec, { bytes, scan, facts }: ReadInference, memory: BodyMemory, toolLists: ToolListMemory, headers: Record<string, string>, jsonArray: boolean,
): RequestBody {
  const raw: RawBody = { bytes, memory, scan, protocolHeaders: headers, limitField: facts.limitField, includeUsage: facts.includeUsage };
  if (kind !== 'conversation') return { kind, raw };
  // A JSON array is put together here from the provider's events, so the caller's bytes cannot go through.
  return encodedConversation(jsonArray ? undefined : raw, facts.thinkingAsked, () => decode(codec, toolLists.parse(bytes, scan)));
}

function decode(codec: ProtocolCodec, body: JsonValue | undefined): ConversationRequest {
  if (!isObject(body)) throw new RequestFormatError('body', 'is not valid JSON');
  return codec.decodeRequest(body);
}

/** Puts items of our own answers back in where the caller only refers to them. */
function withReferencedItems(body: ScannedBody, items: ResponseItemStore): ScannedBody {
  if (body.scan?.words.has(itemReference) !== true) return body;
  const request = parseExact(body.bytes.toString('utf8'));
  const resolved = isObject(request) ? items.resolve(request) : undefined;
  if (resolved === undefined) return body;
  const bytes = Buffer.from(JSON.stringify(resolved));
  return { bytes, scan: scanObject(bytes, watchedWords) };
}

/** Conversations kept by the provider cannot follow a request to another one; the caller then sends the whole history. */
function refuseThread(call: HttpCall): void {
  const error = {
    type: 'invalid_request_error', message: 'Message threads are not supported here; send the whole conversation.', details: { error_code: 'thread_unsupported_request' },
  };
  call.json(400, { type: 'error', error });
}
