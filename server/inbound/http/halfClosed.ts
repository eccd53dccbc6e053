import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Milliseconds to the second check; each later one waits four times as long, up to the longest wait. */
const firstWaitMs = 5;
const longestWaitMs = 5000;

/** What writes into a stream that has begun, without content. */
export interface SilenceFiller { keepAlive(): void }

/**
 * The responses of a connection whose callers have not closed their side. One listener serves all requests of a connection. Lists, because a
 * set keeps alive for long what it once held; see base/collections/transientMap.ts.
 */
const questionsBySocket = new WeakMap<Socket, GoneQuestion[]>();

/**
 * A caller that has closed its side of the connection may still read the answer, or be gone altogether: the system can
 * distinguish the two only when something is sent. So a message without content is sent: an interim answer, which every
 * client of HTTP/1.1 ignores (RFC 9110, section 15.2), or the keep-alive of a stream. The machine of a caller that is
 * gone answers with a reset, and the next write ends the connection; a caller that still reads notices nothing.
 * @returns to be disposed of when the response is closed
 */
export function askWhetherGone(response: ServerResponse, filler: SilenceFiller): GoneQuestion {
  const { socket } = response.req;
  const question = new GoneQuestion(response, filler);
  if (socket.readableEnded) question.begin();
  else questionsOf(socket).push(question);
  return question;
}

function questionsOf(socket: Socket): GoneQuestion[] {
  const known = questionsBySocket.get(socket);
  if (known !== undefined) return known;
  const questions: GoneQuestion[] = [];
  questionsBySocket.set(socket, questions);
  socket.once('end', () => {
    for (const question of [...questions]) question.begin();
  });
  return questions;
}

/** The question whether one caller is gone. It is asked from the moment on which the caller closes its side, until the response is closed. */
class GoneQuestion {
  readonly #response: ServerResponse;
  readonly #socket: Socket;
  readonly #filler: SilenceFiller;
  #timer: NodeJS.Timeout | undefined;

  constructor(response: ServerResponse, filler: SilenceFiller) {
    this.#response = response;
    // A response that is closed has no socket any more.
    this.#socket = response.req.socket;
    this.#filler = filler;
  }

  begin(): void {
    this.#ask(firstWaitMs);
  }

  dispose(): void {
    const questions = questionsBySocket.get(this.#socket);
    const at = questions?.indexOf(this) ?? -1;
    if (at >= 0) questions?.splice(at, 1);
    clearTimeout(this.#timer);
  }

  #ask(waitMs: number): void {
    const response = this.#response;
    if (response.writableEnded || response.destroyed) return;
    if (response.headersSent) this.#filler.keepAlive();
    else if (response.req.httpVersion === '1.1') response.writeContinue();
    this.#timer = setTimeout(() => { this.#ask(Math.min(waitMs * 4, longestWaitMs)); }, waitMs);
    this.#timer.unref();
  }
}
