import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { ConversationEvent } from '../../../server/api/conversation.ts';
import type { RouteSettings } from '../../../server/api/settings.ts';
import { silentLog } from '../../../server/base/log.ts';
import { WaybillError } from '../../../server/base/failure.ts';
import { findProvider, providers } from '../../../server/catalog/providers.ts';
import { resolveConfig } from '../../../server/config/resolve.ts';
import { Exchange } from '../../../server/exchange/exchange.ts';
import { conversationBody, type AnswerHead, type DrainListener, type ExchangeFailure, type ExchangeInput, type ReaderSink, type ResponseSink } from '../../../server/exchange/request.ts';
import type { ExchangeServices } from '../../../server/exchange/services.ts';
import { createPricer } from '../../../server/pricing/pricing.ts';
import { supportedProtocols } from '../../../server/protocols/registry.ts';
import type { Dispatch, Dispatcher, ResponseListener, UpstreamCall } from '../../../server/upstream/call.ts';
import { createTestRouter } from '../router/createTestRouter.ts';

/** One call to a provider. The test answers it. */
export class ScriptedCall implements UpstreamCall {
  readonly endpoint: string;
  readonly #listener: ResponseListener;
  isAborted = false;

  constructor(endpoint: string, listener: ResponseListener) {
    this.endpoint = endpoint;
    this.#listener = listener;
  }

  /** A stream begins with some content. */
  says(text: string): void {
    this.#listener.onHeaders(200, { 'content-type': 'text/event-stream' });
    this.saysMore(text);
  }

  saysMore(content: string): void {
    this.#listener.onData(Buffer.from(`data: ${JSON.stringify({ id: '1', object: 'chat.completion.chunk', choices: [{ index: 0, delta: { content } }] })}\n\n`));
  }

  /** The stream ends with its terminal event. */
  ends(reason = 'stop'): void {
    this.#listener.onData(Buffer.from(`data: ${JSON.stringify({ id: '1', choices: [{ index: 0, delta: {}, finish_reason: reason }] })}\n\ndata: [DONE]\n\n`));
    this.#listener.onEnd();
  }

  /** The whole answer in one piece. */
  answers(content: string): void {
    this.answersWith({ id: '1', object: 'chat.completion', choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }] });
  }

  answersWith(body: object): void {
    this.#listener.onHeaders(200, { 'content-type': 'application/json' });
    this.#listener.onData(Buffer.from(JSON.stringify(body)));
    this.#listener.onEnd();
  }

  refuses(status: number, message = 'no'): void {
    this.#listener.onHeaders(status, { 'content-type': 'application/json' });
    this.#listener.onData(Buffer.from(JSON.stringify({ error: { message } })));
    this.#listener.onEnd();
  }

  breaks(): void {
    this.#listener.onError(new WaybillError('connection-lost', 'network', 'The connection was lost.'));
  }

  readonly source = 'provider';
  abort(): void { this.isAborted = true; }
  isPaused = false;
  pause(): void { this.isPaused = true; }
  resume(): void { this.isPaused = false; }
}

/** Collects the calls that exchanges make. */
export class ScriptedTransport implements Dispatcher {
  readonly calls: ScriptedCall[] = [];

  readonly dispatch: Dispatch = (place, _request, listener) => {
    const call = new ScriptedCall(place.name, listener);
    this.calls.push(call);
    return call;
  };

  call(number: number): ScriptedCall {
    return this.calls[number - 1] ?? assert.fail(`there are ${this.calls.length} calls`);
  }
}

/** A caller that logs what it receives, in short form. It fails the test when it receives anything after the end. */
export class RecordingSink {
  /** Tests of restarts and of questions set `reader`. */
  kind: ResponseSink['kind'] = 'bytes';
  readonly got: string[] = [];
  readonly failures: ExchangeFailure[] = [];
  readonly heads: AnswerHead[] = [];
  restart: ReaderSink['restart'] = () => assert.fail('no restart is expected');
  ask: ReaderSink['ask'] = () => assert.fail('no question is expected');
  drainListener: DrainListener | undefined;
  #isOver = false;

  begin(head: AnswerHead): void {
    this.heads.push(head);
    this.#note(`begin ${head.target}`);
  }

  bytes(chunk: Buffer): boolean {
    this.#note(`bytes ${chunk.length}`);
    return true;
  }

