import type { ConversationEvent, StopReason } from '../../api/conversation.ts';
import type { WaybillError } from '../../base/failure.ts';
import type { ResponseHeaders } from '../../base/headers/responseHeaders.ts';
import { headerValue } from '../../base/names.ts';
import { isPageType, pageFailure } from '../../upstream/failures/notTheApi.ts';
import { providerFailure, type FailureSource } from '../../upstream/failures/responseFailure.ts';
import { startsLikeJson } from '../answer/answerBody.ts';
import { cutFailure, emptyFailure, notJsonFailure, refusedFailure } from '../answer/answerFailures.ts';
import { headerText, passedHeaders } from '../answer/answerHeaders.ts';
import type { RawError } from '../request.ts';
import type { Outgoing } from './outgoing.ts';

/** How an attempt ended, as its owner learns it. */
export type AttemptEnd =
  | { kind: 'ok'; reason: StopReason | undefined }
  /** `begun`: something of it was already passed on. */
  | { kind: 'failed'; error: WaybillError; begun: boolean; raw?: RawError | undefined };

/** The first line and the headers of a provider's answer. */
export interface ResponseHead { readonly status: number; readonly headers: ResponseHeaders }

/**
 * One attempt, as a value: each state has the data that exists only in it. The functions below go from one value to the
 * next; they read no clock and cause no effect. The driver (attempt.ts) owns the call, the timers and the buffers.
 */
export type AttemptState = WaitingState | StreamingState | BufferedState | ErrorBodyState | EndedState;

/** The request is on its way; no answer has begun. */
export interface WaitingState { readonly state: 'waiting' }

/**
 * An event stream comes. `begun`: something of it was passed on. Its phases, in the order in which it may take them:
 * - `open`: no content yet; lifecycle events are passed on as they come.
 * - `held`: no content yet; lifecycle events are held back, and vanish with a failed attempt.
 * - `arrived`: content is here of which the caller sees nothing yet (half a tool call); all of it is held back.
 * - `committed`: the caller sees content; everything is passed on, and a failure is visible.
 *
 * `declared`: the headers say that it is an event stream. It matters before the first event only.
 */
export type StreamingState = { readonly state: 'streaming'; readonly head: ResponseHead; readonly begun: boolean } & (
  | { readonly phase: 'open'; readonly declared: boolean }
  | { readonly phase: 'held'; readonly declared: boolean }
  | { readonly phase: 'arrived' }
  | { readonly phase: 'committed' });

/** The answer comes as one body. It arrives and is committed when all of it is here and is found to be an answer. */
export interface BufferedState { readonly state: 'buffered'; readonly phase: 'collecting' | 'arrived' | 'committed'; readonly head: ResponseHead; readonly begun: boolean }

/** The provider answers with a status of 300 or more, and the explanation comes. */
export interface ErrorBodyState { readonly state: 'error-body'; readonly head: ResponseHead }

export interface EndedState {
  readonly state: 'ended';
  /** What the owner learns; undefined where the owner itself ended the attempt. */
  readonly end: AttemptEnd | undefined;
  /** The call still runs, or may: it is to be aborted. */
  readonly aborts: boolean;
}

/** What is known of an attempt before it starts and decides how its answer is taken. */
export interface AttemptTerms {
  /** Whose failure it would be. */
  readonly source: FailureSource;
  readonly outgoing: Pick<Outgoing, 'passThrough'>;
  /** The caller asked for a stream. */
  readonly stream: boolean;
  /** What comes before the first content waits for it, so that a failure until then stays invisible. */
  readonly holdsPrelude: boolean;
  /** Our own encoder writes the end of the stream, so the answer is whole once its stop reason is here. */
  readonly finishSuffices: boolean;
  /** A refusal without text counts as a failure, because the reader is asked what follows. */
  readonly refusalFails: boolean;
}

/** What the events read so far say; the usage meter counts it. */
export interface AnswerSoFar {
  /** Text, reasoning, a refusal or a tool call is here. */
  readonly hasContent: boolean;
  /** Some of it is of a kind that the caller can see. */
  readonly visible: boolean;
  readonly stopReason: StopReason | undefined;
}

