import { WaybillError } from '../../base/failure.ts';
import type { FailureCode } from '../../base/failureCodes.ts';
import { ownLimit } from './ownLimit.ts';
import { http2Only, refusesOfferedHttp, tlsWords, type FailureWords } from './tlsSentences.ts';

/** How far a call had come when the network failed. `unread`: a kept connection was closed right after the request (see sentCall.ts). */
export type CallStage = 'connecting' | 'waiting' | 'unread' | 'answering';

const unprocessed: FailureWords = { code: 'connection-failed', failureClass: 'network', says: 'gave the connection up before it read the request.' };

const noAddress = (says: string): FailureWords => ({ code: 'no-address', failureClass: 'network', says });
const unreachable: FailureWords = { code: 'unreachable', failureClass: 'network', says: 'cannot be reached from this machine.', advice: 'check your connection, VPN and firewall' };
const tooLate: FailureWords = { code: 'connect-timeout', failureClass: 'timeout', says: 'did not accept a connection in time.' };
const unsendable: FailureWords = { code: 'unsendable', failureClass: 'server', says: 'cannot be sent this request: its address, its key or one of its headers holds a character that HTTP does not allow. Check the settings of the endpoint.' };
const closing: FailureWords = { code: 'shutting-down', failureClass: 'cancelled', says: 'was not asked to the end: Waybill is shutting down.' };
const headersTooLarge: FailureWords = { code: 'headers-too-large', failureClass: 'server', says: 'sent response headers larger than is accepted.' };

/** Codes that mean the same at every stage. Source: undici's errors, Node's errors. */
const anytime: ReadonlyMap<string, FailureWords> = new Map([
  ['UND_ERR_HEADERS_OVERFLOW', headersTooLarge],
  ['HPE_HEADER_OVERFLOW', headersTooLarge],
  ['UND_ERR_RES_EXCEEDED_MAX_SIZE', { code: 'answer-too-large', failureClass: 'server', says: 'sent an answer larger than is accepted.' }],
  ['UND_ERR_INVALID_ARG', unsendable],
  ['UND_ERR_NOT_SUPPORTED', unsendable],
  ['UND_ERR_REQ_CONTENT_LENGTH_MISMATCH', unsendable],
  ['ERR_INVALID_URL', unsendable],
  ['ERR_INVALID_CHAR', unsendable],
  ['UND_ERR_DESTROYED', closing],
  ['UND_ERR_CLOSED', closing],
]);

/** Codes of a connection that could not be made. Source: libuv's errors and those of getaddrinfo. */
const whileConnecting: ReadonlyMap<string, FailureWords> = new Map([
  ['ECONNREFUSED', { code: 'connection-refused', failureClass: 'network', says: 'refused the connection.' }],
  ['ENOTFOUND', noAddress('has no address: its host name was not found. Check the base URL and your connection.')],
  ['EAI_NODATA', noAddress('has no address: its host name has none. Check the base URL and your connection.')],
  ['EAI_NONAME', noAddress('has no address: its host name was not found. Check the base URL and your connection.')],
  ['EAI_AGAIN', noAddress('has no address for now: the name server gave no answer. Check your connection.')],
  ['EAI_FAIL', noAddress('has no address for now: the name server failed. Check your connection.')],
  ['UND_ERR_CONNECT_TIMEOUT', tooLate],
  ['ETIMEDOUT', tooLate],
  ['ERR_TLS_HANDSHAKE_TIMEOUT', tooLate],
  ['ENETUNREACH', unreachable],
  ['EHOSTUNREACH', unreachable],
  ['ENETDOWN', unreachable],
  ['EHOSTDOWN', unreachable],
  ['ENONET', unreachable],
  ['EADDRNOTAVAIL', unreachable],
  ['EACCES', unreachable],
  ['EPERM', unreachable],
]);

/** Codes of a connection that the network lost while it was in use. */
const lostOnTheWay: ReadonlySet<string> = new Set(['ETIMEDOUT', 'ENETUNREACH', 'EHOSTUNREACH', 'ENETDOWN', 'EHOSTDOWN', 'ENETRESET']);

/** Codes of a connection that the other side, or something in between, closed or reset. */
const closed: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE', 'ECONNABORTED', 'ENOTCONN', 'UND_ERR_SOCKET', 'UND_ERR_INFO', 'ERR_HTTP2_STREAM_CANCEL']);

/** The error code REFUSED_STREAM: RFC 9113, section 7. */
const refusedStream = 7;

/** How undici names an answer that it cannot read; these errors have no code of their own. */
const parserError = 'HTTPParserError';
/** How the parser names a connection that was closed inside an answer. */
const endedInside = /EOF/;
/** undici's messages for answers that it can read and that fit no request. */
const strangeAnswers: ReadonlyMap<string, string> = new Map([
  ['bad upgrade', 'it changed to another protocol, which was not asked for'],
  ['bad response', 'it answered what was not asked'],
]);

/** What a user can do where no proxy is known. Source of the wish: VS Code asks the operating system for a proxy, and extensions cannot. */
export const proxyAdvice = 'if this machine reaches the internet through a proxy, name it in `http.proxy` of VS Code or in HTTPS_PROXY';

/** Failures of a machine that reaches the outside only through a proxy that Waybill does not know. */
const mayLackProxy: ReadonlySet<FailureCode> = new Set(['no-address', 'unreachable', 'connect-timeout'] as const);

/**
 * The one mapper from errors of sockets, TLS and the HTTP client to failures.
 * @param endpoint the endpoint's name, for the sentence
 * @param isProxyUnknown the endpoint is on the internet, and neither settings nor environment name a proxy
 */
