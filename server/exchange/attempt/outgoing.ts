import type { ConversationRequest } from '../../api/conversation.ts';
import type { PlannedTarget } from '../../api/receipt.ts';
import type { KeyMaterial } from '../../api/messages.ts';
import { fieldValue, scanObject, spliceFields, type FieldEdit } from '../../base/objectScan.ts';
import { isObject, parseJson, type JsonObject } from '../../base/json.ts';
import { operationUrl, type Operation } from '../../catalog/operations.ts';
import { chatUrl, wireModelName } from '../../catalog/paths.ts';
import type { EndpointConfig } from '../../config/config.ts';
import type { SpokenRequest } from '../../routing/chooseProtocol.ts';
import { anthropicVersion, defaultAnthropicVersion, versionHeader } from '../../protocols/anthropicMessages/version.ts';
import { withCacheBreakpoints } from '../../protocols/cacheBreakpoints.ts';
import type { ProtocolCodec } from '../../protocols/codec.ts';
import { openAiChat } from '../../protocols/openAiChat/codec.ts';
import { openAiCompletions } from '../../protocols/openAiLegacy/completions.ts';
import { openAiEmbeddings } from '../../protocols/openAiLegacy/embeddings.ts';
import { codecFor } from '../../protocols/registry.ts';
import { withStopStrings } from '../../protocols/stopStrings.ts';
import { withoutReasoning } from '../../protocols/stripReasoning.ts';
import { authorize } from '../../keys/authHeader.ts';
import type { UpstreamRequest } from '../../upstream/call.ts';
import type { ExchangeInput } from '../request.ts';

/** What goes to a provider for one attempt. */
export interface Outgoing {
  request: UpstreamRequest;
  /** The caller's own bytes are sent, and the provider's answer is passed on as it is. */
  passThrough: boolean;
  /** The request asks for a usage chunk that the caller did not ask for, so the caller must not get it. */
  hideUsage: boolean;
  /** Decodes the provider's answer. */
  codec: ProtocolCodec;
  /** Types of provider-hosted tools that were left out because this target cannot run them. */
  leftOut: string[];
}

/** What the request of one attempt is made from. */
export interface OutgoingOrder {
  readonly input: ExchangeInput;
  readonly target: PlannedTarget;
  /** As it is spoken to for this request; see chooseProtocol. */
  readonly endpoint: EndpointConfig;
  /** Of the endpoint's protocol. */
  readonly codec: ProtocolCodec;
  /** The key to send; undefined where the endpoint needs none. */
  readonly key: KeyMaterial | undefined;
  /** The most tokens that the model can write; undefined where that is unknown. */
  readonly maxOutputTokens: number | undefined;
  /** Reasoning in the conversation is left out, because another provider made it. */
  readonly stripReasoning: boolean;
}

const fallbackMaxOutputTokens = 8192;

/**
 * Builds the request of one attempt: the caller's bytes with the model name changed where the protocols are the
 * same, else a translation.
 * @throws UntranslatableError when this target cannot be asked such a request
 * @throws RequestFormatError when the caller's body cannot be understood
 */
export function buildOutgoing(order: OutgoingOrder): Outgoing {
  const { input, target, endpoint, codec, key, maxOutputTokens, stripReasoning } = order;
  if (input.operation !== undefined) return buildOperation(order, input.operation);
  const passThrough = input.raw !== undefined && input.protocol === endpoint.protocol;
  const limit = cappedLimit(input, maxOutputTokens);
  const conversation = passThrough ? undefined : conversationFor(input, endpoint, stripReasoning);
  if (conversation?.providerState !== undefined) throw new UntranslatableError(conversation.providerState.reason);
  const edited = passThrough ? spliceModel(stripReasoning ? strippedRaw(input) : input, target, endpoint, limit) : undefined;
  const body = edited?.pieces ?? [Buffer.from(JSON.stringify(placed(endpoint, codec.encodeRequest({ ...(conversation ?? conversationFor(input, endpoint, stripReasoning)), ...(limit === undefined ? {} : { maxOutputTokens: limit }) }, {
    model: wireModelName(endpoint, target.upstreamModel),
    stream: input.stream,
    defaultMaxOutputTokens: maxOutputTokens ?? fallbackMaxOutputTokens,
    dialect: endpoint.provider.dialect,
    origin: originOf(endpoint, target),
  }))))];
  const authorization = authorize(endpoint, key, chatUrl(endpoint, target.upstreamModel, input.stream));
  return {
    request: {
      method: 'POST',
      url: authorization.url,
      googleLogin: authorization.googleLogin,
      headers: { ...requestHeaders(endpoint, input.stream, passThrough ? input.protocolHeaders : {}, body), ...authorization.headers },
      body,
      about: { model: target.model, keyId: key?.id },
    },
    passThrough,
    hideUsage: edited?.hideUsage ?? false,
    // OpenAI Responses has no stop strings: the answer is stopped on its way back.
    codec: codec.protocol === 'openai-responses' ? withStopStrings(codec, conversation?.stop) : codec,
    leftOut: (conversation?.hostedTools ?? []).map(tool => tool.type),
  };
}

/** A target cannot be sent a request, because what the request needs exists in another protocol only. */
export class UntranslatableError extends Error {
  readonly reason: string;

  constructor(reason: string) {
    super(reason);
    this.name = 'UntranslatableError';
    this.reason = reason;
  }
}

