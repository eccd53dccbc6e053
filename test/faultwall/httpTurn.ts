import type { IncomingHttpHeaders } from 'node:http';
import type { ProtocolName } from '../../server/api/conversation.ts';
import { callers, readAnswer } from './callers/callers.ts';
import type { SeenAnswer } from './callers/seenAnswer.ts';
import { rawRequest } from '../integration/support/rawClient.ts';

/** One request over HTTP and everything that came back. */
export interface HttpTurn {
  /** 0: nothing came back at all. */
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
  seen: SeenAnswer;
  /** The answer ended as HTTP says answers end. */
  endedCleanly: boolean;
  /** The caller stopped waiting and went away. */
  gaveUp: boolean;
  /** To the last byte, in milliseconds. */
  elapsedMs: number;
}

export interface HttpQuestion {
  /** Where the server listens, without a path. */
  url: string;
  caller: ProtocolName;
  /** Credentials and whatever else the server wants. */
  headers: Record<string, string>;
  model: string;
  prompt: string;
  stream: boolean;
  tools?: boolean | undefined;
  foreignReasoning?: boolean | undefined;
  signal?: AbortSignal | undefined;
  onChunk?: ((chunk: Buffer) => void) | undefined;
  /** After this the caller gives up, in milliseconds. */
  patienceMs?: number | undefined;
}

/** More than any cell needs, so that a server which hangs fails its cell and not the run. */
const defaultPatienceMs = 30_000;

/** Asks as a client of the protocol and reads the answer as one, however it ends. */
export async function askOverHttp(question: HttpQuestion): Promise<HttpTurn> {
  const { url, caller, headers, model, prompt, stream, tools, foreignReasoning } = question;
  const client = callers[caller];
  const patience = AbortSignal.timeout(question.patienceMs ?? defaultPatienceMs);
  const startedAt = performance.now();
  const received: Buffer[] = [];
  const answer = await rawRequest({
    url: url + client.path(model, stream), headers,
    onChunk: chunk => {
      received.push(chunk);
      question.onChunk?.(chunk);
    },
    body: JSON.stringify(client.body({ model, prompt, stream, tools, foreignReasoning })),
    signal: question.signal === undefined ? patience : AbortSignal.any([patience, question.signal]),
  }).catch(() => undefined);
  const elapsedMs = performance.now() - startedAt;
  const gaveUp = patience.aborted;
  if (answer === undefined) {
    // The caller went away; what it had received until then counts.
    const text = Buffer.concat(received).toString('utf8');
    return { status: 0, headers: {}, text, seen: readAnswer(caller, text, stream), endedCleanly: false, gaveUp, elapsedMs };
  }
  const isStream = String(answer.headers['content-type']).includes('event-stream');
  const seen = readAnswer(caller, answer.text, isStream);
  if (stream && !isStream && answer.status === 200) seen.problems.push(`no event stream but ${String(answer.headers['content-type'])}`);
  return { status: answer.status, headers: answer.headers, text: answer.text, seen, endedCleanly: answer.endedCleanly, gaveUp, elapsedMs };
}
