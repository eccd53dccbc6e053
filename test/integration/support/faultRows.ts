import type { SandboxErrorKind } from '../../../server/sandbox/sandboxBehaviour.ts';
import { broken, next, told, type FaultRow } from './faultRow.ts';

const both = ['stream', 'plain'] as const;
const streamed = ['stream'] as const;
const short = { connectMs: 3000, headersMs: 400, firstTokenMs: 500, idleMs: 500, totalMs: 20_000 };
const timers: FaultRow['settings'] = () => ({ timeouts: short });
const always = <Value>(value: Value) => (): Value => value;

function refused(kind: SandboxErrorKind, status?: number): FaultRow['behaviour'] {
  return always({ type: 'error', error: kind, ...(status === undefined ? {} : { status }) });
}

/** Connecting and waiting: rows 1 to 9. */
const silences: readonly FaultRow[] = [
  { number: 1, fault: 'refuses the connection', modes: both, behaviour: always({ type: 'refuse' }), expect: next('network') },
  {
    number: 2, fault: 'has no DNS name', modes: both, behaviour: always({ type: 'refuse' }), expect: next('network'),
    settings: () => ({ baseUrl: 'https://no-such-host.invalid/v1' }), says: /host name was not found/,
  },
  { number: 2, fault: 'shows a certificate nobody trusts', modes: both, behaviour: always({ type: 'answer' }), expect: next('network'), tls: true, says: /certificate/, notice: 'certificate' },
  {
    number: 3, fault: 'accepts the connection and never speaks TLS', modes: both, behaviour: always({ type: 'black-hole' }), expect: next('timeout'),
    settings: url => ({ baseUrl: url.replace('http:', 'https:'), timeouts: { ...short, connectMs: 300 } }), says: /accept a connection/,
  },
  { number: 4, fault: 'takes the request and sends no headers', modes: both, behaviour: always({ type: 'no-answer' }), expect: next('timeout'), settings: timers, says: /sent nothing back/ },
  { number: 5, fault: 'sends 200 and then nothing', modes: both, behaviour: always({ type: 'silence' }), expect: next('timeout'), settings: timers, says: /nothing to read/ },
  { number: 6, fault: 'sends only comments or pings', modes: both, behaviour: always({ type: 'keep-alives', everyMs: 40 }), expect: next('timeout'), settings: timers, says: /nothing to read/ },
  { number: 6, fault: 'sends only lifecycle events and pings', modes: streamed, behaviour: always({ type: 'keep-alives', everyMs: 40, lifecycle: true }), expect: next('timeout'), settings: timers },
  { number: 7, fault: 'sends lifecycle events, then an error event (server)', modes: streamed, behaviour: always({ type: 'error-in-stream', error: 'server' }), expect: next('server') },
  { number: 7, fault: 'sends lifecycle events, then an error event (overloaded)', modes: streamed, behaviour: always({ type: 'error-in-stream', error: 'overloaded' }), expect: next('overloaded') },
  { number: 7, fault: 'sends lifecycle events, then an error event (rate limit)', modes: streamed, behaviour: always({ type: 'error-in-stream', error: 'rate-limit' }), expect: next('rate-limit') },
  { number: 9, fault: 'stalls in mid-stream', modes: both, behaviour: always({ type: 'stall', after: 3 }), expect: broken('timeout'), settings: timers, says: /stalled|nothing to read/ },
];

/** Broken and strange answers: rows 10 to 14. */
const strange: readonly FaultRow[] = [
  { number: 10, fault: 'resets the connection in mid-stream', modes: both, behaviour: always({ type: 'cut', after: 3, how: 'reset' }), expect: broken('server') },
  { number: 10, fault: 'closes the connection in mid-stream', modes: both, behaviour: always({ type: 'cut', after: 3, how: 'close' }), expect: broken('server') },
  { number: 10, fault: 'ends the stream cleanly, without the terminal event', modes: both, behaviour: always({ type: 'cut', after: 3, how: 'end' }), expect: broken('server') },
  { number: 10, fault: 'ends the stream after its lifecycle events', modes: streamed, behaviour: always({ type: 'cut', after: 'prelude', how: 'end' }), expect: next('server') },
  { number: 10, fault: 'closes after the headers', modes: both, behaviour: always({ type: 'cut', after: 'headers', how: 'close' }), expect: next('server') },
  { number: 10, fault: 'sends an error event in mid-stream', modes: streamed, behaviour: always({ type: 'error-in-stream', error: 'overloaded', after: 3 }), expect: broken('overloaded') },
  { number: 11, fault: 'answers 200 with no text and no tool call', modes: both, behaviour: always({ type: 'empty' }), expect: next('server') },
  { number: 12, fault: 'answers 200 with an error object (server)', modes: both, behaviour: always({ type: 'error-in-200', error: 'server' }), expect: next('server') },
  { number: 12, fault: 'answers 200 with an error object (rate limit)', modes: both, behaviour: always({ type: 'error-in-200', error: 'rate-limit' }), expect: next('rate-limit') },
  {
    number: 12, fault: 'answers 200 with an error object (wrong request)', modes: both, behaviour: always({ type: 'error-in-200', error: 'bad-request' }),
    expect: told('a bad-request', 'error 400, do not retry', 'error 400, do not retry', 'error bad-request'),
  },
  {
    number: 13, fault: 'sends one unreadable line in a good stream', modes: streamed, behaviour: always({ type: 'malformed-line' }),
    expect: always({ outcome: 'answered by a', attempts: 'a ok' }),
  },
  { number: 14, fault: 'answers with a web page', modes: both, behaviour: always({ type: 'html' }), expect: next('server'), says: /web page/ },
  { number: 14, fault: 'answers with a web page and status 503', modes: both, behaviour: always({ type: 'html', status: 503 }), expect: next('server') },
  { number: 14, fault: 'answers with plain text', modes: both, behaviour: always({ type: 'content-type', contentType: 'text/plain' }), expect: next('server') },
];

