import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ProtocolName } from '../../server/api/conversation.ts';
import { isObject, parseJson, type JsonObject } from '../../server/base/json.ts';
import { refusalOf, strictOwners } from '../../server/sandbox/strict/strictProviders.ts';
import { chatWire } from './wires/chatWire.ts';
import { geminiWire } from './wires/geminiWire.ts';
import { messagesWire } from './wires/messagesWire.ts';
import { responsesWire } from './wires/responsesWire.ts';
import { Refused, type SeenRequest, type Turn, type TurnUsage, type Wire } from './wires/wire.ts';

const wires: Readonly<Record<ProtocolName, Wire>> = {
  'openai-chat': chatWire, 'openai-responses': responsesWire, 'anthropic-messages': messagesWire, 'gemini': geminiWire,
};

/** How a provider breaks down in the middle of a task: as a status, or as a stream that ends before its first word. */
export interface Breakdown { afterResults: number; how: 'status' | 'cut'; status: number }

export interface UpstreamOptions {
  protocol: ProtocolName;
  /** The only key it accepts. */
  key: string;
  /** The model's answer to a request that offers tools. */
  script(request: SeenRequest): Turn;
  breakdown?: Breakdown | undefined;
  /** The caller uses this protocol as well, and may send fields that are not known here. */
  anyField: boolean;
  /** Absent: it answers at once, and what it charges is made up. */
  paced?: PacedModel | undefined;
}

/** A model that takes its time, is charged by the length of what it reads and writes, and also answers requests without tools. */
export interface PacedModel {
  turnOf(seen: SeenRequest, body: JsonObject): Turn;
  /** Called once for each answer, when it begins. */
  usageOf(body: JsonObject, turn: Turn): TurnUsage;
  /** Milliseconds until the first word, and from there to the last. */
  paceOf(usage: TurnUsage): { firstMs: number; restMs: number };
}

export interface Upstream {
  readonly url: string;
  /** Received bodies, in order. */
  readonly bodies: string[];
  /** Reasons of refused requests: each is a fault of the translation. */
  readonly faults: string[];
  /** Charged tokens of complete answers. */
  readonly charged: TurnUsage[];
  /** Requests answered with a breakdown. */
  readonly broken: number;
  /** Requests that contain the provider's own reasoning. */
  readonly remembered: number;
  /** Names of the offered tools. */
  readonly offered: ReadonlySet<string>;
  close(): Promise<void>;
}

/** Of a paced answer; a pause follows. */
const eventsAtOnce = 20;

/** Starts a scripted provider on 127.0.0.1 that speaks one wire format over real sockets and refuses what the real one would. */
export async function startUpstream(options: UpstreamOptions): Promise<Upstream> {
  const upstream = new ScriptedUpstream(options);
  await upstream.open();
  return upstream;
}

/** A free-text tool that is a function here takes its text as the argument `input`. */
function asOffered(turn: Turn, seen: SeenRequest): Turn {
  if (turn.calls === undefined) return turn;
  return { ...turn, calls: turn.calls.map(call => (typeof call.input === 'string' && seen.tools.find(tool => tool.name === call.name)?.kind === 'function' ? { ...call, input: { input: call.input } } : call)) };
}

class ScriptedUpstream implements Upstream {
  readonly bodies: string[] = [];
  readonly faults: string[] = [];
  readonly charged: TurnUsage[] = [];
  readonly offered = new Set<string>();
  broken = 0;
  remembered = 0;
  #serial = 0;
  readonly #options: UpstreamOptions;
  readonly #wire: Wire;
  readonly #signatures = new Set<string>();
  readonly #server = createServer((request, response) => void this.#answer(request, response));

  constructor(options: UpstreamOptions) {
    this.#options = options;
    this.#wire = wires[options.protocol];
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}${this.#wire.basePath}`;
  }

