import type { ConversationEvent, ConversationRequest, ProtocolName, ToolDefinition } from '../api/conversation.ts';
import type { FailureClass } from '../api/failure.ts';
import type { JsonObject, JsonValue } from '../base/json.ts';

/** What models of these names refuse beside what their provider does. */
export interface ModelRule {
  /** Matches the model's name in lower case, without the maker's name before a slash. */
  names: RegExp;
  /** Top-level request fields that are refused, and left out. */
  dropFields?: readonly string[] | undefined;
  /** Efforts that are accepted, weakest first; others are mapped to the nearest. None: the effort is left out. */
  efforts?: readonly string[] | undefined;
  /** A tool cannot be forced: it is asked for in words. */
  forcedToolChoice?: false | undefined;
  /** As `documents` of the provider. */
  documents?: false | undefined;
  /** openai-chat: `response_format` takes no JSON schema; it is asked for in words, in JSON mode. */
  jsonSchemaOutput?: false | undefined;
  /**
   * openai-chat: what its chat template wants of the order of messages, calls and results aside: one instruction at the beginning, and with
   * `in-turn` also user and assistant in turn. Default: any order.
   */
  roles?: 'in-turn' | 'instructions-first' | undefined;
}

/** Which names of tools are accepted. */
export interface ToolNameRule { shape: RegExp; longest: number }

/**
 * How one provider's dialect of a protocol differs from the plain protocol. Data, not code: the codec of its protocol reads it
 * where it translates, and `bodyRules` apply what the provider refuses to every body. Absent means the protocol's default.
 */
