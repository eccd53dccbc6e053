import type { Requirements } from '../api/routes/requirements.ts';
import type { ConversationEvent, ConversationRequest, ProtocolName } from '../api/conversation.ts';
import type { CompletionRequest, EmbeddingRequest } from '../api/operations.ts';
import type { Caller, Receipt } from '../api/receipt.ts';
import type { ShadowOfReceipt } from '../api/shadow.ts';
import type { Operation } from '../catalog/operations.ts';
import type { BodyMemory } from '../base/bodyMemory.ts';
import type { ObjectScan } from '../base/objectScan.ts';
import type { WaybillError } from '../base/failure.ts';
import type { CallerHeaders } from '../routing/purpose/statedPurpose.ts';

/** A request body as it came over HTTP, with everything that sending it on unchanged needs. */
export interface RawBody {
  bytes: Buffer;
  /** Of the bytes; absent: it is left to garbage collection. */
  memory?: BodyMemory | undefined;
  /** Where the top-level fields stand in the bytes. */
  scan: ObjectScan;
  /** Headers of the caller that belong to its protocol, such as `anthropic-beta`; sent to targets of the same protocol only. */
  protocolHeaders: Readonly<Record<string, string>>;
  /** The top-level field in which the caller limits the answer, where there is one. */
  limitField?: string | undefined;
  /** openai-chat: the caller asked for a usage chunk itself. */
  includeUsage: boolean;
}

/**
 * A conversation. With the caller's bytes, these go through to targets of the same protocol; to all other targets the
 * decoded form is sent.
 */
export interface ConversationBody {
  readonly kind: 'conversation';
  readonly raw?: RawBody | undefined;
  /** The caller asks for reasoning, so the first token may take long. */
  readonly thinkingAsked: boolean;
  /** The request in the internal form; decoded at most once. @throws RequestFormatError */
  decoded(): ConversationRequest;
}

/** A text completion, also with a suffix (fill in the middle): the caller's bytes, or its fields. It goes only to endpoints that offer completions. */
export type CompletionBody = { readonly kind: 'completion' } & (
  { readonly raw: RawBody; readonly request?: undefined } | { readonly raw?: undefined; readonly request: CompletionRequest }
);

/** Texts to embed: the caller's bytes, or its fields. It goes only to endpoints that offer embeddings. */
export type EmbeddingBody = { readonly kind: 'embedding' } & (
  { readonly raw: RawBody; readonly request?: undefined } | { readonly raw?: undefined; readonly request: EmbeddingRequest }
);

export type RequestBody = ConversationBody | CompletionBody | EmbeddingBody;

/** The body of a conversation that comes in the internal form. */
export function conversationBody(conversation: ConversationRequest): ConversationBody {
  const { reasoning } = conversation;
  return { kind: 'conversation', thinkingAsked: reasoning !== undefined && reasoning.effort !== 'none', decoded: () => conversation };
}

/**
 * The body of a conversation that has to be decoded before it can be translated.
 * @param decode called at most once, at the first need; what it throws is thrown again by a later call
 */
export function encodedConversation(raw: RawBody | undefined, thinkingAsked: boolean, decode: () => ConversationRequest): ConversationBody {
  return new EncodedConversation(raw, thinkingAsked, decode);
}

class EncodedConversation implements ConversationBody {
  readonly kind = 'conversation';
  readonly raw: RawBody | undefined;
  readonly thinkingAsked: boolean;
  #decode: () => ConversationRequest;
  #decoded: ConversationRequest | undefined;
  #failure: { cause: unknown } | undefined;

  constructor(raw: RawBody | undefined, thinkingAsked: boolean, decode: () => ConversationRequest) {
    this.raw = raw;
    this.thinkingAsked = thinkingAsked;
    this.#decode = decode;
  }