  async open(): Promise<void> {
    await new Promise<void>(resolve => this.#server.listen(0, '127.0.0.1', resolve));
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise(resolve => this.#server.close(resolve));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = new URL(request.url ?? '/', 'http://127.0.0.1').pathname;
    const bytes: Buffer[] = [];
    for await (const piece of request) bytes.push(piece as Buffer);
    const bodyText = Buffer.concat(bytes).toString('utf8');
    if (request.method !== 'POST' || !this.#wire.matches(path)) return this.#fail(response, 404, `no ${request.method ?? ''} ${path} here`);
    this.bodies.push(bodyText);
    try {
      const body = parseJson(bodyText);
      if (!isObject(body)) throw new Refused('the body is not a JSON object');
      await this.#generate(this.#read(request, path, body), body, response);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.faults.push(error.message);
      this.#fail(response, 400, error.message);
    }
  }

  /** @throws Refused */
  #read(request: IncomingMessage, path: string, body: JsonObject): SeenRequest {
    const { headers } = request;
    const key = this.#options.protocol === 'anthropic-messages' ? headers['x-api-key'] : this.#options.protocol === 'gemini' ? headers['x-goog-api-key'] : headers.authorization?.replace(/^Bearer /, '');
    if (key !== this.#options.key) throw new Refused('the key is not this provider\'s');
    const unknown = Object.keys(body).filter(field => !this.#wire.fields.has(field));
    if (unknown.length > 0 && !this.#options.anyField) throw new Refused(`unknown fields: ${unknown.join(', ')}`);
    const { protocol } = this.#options;
    const model = typeof body.model === 'string' ? body.model : /\/models\/([^:/?]+)/.exec(path)?.[1] ?? '';
    const refusal = refusalOf(strictOwners[protocol], protocol, { body, model, headers, requestId: '' });
    if (refusal !== undefined) throw new Refused(`the vendor refuses this: ${refusal.message}`);
    const seen = this.#wire.read(body, path);
    for (const { name } of seen.tools) this.offered.add(name);
    if (seen.signatures.some(signature => this.#signatures.has(signature))) this.remembered += 1;
    const foreign = seen.signatures.filter(signature => signature !== '' && !this.#signatures.has(signature));
    if (foreign.length > 0) throw new Refused(`reasoning that another provider signed: ${foreign.join(', ')}`);
    return seen;
  }

  async #generate(seen: SeenRequest, body: JsonObject, response: ServerResponse): Promise<void> {
    const { breakdown, script, protocol, paced } = this.#options;
    const task = seen.tools.length > 0;
    if (breakdown !== undefined && task && seen.results.length >= breakdown.afterResults) {
      this.broken += 1;
      if (breakdown.how === 'status') return this.#fail(response, breakdown.status, 'The scripted provider has broken down.');
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(': the stream ends here\n\n', () => response.socket?.destroy());
      return;
    }
    const turn = paced !== undefined ? paced.turnOf(seen, body) : task ? script(seen) : { text: 'Edit a file' };
    const missing = (turn.calls ?? []).filter(call => !seen.tools.some(tool => tool.name === call.name));
    if (missing.length > 0) throw new Refused(`the script wants ${missing.map(call => call.name).join(', ')}, and only these are offered: ${[...this.offered].join(', ')}`);
    this.#serial += 1;
    const signature = Buffer.from(`${protocol}-${this.#serial}-${createHash('sha256').update(`${this.url}${this.#serial}`).digest('hex')}`).toString('base64');
    this.#signatures.add(signature);
    const usage = paced?.usageOf(body, turn) ?? { prompt: 1000 + 10 * this.#serial, cached: 200, output: 30 + this.#serial, reasoning: 5 };
    this.charged.push(usage);
    const reply = { turn: asOffered(turn, seen), usage, request: seen, serial: this.#serial, signature };
    const pace = paced?.paceOf(usage);
    if (pace !== undefined) await sleep(pace.firstMs);
    if (!seen.stream) {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify(this.#wire.whole(reply)));
      return;
    }
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const events = this.#wire.stream(reply);
    for (const [index, event] of events.entries()) {
      response.write(event);
      if (pace !== undefined && index % eventsAtOnce === 0) await sleep(pace.restMs * Math.min(1, eventsAtOnce / events.length));
    }
    response.end();
  }

  #fail(response: ServerResponse, status: number, message: string): void {
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(this.#wire.failure(status, message)));
  }
}
