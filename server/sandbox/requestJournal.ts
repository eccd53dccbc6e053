import type { IncomingHttpHeaders } from 'node:http';
import type { JsonValue } from '../base/json.ts';
import type { SandboxBehaviour } from './sandboxBehaviour.ts';
import type { SandboxUsage } from './wires/sandboxWire.ts';

/** One request as the sandbox provider saw it. Grows while the request runs. Times are milliseconds since the epoch. */
export interface SandboxRequest {
  /** 1, 2, 3 … within the provider. */
  readonly number: number;
  /** Which TCP connection it came over: 1, 2, 3 …. */
  readonly connection: number;
  readonly receivedAt: number;
  readonly method: string;
  /** Path with query. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly bodyText: string;
  /** The body when it is JSON. */
  readonly body: JsonValue | undefined;
  /** The behaviour that answered it; absent until one did, and for calls no behaviour applies to. */
  behaviour: SandboxBehaviour['type'] | undefined;
  status: number | undefined;
  /** What the answer it began to give costs as a whole; absent where it gave none. */
  usage: SandboxUsage | undefined;
  /** When the last byte of a complete answer was handed to the socket. */
  finishedAt: number | undefined;
  /** When the client went away before the answer was complete. */
  closedEarlyAt: number | undefined;
}

interface Waiter { matches: (request: SandboxRequest) => boolean; resolve: (request: SandboxRequest) => void }

/** The requests a provider has seen, newest last, at most `limit`. */
export class RequestJournal {
  readonly #requests: SandboxRequest[] = [];
  readonly #limit: number;
  #waiters: Waiter[] = [];
  #count = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get requests(): readonly SandboxRequest[] {
    return this.#requests;
  }

  add(seen: Pick<SandboxRequest, 'connection' | 'receivedAt' | 'method' | 'path' | 'headers' | 'bodyText' | 'body'>): SandboxRequest {
    this.#count += 1;
    const request: SandboxRequest = { number: this.#count, ...seen, behaviour: undefined, status: undefined, usage: undefined, finishedAt: undefined, closedEarlyAt: undefined };
    this.#requests.push(request);
    if (this.#requests.length > this.#limit) this.#requests.shift();
    this.changed(request);
    return request;
  }

  /** Called after each change of an entry: resolves the waiting requests for it. */
  changed(request: SandboxRequest): void {
    const satisfied = this.#waiters.filter((waiter) => waiter.matches(request));
    this.#waiters = this.#waiters.filter((waiter) => !satisfied.includes(waiter));
    for (const waiter of satisfied) waiter.resolve(request);
  }

  /**
   * The first request, seen already or to come, for which `matches` holds.
   * @throws Error when there is none within `timeoutMs`
   */
  waitFor(matches: (request: SandboxRequest) => boolean, timeoutMs: number): Promise<SandboxRequest> {
    const seen = this.#requests.find(matches);
    if (seen !== undefined) return Promise.resolve(seen);
    return new Promise((resolve, reject) => {
      const waiter: Waiter = { matches, resolve: (request) => { clearTimeout(timer); resolve(request); } };
      const timer = setTimeout(() => {
        this.#waiters = this.#waiters.filter((other) => other !== waiter);
        reject(new Error(`No such request within ${timeoutMs} ms; ${this.#count} seen.`));
      }, timeoutMs);
      this.#waiters.push(waiter);
    });
  }
}

const secretHeaders = ['authorization', 'x-api-key', 'api-key', 'x-goog-api-key', 'cookie'];

/** Keeps a credential's last four characters, and those only of one that is long enough. */
export function maskCredential(value: string): string {
  const secret = value.replace(/^Bearer\s+/i, '');
  return secret.length < 12 ? '****' : `****${secret.slice(-4)}`;
}

/** An entry for showing: credentials in headers and query are masked, the body is given once. */
export function maskedRequest(request: SandboxRequest): Omit<SandboxRequest, 'bodyText'> & { bodyText?: string } {
  const { bodyText, ...rest } = request;
  const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) =>
    [name, secretHeaders.includes(name) && typeof value === 'string' ? maskCredential(value) : value]));
  const path = request.path.replace(/([?&]key=)([^&]*)/g, (_match, before: string, key: string) => before + maskCredential(key));
  return { ...rest, headers, path, ...(request.body === undefined && bodyText !== '' ? { bodyText } : {}) };
}