/** Limits, money and keys: rows 15 to 17. */
const limits: readonly FaultRow[] = [
  { number: 15, fault: 'limits the rate of one key of two', modes: both, keys: 2, behaviour: always([{ type: 'error', error: 'rate-limit', retryAfter: { form: 'seconds', ms: 30_000 } }]), expect: always({ outcome: 'answered by a', attempts: 'a rate-limit, a ok' }), keyStates: ['cooling', 'ok'] },
  { number: 15, fault: 'limits the rate of its only key', modes: both, keys: 1, behaviour: always({ type: 'error', error: 'rate-limit', retryAfter: { form: 'date', ms: 30_000 } }), expect: next('rate-limit'), keyStates: ['cooling'] },
  ...(['fraction', 'milliseconds', 'body'] as const).map((form): FaultRow => ({
    number: 15, fault: `limits the rate for 300 ms (${form}) and is the only target`, modes: both, alone: true, keys: 1,
    behaviour: always([{ type: 'error', error: 'rate-limit', retryAfter: { form, ms: 300 } }]), expect: always({ outcome: 'answered by a', attempts: 'a rate-limit, a ok' }), keyStates: ['ok'],
  })),
  {
    number: 15, fault: 'limits the rate for an hour and is the only target', modes: both, alone: true, keys: 1,
    behaviour: always({ type: 'error', error: 'rate-limit', retryAfter: { form: 'seconds', ms: 3_600_000 } }),
    expect: told('a rate-limit', 'error 429, come back in 3600 s', 'error 429, come back in 3600 s', 'error rate-limit'), keyStates: ['cooling'],
  },
  ...[402, 403, 429].map((status): FaultRow => ({
    number: 16, fault: `says with ${status} that there is no money`, modes: both, keys: 1, behaviour: always({ type: 'error', error: 'quota', status }), expect: next('quota'), keyStates: ['no-money'], notice: 'no-money',
  })),
  { number: 16, fault: 'says in its own way that one key of two has no money', modes: both, keys: 2, behaviour: always([{ type: 'error', error: 'quota' }]), expect: always({ outcome: 'answered by a', attempts: 'a quota, a ok' }), keyStates: ['no-money', 'ok'] },
  {
    number: 16, fault: 'has no money left and is the only target', modes: both, alone: true, keys: 1, behaviour: refused('quota'),
    expect: told('a quota', 'error 429, do not retry', 'error 402, do not retry', 'error quota'), keyStates: ['no-money'],
  },
  ...[401, 403, 400].map((status): FaultRow => ({
    number: 17, fault: `rejects the key with ${status}`, modes: both, keys: 1,
    behaviour: always({
      type: 'error', error: 'auth', status,
      ...(status === 400 ? { message: 'API key not valid. Please pass a valid API key.' } : {}),
    }),
    expect: next('auth'), keyStates: ['rejected'], notice: 'key-rejected',
  })),
  { number: 17, fault: 'rejects one key of two', modes: both, keys: 2, behaviour: always([{ type: 'error', error: 'auth' }]), expect: always({ outcome: 'answered by a', attempts: 'a auth, a ok' }), keyStates: ['rejected', 'ok'] },
  {
    number: 17, fault: 'rejects the only key there is', modes: both, alone: true, keys: 1, behaviour: refused('auth'),
    expect: told('a auth', 'error 502, do not retry', 'error 502, do not retry', 'error auth'), keyStates: ['rejected'], says: /replace the key/,
  },
];

