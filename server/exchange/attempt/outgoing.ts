import type { ConversationRequest } from '../../api/conversation.ts';
import type { PlannedTarget } from '../../api/receipt.ts';
import type { KeyMaterial } from '../../api/messages.ts';
import { fieldValue, scanObject, spliceFields, type FieldEdit } from '../../base/objectScan.ts';
import { parseExact } from '../../base/exactJson.ts';
import { isObject, type JsonObject } from '../../base/json.ts';
import { charactersPerToken, tokensPerImage } from '../../api/tokenEstimate.ts';
import { operationUrl } from '../../catalog/operations.ts';
import { chatUrl, isConverse, wireModelName } from '../../catalog/paths.ts';
import type { EndpointConfig } from '../../config/config.ts';
import type { ProtocolRequest } from '../../routing/chooseProtocol.ts';
import { anthropicVersion, versionHeader } from '../../protocols/anthropicMessages/version.ts';
import { fitBody, mayHoldRefused, topEdits } from '../../protocols/bodyRules/bodyRules.ts';
import type { FitTarget } from '../../protocols/bodyRules/rule.ts';
import { bedrockConverse } from '../../protocols/bedrockConverse/codec.ts';
import { withCacheBreakpoints } from '../../protocols/cacheBreakpoints.ts';
import type { ProtocolCodec } from '../../protocols/codec.ts';
import { openAiChat } from '../../protocols/openAiChat/codec.ts';
import { openAiCompletions } from '../../protocols/openAiLegacy/completions.ts';
import { openAiEmbeddings } from '../../protocols/openAiLegacy/embeddings.ts';
import { completionBody, embeddingBody } from '../../protocols/openAiLegacy/requestBodies.ts';
import { repairBody, repairFields, repairHeaders } from '../../protocols/repairs/applyRepairs.ts';
import { mayApplyBelow, type Repair } from '../../protocols/repairs/repair.ts';
import { codecFor } from '../../protocols/registry.ts';
import { withStopStrings } from '../../protocols/stopStrings.ts';
import { withoutReasoning } from '../../protocols/stripReasoning.ts';
import { requestText } from '../../protocols/toolLists.ts';
import { addUnreadFields } from '../../protocols/losses/callerFields.ts';
import { addTranslationLosses, missingStops } from '../../protocols/losses/translationLosses.ts';
import { namesFit, withCallersNames, withFittingNames, type FittedNames } from '../../protocols/tools/toolNames.ts';
import { authorize } from '../../keys/authHeader.ts';
import type { UpstreamRequest } from '../../upstream/call.ts';
import { converseBody, modelInBody, placed, placedEdits, withKnownBetas } from './cloudBodies.ts';
import type { CompletionBody, ConversationBody, EmbeddingBody, ExchangeInput, RawBody } from '../request.ts';

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
  /** What was changed of the request because this target refuses it, in words. */
  changes: readonly string[];
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
  /** Prompt and answer together, in tokens; undefined where that is unknown. */
  readonly contextWindow?: number | undefined;
  /** Reasoning in the conversation is left out, because another provider made it. */
  readonly stripReasoning: boolean;
  /** What this target refused by name earlier. */
  readonly repairs?: readonly Repair[] | undefined;
}

const fallbackMaxOutputTokens = 8192;
/** An answer may always have as many tokens, however full the context window looks: estimates of prompts are rough. */
const leastAnswerTokens = 1024;
/** What a chat template writes around messages and tools. */
const templateTokens = 512;
/** From the lower bound of a prompt's tokens to a cautious one. */
const cautiousFactor = charactersPerToken.lower / charactersPerToken.cautious;

/**
 * Builds the request of one attempt: the caller's bytes with the model name changed where the protocols are the
 * same, else a translation.
 * @throws UntranslatableError when this target cannot be asked such a request
 * @throws RequestFormatError when the caller's body cannot be understood
 */
