import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, afterEach, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { CancellationTokenSource } from 'vscode-jsonrpc/node';
import { chatEventsHandledNotification, chatEventsNotification, chatRequest, type ChatEventsParams, type ChatResult } from '../../../server/api/messages.ts';
import { maxUnacknowledged } from '../../../server/inbound/lsp/flowControl.ts';
import { EditorDoor } from '../support/editorDoor.ts';
import { startTestRouter, type TestRouter } from '../support/testRouter.ts';
import { askServer, listenTo } from '../support/typedMessages.ts';
import { until } from '../support/serverProcess.ts';

const pieceBytes = 4096;
/** More than sockets and buffers of the machine take on the way, and less than the longest answer that is accepted. */
const longAnswerPieces = 3600;

/** A provider that streams numbered pieces of text as fast as they are taken, and keeps how far it came. */
class CountingProvider {
  readonly #server: Server;
  pieces = longAnswerPieces;
  sent = 0;
  closed = false;

  constructor() {
    this.#server = createServer((request, response) => {
      request.resume().on('end', () => void this.#stream(response));
      response.on('close', () => { this.closed = true; });
    });
  }

  async listen(): Promise<string> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return `http://127.0.0.1:${String((this.#server.address() as AddressInfo).port)}/v1`;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  async #stream(response: ServerResponse): Promise<void> {
    this.sent = 0;
    this.closed = false;
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    for (; this.sent < this.pieces; this.sent++) {
      if (response.destroyed) return;
      const content = `${this.sent};`.padEnd(pieceBytes, '.');
      if (!response.write(`data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', model: 'm', choices: [{ index: 0, delta: { content }, finish_reason: null }] })}\n\n`)) {
        await Promise.race([once(response, 'drain'), once(response, 'close')]);
      }
    }
    response.end(`data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', model: 'm', choices: [{ index: 0, delta: {}, finish_reason: 'stop' }], usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 } })}\n\ndata: [DONE]\n\n`);
  }
}

const provider = new CountingProvider();
let testRouter: TestRouter;
let door: EditorDoor;
/** What arrived of the running chat. */
let received: ChatEventsParams[] = [];
let acknowledged: number[] = [];
/** What the client does with a notification that asks for an acknowledgement. */
let onAsked: (id: string, acknowledge: number) => void = () => undefined;
let turns = 0;

before(async () => {
  const baseUrl = await provider.listen();
  const common = { provider: 'openai-compatible', baseUrl, probe: { enabled: false }, models: { m: {} } };
  testRouter = await startTestRouter({ endpoints: { p: common, short: { ...common, timeouts: { totalMs: 1500 } } } });
  door = new EditorDoor(testRouter.testRouter);
  listenTo(door.connection, chatEventsNotification, params => {
    received.push(params);
    if (params.acknowledge !== undefined) onAsked(params.id, params.acknowledge);
  });
  await door.open();
});
after(async () => {
  door.close();
  await testRouter.close();
  provider.close();
});
afterEach(() => {
  provider.pieces = longAnswerPieces;
  received = [];
  acknowledged = [];
  onAsked = () => undefined;
});

function acknowledge(id: string, number: number): void {
  acknowledged.push(number);
  void door.connection.sendNotification(chatEventsHandledNotification.method, { id, acknowledge: number });
}

function chat(flowControl: boolean, requestedModel = 'p/m', cancellation = new CancellationTokenSource()): { id: string; result: Promise<ChatResult> } {
  const id = `flow-${turns += 1}`;
  const conversation = { system: [], messages: [{ role: 'user' as const, content: [{ type: 'text' as const, text: 'go' }] }], tools: [] };
  return { id, result: askServer(door.connection, chatRequest, { id, requestedModel, conversation, caller: { tool: 'vscode-chat' }, ...(flowControl ? { flowControl } : {}) }, cancellation.token) };
}

function text(): string {
  return received.flatMap(({ events }) => events.map(event => (event.type === 'text' ? event.text : ''))).join('');
}

function assertWhole(): void {
  const numbers = text().replaceAll('.', '').split(';').slice(0, -1).map(Number);
  assert.equal(numbers.length, provider.pieces);
  assert.ok(numbers.every((number, index) => number === index), 'the pieces are in order');
}

