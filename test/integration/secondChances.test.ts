import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { ShowMessageRequestParams } from 'vscode-languageserver/node';
import type { RouteSettings } from '../../server/api/settings.ts';
import { startSandboxProvider, type SandboxProvider } from '../../server/sandbox/sandboxProvider.ts';
import { callerHeaders, callerPath, readAnswer, requestBody, type CallerProtocol } from './support/callerProtocols.ts';
import { EditorDoor } from './support/editorDoor.ts';
import { rawRequest, type RawAnswer } from './support/rawClient.ts';
import { sandboxEndpoint } from './support/sandboxPair.ts';
import { startTestHouse, type TestHouse } from './support/testHouse.ts';

describe('a turn that gets a second chance', () => {
  let a: SandboxProvider;
  let b: SandboxProvider;
  let house: TestHouse;
  before(async () => {
    a = await startSandboxProvider({ protocol: 'openai-chat', name: 'a' });
    b = await startSandboxProvider({ protocol: 'anthropic-messages', name: 'b' });
    house = await startTestHouse({ endpoints: { a: sandboxEndpoint(a), b: sandboxEndpoint(b) } });
  });
  after(async () => {
    await house.close();
    await Promise.all([a.close(), b.close()]);
  });

  /** Forgets what is known of the endpoints, then adopts this route. */
  async function configure(route: Partial<RouteSettings> = {}): Promise<void> {
    a.script({ type: 'answer' });
    b.script({ type: 'answer' });
    await house.configure({ endpoints: {} });
    await house.configure({ endpoints: { a: sandboxEndpoint(a), b: sandboxEndpoint(b) }, routes: { auto: { targets: ['a/m', 'b/m'], ...route } } });
  }

  function ask(protocol: CallerProtocol, options: { model?: string; onChunk?: (chunk: Buffer) => void; signal?: AbortSignal } = {}): Promise<RawAnswer> {
    const body = requestBody(protocol, { model: options.model ?? 'auto', prompt: 'tell me of the sea', stream: true });
    return rawRequest({
      url: house.url + callerPath[protocol], headers: callerHeaders(protocol, house.token), body: JSON.stringify(body), onChunk: options.onChunk, signal: options.signal,
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
        assert.equal(answer.headers['x-switchyard-target'], 'b/m');
        assert.equal(answer.headers['x-switchyard-attempts'], '2');
        const receipt = await house.receipt(String(answer.headers['x-switchyard-exchange']));
        assert.equal(receipt.outcome, 'ok');
        assert.deepEqual(receipt.attempts.map(({ endpoint, outcome, role }) => [endpoint, outcome, role]), [['a', 'cancelled', undefined], ['b', 'ok', 'hedge']]);
        assert.match(receipt.attempts[0]?.message ?? '', /began to answer first/);
      }
      await a.waitForRequest(one => one.number > already && one.closedEarlyAt !== undefined);
      assert.equal((await house.status()).endpoints.find(one => one.name === 'a')?.breaker, 'closed', 'a slow start is no failure');
    });

    it('keeps the first target when it begins in time, and asks nobody else', async () => {
      await configure({ hedge: { enabled: true, afterMs: 5000 } });
      const already = b.requests.length;
      assert.equal((await ask('openai-chat')).headers['x-switchyard-target'], 'a/m');
      assert.equal(b.requests.length, already);
    });

    it('goes on with the first target when the second one fails, and with a third when both do', async () => {
      await configure({ hedge: { enabled: true, afterMs: 40 }, targets: ['a/m', 'b/m', 'a/n'], timeouts: { headersMs: 400 } });
      a.script([{ type: 'answer', headersMs: 200 }]);
      b.script({ type: 'error', error: 'server' });
      const first = await ask('openai-chat');
      assert.equal(first.headers['x-switchyard-target'], 'a/m');
      a.script([{ type: 'no-answer' }]);
      const third = await ask('openai-chat');
      assert.equal(third.headers['x-switchyard-target'], 'a/n');
      const receipt = await house.receipt(String(third.headers['x-switchyard-exchange']));
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
      const [latest] = await house.house.yard.recent(1);
      const receipt = await house.receipt(latest?.id ?? '');
      assert.deepEqual(receipt.attempts.map(attempt => attempt.outcome), ['cancelled', 'cancelled']);
    });

    it('is off by default, and for a cap of nothing once something was spent', async () => {
      await configure({ timeouts: { headersMs: 300 } });
      a.script([{ type: 'no-answer' }]);
      const answer = await ask('openai-chat');
      const receipt = await house.receipt(String(answer.headers['x-switchyard-exchange']));
      assert.deepEqual(receipt.attempts.map(({ outcome, role }) => [outcome, role]), [['failed', undefined], ['ok', undefined]]);
      await configure({ hedge: { enabled: true, afterMs: 30, dailyCapUsd: 0 }, timeouts: { headersMs: 300 } });
      a.script([{ type: 'no-answer' }]);
      const capped = await house.receipt(String((await ask('openai-chat')).headers['x-switchyard-exchange']));
      assert.deepEqual(capped.attempts.map(({ role }) => role), [undefined, undefined]);
    });
  });

  describe('from the commit gate', () => {
    it('never shows the opening of a target that then says nothing', async () => {
      await configure({ timeouts: { firstTokenMs: 300 } });
      a.script({ type: 'stall', after: 'prelude' });
      const answer = await ask('openai-chat');
      assert.equal(answer.text.match(/"role":"assistant"/g)?.length, 1, answer.text);
      assert.equal(answer.headers['x-switchyard-target'], 'b/m');
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
      const door = new EditorDoor(house.house);
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

    it('goes to the next one when the route wants the reader to be asked and the reader says yes', async () => {
      const { questions, outcome, target } = await asked('Try b/m', { onRefusal: 'ask' });
      assert.equal(questions.length, 1);
      assert.deepEqual([outcome, target], ['ok', 'b/m']);
    });

    it('is told as refused when the reader says no', async () => {
      const { questions, outcome, message } = await asked('Keep the Refusal', { onRefusal: 'ask' });
      assert.equal(questions.length, 1);
      assert.deepEqual([outcome, message], ['failed', 'content-policy']);
    });

    it('is told as refused without a question by default', async () => {
      const { questions, outcome, message } = await asked('Try b/m', {});
      assert.deepEqual([questions, outcome, message], [[], 'failed', 'content-policy']);
    });
  });
});