export function buildOutgoing(order: OutgoingOrder): Outgoing {
  const { input, target, endpoint, codec, key, stripReasoning } = order;
  const { body: asked } = input;
  if (asked.kind !== 'conversation') return buildOperation(order, asked);
  const converse = isConverse(endpoint, target.model, target.upstreamModel);
  const raw = input.protocol === endpoint.protocol && !converse && mayPass(asked, endpoint) ? asked.raw : undefined;
  const passThrough = raw !== undefined;
  const limit = cappedLimit(order);
  const conversation = passThrough ? undefined : conversationFor(input, asked, endpoint, stripReasoning);
  if (conversation?.providerState !== undefined) throw new UntranslatableError(conversation.providerState.reason);
  const edited = converse && conversation !== undefined ? writeConverse(order, conversation, limit)
    : raw === undefined ? writeBody(order, conversation ?? conversationFor(input, asked, endpoint, stripReasoning), limit) : spliceModel(order, stripReasoning ? strippedRaw(input, raw) : raw, limit);
  const { body } = edited;
  const authorization = authorize(endpoint, key, chatUrl(endpoint, target.upstreamModel, input.stream && edited.whole !== true, converse));
  const { betasInBody } = endpoint.provider;
  const protocolHeaders = raw === undefined ? {} : betasInBody === undefined ? raw.protocolHeaders : withKnownBetas(raw.protocolHeaders, betasInBody);
  const headers = { ...requestHeaders(endpoint, input.stream, protocolHeaders, body), ...authorization.headers };
  // There it names the type of what streams of AWS carry.
  if (authorization.login?.kind === 'aws') headers.accept = 'application/json';
  let { changes } = edited;
  if (order.repairs !== undefined) {
    const made = [...changes];
    repairHeaders(headers, order.repairs, made);
    changes = made;
  }
  return {
    request: {
      method: 'POST',
      url: authorization.url,
      login: authorization.login,
      headers,
      body,
      memory: asked.raw?.memory,
      hops: input.hops,
      about: { model: target.model, keyId: key?.id },
    },
    passThrough,
    hideUsage: edited.hideUsage,
    // Where the target has no stop strings, or takes fewer, the answer is stopped on its way back.
    codec: readsAs(converse ? bedrockConverse : edited.stopsHere === true ? withStopStrings(codec, conversation?.stop) : codec, edited.names),
    leftOut: (conversation?.hostedTools ?? []).map(tool => tool.type),
    changes,
  };
}

/** Whether a caller's bytes may go to a target of their protocol. Names that it refuses are replaced in the answer as well, so the request is translated. */
function mayPass({ raw }: ConversationBody, { provider: { dialect: { toolNames } } }: EndpointConfig): boolean {
  const tools = toolNames === undefined ? undefined : raw?.scan.fields.get('tools');
  return toolNames === undefined || raw === undefined || tools === undefined || namesFit(raw.bytes.subarray(tools.start, tools.end), toolNames);
}

interface WrittenBody {
  body: readonly Buffer[];
  hideUsage: boolean;
  changes: readonly string[];
  /** The target does not apply all stop strings. */
  stopsHere?: boolean;
  /** Names of tools that were replaced. */
  names?: FittedNames | undefined;
  /** The answer comes as a whole, also where the caller wants a stream. */
  whole?: boolean | undefined;
}

function readsAs(codec: ProtocolCodec, names: FittedNames | undefined): ProtocolCodec {
  return names === undefined ? codec : withCallersNames(codec, names.callers);
}

const noChanges: readonly string[] = [];