export interface Dialect {
  /** openai-chat: which name the output limit travels under. Default `max_completion_tokens`. */
  maxTokensField?: 'max_tokens' | 'max_completion_tokens' | undefined;
  /** openai-chat: role of instructions. Default `system` (understood everywhere). */
  instructionRole?: 'system' | 'developer' | undefined;
  /** openai-chat: the server understands `stream_options.include_usage`. Default true. */
  streamUsageOption?: boolean | undefined;
  /** openai-chat: reply and request field of reasoning text. Both are always read; this one is written back. */
  reasoningField?: 'reasoning_content' | 'reasoning' | undefined;
  /** openai-chat: assistant turns with tool calls must carry their reasoning text, even empty (DeepSeek, Kimi). anthropic-messages: else thinking is turned off. */
  reasoningRequiredWithTools?: boolean | undefined;
  /** How a reasoning effort is asked for. Default: the protocol's own field. */
  thinkingToggle?: 'thinking-type' | 'enable-thinking' | undefined;
  /** Completion counts exclude reasoning tokens, which are to be added (xAI chat). */
  reasoningBesideOutput?: boolean | undefined;
  /** Top-level request fields this server refuses; dropped when translating. */
  dropFields?: readonly string[] | undefined;
  /** anthropic-messages: value of `anthropic-version`. Default `2023-06-01`. */
  anthropicVersion?: string | undefined;
  /** openai-chat: tool calls are named by nine letters and digits only (Mistral). */
  shortCallIds?: boolean | undefined;
  /** openai-chat: the name of the field for the seed. Default `seed`. */
  seedField?: 'seed' | 'random_seed' | undefined;
  /** Efforts this server accepts, weakest first; others are mapped to the nearest. */
  efforts?: readonly string[] | undefined;
  /**
   * openai-chat and openai-responses: the server knows free-text (`custom`) tools. Where it does not, they are
   * sent as functions with one text argument. Default: true for openai-responses, false for openai-chat.
   */
  customTools?: boolean | undefined;
  /** openai-chat: `maxTokensField` is the only name it knows; the other one is renamed in callers' bodies too. */
  maxTokensFieldOnly?: boolean | undefined;
  /** openai-chat and openai-responses: it knows the role `developer`. Default false: the role is sent as `system`, which every server knows. */
  developerRole?: boolean | undefined;
  /** openai-chat and openai-responses: the longest id of a tool call that it takes, in characters. Default: any. */
  maxCallIdLength?: number | undefined;
  /** openai-chat and openai-responses: the longest identifier of an end user that it takes, in characters. Default: any. */
  maxUserLength?: number | undefined;
  /** anthropic-messages: images and documents are taken as bytes only, and no tool runs at the provider (Claude at Amazon Bedrock). */
  bytesAndOwnToolsOnly?: boolean | undefined;
  /** openai-chat and openai-responses: it takes JPEG, PNG, GIF and WebP only. Default: any image. */
  commonImagesOnly?: boolean | undefined;
  /** openai-chat: `response_format` takes a JSON schema. Default true; else the schema is asked for in words, in JSON mode. */
  jsonSchemaOutput?: boolean | undefined;
  /** openai-chat: tools may have `strict`. Default true. */
  toolStrict?: boolean | undefined;
  /** Top-level fields that it knows; every other one is refused, and left out. Default: any. */
  knownFields?: readonly string[] | undefined;
  /** openai-chat: by role, the fields that a message may have; every other one is refused, and left out. Default: any. */
  messageFields?: Readonly<Record<string, readonly string[]>> | undefined;
  /** openai-chat: the assistant must speak between the result of a tool and the user (Mistral). */
  assistantAfterTools?: boolean | undefined;
  /** openai-chat: results of tools are text; pictures in them go into a message of the user behind them. Default: they may hold pictures. */
  textResultsOnly?: boolean | undefined;
  /** openai-chat: a message of the assistant without text and calls is refused. Default: it may be empty. */
  noEmptyAssistant?: boolean | undefined;
  /** The highest temperature that it takes. */
  highestTemperature?: number | undefined;
  /** openai-responses: the least output limit that it takes, in tokens. */
  minOutputTokens?: number | undefined;
  /** openai-chat and openai-responses: types of images that it takes; wins over `commonImagesOnly`. */
  imageTypes?: readonly string[] | undefined;
  /** Names of tools that it takes, where they are fewer than those of the protocol. */
  toolNames?: ToolNameRule | undefined;
  /** openai-chat and openai-responses: schemas marked as strict are checked, and refused where they are not. */
  strictSchemas?: boolean | undefined;
  /** Rules of single models, all of which hold that fit. */
  models?: readonly ModelRule[] | undefined;
  /**
   * openai-chat and openai-responses: the kinds of `tool_choice` that it takes; `function` is a certain tool. Default: all. Without
   * the one that was asked for, a certain tool is `required` alone or else asked for in words, and for `none` the tools are left out.
   */
  toolChoices?: readonly ('auto' | 'none' | 'required' | 'function')[] | undefined;
  /** anthropic-messages: the same there; `any` is `required`, and a certain tool is `function`. */
  messagesToolChoices?: readonly ('auto' | 'none' | 'required' | 'function')[] | undefined;
  /**
   * A forced choice of a tool is refused unless the request turns thinking off on openai-chat, or where it turns it on on anthropic-messages; there
   * also unless it turns it off, where reasoning is required with tools. Default false.
   */
  forcedChoiceWithoutThinking?: boolean | undefined;
  /** openai-chat: bare names of models that think by default and refuse to while the answer is plain: `enable_thinking: false` is added. */
  plainWithoutThinking?: RegExp | undefined;
  /** openai-chat: bare names of models that refuse a form of JSON while they think: thinking is turned off, or where it was asked for the form is asked for in words. */
  jsonWithoutThinking?: RegExp | undefined;
  /** openai-chat: one message of the system is taken, and only at the beginning: others are joined to it, and later ones become the user's. Default false. */
  oneSystemMessage?: boolean | undefined;
  /** openai-chat: a conversation without a message of the user is refused. Default false. */
  userMessageRequired?: boolean | undefined;
  /** openai-chat: the arguments of a call must be JSON; an empty text becomes an empty object. Default false. */
  jsonArguments?: boolean | undefined;
  /** openai-chat: a function must have `parameters`. Default false: it may have none. */
  toolParametersRequired?: boolean | undefined;
  /** openai-chat: all tools must have the same `strict`. Where they have not, none has it. Default false. */
  sameToolStrict?: boolean | undefined;
  /** openai-chat: the highest output limit of an answer that is not streamed. Default: any. */
  mostPlainOutputTokens?: number | undefined;
  /**
   * openai-responses: items are messages with a type, calls and results only; what the assistant said and what a tool returned is
   * text, and documents are text or named. Default false: items and parts are those of OpenAI.
   */
  plainItems?: boolean | undefined;
  /** A temperature of 0 is refused; the least that is sent instead is 0.01. Default false. */
  temperatureAboveZero?: boolean | undefined;
  /** openai-chat: the most stop strings that it takes. Default: any. */
  mostStops?: number | undefined;
  /** openai-chat: the content of a message must be text and not null or a list of texts. Lists with other parts stay. Default false. */
  plainContent?: boolean | undefined;
  /** openai-chat: in messages, reasoning under another name than `reasoningField` is refused. Default false. */
  reasoningFieldOnly?: boolean | undefined;
  /**
   * openai-chat: a last message of the assistant must be marked with `prefix` (Mistral), or goes only while the chat template does not think
   * (llama.cpp). Default: it may stand as it is.
   */
  assistantLast?: 'prefix' | 'without-thinking' | undefined;
  /**
   * openai-chat and anthropic-messages: it reads no documents, or on Chat PDFs only. Texts among the others are sent as text, and what is
   * no text is named to the model. Default: it may.
   */
  documents?: false | 'pdf' | undefined;
  /** anthropic-messages: the longest image that it takes, in characters of its base64. Larger ones go to other targets of a route. Default: any. */
  maxImageLength?: number | undefined;
  /** openai-chat: images are taken as bytes in a `data:` URL only. Default: also behind an address. */
  imageBytesOnly?: boolean | undefined;
  /** openai-chat: `response_format` may be `json_object`. Default true; else it is asked for by a schema of any object. */
  jsonObjectOutput?: false | undefined;
  /** openai-chat: log probabilities are given for streams with tools. Default true. */
  logprobsWithTools?: false | undefined;
  /** openai-responses: `text` is refused without a `format`. Default false. */
  textFormatNeeded?: boolean | undefined;
  /** anthropic-messages, models other than Claude: `thinking` may be `adaptive`. Default true; else it is sent as a budget. */
  adaptiveThinking?: false | undefined;
  /** anthropic-messages: blocks of hidden thinking are taken. Default true. */
  redactedThinking?: false | undefined;
}

