import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { CancellationTokenSource } from 'vscode-jsonrpc/node';
import { protocolNames, type ConversationRequest, type ProtocolName } from '../../../server/api/conversation.ts';
import type { Receipt } from '../../../server/api/receipt.ts';
import type { EndpointSettings } from '../../../server/api/settings.ts';
import { callers, readAnswer } from '../../faultwall/callers/callers.ts';
import { EditorDoor } from '../support/editorDoor.ts';
import { rawRequest } from '../support/rawClient.ts';
import { startTestRouter, type TestRouter } from '../support/testRouter.ts';

/** Longer than a short wait for the end of a connection. */
const lateMs = 1900;
const prompt = 1200;
const output = 340;

/** What a provider writes: text, a pause in milliseconds, or nothing more while the connection stays open. */
type Piece = string | number | 'stays open';

const conversation: ConversationRequest = { system: [], messages: [{ role: 'user', content: [{ type: 'text', text: 'hi' }] }], tools: [] };
const data = (value: unknown): string => `data: ${JSON.stringify(value)}\n\n`;
const named = (value: { type: string; [field: string]: unknown }): string => `event: ${value.type}\n${data(value)}`;
const chat = (fields: object): string => data({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', ...fields });
const chatText = chat({ choices: [{ index: 0, delta: { role: 'assistant', content: 'all well' }, finish_reason: null }] });
const chatStop = chat({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] });
const chatUsage = chat({ choices: [], usage: { prompt_tokens: prompt, completion_tokens: output, total_tokens: prompt + output } });
const done = 'data: [DONE]\n\n';
const messageText = named({ type: 'message_start', message: { id: 'msg_1', type: 'message', role: 'assistant', model: 'm', content: [], stop_reason: null, usage: { input_tokens: 0, output_tokens: 0 } } })
  + named({ type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } })
  + named({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'all well' } })
  + named({ type: 'content_block_stop', index: 0 });
const messageDelta = (usage?: object): string => named({ type: 'message_delta', delta: { stop_reason: 'end_turn', stop_sequence: null }, ...(usage === undefined ? {} : { usage }) });
const messageUsage = { input_tokens: prompt, output_tokens: output };
const messageStop = named({ type: 'message_stop' });
const responseItem = { type: 'message', id: 'msg_1', role: 'assistant', status: 'completed', content: [{ type: 'output_text', text: 'all well', annotations: [] }] };
const response = { id: 'resp_1', object: 'response', created_at: 1, status: 'completed', model: 'm', output: [responseItem], usage: { input_tokens: prompt, output_tokens: output, total_tokens: prompt + output } };
const responseText = named({ type: 'response.created', sequence_number: 0, response: { ...response, status: 'in_progress', output: [], usage: null } })
  + named({ type: 'response.output_item.added', sequence_number: 1, output_index: 0, item: { ...responseItem, status: 'in_progress', content: [] } })
  + named({ type: 'response.content_part.added', sequence_number: 2, output_index: 0, item_id: 'msg_1', content_index: 0, part: { type: 'output_text', text: '', annotations: [] } })
  + named({ type: 'response.output_text.delta', sequence_number: 3, output_index: 0, item_id: 'msg_1', content_index: 0, delta: 'all well' })
  + named({ type: 'response.output_text.done', sequence_number: 4, output_index: 0, item_id: 'msg_1', content_index: 0, text: 'all well' })
  + named({ type: 'response.content_part.done', sequence_number: 5, output_index: 0, item_id: 'msg_1', content_index: 0, part: responseItem.content[0] })
  + named({ type: 'response.output_item.done', sequence_number: 6, output_index: 0, item: responseItem });
const responseEnd = named({ type: 'response.completed', sequence_number: 7, response });
const gemini = (fields: object): string => data({ responseId: 'g', modelVersion: 'm', ...fields });
const geminiText = gemini({ candidates: [{ index: 0, content: { role: 'model', parts: [{ text: 'all well' }] } }] });
const geminiStop = gemini({ candidates: [{ index: 0, content: { role: 'model', parts: [] }, finishReason: 'STOP' }] });
const geminiUsage = gemini({ usageMetadata: { promptTokenCount: prompt, candidatesTokenCount: output, totalTokenCount: prompt + output } });

/** Streams whose usage comes late, and how each of their protocols ends. */
const lateStreams: Readonly<Record<ProtocolName, readonly Piece[]>> = {
  'openai-chat': [chatText, chatStop, lateMs / 2, ': keep-alive\n\n', lateMs / 2, chatUsage + done],
  'openai-responses': [responseText, lateMs, responseEnd],
  'anthropic-messages': [messageText, messageDelta(), lateMs / 2, named({ type: 'ping' }), lateMs / 2, messageDelta(messageUsage), messageStop],
  gemini: [geminiText, geminiStop, lateMs, geminiUsage],
};