export function networkFailure(error: unknown, endpoint: string, stage: CallStage, isProxyUnknown = false): WaybillError {
  if (error instanceof WaybillError) return error;
  const { code, source } = origin(error);
  const details = { detail: `${code}: ${source instanceof Error ? source.message : String(source)}`, systemCode: code, cause: error };
  const own = ownLimit(code, source);
  if (own !== undefined) return new WaybillError('own-limit', 'local', `${own.lacks}, so ${endpoint} ${stage === 'answering' ? 'was not heard to the end' : 'was not asked'}. ${own.remedy}`, { ...details, retryAfterMs: own.retryAfterMs });
  const words = anytime.get(code) ?? unreadable(source, stage) ?? atStage(code, source, stage);
  const advice = isProxyUnknown && mayLackProxy.has(words.code) ? [words.advice, proxyAdvice].filter(one => one !== undefined).join('; ') : words.advice;
  return new WaybillError(words.code, words.failureClass, `${endpoint} ${words.says}`, { ...details, advice });
}

/** Whether the other side closed or reset a connection without an error of its own. */
export function isClosedByPeer(error: unknown): boolean {
  const { code, source } = origin(error);
  return closed.has(code) && !(source instanceof Error && strangeAnswers.has(source.message));
}

/** Whether a server refused HTTP/1.1 during the handshake. */
export function refusesHttp1(error: unknown): boolean {
  const { code, source } = origin(error);
  return refusesOfferedHttp(code, source);
}

/**
 * Whether an HTTP/2 server said that it has not processed the request: its stream came after the last one that a GOAWAY
 * names, could no longer be opened after one, or was refused. Source: RFC 9113, sections 6.8 and 8.7; undici's messages.
 */
export function wasNotProcessed(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return (error as { http2ErrorCode?: unknown }).http2ErrorCode === refusedStream || /^HTTP\/2: "(?:GOAWAY" frame received|frameError" received - type 1,)/.test(error.message);
}

function atStage(code: string, source: unknown, stage: CallStage): FailureWords {
  if (stage === 'answering') return { code: 'stream-cut', failureClass: 'server', says: 'broke the connection in mid-answer.' };
  const tls = tlsWords(code, source);
  if (tls !== undefined) return tls;
  if (wasNotProcessed(source)) return unprocessed;
  if (stage === 'unread') return { code: 'kept-connection-lost', failureClass: 'network', says: 'closed a connection that was kept from an earlier request, most likely before it read this one.' };
  if (stage === 'waiting') {
    return lostOnTheWay.has(code)
      ? { code: 'connection-lost', failureClass: 'network', says: 'was lost before it answered: the connection went dead. Check your connection.' }
      : { code: 'connection-reset', failureClass: 'server', says: 'took the request and closed the connection without an answer.' };
  }
  return whileConnecting.get(code) ?? { code: 'connection-failed', failureClass: 'network', says: 'closed the connection before a request could be sent.' };
}

/** An answer that is no HTTP, as far as undici's parser could read it. */
function unreadable(error: unknown, stage: CallStage): FailureWords | undefined {
  if (!(error instanceof Error)) return undefined;
  const { name, message } = error;
  const strange = strangeAnswers.get(message);
  // undici compares lengths before it names what is wrong; where no answer has begun, the lengths themselves are.
  if (stage === 'waiting' && (error as { code?: unknown }).code === 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH') return notHttp('its headers contradict each other on its length');
  if (strange !== undefined) return { code: 'not-http', failureClass: 'server', says: `sent an answer that cannot be used: ${strange}. Check the base URL.` };
  if (name !== parserError || endedInside.test(message)) return undefined;
  const start = (error as { data?: unknown }).data;
  if (stage === 'waiting' && typeof start === 'string') {
    if (/^\x15\x03[\0-\x04]/.test(start)) return { code: 'not-http', failureClass: 'server', says: 'answered in TLS.', advice: 'write https:// in its base URL' };
    // A SETTINGS frame, which an HTTP/2 server sends first: RFC 9113, sections 3.4 and 6.5.
    if (/^\0\0[\0-\x7f]\x04\0/.test(start)) return http2Only;
  }
  const reason = /\(([^()]*)\)/.exec(message)?.[1] ?? 'unreadable';
  return stage === 'answering' ? { ...notHttp(reason), says: `broke its answer off with bytes that are not valid HTTP (${reason}).` } : notHttp(reason);
}

function notHttp(reason: string): FailureWords {
  return { code: 'not-http', failureClass: 'server', says: `sent an answer that is not valid HTTP (${reason}). Check the base URL.` };
}

/** The system's code of an error, and the error that has it. */
export function causeOf(error: unknown): { code: string; cause: unknown } {
  const { code, source } = origin(error);
  return { code, cause: source };
}

/** The error that says most: of several addresses that were tried, the first that this machine has a way to. */
function origin(error: unknown): { code: string; source: unknown } {
  if (typeof error !== 'object' || error === null) return { code: 'unknown', source: error };
  if (error instanceof AggregateError && error.errors.length > 0) {
    const all = error.errors.map(origin);
    return all.find(({ code, source }) => ownLimit(code, source) !== undefined) ?? all.find(({ code }) => whileConnecting.get(code) !== unreachable) ?? all[0] ?? { code: 'unknown', source: error };
  }
  const { code, cause } = error as { code?: unknown; cause?: unknown };
  if (typeof code === 'string') return { code, source: error };
  return cause === undefined || cause === error ? { code: 'unknown', source: error } : origin(cause);
}