function writeBody(order: OutgoingOrder, conversation: ConversationRequest, limit: number | undefined): WrittenBody {
  const { target, endpoint, codec, input, maxOutputTokens, repairs } = order;
  const model = modelInBody(endpoint, target);
  const { dialect } = endpoint.provider;
  const names = withFittingNames(conversation, endpoint.protocol, dialect.toolNames);
  const body = codec.encodeRequest({ ...(names?.request ?? conversation), ...(limit === undefined ? {} : { maxOutputTokens: limit }) }, {
    model, stream: input.stream, defaultMaxOutputTokens: Math.min(maxOutputTokens ?? fallbackMaxOutputTokens, mostTokens(order)), dialect, origin: originOf(endpoint, target),
  });
  const made = new Set(fitBody(endpoint.protocol, body, { dialect, model }));
  if (names !== undefined) made.add('names of tools were replaced');
  addTranslationLosses(conversation, body, endpoint.protocol, { dialect, model, origin: originOf(endpoint, target) }, made);
  if (limit !== undefined) made.add(`the output limit was lowered to ${limit}`);
  if (input.protocol !== 'editor' && input.body.raw !== undefined) addUnreadFields(input.protocol, input.body.raw.scan.fields.keys(), made);
  const changes = [...made];
  const stopsHere = missingStops(conversation, body, endpoint.protocol);
  if (repairs !== undefined) repairBody(body, repairs, changes);
  return { body: [Buffer.from(requestText(placed(endpoint, body)))], hideUsage: false, changes, names, stopsHere };
}

