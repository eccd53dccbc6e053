import type { IncomingMessage, ServerResponse } from 'node:http';
import { parseJson } from '../base/json.ts';
import type { JsonObject } from '../base/json.ts';
import { anthropicWire } from './wires/anthropicWire.ts';
import { BehaviourScript } from './behaviourScript.ts';
import { geminiWire } from './wires/geminiWire.ts';
import { openaiChatWire } from './wires/openaiChatWire.ts';
import { openaiResponsesWire } from './wires/openaiResponsesWire.ts';
import { RequestJournal } from './requestJournal.ts';
import type { SandboxRequest } from './requestJournal.ts';
import type { SandboxBehaviour } from './sandboxBehaviour.ts';
import { answerControl, controlPath, isControlPath, readBody } from './sandboxControl.ts';
import { SandboxListener } from './sandboxListener.ts';
import { answerTurn } from './sandboxTurn.ts';
import type { TurnProvider } from './sandboxTurn.ts';
import { refusalOf, strictOwners } from './strict/strictProviders.ts';
import type { StrictProviderId } from './strict/strictProviders.ts';
import type { SandboxPrompt, SandboxProtocol, SandboxSpeech, SandboxWire } from './wires/sandboxWire.ts';

const wires: Record<SandboxProtocol, SandboxWire> = {
  'openai-chat': openaiChatWire, 'openai-responses': openaiResponsesWire, 'anthropic-messages': anthropicWire, 'gemini': geminiWire,
};
const defaultModels: Record<SandboxProtocol, readonly string[]> = {
  'openai-chat': ['sandbox-chat'], 'openai-responses': ['sandbox-responses'], 'anthropic-messages': ['sandbox-messages'], 'gemini': ['sandbox-gemini'],
};
/** How the protocols' own ids begin. */
const idPrefixes: Record<SandboxProtocol, { reply: string; call: string }> = {
  'openai-chat': { reply: 'chatcmpl', call: 'call' }, 'openai-responses': { reply: 'resp', call: 'call' },
  'anthropic-messages': { reply: 'msg', call: 'toolu' }, 'gemini': { reply: 'sandbox', call: 'call' },
};
const maximumBodyBytes = 64 * 1024 * 1024;

export interface SandboxOptions {
  protocol: SandboxProtocol;
  /** Appears in answers and signatures. */
  name: string;
  /** 0 or absent: any free one. */
  port?: number | undefined;
  /** Pauses of a good answer; default none. */
  latency?: { headersMs?: number | undefined; firstTokenMs?: number | undefined; betweenWordsMs?: number | undefined } | undefined;
  /** Accepted credentials; absent: any, or none. */
  keys?: readonly string[] | undefined;
  /** Models it lists and knows; absent: it lists one and accepts any name. */
  models?: readonly string[] | undefined;
  /** Speak HTTPS with this certificate (PEM). */
  tls?: { key: string; cert: string } | undefined;
  /** Whose requests it refuses, by the provider's id in the catalog; default: those of the protocol's vendor. `lenient`: it takes whatever it can read. */
  strict?: StrictProviderId | 'lenient' | undefined;
  /** `false`: there is no remote control, which needs no token and shows requests; default true. */
  controlled?: boolean | undefined;
  /** How many requests are remembered; default 1000. */
  journalLimit?: number | undefined;
  /** What it says in place of its usual words; undefined: those. A script's own words win. */
  says?: ((prompt: SandboxPrompt, body: JsonObject) => SandboxSpeech | undefined) | undefined;
  /** Called once for each request when it has ended in whatever way. */
  onEnded?: ((request: SandboxRequest) => void) | undefined;
}

export interface SandboxProvider {
  readonly name: string;
  readonly protocol: SandboxProtocol;
  /** What to configure as the endpoint's base URL (OpenAI's protocols: ends in `/v1`). */
  readonly url: string;
  /** Scheme, host and port. */
  readonly origin: string;
  /** Remote control that keeps answering while the provider refuses connections; ends in `/__sandbox`. */
  readonly controlUrl: string;
  /** Every request but those of the remote control, oldest first. */
  readonly requests: readonly SandboxRequest[];
  /** TCP connections accepted so far, black-holed ones included. */
  readonly connectionCount: number;
  /** Requests that have arrived and have not ended yet. */
  readonly openCount: number;
  /** One behaviour: until changed. A list: one for each of the next generating requests, then well-behaved again. */
  script(behaviour: SandboxBehaviour | readonly SandboxBehaviour[]): void;
  /** Refuses connections and resets those that exist, as when the provider's process dies. */
  die(): void;
  /** Listens again at the same port. */
  revive(): Promise<void>;
  /** The first request, seen or to come, that matches; rejects after `timeoutMs` (default 5000). */
  waitForRequest(matches: (request: SandboxRequest) => boolean, timeoutMs?: number): Promise<SandboxRequest>;
  /** Ends every connection and both listeners. Closing twice is safe. */
  close(): Promise<void>;
}

/**
 * Starts a simulated provider on 127.0.0.1 that speaks a real wire format over real sockets, answers
 * deterministically (see composeAnswer.ts) and misbehaves on command (see sandboxBehaviour.ts).
 * @throws Error when the port is taken
 */
export async function startSandboxProvider(options: SandboxOptions): Promise<SandboxProvider> {
  const provider = new Sandbox(options);
  await provider.open();
  return provider;
}