/** What an encoder must know of the target it writes for. */
export interface EncodeTarget {
  /** The upstream's own model name. */
  model: string;
  stream: boolean;
  /** Used where the protocol demands an output limit and the caller gave none. */
  defaultMaxOutputTokens: number;
  dialect: Dialect;
  /** Whose opaque reasoning may be sent: parts with another origin are stripped. */
  origin: string;
}

/** What an encoder needs to write a response to a caller. */
export interface ResponseMeta {
  /** A unique id for the response in the caller's protocol; made from the exchange's id. */
  id: string;
  /** The model name to show the caller. */
  model: string;
  /** Unix seconds. */
  createdAt: number;
  /** openai-chat: the caller asked for a usage chunk. */
  includeUsage?: boolean | undefined;
  /** Prompt tokens estimated before the call, for protocols that report them first (Anthropic). */
  estimatedInputTokens?: number | undefined;
  /**
   * The tools of the request as the caller's protocol declared them: calls are given back under the very names
   * and in the very form (namespace, free text) the caller knows, whatever the target made of them.
   */
  tools?: readonly ToolDefinition[] | undefined;
  /** gemini: the caller wants one JSON array instead of server-sent events (`alt=sse` is not set). */
  jsonArray?: boolean | undefined;
}

/** Reads one upstream stream. Feed it whole SSE events in order. Never throws: what cannot be read is counted. */
export interface StreamDecoder {
  /**
   * @param event the SSE event name, when there was one
   * @param data the event's data
   */
  decode(event: string | undefined, data: string): ConversationEvent[];
  /**
   * Reads a chunk that is one event of a form that the decoder knows from earlier ones, in its usual lines: the fields that it needs and
   * a blank line. It counts as one call of `decode`.
   * @param chunk begins and ends between events
   * @returns undefined where it is anything else; `decode` then takes it, event by event
   */
  decodeChunk?(chunk: Buffer): ConversationEvent[] | undefined;
  /** The answer is whole: its finish reason or the protocol's terminal event was read. Usage may still follow. */
  readonly terminated: boolean;
  /** Nothing more is awaited: the protocol's last event was read, or usage in an event of its own after the finish reason. */
  readonly ended: boolean;
  /** The last event of the protocol as text ready for the socket, where the answer is whole without it; '' where it is not missing. */
  readonly missingEnd: string;
  /** The stream is over. @returns the events that waited for the protocol's last event, where the answer is whole without it */
  close?(): ConversationEvent[];
  /** How many events could not be read. */
  readonly unreadable: number;
}