/** The event stream as far as it was read. */
export interface StreamSoFar {
  /** SSE events of any kind. */
  readonly eventCount: number;
  /** The answer is whole: its finish reason or the protocol's terminal event was read. */
  readonly terminated: boolean;
}

const maxErrorBodyBytes = 64 * 1024;
/** A body that is passed on is scanned only: a request for many embeddings is answered with this much. */
const maxPassedBodyBytes = 128 * 1024 * 1024;
/** A body that is read as a whole, images in it included. */
const maxReadBodyBytes = 32 * 1024 * 1024;

/** Every attempt begins in this state. */
export const waiting: WaitingState = { state: 'waiting' };

/** The headers are here: whether this is an answer at all, and how its body is read. */
export function receiveHead(terms: AttemptTerms, head: ResponseHead): StreamingState | BufferedState | ErrorBodyState | EndedState {
  if (head.status >= 300) return { state: 'error-body', head };
  const contentType = headerText(head.headers['content-type']).toLowerCase();
  if (isPageType(contentType)) return fail(waiting, terms, pageFailure(terms.source.endpoint));
  if (!terms.stream || contentType.includes('json')) return { state: 'buffered', phase: 'collecting', head, begun: false };
  return { state: 'streaming', phase: terms.holdsPrelude ? 'held' : 'open', head, begun: false, declared: contentType.includes('event-stream') };
}

/** Whether a chunk begins a whole JSON answer where a stream was asked for and no header says so. */
export function isWholeAnswer(state: StreamingState, stream: StreamSoFar, chunk: Buffer): boolean {
  return stream.eventCount === 0 && (state.phase === 'open' || state.phase === 'held') && !state.declared && startsLikeJson(chunk);
}

/** The stream turned out to be one body. */
export function toBuffered({ head, begun }: StreamingState): BufferedState {
  return { state: 'buffered', phase: 'collecting', head, begun };
}

/**
 * The next step of a stream after a chunk was read; the same value when there is none, which is so for nearly every chunk.
 * To be asked again after each step: content that the caller sees at once arrives first and is committed then.
 */
export function readChunk(state: StreamingState, answer: AnswerSoFar, stream: StreamSoFar): StreamingState {
  if (state.phase === 'committed') return state;
  if (answer.visible) return advance(state);
  if (state.phase === 'arrived') return state;
  if (answer.hasContent) return advance(state);
  const { phase, head, begun, declared } = state;
  // An ending goes out only after something to read: without that it may be no answer.
  if (phase === 'open' && (answer.stopReason !== undefined || stream.terminated)) return { state: 'streaming', phase: 'held', head, begun, declared };
  return state;
}

/** Whether what a chunk brings waits. In all other phases it is passed on. */
export function holdsBack(state: StreamingState): boolean {
  return state.phase === 'held' || state.phase === 'arrived';
}

/** One step nearer to the commit point: content arrives, and then the caller sees it. The same value after that. */
export function advance(state: StreamingState): StreamingState;
export function advance(state: BufferedState): BufferedState;
export function advance(state: StreamingState | BufferedState): StreamingState | BufferedState;
export function advance(state: StreamingState | BufferedState): StreamingState | BufferedState {
  const { phase, head, begun } = state;
  if (phase === 'committed') return state;
  return { state: state.state, phase: phase === 'arrived' ? 'committed' : 'arrived', head, begun };
}

/** The first byte or event is about to be passed on. */
export function begin<T extends StreamingState | BufferedState>(state: T): T {
  return { ...state, begun: true };
}

/** Why a stream that came to its end is no answer; undefined when it is one. */
export function streamFlaw(state: StreamingState, terms: AttemptTerms, answer: AnswerSoFar, stream: StreamSoFar): WaybillError | undefined {
  const { endpoint } = terms.source;
  if (!stream.terminated) return cutFailure(endpoint, (state.phase === 'open' || state.phase === 'held') && stream.eventCount === 0);
  // No content can be the answer, too: an output limit of 1, a refusal without text.
  return state.phase === 'committed' ? undefined : emptyFailure(endpoint, answer.stopReason, terms.refusalFails);
}