/** Waits until nothing has moved for a while, neither at the provider nor at the reader. */
async function untilPaused(): Promise<void> {
  await until('the provider is paused', async () => {
    const [sent, arrived] = [provider.sent, text().length];
    await sleep(600);
    return arrived > maxUnacknowledged / 2 && provider.sent === sent && text().length === arrived;
  });
}

describe('a chat with flow control', { timeout: 120_000 }, () => {
  it('a reader that does not acknowledge gets a bounded part, and the provider is paused; then everything comes, in order', async () => {
    const asked: [string, number][] = [];
    onAsked = (id, number) => asked.push([id, number]);
    const { result } = chat(true);
    await untilPaused();
    // One read of the socket may still pass the bound.
    assert.ok(text().length < maxUnacknowledged + 256 * 1024, `${text().length} characters on their way`);
    assert.ok(provider.sent < longAnswerPieces, 'the provider has not sent everything');
    const stoodAt = text().length;
    await sleep(300);
    assert.equal(text().length, stoodAt);
    onAsked = acknowledge;
    for (const [id, number] of asked) acknowledge(id, number);
    const { outcome, error } = await result;
    assert.deepEqual([outcome, error?.message], ['ok', undefined]);
    assertWhole();
  });

  it('a reader that acknowledges part by part is never overrun', async () => {
    let largest = 0;
    let read = 0;
    provider.pieces = 400;
    onAsked = (id, number) => {
      largest = Math.max(largest, text().length - read);
      setTimeout(() => {
        read = text().length;
        acknowledge(id, number);
      }, 5);
    };
    assert.equal((await chat(true).result).outcome, 'ok');
    assertWhole();
    assert.ok(largest < maxUnacknowledged + 256 * 1024, String(largest));
  });

  it('an ordinary answer needs few acknowledgements, and none after its end', async () => {
    onAsked = acknowledge;
    // 400 KB of text; usual answers have a tenth of it.
    provider.pieces = 100;
    assert.equal((await chat(true).result).outcome, 'ok');
    assertWhole();
    assert.ok(acknowledged.length <= 7, String(acknowledged.length));
    assert.equal(received.at(-1)?.acknowledge, undefined);
    const numbers = received.flatMap(({ acknowledge: number }) => number ?? []);
    assert.deepEqual(acknowledged, numbers);
  });

  it('a reader that never acknowledges is not waited for longer than an attempt may take', async () => {
    const { outcome, error } = await chat(true, 'short/m').result;
    assert.equal(outcome, 'failed');
    assert.match(error?.message ?? '', /did not read the answer/);
    await until('the call upstream has ended', () => provider.closed);
  });

  it('a chat that waits for its reader can be cancelled, and the provider is stopped', async () => {
    const cancellation = new CancellationTokenSource();
    const { id, result } = chat(true, 'p/m', cancellation);
    await untilPaused();
    cancellation.cancel();
    assert.equal((await result).outcome, 'cancelled');
    await until('the call upstream has ended', () => provider.closed);
    const count = received.length;
    // One that crosses the end of its chat has no effect.
    acknowledge(id, 1);
    await sleep(50);
    assert.equal(received.length, count);
  });

  it('a chat that waits for its reader ends when the server is shut down', async () => {
    const other = await startTestRouter({ endpoints: { p: { provider: 'openai-compatible', baseUrl: await otherProvider.listen(), probe: { enabled: false }, models: { m: {} } } } });
    const otherDoor = new EditorDoor(other.testRouter);
    await otherDoor.open();
    const conversation = { system: [], messages: [{ role: 'user' as const, content: [{ type: 'text' as const, text: 'go' }] }], tools: [] };
    const result = askServer(otherDoor.connection, chatRequest, { id: '1', requestedModel: 'p/m', conversation, caller: { tool: 'vscode-chat' }, flowControl: true });
    await until('it is answered', () => otherProvider.sent > 100);
    await other.close();
    assert.equal((await result).outcome, 'failed');
    otherDoor.close();
    otherProvider.close();
  });
});

const otherProvider = new CountingProvider();

describe('a chat of a client that does not know flow control', { timeout: 120_000 }, () => {
  it('gets everything as fast as it comes, and is asked for nothing', async () => {
    provider.pieces = 800;
    assert.equal((await chat(false).result).outcome, 'ok');
    assertWhole();
    assert.ok(received.every(params => !('acknowledge' in params)));
  });
});