/** Answers with a status: rows 18 to 25. */
const statuses: readonly FaultRow[] = [
  ...[500, 502, 503, 504].map((status): FaultRow => ({ number: 18, fault: `answers ${status}`, modes: both, behaviour: refused('server', status), expect: next('server') })),
  { number: 18, fault: 'answers 500 once and is the only target', modes: both, alone: true, behaviour: always([{ type: 'error', error: 'server' }]), expect: always({ outcome: 'answered by a', attempts: 'a server, a ok' }) },
  {
    number: 18, fault: 'answers 500 for ever and is the only target', modes: both, alone: true, behaviour: refused('server'),
    expect: told('a server, a server', 'error 503', 'error 503', 'error server'),
  },
  { number: 19, fault: 'is overloaded, with two keys', modes: both, keys: 2, behaviour: refused('overloaded'), expect: next('overloaded') },
  { number: 20, fault: 'says that the request is wrong', modes: both, behaviour: refused('bad-request'), expect: told('a bad-request', 'error 400, do not retry', 'error 400, do not retry', 'error bad-request') },
  { number: 20, fault: 'says with 422 that the request is wrong', modes: both, behaviour: refused('bad-request', 422), expect: told('a bad-request', 'error 422, do not retry', 'error 422, do not retry', 'error bad-request') },
  { number: 21, fault: 'says that the context is too long; the next window is larger', modes: both, windows: { a: 100_000, b: 200_000 }, behaviour: refused('context-overflow'), expect: next('context-overflow') },
  {
    number: 21, fault: 'says that the context is too long; the next window is no larger', modes: both, windows: { a: 100_000, b: 100_000 }, behaviour: refused('context-overflow'),
    expect: told('a context-overflow', 'error 400, do not retry', 'error 400, do not retry', 'error context-overflow'),
  },
  { number: 22, fault: 'refuses the request for content policy', modes: both, behaviour: refused('content-policy'), expect: told('a content-policy', 'error 400, do not retry', 'error 400, do not retry', 'error content-policy') },
  { number: 22, fault: 'declines in a well-formed answer', modes: both, behaviour: always({ type: 'refusal' }), expect: always({ outcome: 'answered by a', attempts: 'a ok' }) },
  { number: 23, fault: 'does not know the model', modes: both, behaviour: refused('model-not-found'), expect: next('model-not-found') },
  {
    number: 23, fault: 'does not know the model and is the only target', modes: both, alone: true, behaviour: refused('model-not-found'),
    expect: told('a model-not-found', 'error 404, do not retry', 'error 404, do not retry', 'error model-not-found'),
  },
  { number: 25, fault: 'redirects to another host', modes: both, keys: 1, behaviour: always({ type: 'redirect', location: 'LOCATION' }), expect: next('server'), watchRedirect: true },
];

/** Bounds, halves and figures: rows 26, 27, 30 and 32. */
const bounds: readonly FaultRow[] = [
  { number: 26, fault: 'sends headers larger than the bound', modes: both, behaviour: always({ type: 'oversize', what: 'header', bytes: 80_000 }), expect: next('server') },
  { number: 26, fault: 'begins with an event larger than the bound', modes: streamed, behaviour: always({ type: 'oversize', what: 'event', bytes: 17 << 20 }), expect: next('server') },
  { number: 26, fault: 'sends an event larger than the bound in mid-stream', modes: streamed, behaviour: always({ type: 'oversize', what: 'event', bytes: 17 << 20, after: 3 }), expect: broken('server') },
  { number: 27, fault: 'breaks while a tool call is half sent', modes: both, tool: true, behaviour: always({ type: 'cut', after: 'tool-arguments', how: 'close' }), expect: broken('server') },
  { number: 27, fault: 'stalls while a tool call is half sent', modes: streamed, tool: true, behaviour: always({ type: 'stall', after: 'tool-arguments' }), expect: broken('timeout'), settings: timers },
  {
    number: 30, fault: 'is down, and so is every other', modes: both, alone: true, behaviour: always({ type: 'refuse' }),
    expect: told('a network', 'error 503', 'error 503', 'error network'),
  },
  { number: 32, fault: 'sends no usage', modes: both, behaviour: always({ type: 'answer', usage: 'missing' }), expect: always({ outcome: 'answered by a', attempts: 'a ok' }), certainty: 'estimated' },
  { number: 32, fault: 'sends usage that does not add up', modes: both, behaviour: always({ type: 'answer', usage: 'inconsistent' }), expect: always({ outcome: 'answered by a', attempts: 'a ok' }), certainty: 'estimated' },
];

/** What the published table shows, in the order of the fault wall. */
export const faultRows: readonly FaultRow[] = [...silences, ...strange, ...limits, ...statuses, ...bounds];