  events(events: readonly ConversationEvent[]): boolean {
    for (const event of events) if (event.type === 'text') this.#note(event.text);
    return true;
  }

  buffered(body: Buffer): void { this.#note(`buffered ${body.length}`); }

  end(): void {
    this.#note('end');
    this.#isOver = true;
  }

  fail(failure: ExchangeFailure): void {
    this.failures.push(failure);
    this.#note(`fail ${failure.error.code}`);
    this.#isOver = true;
  }

  keepAlive(): void { this.#note('keep-alive'); }

  #note(what: string): void {
    assert.ok(!this.#isOver, `${what} after the end`);
    this.got.push(what);
  }
}

export interface ExchangeUnderTest {
  readonly exchange: Exchange;
  readonly sink: RecordingSink;
  readonly transport: ScriptedTransport;
  readonly errors: string[];
  /** What observers saw, in order. */
  readonly published: string[];
}

export interface ExchangeOptions {
  readonly route?: Partial<RouteSettings>;
  readonly input?: Partial<ExchangeInput>;
  /** Changes services before the exchange is made. */
  readonly services?: (services: ExchangeServices) => Partial<ExchangeServices>;
  readonly prepare?: (sink: RecordingSink) => void;
}

/** An exchange over real rules, health, limits and keys, with a provider and a caller that the test controls. The route `auto` has the targets a/m and b/m. */
export function exchangeUnderTest(t: TestContext, options: ExchangeOptions = {}): ExchangeUnderTest {
  t.mock.timers.enable({ apis: ['setTimeout', 'setInterval'] });
  const errors: string[] = [];
  const log = { ...silentLog, error: (message: string) => { errors.push(message); } };
  const pricer = createPricer({ log: silentLog, load: () => Promise.reject(new Error('there is no price table')) });
  const parts = createTestRouter({ log, pricer });
  t.after(async () => {
    t.mock.timers.reset();
    await parts.router.shutdown();
  });
  const endpoint = { provider: 'openai-compatible', baseUrl: 'http://127.0.0.1:1/v1', probe: { enabled: false }, models: { m: {} } };
  const { config, problems } = resolveConfig(
    { endpoints: { a: endpoint, b: endpoint }, routes: { auto: { targets: ['a/m', 'b/m'], ...options.route } } },
    { catalog: { providers, findProvider }, supportedProtocols, source: 'settings' },
  );
  assert.deepEqual(problems, []);
  parts.router.configure(config, new Map(), problems);
  const transport = new ScriptedTransport();
  const sink = new RecordingSink();
  options.prepare?.(sink);
  const published: string[] = [];
  parts.events.subscribe({
    name: 'The test',
    onStarted: () => { published.push('started'); },
    onPlanned: () => { published.push('planned'); },
    onAttemptStarted: ({ number }) => { published.push(`attempt ${number} started`); },
    onAnswering: ({ attempt }) => { published.push(`attempt ${attempt.number} answering`); },
    onCommitted: ({ attempt }) => { published.push(`attempt ${attempt.number} committed`); },
    onAttemptEnded: ({ attempt, verdict }) => { published.push(`attempt ${attempt.number} ${verdict}`); },
    onEnded: ({ receipt, attempts }) => {
      published.push(`ended ${receipt.outcome}`);
      assert.deepEqual(attempts.map(({ record }) => record), receipt.attempts, 'one list of attempts');
      for (const { record, price } of attempts) assert.deepEqual([price.endpointName, price.at], [record.endpoint, record.startedAt], 'each attempt has its own price');
    },
  });
  // The sum of today is read from the ledger after a turn of the event loop; until then no hedge is allowed.
  const services: ExchangeServices = { ...parts.services, transport, hedgeSpentToday: () => 0 };
  const exchange = new Exchange({ ...services, ...options.services?.(services) }, {
    id: 'x-1', inbound: 'http', protocol: 'openai-chat', requestedModel: 'auto', stream: true, caller: { tool: 'test' },
    requirements: { tools: false, images: false, documents: false, jsonSchema: false, estimatedInputTokens: 10 },
    body: conversationBody({ system: [], messages: [{ role: 'user', content: [{ type: 'text', text: 'Hi' }] }], tools: [] }),
    patienceMs: 0, ...options.input,
  }, sink);
  return { exchange, sink, transport, errors, published };
}

/** Lets the callbacks of settled promises run. */
export async function turn(): Promise<void> {
  await new Promise(resolve => { setImmediate(resolve); });
}
