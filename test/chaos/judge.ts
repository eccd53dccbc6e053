import { isDeepStrictEqual } from 'node:util';
import { readPlain, readStream, type ReadAnswer } from './answers.ts';
import { rightCall, rightText, type ChaosRequest } from './requests.ts';

/** What came back for one request. Times are milliseconds since the epoch. */
export interface Reply {
  startedAt: number;
  endedAt: number;
  /** HTTP status; absent when no answer began. */
  status: number | undefined;
  /** `x-waybill-target`, `-exchange` and `-attempts`. */
  target: string | undefined;
  exchange: string | undefined;
  text: string;
  /** The answer ended as HTTP says answers end. */
  endedCleanly: boolean;
  /** What ended the connection when no answer began. */
  trouble: string | undefined;
  /** The caller itself went away. */
  cancelled: boolean;
  /** How often the client reported that the request had ended; more than once is a mistake of the server. */
  timesEnded: number;
}

/** A time in which a provider was well, in milliseconds since the epoch. */
export interface HealthySpan { provider: string; from: number; to: number }

export type Verdict =
  /** The one right answer, by this provider. */
  | { kind: 'right'; provider: string }
  /** One error, before the first word of an answer. */
  | { kind: 'error'; message: string }
  /** One error, after some words that cannot be taken back. */
  | { kind: 'error-after-words'; message: string; callBegan: boolean }
  | { kind: 'cancelled' }
  /** A broken promise. */
  | { kind: 'wrong'; why: string };

/** What became of one request, seen from its caller alone. */
export function judgeReply(request: ChaosRequest, reply: Reply): Verdict {
  if (reply.timesEnded !== 1) return wrong(`it ended ${reply.timesEnded} times`);
  if (reply.cancelled) return { kind: 'cancelled' };
  if (reply.status === undefined) return wrong(`no answer at all: ${reply.trouble ?? 'nothing came'}`);
  const streamed = request.stream && reply.status === 200;
  const read = streamed ? readStream(request.protocol, reply.text) : readPlain(request.protocol, reply.text, reply.status);
  const [trouble] = read.troubles;
  if (trouble !== undefined) return wrong(trouble);
  return read.error === undefined ? judgeAnswer(request, reply, read) : judgeError(request, reply, read, read.error.message);
}

function judgeAnswer(request: ChaosRequest, reply: Reply, read: ReadAnswer): Verdict {
  if (!read.finished) return wrong(`it breaks off without an error after "${read.text}"`);
  if (reply.status !== 200) return wrong(`an answer with the status ${reply.status ?? 0}`);
  if (!reply.endedCleanly) return wrong('a whole answer whose connection broke');
  const provider = request.route.targets.find(name => isRight(request, name, read));
  if (provider === undefined) return wrong(`neither provider's answer: "${read.text}" and the calls ${JSON.stringify(read.calls)}`);
  return { kind: 'right', provider };
}

function judgeError(request: ChaosRequest, reply: Reply, read: ReadAnswer, message: string): Verdict {
  if (read.finished) return wrong('an error and an end');
  // A call of a stream that broke is only then a mistake when a client would run it and it is not the right one.
  if (read.calls.some(call => !request.route.targets.some(name => isDeepStrictEqual(call, rightCall(name, request.nonce, request.words))))) return wrong('a half call was handed over as a whole one');
  if (!isPrefixOfOne(request, read.text)) return wrong(`words of several answers before an error: "${read.text}"`);
  if (reply.status === 200) {
    if (!request.stream) return wrong('an error with the status 200');
    if (reply.endedCleanly) return wrong('an error event, and then the clean end of a whole answer');
    return read.text === '' && !read.callBegan ? { kind: 'error', message } : { kind: 'error-after-words', message, callBegan: read.callBegan };
  }
  if ((reply.status ?? 0) < 400) return wrong(`an error with the status ${reply.status ?? 0}`);
  return reply.endedCleanly ? { kind: 'error', message } : wrong('an error answer that breaks off');
}

function isRight(request: ChaosRequest, provider: string, read: ReadAnswer): boolean {
  const { nonce, words, wants } = request;
  if (wants === 'text') return read.text === rightText(provider, nonce, words) && read.calls.length === 0;
  return read.text === '' && read.calls.length === 1 && isDeepStrictEqual(read.calls[0], rightCall(provider, nonce, words));
}

function isPrefixOfOne({ route, nonce, words }: ChaosRequest, text: string): boolean {
  return text === '' || route.targets.some(name => rightText(name, nonce, words).startsWith(text));
}

/** Providers of its route that were well from before the request until after its end. */
export function wellThroughout(request: ChaosRequest, reply: Pick<Reply, 'startedAt' | 'endedAt'>, spans: readonly HealthySpan[]): string[] {
  return request.route.targets.filter(name => spans.some(span => span.provider === name && span.from <= reply.startedAt && span.to >= reply.endedAt));
}

/**
 * Whether an outcome breaks the promise that a request succeeds when a target was well throughout.
 * Words that were passed on cannot be taken back: a route without `resume`, and a call that had begun, end in an error by contract.
 */
export function brokenPromise(request: ChaosRequest, verdict: Verdict, well: readonly string[]): string | undefined {
  if (well.length === 0) return undefined;
  if (verdict.kind === 'error') return `it failed though ${well.join(' and ')} could answer: ${verdict.message}`;
  if (verdict.kind === 'error-after-words' && request.route.afterCommit === 'resume' && !verdict.callBegan) {
    return `it was not resumed though ${well.join(' and ')} could answer: ${verdict.message}`;
  }
  return undefined;
}

function wrong(why: string): Verdict {
  return { kind: 'wrong', why };
}
