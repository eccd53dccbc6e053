import type { FailureCode } from '../base/failureCodes.ts';
import type { ResponseHeaders } from '../base/headers/responseHeaders.ts';
import { directNetwork, type NetworkConfig } from '../config/network.ts';
import { Transport } from './transport.ts';

/** Something for a receiver that is no provider. */
export interface Delivery {
  /** What the receiver is called in failures, such as `The webhook "team"`; each has connections of its own. */
  name: string;
  url: string;
  headers: Readonly<Record<string, string>>;
  body: Buffer;
  /** How long it may take in all. */
  timeoutMs: number;
  signal?: AbortSignal | undefined;
}

/** An answer, as far as it is kept, or why there is none: a code of `base/failureCodes.ts`, which says nothing of the address. */
export type Delivered = { status: number; headers: ResponseHeaders; text: string; failed?: undefined } | { failed: FailureCode };

/** Sends something. Never rejects. Redirects are not followed. */
export type Post = (delivery: Delivery) => Promise<Delivered>;

const connectMs = 10_000;
const longestAnswer = 65_536;

/** Sends to receivers that are no providers, such as webhooks, over the network of the configuration. Nothing is made before something is sent. */
export class Receivers {
  #transport: Transport | undefined;
  #network = directNetwork;
  #isClosed = false;

  /** Adopts the proxies of a configuration. What runs finishes on the way it has. */
  configure(network: NetworkConfig = directNetwork): void {
    this.#network = network;
    this.#transport?.configure(new Map(), network);
  }

  readonly post: Post = ({ name, url, headers, body, timeoutMs, signal }) => new Promise(resolve => {
    if (this.#isClosed) {
      resolve({ failed: 'shutting-down' });
      return;
    }
    if (this.#transport === undefined) {
      this.#transport = new Transport();
      this.#transport.configure(new Map(), this.#network);
    }
    const chunks: Buffer[] = [];
    let bytes = 0;
    let status = 0;
    let received: ResponseHeaders = {};
    const finish = (delivered: Delivered): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      resolve(delivered);
    };
    const answered = (): void => { finish({ status, headers: received, text: Buffer.concat(chunks).toString('utf8') }); };
    const giveUp = (failed: FailureCode): void => {
      call.abort(failed === 'headers-timeout');
      finish({ failed });
    };
    const onAbort = (): void => { giveUp('cancelled'); };
    const timer = setTimeout(() => { giveUp('headers-timeout'); }, timeoutMs);
    signal?.addEventListener('abort', onAbort, { once: true });
    const call = this.#transport.send({ name, timeouts: { connectMs: Math.min(connectMs, timeoutMs) } }, {
      method: 'POST', url, body: [body], headers: { 'accept-encoding': 'identity', 'user-agent': 'waybill', ...headers, 'content-length': String(body.length) },
    }, {
      onHeaders(code, own) {
        status = code;
        received = own;
      },
      onData(chunk) {
        bytes += chunk.length;
        if (bytes <= longestAnswer) {
          chunks.push(chunk);
          return;
        }
        // The status says all that is needed of a long answer.
        call.abort();
        answered();
      },
      onEnd: answered,
      onError: error => { finish({ failed: error.code }); },
    });
    if (signal?.aborted === true) onAbort();
  });

  /** Ends what runs. */
  async shutdown(): Promise<void> {
    this.#isClosed = true;
    await this.#transport?.shutdown();
  }
}