/** Whole answers whose provider leaves out the last event of its protocol, by what happens then. */
const openEnds: readonly (readonly [string, ProtocolName, readonly Piece[], boolean])[] = [
  ['usage and no [DONE], and closes', 'openai-chat', [chatText, chatStop, chatUsage], true],
  ['no usage and no [DONE], and closes', 'openai-chat', [chatText, chatStop], false],
  ['[DONE] without usage', 'openai-chat', [chatText, chatStop, done], false],
  ['usage and no [DONE], and stays open', 'openai-chat', [chatText, chatStop, chatUsage, 'stays open'], true],
  ['no usage and no [DONE], and stays open', 'openai-chat', [chatText, chatStop, 'stays open'], false],
  ['its last event without a blank line, and closes', 'openai-chat', [chatText, chatStop.trimEnd()], false],
  ['no message_stop, and closes', 'anthropic-messages', [messageText, messageDelta(messageUsage)], true],
  ['no message_stop, and stays open', 'anthropic-messages', [messageText, messageDelta(messageUsage), 'stays open'], true],
  ['a finish reason with usage, and stays open', 'gemini', [geminiText, geminiStop, geminiUsage, 'stays open'], true],
];

const paths: Readonly<Record<ProtocolName, RegExp>> = {
  'openai-chat': /\/chat\/completions/, 'openai-responses': /\/responses/, 'anthropic-messages': /\/messages/, gemini: /streamGenerateContent/,
};

