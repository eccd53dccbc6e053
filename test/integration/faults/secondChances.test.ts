import assert from 'node:assert/strict';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ShowMessageRequestParams } from 'vscode-languageserver/node';
import type { EndpointSettings, RouteSettings } from '../../../server/api/settings.ts';
import { conversationBody, type ResponseSink, type ExchangeFailure } from '../../../server/exchange/request.ts';
import { startSandboxProvider, type SandboxProvider } from '../../../server/sandbox/sandboxProvider.ts';
import { callerHeaders, callerPath, readAnswer, requestBody, type CallerProtocol } from '../support/callerProtocols.ts';
import { EditorDoor } from '../support/editorDoor.ts';
import { rawRequest, type RawAnswer } from '../support/rawClient.ts';
import { sandboxEndpoint } from '../support/sandboxPair.ts';
import { startTestRouter, type TestRouter } from '../support/testRouter.ts';

describe('a turn that gets a second chance', () => {
  let a: SandboxProvider;
  let b: SandboxProvider;
  let testRouter: TestRouter;
  before(async () => {
    a = await startSandboxProvider({ protocol: 'openai-chat', name: 'a' });
    b = await startSandboxProvider({ protocol: 'anthropic-messages', name: 'b' });
    testRouter = await startTestRouter({ endpoints: { a: sandboxEndpoint(a), b: sandboxEndpoint(b) } });
  });
  after(async () => {
    await testRouter.close();
    await Promise.all([a.close(), b.close()]);
  });

  /** Resets what the server knows of the endpoints, then adopts this route. */
  async function configure(route: Partial<RouteSettings> = {}, endpoints: Record<string, EndpointSettings> = {}, environment?: Record<string, string>): Promise<void> {
    a.script({ type: 'answer' });
    b.script({ type: 'answer' });
    await testRouter.configure({ endpoints: {} });
    await testRouter.configure({
      endpoints: { a: sandboxEndpoint(a), b: sandboxEndpoint(b), ...endpoints }, routes: { auto: { targets: ['a/m', 'b/m'], ...route } }, environment,
    });
  }

  function ask(
    protocol: CallerProtocol, options: { model?: string; onChunk?: (chunk: Buffer) => void; signal?: AbortSignal; fields?: Record<string, unknown> } = {},
  ): Promise<RawAnswer> {
    const body = { ...requestBody(protocol, { model: options.model ?? 'auto', prompt: 'tell me of the sea', stream: true }), ...options.fields };
    return rawRequest({
      url: testRouter.url + callerPath[protocol], headers: callerHeaders(protocol, testRouter.token), body: JSON.stringify(body), onChunk: options.onChunk, signal: options.signal,
    });
  }

  describe('by hedging', () => {
    it('is answered by the second target when the first takes long to begin; both are in the ledger', async () => {
      await configure({ hedge: { enabled: true, afterMs: 60 } });
      a.script({ type: 'no-answer' });
      const already = a.requests.length;
      for (const protocol of ['openai-chat', 'anthropic-messages'] as const) {
        const answer = await ask(protocol);
        const seen = readAnswer(protocol, answer.text, true);
        assert.ok(seen.finished && seen.error === undefined, answer.text);
        assert.equal(answer.headers['x-waybill-target'], 'b/m');
        assert.equal(answer.headers['x-waybill-attempts'], '2');
        const receipt = await testRouter.receipt(String(answer.headers['x-waybill-exchange']));
        assert.equal(receipt.outcome, 'ok');
        assert.deepEqual(receipt.attempts.map(({ endpoint, outcome, role }) => [endpoint, outcome, role]), [['a', 'cancelled', undefined], ['b', 'ok', 'hedge']]);
        assert.match(receipt.attempts[0]?.message ?? '', /began to answer first/);
      }
      await a.waitForRequest(one => one.number > already && one.closedEarlyAt !== undefined);
      assert.equal((await testRouter.status()).endpoints.find(one => one.name === 'a')?.breaker, 'closed', 'a slow start is no failure');
    });

    it('keeps the first target when it begins in time, and asks no other', async () => {
      await configure({ hedge: { enabled: true, afterMs: 5000 } });
      const already = b.requests.length;
      assert.equal((await ask('openai-chat')).headers['x-waybill-target'], 'a/m');
      assert.equal(b.requests.length, already);
    });

    it('goes on with the first target when the second one fails, and with a third when both do', async () => {
      await configure({ hedge: { enabled: true, afterMs: 40 }, targets: ['a/m', 'b/m', 'a/n'], timeouts: { headersMs: 400 } });
      a.script([{ type: 'answer', headersMs: 200 }]);
      b.script({ type: 'error', error: 'server' });
      const first = await ask('openai-chat');
      assert.equal(first.headers['x-waybill-target'], 'a/m');
      a.script([{ type: 'no-answer' }]);
      const third = await ask('openai-chat');
      assert.equal(third.headers['x-waybill-target'], 'a/n');
      const receipt = await testRouter.receipt(String(third.headers['x-waybill-exchange']));
      assert.deepEqual(receipt.attempts.map(({ target, failureClass }) => [target, failureClass]), [['a/m', 'timeout'], ['b/m', 'server'], ['a/n', undefined]]);
    });

    it('ends both when the caller goes away', async () => {
      await configure({ hedge: { enabled: true, afterMs: 30 } });
      a.script({ type: 'no-answer' });
      b.script({ type: 'no-answer' });
      const [seenA, seenB] = [a.requests.length, b.requests.length];
      const going = new AbortController();
      const gone = ask('openai-chat', { signal: going.signal }).catch(() => undefined);
      await b.waitForRequest(one => one.number > seenB);
      going.abort();
      await Promise.all([
        a.waitForRequest(one => one.number > seenA && one.closedEarlyAt !== undefined),
        b.waitForRequest(one => one.number > seenB && one.closedEarlyAt !== undefined),
      ]);
      await gone;
      const [latest] = await testRouter.testRouter.router.recent(1);
      const receipt = await testRouter.receipt(latest?.id ?? '');
      assert.deepEqual(receipt.attempts.map(attempt => attempt.outcome), ['cancelled', 'cancelled']);
    });

    it('is off by default, and with a daily cap of 0 USD once something was spent', async () => {
      await configure({ timeouts: { headersMs: 300 } });
      a.script([{ type: 'no-answer' }]);
      const answer = await ask('openai-chat');
      const receipt = await testRouter.receipt(String(answer.headers['x-waybill-exchange']));
      assert.deepEqual(receipt.attempts.map(({ outcome, role }) => [outcome, role]), [['failed', undefined], ['ok', undefined]]);
      await configure({ hedge: { enabled: true, afterMs: 30, dailyCapUsd: 0 }, timeouts: { headersMs: 300 } });
      a.script([{ type: 'no-answer' }]);
      const capped = await testRouter.receipt(String((await ask('openai-chat')).headers['x-waybill-exchange']));
      assert.deepEqual(capped.attempts.map(({ role }) => role), [undefined, undefined]);
    });
  });

  describe('by hedging, when the first target fails while the second is at work', () => {
    it('ends with the refusal of the first target, and no other model answers instead', async (t) => {
      const refusing = await slowServer(t, response => {
        response.writeHead(400, { 'content-type': 'application/json' }).end(JSON.stringify({ error: { message: 'no', type: 'invalid_request_error', code: 'content_filter' } }));
      });
      await configure({ hedge: { enabled: true, afterMs: 30 }, targets: ['slow/m', 'b/m'] }, { slow: refusing });
      b.script({ type: 'answer', headersMs: 1500 });
      const answer = await ask('openai-chat');
      const receipt = await testRouter.receipt(String(answer.headers['x-waybill-exchange']));
      assert.deepEqual(receipt.attempts.map(({ target, failureClass, role }) => [target, failureClass, role]), [['slow/m', 'content-policy', undefined], ['b/m', 'cancelled', 'hedge']]);
      assert.deepEqual([receipt.outcome, receipt.failureClass], ['failed', 'content-policy']);
    });

    it('comes back to its other key when the second fails too', async (t) => {
      const choosy = await slowServer(t, (response, key) => {
        if (key === 'Bearer key-two') response.writeHead(200, { 'content-type': 'text/event-stream' }).end(`data: ${chunkOf('hello')}\n\ndata: ${chunkOf('', 'stop')}\n\ndata: [DONE]\n\n`);
        else response.writeHead(401, { 'content-type': 'application/json' }).end(JSON.stringify({ error: { message: 'bad key', code: 'invalid_api_key' } }));
      });
      await configure(
        { hedge: { enabled: true, afterMs: 30 }, targets: ['slow/m', 'b/m'] },
        { slow: { ...choosy, keys: ['${ONE}', '${TWO}'] }, b: sandboxEndpoint(b, { timeouts: { headersMs: 500 } }) }, { ONE: 'key-one', TWO: 'key-two' },
      );
      b.script({ type: 'no-answer' });
      const answer = await ask('openai-chat');
      const receipt = await testRouter.receipt(String(answer.headers['x-waybill-exchange']));
      assert.deepEqual(receipt.attempts.map(({ target, failureClass }) => [target, failureClass]), [['slow/m', 'auth'], ['b/m', 'timeout'], ['slow/m', undefined]]);
    });
  });

  describe('by hedging within its budget', () => {
    it('takes nothing from it where no other target is left', async (t) => {
      await configure({ hedge: { enabled: true, afterMs: 30 } });
      a.script({ type: 'refuse' });
      b.script({ type: 'answer', headersMs: 200 });
      const asked = t.mock.method(testRouter.testRouter.services.hedges, 'mayHedge');
      assert.equal((await ask('openai-chat')).headers['x-waybill-target'], 'b/m');
      assert.equal(asked.mock.callCount(), 0);
    });

    it('counts what was spent under any spelling of the route, and what is being spent', async () => {
      await configure();
      await testRouter.configure({
        endpoints: { a: sandboxEndpoint(a), b: sandboxEndpoint(b) }, routes: { capped: { targets: ['a/m', 'b/m'], hedge: { enabled: true, afterMs: 40, dailyCapUsd: 0.000001 } } },
      });
      a.script({ type: 'answer', headersMs: 300 });
      b.script({ type: 'answer', headersMs: 200 });
      const roles: (string | undefined)[][] = [];
      for (const answer of await Promise.all([1, 2, 3].map(() => ask('openai-chat', { model: 'waybill/capped' })))) {
        roles.push((await testRouter.receipt(String(answer.headers['x-waybill-exchange']))).attempts.map(({ role }) => role));
      }
      assert.equal(roles.flat().filter(role => role === 'hedge').length, 1, 'what the first of them is going to cost is money too');
      const later = await testRouter.receipt(String((await ask('openai-chat', { model: 'waybill/capped' })).headers['x-waybill-exchange']));
      assert.deepEqual(later.attempts.map(({ role }) => role), [undefined]);
    });
  });

  describe('by a route that resumes', () => {
    it('leaves the next target only what is left of the caller\'s output limit', async () => {
      await configure({ afterCommit: 'resume' });
      a.script({ type: 'cut', after: 5, how: 'reset' });
      const answer = await ask('openai-chat', { fields: { max_tokens: 500 } });
      assert.equal(answer.headers['x-waybill-target'], 'a/m');
      assert.ok(readAnswer('openai-chat', answer.text, true).finished, answer.text);
      const { max_tokens: left } = b.requests.at(-1)?.body as { max_tokens: number };
      assert.ok(left < 500 && left > 400, String(left));
    });

    for (const [what, fields] of [['several answers', { n: 2 }], ['an answer in JSON', { response_format: { type: 'json_object' } }]] as const) {
      it(`ends with an error where the caller wants ${what}: such an answer cannot be continued`, async () => {
        await configure({ afterCommit: 'resume' });
        a.script({ type: 'cut', after: 3, how: 'reset' });
        const already = b.requests.length;
        const answer = await ask('openai-chat', { fields });
        const seen = readAnswer('openai-chat', answer.text, true);
        assert.ok(seen.error !== undefined && !seen.finished, answer.text);
        assert.equal(b.requests.length, already);
      });
    }

    it('ends with the refusal of a model that refuses in mid-answer', async () => {
      await configure({ afterCommit: 'resume' });
      a.script({ type: 'error-in-stream', error: 'content-policy', after: 3 });
      const answer = await ask('openai-chat');
      assert.ok(readAnswer('openai-chat', answer.text, true).error !== undefined, answer.text);
      const receipt = await testRouter.receipt(String(answer.headers['x-waybill-exchange']));
      assert.deepEqual(receipt.attempts.map(({ target, failureClass }) => [target, failureClass]), [['a/m', 'content-policy']]);
    });
  });

  it('is classified by the status when the body of the refusal does not come', async (t) => {
    const silent = await slowServer(t, response => response.writeHead(429, { 'content-type': 'application/json', 'retry-after': '7' }).write('{"error":'));
    await configure({ targets: ['slow/m', 'b/m'] }, { slow: { ...silent, timeouts: { firstTokenMs: 300 } } });
    const answer = await ask('openai-chat');
    assert.equal(answer.headers['x-waybill-target'], 'b/m');
    const receipt = await testRouter.receipt(String(answer.headers['x-waybill-exchange']));
    assert.deepEqual(receipt.attempts.map(({ failureClass, status }) => [failureClass, status]), [['rate-limit', 429], [undefined, 200]]);
  });

  it('is refused once as a bad request, also where the breaker of its only target is open', async () => {
    await configure({ targets: ['b/m'] }, { b: sandboxEndpoint(b, { breaker: { failures: 1, openForMs: 3_600_000 } }) });
    b.script({ type: 'refuse' });
    await ask('openai-chat');
    b.script({ type: 'answer' });
    const answer = await ask('openai-chat', { fields: { messages: 'none' } });
    assert.equal(answer.status, 400, answer.text);
    const receipt = await testRouter.receipt(String(answer.headers['x-waybill-exchange']));
    assert.equal(receipt.failureClass, 'bad-request');
  });

  it('uses up no limit of the endpoint when the connection fails', async () => {
    await configure({ targets: ['a/m'] }, { a: sandboxEndpoint(a, { limits: { requestsPerMinute: 2 } }) });
    a.script({ type: 'refuse' });
    await ask('openai-chat');
    await ask('openai-chat');
    a.script({ type: 'answer' });
    assert.equal((await ask('openai-chat')).status, 200);
  });

  it('reaches the target behind all the dead keys of another', async () => {
    const names = Array.from({ length: 15 }, (_, index) => `KEY${index}`);
    await configure({}, { a: sandboxEndpoint(a, { keys: names.map(name => `\${${name}}`) }) }, Object.fromEntries(names.map(name => [name, `secret-${name}`])));
    a.script({ type: 'error', error: 'auth' });
    const answer = await ask('openai-chat');
    assert.deepEqual([answer.headers['x-waybill-target'], answer.headers['x-waybill-attempts']], ['b/m', '16']);
  });

  it('takes the key with room for the answer, too, where each key has a limit of tokens', async () => {
    await configure({ targets: ['a/m'] }, { a: sandboxEndpoint(a, { keys: ['${ONE}', '${TWO}'], limits: { perKey: { tokensPerMinute: 1000 } } }) }, { ONE: 'key-one', TWO: 'key-two' });
    a.script([{ type: 'answer', headersMs: 400 }]);
    const seen = a.requests.length;
    const first = ask('openai-chat', { fields: { max_tokens: 600 } });
    await a.waitForRequest(one => one.number > seen);
    const second = await ask('openai-chat', { fields: { max_tokens: 600 } });
    assert.equal(second.status, 200, second.text);
    const labels = await Promise.all([await first, second].map(async answer => (await testRouter.receipt(String(answer.headers['x-waybill-exchange']))).attempts[0]?.keyId));
    assert.equal(new Set(labels).size, 2, String(labels));
  });

  it('survives a long tool call before the first word: the call is held back, however many pieces it has', async () => {
    await configure({ targets: ['b/m'] });
    const long = 'x'.repeat(60_000);
    const door = new EditorDoor(testRouter.testRouter);
    try {
      await door.open();
      const { events, result } = await door.chat('auto', {
        system: [], messages: [{ role: 'user', content: [{ type: 'text', text: `call tool write {"text":"${long}"}` }] }],
        tools: [{ name: 'write', parameters: { type: 'object', properties: { text: { type: 'string' } } } }],
      });
      assert.equal(result.outcome, 'ok', result.error?.message);
      const pieces = events.filter(event => event.type === 'tool-call-arguments');
      assert.ok(pieces.length > 2000, `${pieces.length} pieces prove nothing`);
      assert.equal(JSON.parse(pieces.map(event => event.text).join('')).text, long);
    } finally {
      door.close();
    }
  });

  describe('from the commit gate', () => {
    it('never shows the opening of a target that then says nothing', async () => {
      await configure({ timeouts: { firstTokenMs: 300 } });
      a.script({ type: 'stall', after: 'prelude' });
      const answer = await ask('openai-chat');
      assert.equal(answer.text.match(/"role":"assistant"/g)?.length, 1, answer.text);
      assert.equal(answer.headers['x-waybill-target'], 'b/m');
    });

    it('waits for nothing with a single target: its first event reaches the caller before any content', async () => {
      await configure({ targets: ['b/m'], timeouts: { firstTokenMs: 1500 } });
      b.script({ type: 'stall', after: 'prelude' });
      const pieces: string[] = [];
      const answer = await ask('anthropic-messages', { onChunk: chunk => pieces.push(chunk.toString('utf8')) });
      assert.match(pieces[0] ?? '', /message_start/);
      const seen = readAnswer('anthropic-messages', answer.text, true);
      assert.ok(seen.error !== undefined && !seen.finished && !answer.endedCleanly, answer.text);
      assert.ok(pieces.length >= 2, 'the opening came only with the error');
    });
  });

  it('is not kept waiting by a crawling answer: after its first words it ends with an error event', async () => {
    await configure({ timeouts: { minTokensPerSecond: 1000, idleMs: 400, totalMs: 20_000 } });
    a.script({ type: 'crawl', bytes: 40, everyMs: 30 });
    const answer = await ask('openai-chat');
    const seen = readAnswer('openai-chat', answer.text, true);
    assert.match(seen.error?.message ?? '', /tokens a second/);
    assert.equal(answer.endedCleanly, false);
  });

  describe('that a model refused', () => {
    async function asked(answerWith: string | undefined, route: Partial<RouteSettings>): Promise<{ questions: string[]; outcome: string; target: string | undefined; message: string | undefined }> {
      await configure(route);
      a.script({ type: 'error', error: 'content-policy' });
      const door = new EditorDoor(testRouter.testRouter);
      const questions: string[] = [];
      try {
        await door.open();
        door.connection.onRequest('window/showMessageRequest', ({ message, actions }: ShowMessageRequestParams) => {
          questions.push(message);
          return actions?.find(action => action.title === answerWith) ?? null;
        });
        const { result } = await door.chat('auto', { system: [], messages: [{ role: 'user', content: [{ type: 'text', text: 'hello' }] }], tools: [] });
        return { questions, outcome: result.outcome, target: result.target, message: result.error?.failureClass };
      } finally {
        door.close();
      }
    }

    it('goes to the next one when the route asks the reader and the reader says yes', async () => {
      const { questions, outcome, target } = await asked('Try b/m', { onRefusal: 'ask' });
      assert.equal(questions.length, 1);
      assert.deepEqual([outcome, target], ['ok', 'b/m']);
    });

    it('ends as refused when the reader says no', async () => {
      const { questions, outcome, message } = await asked('Keep the Refusal', { onRefusal: 'ask' });
      assert.equal(questions.length, 1);
      assert.deepEqual([outcome, message], ['failed', 'content-policy']);
    });

    it('ends as refused when the reader does not answer the question', async (t) => {
      await configure({ onRefusal: 'ask' });
      a.script({ type: 'error', error: 'content-policy' });
      t.mock.timers.enable({ apis: ['setTimeout'] });
      const { router } = testRouter.testRouter;
      const failure = await new Promise<ExchangeFailure>(resolve => {
        const caller: ResponseSink = {
          kind: 'reader', events: () => true, end() {}, restart() {}, fail: resolve,
          ask: () => {
            setImmediate(() => t.mock.timers.tick(600_000));
            return new Promise(() => {});
          },
        };
        router.create({
          id: router.newId(), inbound: 'lsp', protocol: 'editor', requestedModel: 'auto', stream: true, caller: { tool: 'test' }, patienceMs: 0,
          requirements: { tools: false, images: false, documents: false, jsonSchema: false, estimatedInputTokens: 10 },
          body: conversationBody({ system: [], messages: [{ role: 'user', content: [{ type: 'text', text: 'hello' }] }], tools: [] }),
        }, caller).start();
      });
      assert.equal(failure.error.failureClass, 'content-policy');
    });

    it('ends as refused without a question by default', async () => {
      const { questions, outcome, message } = await asked('Try b/m', {});
      assert.deepEqual([questions, outcome, message], [[], 'failed', 'content-policy']);
    });
  });
});

/** An endpoint of its own that answers each request after a moment, however `answer` says. */
async function slowServer(t: TestContext, answer: (response: ServerResponse, authorization: string | undefined) => void): Promise<EndpointSettings> {
  const server = createServer((request, response) => {
    request.resume().on('end', () => void sleep(120).then(() => answer(response, request.headers.authorization)));
  });
  await new Promise<void>(resolve => { server.listen(0, '127.0.0.1', resolve); });
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return {
    provider: 'openai-compatible', baseUrl: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}/v1`, probe: { enabled: false }, models: { m: {} },
  };
}

function chunkOf(content: string, finish: string | null = null): string {
  return JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [{ index: 0, delta: { content }, finish_reason: finish }] });
}
