import type { ConversationEvent, ConversationRequest, ProtocolName } from '../api/conversation.ts';
import type { Caller, Receipt } from '../api/receipt.ts';
import type { Operation } from '../catalog/operations.ts';
import type { ObjectScan } from '../base/objectScan.ts';
import type { WaybillError } from '../base/failure.ts';
import type { Requirements } from '../routing/plan.ts';

/** A request body as it came over HTTP: its bytes, and where its top-level fields stand in them. */
export interface RawBody {
  bytes: Buffer;
  scan: ObjectScan;
}

/** One request as a face hands it in. */
export interface ExchangeInput {
  id: string;
  inbound: Receipt['inbound'];
  protocol: ProtocolName | 'editor';
  requestedModel: string;
  stream: boolean;
  caller: Caller;
  requirements: Requirements;
  /** The caller's own bytes, where there are any: they go through to a target of the same protocol. */
  raw?: RawBody | undefined;
  /** The caller asks for reasoning, so the first token may take long. */
  thinkingAsked?: boolean | undefined;
  /** The request in the internal form; decoded at most once. @throws RequestFormatError */
  conversation(): ConversationRequest;
  /** Headers of the caller that belong to its protocol, such as `anthropic-beta`; sent to targets of the same protocol only. */
  protocolHeaders: Readonly<Record<string, string>>;
  /** A call beside conversations: it goes in its own shape, and only to endpoints that offer it. */
  operation?: Operation | undefined;
  /** The top-level field in which the caller limits the answer, where there is one. */
  limitField?: string | undefined;
  /** openai-chat: the caller asked for a usage chunk itself. */
  includeUsage: boolean;
  /** How long the caller may be kept waiting when every target rests, in milliseconds. */
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
  /** Response headers of the provider that mean something to a caller of the same protocol. */
  headers: Readonly<Record<string, string>>;
}

/** An error of a provider as it came, for callers of the same protocol. */
export interface RawError { status: number; contentType: string; body: Buffer; headers: Readonly<Record<string, string>> }

/** What a caller is told when an exchange fails. */
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

/**
 * The caller's end of an exchange. Exactly one of `end` and `fail` comes last; `begin` comes once, before the first
 * byte or event. Nothing is called after `end` or `fail`.
 */
export interface ResponseSink {
  begin(head: AnswerHead): void;
  /** Bytes of a stream in the caller's own protocol. @returns false when the caller is slower than the provider; `onDrain` tells when to go on */
  bytes(chunk: Buffer): boolean;
  /** Events of a stream or of a plain answer, to be encoded for the caller. */
  events(events: readonly ConversationEvent[]): boolean;
  /** A whole plain answer in the caller's own protocol. */
  buffered(body: Buffer): void;
  end(): void;
  fail(failure: ExchangeFailure): void;
  /** Something harmless, so that a waiting caller's connection stays alive. Streams only. */
  keepAlive(): void;
  /** Called when a slow caller can take more. */
  onDrain?: (() => void) | undefined;
  /**
   * A broken answer begins anew at another target, visibly. Absent where bytes cannot be taken back (HTTP).
   * @param message one sentence for the reader
   */
  restart?: ((message: string) => void) | undefined;
  /**
   * Asks the reader whether to go on with another target after a refusal. Absent where nobody can be asked (HTTP).
   * @param message one sentence for the reader
   * @param accept what to go on means, in a few words for a button
   */
  ask?: ((message: string, accept: string) => Promise<boolean>) | undefined;
}