/** Completions and embeddings: the caller's bytes, at the endpoint's own path for them. */
function buildOperation({ input, target, endpoint, key }: OutgoingOrder, operation: Operation): Outgoing {
  const found = operationUrl(operation, endpoint);
  if (found === undefined || input.raw === undefined) {
    throw new UntranslatableError(operation === 'completion' ? 'it offers no text completions' : 'it offers no embeddings');
  }
  const body = spliceFields(input.raw.bytes, input.raw.scan, [{ name: 'model', json: JSON.stringify(wireModelName(endpoint, target.upstreamModel)) }]);
  const authorization = authorize(endpoint, key, found.url);
  return {
    request: {
      method: 'POST', url: authorization.url, googleLogin: authorization.googleLogin,
      headers: { ...requestHeaders(endpoint, input.stream, {}, body), ...authorization.headers }, body,
      about: { model: target.model, keyId: key?.id },
    },
    passThrough: !found.chatShaped,
    hideUsage: false,
    codec: found.chatShaped ? openAiChat : operation === 'completion' ? openAiCompletions : openAiEmbeddings,
    leftOut: [],
  };
}

/** The most the target can write, where the caller wants more; undefined: the caller's own limit stands. */
function cappedLimit(input: ExchangeInput, maxOutputTokens: number | undefined): number | undefined {
  const wanted = input.requirements.maxOutputTokens;
  return maxOutputTokens !== undefined && wanted !== undefined && wanted > maxOutputTokens ? maxOutputTokens : undefined;
}

/** The parts of a request that decide in which protocol a target is asked; see chooseProtocol. */
export function spokenBy(input: ExchangeInput): Pick<SpokenRequest, 'caller' | 'reasoningOff'> {
  if (input.protocol === 'editor') return {};
  const { raw, protocol } = input;
  const off = protocol === 'openai-chat' && raw !== undefined && raw.scan.fields.has('reasoning_effort') && fieldValue(raw.bytes, raw.scan, 'reasoning_effort') === 'none';
  return { caller: protocol, reasoningOff: off };
}

/** Callers of other protocols cannot set Anthropic's cache breakpoints, so they are set here. */
function conversationFor(input: ExchangeInput, endpoint: EndpointConfig, stripReasoning: boolean): ConversationRequest {
  const conversation = stripReasoning ? withoutReasoning(input.conversation()) : input.conversation();
  if (endpoint.protocol !== 'anthropic-messages' || input.protocol === 'anthropic-messages') return conversation;
  return withCacheBreakpoints(conversation, input.requirements.estimatedInputTokens);
}

/** Vertex AI has the model in the path, and the version of Anthropic's API in the body. */
function placed(endpoint: EndpointConfig, body: JsonObject, callerVersion?: string): JsonObject {
  const oldest = endpoint.provider.anthropicVersionInBody;
  if (oldest === undefined || endpoint.protocol !== 'anthropic-messages') return body;
  const { model: _model, ...rest } = body;
  const version = callerVersion ?? endpoint.provider.dialect.anthropicVersion;
  return { ...rest, anthropic_version: version === undefined || version === defaultAnthropicVersion ? oldest : version };
}

/** Names the maker of opaque reasoning. A target understands only its own. */
export function originOf(endpoint: EndpointConfig, target: PlannedTarget): string {
  return `${endpoint.provider.id}/${target.upstreamModel}`;
}

/** The caller's request without reasoning that another provider made. */
function strippedRaw(input: ExchangeInput): ExchangeInput {
  if (input.raw === undefined || input.protocol === 'editor') return input;
  const body = parseJson(input.raw.bytes.toString('utf8'));
  if (!isObject(body)) return input;
  const bytes = Buffer.from(JSON.stringify(codecFor(input.protocol).withoutReasoning(body)));
  const scan = scanObject(bytes);
  return scan === undefined ? input : { ...input, raw: { bytes, scan } };
}

function spliceModel(input: ExchangeInput, target: PlannedTarget, endpoint: EndpointConfig, limit: number | undefined): { pieces: Buffer[]; hideUsage: boolean } {
  const raw = input.raw;
  if (raw === undefined) return { pieces: [], hideUsage: false };
  if (input.protocol === 'anthropic-messages' && endpoint.provider.anthropicVersionInBody !== undefined) {
    const body = parseJson(raw.bytes.toString('utf8'));
    if (isObject(body)) return { pieces: [Buffer.from(JSON.stringify(placed(endpoint, body, input.protocolHeaders[versionHeader])))], hideUsage: false };
  }
  // Gemini's requests name their model in the path only.
  const edits: FieldEdit[] = input.protocol === 'gemini' ? [] : [{ name: 'model', json: JSON.stringify(wireModelName(endpoint, target.upstreamModel)) }];
  if (limit !== undefined && input.limitField !== undefined) edits.push({ name: input.limitField, json: String(limit) });
  let hideUsage = false;
  if (input.protocol === 'openai-chat' && input.stream && !input.includeUsage && endpoint.provider.dialect.streamUsageOption !== false) {
    const options = fieldValue(raw.bytes, raw.scan, 'stream_options');
    edits.push({ name: 'stream_options', json: JSON.stringify({ ...(isObject(options) ? options : {}), include_usage: true }) });
    hideUsage = true;
  }
  return { pieces: spliceFields(raw.bytes, raw.scan, edits), hideUsage };
}

function requestHeaders(
  endpoint: EndpointConfig, stream: boolean, protocolHeaders: Readonly<Record<string, string>>,
  body: readonly Buffer[],
): Record<string, string> {
  let length = 0;
  for (const piece of body) length += piece.length;
  const headers: Record<string, string> = {
    'content-type': 'application/json',
    'content-length': String(length),
    accept: stream ? 'text/event-stream' : 'application/json',
    'user-agent': 'waybill',
    ...(endpoint.protocol === 'anthropic-messages' ? { [versionHeader]: anthropicVersion(endpoint.provider.dialect) } : {}),
    ...protocolHeaders,
    ...endpoint.headers,
  };
  if (endpoint.provider.anthropicVersionInBody !== undefined) delete headers[versionHeader];
  return headers;
}
