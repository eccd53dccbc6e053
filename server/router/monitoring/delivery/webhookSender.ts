import { createHmac } from 'node:crypto';
import type { Log } from '../../../base/log.ts';
import { pause } from '../../../base/clock.ts';
import type { WebhookConfig } from '../../../config/monitoring/monitoringConfig.ts';
import type { Post } from '../../../upstream/receivers.ts';
import { postJson } from './postJson.ts';

/** What a webhook is told. */
export interface AlertMessage {
  event: 'fired' | 'over';
  incident: string;
  rule: string;
  when: string;
  /** The endpoint, route or budget; empty: everything. */
  subject: string;
  /** One sentence. */
  message: string;
  value?: number | undefined;
  above?: number | undefined;
  /** ISO 8601. */
  startedAt: string;
  endedAt?: string | undefined;
}

/** Header of the signature: the time in seconds, and the HMAC of that time, a dot and the body. */
const signatureHeader = 'x-waybill-signature';

const timeoutMs = 10_000;
const mostTries = 6;
const firstRetryMs = 1_000;
/** So many messages are sent in ten minutes; those beyond are counted and named in the next one. */
const mostInWindow = 30;
const windowMs = 600_000;

/** What became of a message: `given-up` by the webhook's answers or for their number, `closed`: nobody was asked any more. */
export type Delivery = 'taken' | 'given-up' | 'closed';

interface Waiting { message: AlertMessage; done(delivery: Delivery): void }

/** Sends messages to one webhook, one after the other, again where it fails. */
export class WebhookSender {
  readonly #config: WebhookConfig;
  readonly #log: Pick<Log, 'warn'>;
  readonly #now: () => number;
  readonly #post: Post;
  readonly #queue: Waiting[] = [];
  #sentAt: number[] = [];
  #leftOut = 0;
  #isSending = false;
  readonly #closed = new AbortController();

  constructor(config: WebhookConfig, log: Pick<Log, 'warn'>, now: () => number, post: Post) {
    this.#config = config;
    this.#log = log;
    this.#now = now;
    this.#post = post;
  }

  /** @returns what became of the message, once that is known */
  send(message: AlertMessage): Promise<Delivery> {
    if (this.#closed.signal.aborted) return Promise.resolve('closed');
    const now = this.#now();
    this.#sentAt = this.#sentAt.filter(at => now - at < windowMs);
    if (this.#sentAt.length >= mostInWindow) {
      this.#leftOut += 1;
      if (this.#leftOut === 1) this.#log.warn(`The webhook "${this.#config.name}" has had ${String(mostInWindow)} messages in ten minutes; more are left out until there are fewer.`);
      return Promise.resolve('given-up');
    }
    this.#sentAt.push(now);
    return new Promise(done => {
      this.#queue.push({ message, done });
      if (!this.#isSending) void this.#sendAll();
    });
  }

  /** What waits is not sent, so that another sender or another server can. */
  close(): void {
    this.#closed.abort();
  }

  async #sendAll(): Promise<void> {
    this.#isSending = true;
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
      next.done(await this.#sendOne(next.message));
    }
    this.#isSending = false;
  }

  async #sendOne(message: AlertMessage): Promise<Delivery> {
    if (this.#closed.signal.aborted) return 'closed';
    const { name, url } = this.#config;
    const body = this.#body(message);
    for (let tried = 1; !this.#closed.signal.aborted; tried += 1) {
      const posted = await postJson(this.#post, { name: `The webhook "${name}"`, url, headers: this.#headers(body), body: Buffer.from(body), timeoutMs }, isTemporary);
      if (posted.kind === 'taken') return 'taken';
      if (posted.kind === 'refused' || tried === mostTries) {
        this.#log.warn(`The webhook "${name}" did not take the message of an alert: ${posted.why}.`);
        return 'given-up';
      }
      await pause(posted.afterMs ?? firstRetryMs * 2 ** (tried - 1), this.#closed.signal, false);
    }
    return 'closed';
  }

  #body(message: AlertMessage): string {
    const leftOut = this.#leftOut;
    this.#leftOut = 0;
    const text = leftOut === 0 ? message.message : `${message.message} (Messages before this one that were left out: ${String(leftOut)}.)`;
    if (this.#config.form === 'slack') return JSON.stringify({ text: `${message.event === 'fired' ? ':rotating_light:' : ':white_check_mark:'} Waybill: ${forSlack(text)}` });
    return JSON.stringify({ version: 1, ...message, message: text, ...(leftOut === 0 ? {} : { leftOut }) });
  }

  #headers(body: string): Record<string, string> {
    const { secret } = this.#config;
    if (secret === undefined) return {};
    const time = String(Math.floor(this.#now() / 1000));
    return { [signatureHeader]: `t=${time},v1=${createHmac('sha256', secret).update(`${time}.${body}`).digest('hex')}` };
  }
}

/** Other refusals stay what they are. */
function isTemporary(status: number): boolean {
  return status === 408 || status === 429 || status >= 500;
}

/** Slack reads three characters as markup. */
function forSlack(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