/** Writes one stream to a caller as text ready for the socket. */
export interface StreamEncoder {
  encode(event: ConversationEvent): string;
  /** After the last event: whatever closes the stream well. */
  end(): string;
  /** Where the stream's own state matters: the error event, instead of the codec's. Nothing may follow it. */
  fail?(error: CallerError): string;
  /** Where the stream's own form matters: the bytes that keep it alive, instead of the codec's. */
  readonly keepAlive?: string | undefined;
}

/** A failure as it is reported to a caller. */
export interface CallerError {
  failureClass: FailureClass;
  /** One sentence with the next action. */
  message: string;
  /** The message says that the rejected key is one for a provider; else encoders say it. */
  namesKeyOwner?: boolean | undefined;
  /** The provider's own status, when the error is the provider's and is passed on. */
  status?: number | undefined;
  code?: string | undefined;
  retryAfterMs?: number | undefined;
  exchangeId?: string | undefined;
}

/** A request body that cannot be understood; `path` names the field, such as `messages[2].content`. */
export class RequestFormatError extends Error {
  readonly path: string;
  constructor(path: string, message: string) {
    super(`${path}: ${message}`);
    this.name = 'RequestFormatError';
    this.path = path;
  }
}

/** One wire format, to and from the internal form. Pure. */
export interface ProtocolCodec {
  readonly protocol: ProtocolName;
  /** @throws RequestFormatError */
  decodeRequest(body: JsonObject): ConversationRequest;
  encodeRequest(request: ConversationRequest, target: EncodeTarget): JsonObject;
  /** A request body of this protocol without the reasoning of earlier turns, for a provider that refused it. */
  withoutReasoning(body: JsonObject): JsonObject;
  createStreamDecoder(dialect: Dialect): StreamDecoder;
  /** A plain 200 body as events; an error object inside a 200 becomes an `error` event. */
  decodeResponse(body: JsonValue, dialect: Dialect): ConversationEvent[];
  createStreamEncoder(meta: ResponseMeta): StreamEncoder;
  encodeResponse(events: readonly ConversationEvent[], meta: ResponseMeta): JsonObject;
  /** Status, headers and body of an error before anything was sent. */
  encodeError(error: CallerError): { status: number; headers?: Record<string, string> | undefined; body: JsonObject };
  /**
   * The body of an HTTP error in the provider's own shape and names, for what no provider said: refusals of the local
   * endpoint, and faults injected in a provider's place.
   */
  encodeRefusal(status: number, message: string): JsonObject;
  /** The protocol's own error event for a stream that has begun, as text ready for the socket. */
  encodeStreamError(error: CallerError): string;
  /** Bytes that keep a waiting caller's connection alive without meaning anything. */
  readonly keepAlive: string;
}