/** Why a body that is complete is no answer; undefined when it is one. @param answer what its events say, none of which is an error */
export function bufferedFlaw(terms: AttemptTerms, answer: AnswerSoFar): WaybillError | undefined {
  return answer.hasContent ? undefined : emptyFailure(terms.source.endpoint, answer.stopReason, terms.refusalFails);
}

/** The answer is complete. @param aborts the connection is still open */
export function succeed(stopReason: StopReason | undefined, aborts: boolean): EndedState {
  return { state: 'ended', end: { kind: 'ok', reason: stopReason }, aborts };
}

/**
 * Something went wrong.
 * @param stopReason of the answer so far
 * @param raw the provider's own error, for a caller of its protocol
 */
export function fail(state: AttemptState, terms: AttemptTerms, error: WaybillError, stopReason?: StopReason, raw?: RawError): EndedState {
  const answering = state.state === 'streaming' || state.state === 'buffered' ? state : undefined;
  // The only thing that is missing is the protocol's terminal event, which our own encoder writes.
  if (terms.finishSuffices && stopReason !== undefined && answering?.phase === 'committed' && error.failureClass !== 'cancelled') return succeed(stopReason, true);
  return { state: 'ended', end: { kind: 'failed', error, begun: answering?.begun === true, raw }, aborts: true };
}

/** The provider refuses. @param body what came of the explanation @param now milliseconds since the epoch */
export function refuse(state: ErrorBodyState, terms: AttemptTerms, body: Buffer, now: number): EndedState {
  const { status, headers } = state.head;
  const error = refusedFailure(status, headers, body, terms.source, now);
  return fail(state, terms, error, undefined, status < 400 ? undefined : rawError(terms, status, headers, body));
}

/**
 * A body with a good status is complete: whether it is an answer at all.
 * @param events what the body says; undefined when it is not JSON
 * @param now milliseconds since the epoch
 * @returns the events of an answer, none of which is an error; or the end of the attempt
 */
export function receiveBody(state: BufferedState, terms: AttemptTerms, body: Buffer, events: readonly ConversationEvent[] | undefined, now: number): EndedState | readonly ConversationEvent[] {
  if (events === undefined) return fail(state, terms, notJsonFailure(terms.source.endpoint, body));
  const refusal = events.find(event => event.type === 'error');
  if (refusal === undefined) return events;
  const { head } = state;
  const { error } = refusal;
  // Without a status in the body there is none to pass on: a 200 is no error to the caller.
  const raw = error.status === undefined || error.status < 400 ? undefined : rawError(terms, error.status, head.headers, body);
  return fail(state, terms, providerFailure(error, head.status, terms.source, now), undefined, raw);
}

/** The owner ends the attempt. */
export function abandon(): EndedState {
  return { state: 'ended', end: undefined, aborts: true };
}

/** How many bytes of a body are kept. */
export function maxBodyBytes(state: BufferedState | ErrorBodyState, terms: AttemptTerms): number {
  if (state.state === 'error-body') return maxErrorBodyBytes;
  return passesBodyOn(terms) ? maxPassedBodyBytes : maxReadBodyBytes;
}

/** Whether a buffered answer goes to the caller in the provider's own bytes. */
export function passesBodyOn(terms: AttemptTerms): boolean {
  return terms.outgoing.passThrough && !terms.stream;
}

/** An error for a caller of the provider's protocol. A body that long was cut, or takes long to redact: the caller then gets the error as our encoder writes it. */
function rawError({ outgoing, source }: AttemptTerms, status: number, headers: ResponseHeaders, body: Buffer): RawError | undefined {
  // Errors of AWS have a form of their own, whatever the protocol of the answers.
  if (!outgoing.passThrough || source.provider.auth === 'aws' || body.length >= maxErrorBodyBytes) return undefined;
  return { status, body, contentType: headerValue(headerText(headers['content-type'])) || 'application/json', headers: passedHeaders(headers) };
}
