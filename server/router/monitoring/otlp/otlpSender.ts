import { gzip } from 'node:zlib';
import { promisify } from 'node:util';
import { isObject, parseJson } from '../../../base/json.ts';
import type { Log } from '../../../base/log.ts';
import { pause } from '../../../base/clock.ts';
import type { OtlpReceiver } from '../../../config/monitoring/monitoringConfig.ts';
import type { Post } from '../../../upstream/receivers.ts';
import { postJson } from '../delivery/postJson.ts';

const zip = promisify(gzip);

export interface OtlpSenderOptions {
  receiver: OtlpReceiver;
  /** As the subject of a sentence: `The receiver of traces`. */
  name: string;
  timeoutMs: number;
  gzip: boolean;
  post: Post;
  log: Pick<Log, 'info' | 'warn'>;
  redact(text: string): string;
  /** 0 to 1, for the distance of tries. */
  random(): number;
  now(): number;
  /** Between the first two tries, in milliseconds; it doubles. */
  firstRetryMs?: number | undefined;
}

/** What became of a request. `rejected`: how many of its records the receiver took out. */
export type Sent = { kind: 'taken'; rejected: number } | { kind: 'refused' | 'given-up' | 'closed' };

const mostTries = 5;
const firstRetryMs = 1_000;
const longestPauseMs = 60_000;
const longestWords = 200;
/** By the OTLP specification, "Retryable Response Codes". */
const temporary: ReadonlySet<number> = new Set([429, 502, 503, 504]);

/** Sends requests of one signal, again where that may help. Says once when the receiver fails, and once when it takes again. */
export class OtlpSender {
  readonly #options: OtlpSenderOptions;
  readonly #ended = new AbortController();
  readonly #hurried = new AbortController();
  #isFailing = false;

  constructor(options: OtlpSenderOptions) {
    this.#options = options;
  }

  async send(body: string): Promise<Sent> {
    const { receiver, name, timeoutMs, post, now } = this.#options;
    const bytes = this.#options.gzip ? await zip(body) : Buffer.from(body);
    const headers = this.#options.gzip ? { ...receiver.headers, 'content-encoding': 'gzip' } : receiver.headers;
    for (let tried = 1; !this.#ended.signal.aborted; tried += 1) {
      const posted = await postJson(post, { name, url: receiver.url, headers, body: bytes, timeoutMs, signal: this.#ended.signal }, status => temporary.has(status), now);
      if (posted.kind === 'taken') {
        if (this.#isFailing) this.#options.log.info(`${name} takes what is sent again.`);
        this.#isFailing = false;
        return { kind: 'taken', rejected: this.#rejectedIn(posted.answer) };
      }
      if (posted.kind === 'refused') {
        this.#failed(`${posted.why}; what was sent is left out. Look at the address and the headers of "monitoring.otlp".`);
        return { kind: 'refused' };
      }
      this.#failed(`${posted.why}; it is tried again.`);
      if (tried === mostTries || this.#hurried.signal.aborted) return { kind: 'given-up' };
      await pause(posted.afterMs ?? this.#distance(tried), this.#hurried.signal, false);
    }
    return { kind: 'closed' };
  }

  /** Pauses end at once, and each request has one more try. */
  hurry(): void {
    this.#hurried.abort();
  }

  /** Ends what runs. */
  close(): void {
    this.#ended.abort();
    this.#hurried.abort();
  }

  /** Of several servers that wait for one receiver, each comes at another time. */
  #distance(tried: number): number {
    const { random, firstRetryMs: first = firstRetryMs } = this.#options;
    return Math.min(longestPauseMs, first * 2 ** (tried - 1)) * (0.5 + random() / 2);
  }

  #failed(why: string): void {
    if (!this.#isFailing) this.#options.log.warn(`${this.#options.name} did not take what was sent: ${why}`);
    this.#isFailing = true;
  }

  /** A receiver can take a part: `partialSuccess` of its answer. */
  #rejectedIn(answer: string): number {
    const body = parseJson(answer);
    const partial = isObject(body) ? body['partialSuccess'] : undefined;
    if (!isObject(partial)) return 0;
    const rejected = Number(partial['rejectedSpans'] ?? partial['rejectedDataPoints'] ?? 0);
    const words = typeof partial['errorMessage'] === 'string' ? partial['errorMessage'] : '';
    if (rejected > 0 || words !== '') this.#options.log.warn(`${this.#options.name} took out ${String(rejected)} of what was sent${words === '' ? '' : `: ${this.#options.redact(words).slice(0, longestWords)}`}`);
    return rejected >= 0 && Number.isFinite(rejected) ? rejected : 0;
  }
}