  decoded(): ConversationRequest {
    if (this.#decoded !== undefined) return this.#decoded;
    if (this.#failure !== undefined) throw this.#failure.cause;
    try {
      this.#decoded = this.#decode();
    } catch (cause) {
      this.#failure = { cause };
      throw cause;
    }
    return this.#decoded;
  }
}

/** The call beside conversations that a body is for; undefined for a conversation. */
export function operationOf({ kind }: RequestBody): Operation | undefined {
  return kind === 'conversation' ? undefined : kind;
}

/** Whether a text stands in the request, as far as its content can be searched without decoding it. */
export function mentions(body: RequestBody, text: string): boolean {
  if (body.raw !== undefined) return body.raw.bytes.includes(text);
  return JSON.stringify(body.kind === 'conversation' ? body.decoded() : body.request).includes(text);
}

/** One request as an inbound side hands it in. */
export interface ExchangeInput {
  id: string;
  inbound: Receipt['inbound'];
  protocol: ProtocolName | 'editor';
  requestedModel: string;
  stream: boolean;
  caller: Caller;
  /** The Waybills that the request has passed before; see base/hops.ts. */
  hops?: string | undefined;
  /** A digest that tells the token that came with it from every other one, also in other data folders. It is no part of what is kept or shown. Absent: the editor's own request. */
  tenant?: string | undefined;
  /** That token has a budget of its own. */
  ownBudget?: boolean | undefined;
  /** The models that the token may ask for; absent: all. */
  allowedModels?: readonly string[] | undefined;
  /** Which agent of the caller's asks, where it says that: its id or name. */
  agent?: string | undefined;
  /** The caller's headers. They hold its token: they are read by name, and what they say is put nowhere as it stands. Absent: the editor's own request. */
  headers?: CallerHeaders | undefined;
  /** The caller says that a subagent of its own asks. */
  subagent?: boolean | undefined;
  requirements: Requirements;
  body: RequestBody;
  /** The request is a copy that a shadow sends: its answer is read as events whatever its protocol, and no caller gets it. */
  shadow?: ShadowOfReceipt | undefined;
  /** How long the caller may wait while every target is cooling down, in milliseconds. */
  patienceMs: number;
}

/** What is known of an answer when its first byte is about to be sent. */
export interface AnswerHead {
  exchangeId: string;
  target: string;
  /** Upstream attempts so far, this one included. */
  attempts: number;
  /** The upstream's own model name. */
  model: string;
  /** The id of the answer, where it is to have another one than the exchange. */
  answerId?: string | undefined;
  /** Response headers of the provider that mean something to a caller of the same protocol. */
  headers: Readonly<Record<string, string>>;
}

/** An error of a provider as it came, for callers of the same protocol. */
export interface RawError { status: number; contentType: string; body: Buffer; headers: Readonly<Record<string, string>> }

/** The failure of an exchange, for its caller. */
export interface ExchangeFailure {
  error: WaybillError;
  exchangeId: string;
  /** The target whose error it is, if it is one target's. */
  target?: string | undefined;
  attempts: number;
  /** HTTP status for a failure that no single provider answered. */
  status?: number | undefined;
  raw?: RawError | undefined;
}

/** What learns that a slow caller can take more. An object and not a closure: V8 keeps the requests of such closures alive until the whole heap is collected. */
export interface DrainListener { onDrain(): void }

/** Where an answer goes. Exactly one of `end` and `fail` comes last, and nothing is called after it. */
interface AnswerSink {
  /** Events of an answer, to be encoded for the caller. @returns false when the caller is slower than the provider; `drainListener` learns when it can take more */
  events(events: readonly ConversationEvent[]): boolean;
  end(): void;
  fail(failure: ExchangeFailure): void;
  drainListener?: DrainListener | undefined;
}

/** A caller that takes a provider's bytes and has a connection to keep alive. What was sent to it cannot be taken back. */
export interface ByteSink extends AnswerSink {
  readonly kind: 'bytes';
  /** Comes once, before the first byte or event. */
  begin(head: AnswerHead): void;
  /** Bytes of a stream in the caller's own protocol. @returns as `events` */
  bytes(chunk: Buffer): boolean;
  /** A whole buffered answer in the caller's own protocol. */
  buffered(body: Buffer): void;
  /** Sends a harmless piece of a stream, so that the connection of a waiting caller stays open. Streams only. */
  keepAlive(): void;
}

/** What a reader answered: to go on or not, or to go on in the other way that was offered. */
export type ReaderAnswer = boolean | 'instead';

/** A caller that takes events only, and can show to a person what happens to an answer. */
export interface ReaderSink extends AnswerSink {
  readonly kind: 'reader';
  /** A broken answer starts again at another target. @param message one sentence for the reader */
  restart(message: string): void;
  /**
   * Asks the reader whether to go on: with another target after a refusal, or beyond a cap.
   * @param message what happened, for the reader
   * @param accept a few words for the button that goes on
   * @param decline and for the one that does not
   * @param instead and for another way to go on; absent: there is none
   */
  ask(message: string, accept: string, decline: string, instead?: string): Promise<ReaderAnswer>;
}

/** The caller's end of an exchange; its kind decides which calls it has. */
export type ResponseSink = ByteSink | ReaderSink;
