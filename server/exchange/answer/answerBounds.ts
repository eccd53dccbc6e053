import { WaybillError } from '../../base/failure.ts';
import { tooLargeFailure } from './answerFailures.ts';

/** The longest streamed answer, in UTF-16 units of text, reasoning and arguments: about four million tokens. */
const maxChars = 16 * 1024 * 1024;
const maxToolCalls = 10_000;
const maxEvents = 1_000_000;
/** What a stream may send between two pieces of content: keep-alives, and images and sound, which are not counted as content. */
const maxQuietBytes = 64 * 1024 * 1024;
const maxQuietEvents = 50_000;
/** Events that cannot be read are left out one by one. More of them are no accident. */
const maxUnreadable = 2_000;

/**
 * The bounds of a streamed answer. Decoders and encoders keep parts of an answer to its end (arguments of calls, items),
 * so an answer without an end fills the memory although each of its events is small.
 */
export class AnswerBounds {
  readonly #endpoint: string;
  /** Since the last content: bytes, and how many events had come by then. */
  #quietBytes = 0;
  #quietFrom = 0;

  /** @param endpoint its name, for messages */
  constructor(endpoint: string) {
    this.#endpoint = endpoint;
  }

  /**
   * Another chunk was read.
   * @param events of the whole answer so far, as are `unreadable`, `chars` and `toolCalls`
   * @returns the failure `answer-too-large` or `stream-noise` when it is more than any answer has
   */
  exceeded(chunkBytes: number, hasContent: boolean, events: number, unreadable: number, chars: number, toolCalls: number): WaybillError | undefined {
    if (hasContent) {
      this.#quietBytes = 0;
      this.#quietFrom = events;
    } else {
      this.#quietBytes += chunkBytes;
    }
    if (chars > maxChars || toolCalls > maxToolCalls || events > maxEvents) {
      return tooLargeFailure(this.#endpoint);
    }
    const noise = unreadable > maxUnreadable || this.#quietBytes > maxQuietBytes || events - this.#quietFrom > maxQuietEvents;
    return noise ? new WaybillError('stream-noise', 'server', `${this.#endpoint} sent much that is no part of an answer, so its stream was given up.`) : undefined;
  }
}