/** The body for a model of Amazon Bedrock that is not Claude. */
function writeConverse({ target, endpoint, maxOutputTokens, repairs, input }: OutgoingOrder, conversation: ConversationRequest, limit: number | undefined): WrittenBody {
  const names = withFittingNames(conversation, 'converse');
  const { body, changes, whole } = converseBody(endpoint, target, { ...(names?.request ?? conversation), ...(limit === undefined ? {} : { maxOutputTokens: limit }) }, input.stream, maxOutputTokens);
  if (names !== undefined) changes.push('names of tools were replaced');
  if (repairs !== undefined) repairBody(body, repairs, changes);
  return { body: [Buffer.from(requestText(body))], hideUsage: false, changes, names, whole };
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

/** Completions and embeddings: the caller's bytes, or a body of its fields, at the endpoint's own path for them. */
function buildOperation({ input, target, endpoint, key, repairs }: OutgoingOrder, asked: CompletionBody | EmbeddingBody): Outgoing {
  const found = operationUrl(asked.kind, endpoint);
  if (found === undefined) throw new UntranslatableError(asked.kind === 'completion' ? 'it offers no text completions' : 'it offers no embeddings');
  const changes: string[] = [];
  const body = operationBody(asked, wireModelName(endpoint, target.upstreamModel), input.stream, repairs, changes);
  const authorization = authorize(endpoint, key, found.url);
  return {
    request: {
      method: 'POST', url: authorization.url, login: authorization.login,
      headers: { ...requestHeaders(endpoint, input.stream, {}, body), ...authorization.headers },
      body,
      memory: asked.raw?.memory,
      hops: input.hops,
      about: { model: target.model, keyId: key?.id },
    },
    // A completion without bytes has a caller that takes events; vectors are no events, so they stay as they came.
    passThrough: !found.chatShaped && (asked.raw !== undefined || asked.kind === 'embedding'),
    hideUsage: false,
    codec: found.chatShaped ? openAiChat : asked.kind === 'completion' ? openAiCompletions : openAiEmbeddings,
    leftOut: [],
    changes,
  };
}

/** @param changes takes what was changed, in words */
function operationBody(asked: CompletionBody | EmbeddingBody, model: string, stream: boolean, repairs: readonly Repair[] | undefined, changes: string[]): readonly Buffer[] {
  if (asked.raw !== undefined) {
    const edits: FieldEdit[] = [{ name: 'model', json: JSON.stringify(model) }];
    // Their fields stand at the top.
    if (repairs !== undefined) repairFields(asked.raw.bytes, asked.raw.scan, repairs, edits, changes);
    return spliceFields(asked.raw.bytes, asked.raw.scan, edits);
  }
  const body = asked.kind === 'completion' ? completionBody(asked.request, model, stream) : embeddingBody(asked.request, model);
  if (repairs !== undefined) repairBody(body, repairs, changes);
  return [Buffer.from(JSON.stringify(body))];
}

/** The most the target can write, where the caller wants more; undefined: the caller's own limit stands. */
function cappedLimit(order: OutgoingOrder): number | undefined {
  const wanted = order.input.requirements.maxOutputTokens;
  if (wanted === undefined) return undefined;
  const most = mostTokens(order);
  return wanted > most ? most : undefined;
}

/** The most tokens that the target can write beside this prompt: servers refuse a limit that reaches over the end of the context window. */
function mostTokens({ input: { requirements: { estimatedInputTokens, images } }, maxOutputTokens = Infinity, contextWindow, repairs }: OutgoingOrder): number {
  // What the target itself has named.
  if (repairs !== undefined) for (const repair of repairs) if (repair.kind === 'output-limit') maxOutputTokens = Math.min(maxOutputTokens, repair.most);
  if (contextWindow === undefined) return maxOutputTokens;
  const room = contextWindow - templateTokens - Math.ceil(estimatedInputTokens * cautiousFactor) - (images ? tokensPerImage.cautious : 0);
  return Math.min(maxOutputTokens, Math.max(room, leastAnswerTokens));
}

/** The parts of a request that decide in which protocol a target is asked; see chooseProtocol. */
export function spokenBy(input: ExchangeInput): Pick<ProtocolRequest, 'caller' | 'reasoningOff'> {
  if (input.protocol === 'editor') return {};
  const { protocol, body: { raw } } = input;
  const off = protocol === 'openai-chat' && raw !== undefined && raw.scan.fields.has('reasoning_effort') && fieldValue(raw.bytes, raw.scan, 'reasoning_effort') === 'none';
  return { caller: protocol, reasoningOff: off };
}

/** Callers of other protocols cannot set Anthropic's cache breakpoints, so they are set here. */
function conversationFor(input: ExchangeInput, asked: ConversationBody, endpoint: EndpointConfig, stripReasoning: boolean): ConversationRequest {
  const conversation = stripReasoning ? withoutReasoning(asked.decoded()) : asked.decoded();
  if (endpoint.protocol !== 'anthropic-messages' || input.protocol === 'anthropic-messages') return conversation;
  return withCacheBreakpoints(conversation, input.requirements.estimatedInputTokens);
}

/** Names the maker of opaque reasoning. A target understands only its own. */
export function originOf(endpoint: EndpointConfig, target: PlannedTarget): string {
  return `${endpoint.provider.id}/${target.upstreamModel}`;
}

/** The caller's request without reasoning that another provider made. */
function strippedRaw({ protocol }: ExchangeInput, raw: RawBody): RawBody {
  if (protocol === 'editor') return raw;
  const body = parseExact(raw.bytes.toString('utf8'));
  if (!isObject(body)) return raw;
  return rewritten(raw, codecFor(protocol).withoutReasoning(body));
}

function rewritten(raw: RawBody, body: JsonObject): RawBody {
  const bytes = Buffer.from(JSON.stringify(body));
  const scan = scanObject(bytes);
  // The words that were looked for are those of the caller's body: what was written again holds no others.
  return scan === undefined ? raw : { ...raw, bytes, scan: { ...scan, words: raw.scan.words } };
}

/** The caller's bytes with the model's name, and with what this target refuses made fit. */
function spliceModel({ input, target, endpoint, repairs }: OutgoingOrder, caller: RawBody, limit: number | undefined): WrittenBody {
  if (input.protocol === 'editor') return { body: [caller.bytes], hideUsage: false, changes: noChanges };
  const { protocol } = input;
  const model = modelInBody(endpoint, target);
  const place: FitTarget = { dialect: endpoint.provider.dialect, model };
  let raw = caller;
  let changes: readonly string[] = noChanges;
  if (mayHoldRefused(protocol, caller, place)) {
    const body = parseExact(caller.bytes.toString('utf8'));
    if (isObject(body)) {
      changes = fitBody(protocol, body, place);
      if (changes.length > 0) raw = rewritten(caller, body);
    }
  }
  if (limit !== undefined && protocol === 'gemini') raw = withGeminiLimit(raw, limit);
  if (repairs !== undefined) {
    const below = repairedBelow(raw, repairs);
    raw = below.raw;
    changes = [...changes, ...below.changes];
  }
  // Gemini's requests name their model in the path only.
  let edits: FieldEdit[] = protocol === 'gemini' ? [] : [{ name: 'model', json: JSON.stringify(model) }];
  const versionPlace = endpoint.provider.anthropicVersionInBody;
  if (protocol === 'anthropic-messages' && versionPlace !== undefined) {
    const made = [...changes];
    edits = placedEdits(endpoint.provider, raw.protocolHeaders, repairs, versionPlace, made);
    changes = made;
  }
  const limitField = raw === caller || limit === undefined ? raw.limitField : fieldAbove(raw, limit);
  const lowered = limit !== undefined && limitField !== undefined ? { field: limitField, tokens: limit } : undefined;
  const top = topEdits(protocol, raw, place, lowered);
  if (top !== undefined) {
    edits.push(...top.edits);
    changes = [...new Set([...changes, ...top.changes])];
  } else if (lowered !== undefined) edits.push({ name: lowered.field, json: String(lowered.tokens) });
  if (limit !== undefined && (lowered !== undefined || protocol === 'gemini')) changes = [...changes, `the output limit was lowered to ${limit}`];
  let hideUsage = false;
  if (protocol === 'openai-chat' && input.stream && !raw.includeUsage && endpoint.provider.dialect.streamUsageOption !== false) {
    const options = fieldValue(raw.bytes, raw.scan, 'stream_options');
    edits.push({ name: 'stream_options', json: JSON.stringify({ ...(isObject(options) ? options : {}), include_usage: true }) });
    hideUsage = true;
  }
  if (repairs !== undefined) {
    const made = [...changes];
    repairFields(raw.bytes, raw.scan, repairs, edits, made);
    changes = made;
    hideUsage &&= edits.some(edit => edit.name === 'stream_options' && edit.json?.includes('include_usage') === true);
  }
  return { body: spliceFields(raw.bytes, raw.scan, edits), hideUsage, changes };
}

/** The field with the limit of the answer once a body was written again: rules may have renamed it. Undefined: a rule has lowered it further already. */
function fieldAbove({ limitField, bytes, scan }: RawBody, limit: number): string | undefined {
  const name = limitField === undefined || scan.fields.has(limitField) ? limitField : ['max_completion_tokens', 'max_tokens'].find(other => scan.fields.has(other));
  if (name === undefined) return undefined;
  const written = fieldValue(bytes, scan, name);
  return typeof written === 'number' && written <= limit ? undefined : name;
}

/** Gemini's limit stands below the top level. */
function withGeminiLimit(raw: RawBody, limit: number): RawBody {
  const body = parseExact(raw.bytes.toString('utf8'));
  return isObject(body) && isObject(body.generationConfig) ? rewritten(raw, { ...body, generationConfig: { ...body.generationConfig, maxOutputTokens: limit } }) : raw;
}

/** The caller's request without what stands below its top level and was refused; only where something of it may be there it is parsed. */
function repairedBelow(raw: RawBody, repairs: readonly Repair[]): { raw: RawBody; changes: string[] } {
  const changes: string[] = [];
  const below = repairs.filter(repair => mayApplyBelow(repair, raw.bytes, raw.scan));
  const body = below.length === 0 ? undefined : parseExact(raw.bytes.toString('utf8'));
  if (!isObject(body)) return { raw, changes };
  repairBody(body, below, changes);
  return { raw: changes.length === 0 ? raw : rewritten(raw, body), changes };
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
    'accept-encoding': 'identity',
    'user-agent': 'waybill',
    ...(endpoint.protocol === 'anthropic-messages' ? { [versionHeader]: anthropicVersion(endpoint.provider.dialect) } : {}),
    ...protocolHeaders,
    ...endpoint.headers,
  };
  if (endpoint.provider.anthropicVersionInBody !== undefined) delete headers[versionHeader];
  return headers;
}