class Sandbox implements SandboxProvider {
  readonly name: string;
  readonly protocol: SandboxProtocol;
  readonly #scheme: 'http' | 'https';
  readonly #script = new BehaviourScript();
  readonly #journal: RequestJournal;
  readonly #closing = new AbortController();
  readonly #listener: SandboxListener;
  readonly #controlListener: SandboxListener;
  readonly #turns: TurnProvider;
  readonly #controlled: boolean;
  readonly #onEnded: ((request: SandboxRequest) => void) | undefined;
  #opening: Promise<void> = Promise.resolve();
  #openCount = 0;

  constructor(options: SandboxOptions) {
    this.name = options.name;
    this.protocol = options.protocol;
    this.#scheme = options.tls === undefined ? 'http' : 'https';
    this.#turns = turnProvider(options, this.#script);
    this.#onEnded = options.onEnded;
    this.#controlled = options.controlled ?? true;
    this.#journal = new RequestJournal(options.journalLimit ?? 1000);
    this.#listener = new SandboxListener({
      port: options.port ?? 0,
      tls: options.tls,
      onRequest: (request, response) => { void this.#onRequest(request, response, false); },
      swallows: () => this.#script.next.type === 'black-hole' && this.#script.take().type === 'black-hole',
    });
    this.#controlListener = new SandboxListener({ port: 0, onRequest: (request, response) => { void this.#onRequest(request, response, true); } });
  }

  get url(): string { return this.origin + this.#turns.wire.basePath; }
  get origin(): string { return `${this.#scheme}://127.0.0.1:${this.#listener.port}`; }
  get controlUrl(): string { return `http://127.0.0.1:${this.#controlListener.port}${controlPath}`; }
  get requests(): readonly SandboxRequest[] { return this.#journal.requests; }
  get connectionCount(): number { return this.#listener.connectionCount; }
  get openCount(): number { return this.#openCount; }

  async open(): Promise<void> {
    await this.#listener.open();
    if (this.#controlled) await this.#controlListener.open();
  }

  script(behaviour: SandboxBehaviour | readonly SandboxBehaviour[]): void {
    this.#script.set(behaviour);
    this.#listenOrRefuse();
  }

  die(): void {
    this.script({ type: 'refuse' });
  }

  async revive(): Promise<void> {
    this.#script.revive();
    this.#listenOrRefuse();
    await this.#opening;
  }

  waitForRequest(matches: (request: SandboxRequest) => boolean, timeoutMs = 5000): Promise<SandboxRequest> {
    return this.#journal.waitFor(matches, timeoutMs);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#opening;
    await Promise.all([this.#listener.close(), this.#controlListener.close()]);
  }

  #listenOrRefuse(): void {
    if (this.#closing.signal.aborted) return;
    if (this.#script.next.type === 'refuse') this.#listener.shut();
    else if (!this.#listener.listening) this.#opening = this.#listener.open();
  }

  async #onRequest(request: IncomingMessage, response: ServerResponse, controlOnly: boolean): Promise<void> {
    const bodyText = await readBody(request, maximumBodyBytes);
    const path = request.url ?? '/';
    if (bodyText === undefined) response.destroy();
    else if (isControlPath(path) && !this.#controlled) response.writeHead(404).end();
    else if (isControlPath(path)) await answerControl(this, request, bodyText, response, controlOnly);
    else if (controlOnly) response.writeHead(404).end();
    else await this.#answer(request, path, bodyText, response);
  }

  async #answer(request: IncomingMessage, path: string, bodyText: string, response: ServerResponse): Promise<void> {
    const entry = this.#journal.add({
      connection: this.#listener.connectionOf(request), receivedAt: Date.now(), method: request.method ?? 'GET', path,
      headers: request.headers, bodyText, body: parseJson(bodyText),
    });
    this.#openCount += 1;
    const gone = new AbortController();
    let brokenByUs = false;
    const done = new Promise<void>((resolve) => {
      response.once('close', () => {
        this.#openCount -= 1;
        if (response.writableFinished || brokenByUs) entry.finishedAt = Date.now();
        else if (!this.#closing.signal.aborted && this.#listener.listening) entry.closedEarlyAt = Date.now();
        entry.status = response.headersSent ? response.statusCode : undefined;
        gone.abort();
        this.#journal.changed(entry);
        this.#onEnded?.(entry);
        resolve();
      });
    });
    const signal = AbortSignal.any([gone.signal, this.#closing.signal]);
    const answered = answerTurn({ provider: this.#turns, entry, response, signal, broken: () => { brokenByUs = true; } });
    this.#journal.changed(entry);
    await answered;
    await done;
    this.#listenOrRefuse();
  }
}

function turnProvider(options: SandboxOptions, script: BehaviourScript): TurnProvider {
  const { protocol, name, latency } = options;
  const strict = options.strict ?? strictOwners[protocol];
  let replies = 0;
  let calls = 0;
  return {
    name,
    wire: wires[protocol],
    latency: { headersMs: latency?.headersMs ?? 0, firstTokenMs: latency?.firstTokenMs ?? 0, betweenWordsMs: latency?.betweenWordsMs ?? 0 },
    keys: options.keys,
    models: options.models ?? defaultModels[protocol],
    strictModels: options.models !== undefined,
    startedAt: Math.floor(Date.now() / 1000),
    says: options.says,
    refuses: strict === 'lenient' ? undefined : (request) => refusalOf(strict, protocol, request),
    takeBehaviour: () => script.take(),
    otherBehaviour: () => script.forOtherCalls,
    nextReplyId: () => `${idPrefixes[protocol].reply}_${name}_${replies += 1}`,
    nextCallId: () => `${idPrefixes[protocol].call}_${name}_${calls += 1}`,
  };
}