describe('a stream', () => {
  let server: Server;
  let testRouter: TestRouter;
  /** What the provider writes, by the model that is asked for. */
  const scripts = new Map<string, readonly Piece[]>();

  before(async () => {
    server = createServer((request, answer) => {
      void (async () => {
        let body = '';
        for await (const piece of request) body += String(piece);
        const model = /models\/([\w-]+):/.exec(request.url ?? '')?.[1] ?? (JSON.parse(body) as { model: string }).model;
        const script = scripts.get(model);
        const protocol = protocolNames.find(name => paths[name].test(request.url ?? ''));
        if (script === undefined || protocol === undefined) {
          answer.writeHead(404).end();
          return;
        }
        answer.writeHead(200, { 'content-type': 'text/event-stream' });
        for (const piece of script) {
          if (piece === 'stays open') return;
          if (typeof piece === 'number') await sleep(piece);
          else answer.write(piece);
        }
        answer.end();
      })();
    });
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const models: Record<string, object> = {};
    for (const name of protocolNames) models[`late-${name}`] = {};
    for (const at of openEnds.keys()) models[`open-${at}`] = {};
    const endpoint = (protocol: ProtocolName): EndpointSettings => ({
      provider: protocol === 'anthropic-messages' ? 'anthropic' : protocol === 'gemini' ? 'gemini' : 'openai-compatible', protocol,
      baseUrl: protocol === 'anthropic-messages' ? url : `${url}/v1`, keys: ['${KEY}'], models, probe: { enabled: false }, timeouts: { idleMs: 2500 },
    });
    testRouter = await startTestRouter({
      endpoints: Object.fromEntries(protocolNames.map(protocol => [protocol, endpoint(protocol)])),
      environment: { KEY: 'sk-test-of-stream-ends' },
    });
  });
  after(async () => {
    await testRouter.close();
    server.closeAllConnections();
    await new Promise(resolve => server.close(resolve));
  });

  /** The receipt of an exchange that may still be read for its usage. */
  async function receiptOf(id: string): Promise<Receipt> {
    for (;;) {
      const receipt = await testRouter.receipt(id);
      if (receipt.outcome !== 'open') return receipt;
      await sleep(20);
    }
  }

  async function ask(caller: ProtocolName, model: string, more: { signal?: AbortSignal; onChunk?: (chunk: Buffer) => void; usage?: boolean } = {}): ReturnType<typeof rawRequest> {
    const body = { ...callers[caller].body({ model, prompt: 'hi', stream: true }), ...(more.usage === true ? { stream_options: { include_usage: true } } : {}) };
    return rawRequest({
      url: testRouter.url + callers[caller].path(model, true), headers: callers[caller].headers(testRouter.token), body: JSON.stringify(body), signal: more.signal, onChunk: more.onChunk,
    });
  }

  function assertCounted({ usage, usageEstimated }: Receipt['attempts'][number], counted = true): void {
    if (counted) assert.deepEqual([usage.inputTokens, usage.outputTokens, usageEstimated], [prompt, output, false]);
    else assert.equal(usageEstimated, true);
  }

  describe('whose usage comes seconds after its finish reason', { concurrency: true }, () => {
    for (const target of protocolNames) {
      for (const caller of protocolNames) {
        it(`of ${target} gives it to a caller that speaks ${caller}, who has the text long before`, async () => {
          const model = `late-${target}`;
          scripts.set(model, lateStreams[target]);
          let textAt = 0;
          const answer = await ask(caller, `${target}/${model}`, { usage: caller === 'openai-chat', onChunk: chunk => { if (textAt === 0 && chunk.includes('all well')) textAt = performance.now(); } });
          const waitedMs = performance.now() - textAt;
          const seen = readAnswer(caller, answer.text, true);
          assert.deepEqual([seen.text, seen.problems, seen.finished, answer.endedCleanly], ['all well', [], true, true], answer.text);
          assert.match(JSON.stringify(seen.usage), new RegExp(`\\b${output}\\b`));
          assert.ok(waitedMs > lateMs - 300, `the text came ${waitedMs} ms before the end`);
          const receipt = await receiptOf(String(answer.headers['x-waybill-exchange']));
          assertCounted(receipt.attempts[0] ?? assert.fail());
        });
      }

      it(`of ${target} is counted right when the caller leaves after the finish reason`, async () => {
        if (target === 'openai-responses') return; // Its finish reason, its usage and its last event are one.
        const model = `late-${target}`;
        scripts.set(model, lateStreams[target]);
        const leaves = new AbortController();
        const name = `${target}/${model}`;
        const answer = await fetch(testRouter.url + callers[target].path(name, true), {
          method: 'POST', signal: leaves.signal, headers: { 'content-type': 'application/json', ...callers[target].headers(testRouter.token) },
          body: JSON.stringify(callers[target].body({ model: name, prompt: 'hi', stream: true })),
        });
        const reader = answer.body?.getReader() ?? assert.fail();
        for (let text = ''; !/"finish_reason":"stop"|"stop_reason":"end_turn"|"finishReason":"STOP"/.test(text);) text += Buffer.from((await reader.read()).value ?? assert.fail()).toString();
        leaves.abort();
        const receipt = await receiptOf(answer.headers.get('x-waybill-exchange') ?? '');
        assert.equal(receipt.outcome, 'ok');
        assertCounted(receipt.attempts[0] ?? assert.fail());
      });

      it(`of ${target} shows its text in the editor at once, and its usage in the result`, async () => {
        const model = `late-${target}`;
        scripts.set(model, lateStreams[target]);
        const door = new EditorDoor(testRouter.testRouter);
        await door.open();
        let shownAt = 0;
        const turn = await door.chat(`${target}/${model}`, conversation, undefined, () => { shownAt = performance.now(); });
        assert.ok(performance.now() - shownAt > lateMs - 300);
        assert.deepEqual([turn.result.outcome, turn.result.usage.inputTokens, turn.result.usage.outputTokens], ['ok', prompt, output]);
        door.close();
      });
    }

    it('is counted right when the editor cancels after the finish reason, and the editor has its result at once', async () => {
      scripts.set('late-openai-chat', lateStreams['openai-chat']);
      const door = new EditorDoor(testRouter.testRouter);
      await door.open();
      const cancel = new CancellationTokenSource();
      const turn = await door.chat('openai-chat/late-openai-chat', conversation, cancel, () => { setTimeout(() => cancel.cancel(), 300); });
      assert.equal(turn.result.outcome, 'cancelled');
      const receipt = await receiptOf(turn.result.exchangeId);
      assert.equal(receipt.outcome, 'ok');
      assertCounted(receipt.attempts[0] ?? assert.fail());
      door.close();
    });
  });

  describe('that is whole ends well for every caller', { concurrency: true }, () => {
    for (const [at, [what, target, script, counted]] of openEnds.entries()) {
      for (const caller of protocolNames) {
        it(`when ${target} sends ${what}: ${caller}`, async () => {
          scripts.set(`open-${at}`, script);
          const answer = await ask(caller, `${target}/open-${at}`);
          const seen = readAnswer(caller, answer.text, true);
          assert.deepEqual([seen.text, seen.problems, seen.finished, answer.endedCleanly], ['all well', [], true, true], answer.text);
          assert.ok(answer.text.split('[DONE]').length <= 2 && answer.text.split('event: message_stop').length <= 2, answer.text);
          const receipt = await receiptOf(String(answer.headers['x-waybill-exchange']));
          assert.equal(receipt.outcome, 'ok');
          assertCounted(receipt.attempts[0] ?? assert.fail(), counted);
        });
      }
    }
  });
});
