import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { chatRequest, type ChatResult } from '../../../server/api/messages.ts';
import type { RequestSummary } from '../../../server/api/receipt.ts';
import { cancelRequestRequest, findRequestsRequest, runningRequestsRequest } from '../../../server/api/reports/requestMessages.ts';
import { EditorDoor } from '../support/editorDoor.ts';
import { until } from '../support/serverProcess.ts';
import { startTestRouter, type TestRouter } from '../support/testRouter.ts';
import { askServer } from '../support/typedMessages.ts';

/** Says one word and then nothing more, or, asked for `silent`, nothing at all; asked for `quick`, it answers. */
let provider: Server;
let closed = 0;
let testRouter: TestRouter;
let door: EditorDoor;

before(async () => {
  provider = createServer((request, response) => {
    let text = '';
    request.setEncoding('utf8').on('data', (piece: string) => { text += piece; }).on('end', () => {
      const { model } = JSON.parse(text) as { model: string };
      response.on('close', () => { closed += 1; });
      if (model === 'silent') return;
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      const chunk = (delta: object, finish: string | null, rest: object = {}): string => `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', model, choices: [{ index: 0, delta, finish_reason: finish }], ...rest })}\n\n`;
      response.write(chunk({ content: 'Hello' }, null));
      if (model === 'quick') response.end(`${chunk({}, 'stop', { usage: { prompt_tokens: 1000, completion_tokens: 10, total_tokens: 1010 } })}data: [DONE]\n\n`);
    });
  });
  await new Promise<void>(resolve => { provider.listen(0, '127.0.0.1', resolve); });
  const { port } = provider.address() as AddressInfo;
  const prices = { inputPerMTok: 1, outputPerMTok: 2 };
  testRouter = await startTestRouter({
    endpoints: { local: { provider: 'openai-compatible', baseUrl: `http://127.0.0.1:${String(port)}/v1`, probe: { enabled: false }, models: { slow: { prices }, silent: { prices }, quick: { prices } } } },
  });
  door = new EditorDoor(testRouter.testRouter);
  await door.open();
});
after(async () => {
  door.close();
  await testRouter.close();
  provider.closeAllConnections();
  await new Promise(resolve => provider.close(resolve));
});

const openai = (): OpenAI => new OpenAI({ baseURL: `${testRouter.url}/v1`, apiKey: testRouter.token, maxRetries: 2 });
/** The id of the request that runs, once it has come so far. */
async function oneRunning(target: string | undefined): Promise<string> {
  let id: string | undefined;
  await until('a request to run', async () => {
    id = (await askServer(door.connection, runningRequestsRequest, {})).find(one => one.target === target)?.id;
    return id !== undefined;
  });
  return id ?? '';
}
const cancelOverHttp = (id: string): Promise<Response> => fetch(`${testRouter.url}/waybill/exchanges/${id}/cancel`, { method: 'POST', headers: { authorization: `Bearer ${testRouter.token}` } });

test('a person cancels a stream of a tool: it gets an error and no clean end, the provider is left, and the receipt has the cost', async () => {
  const stream = await openai().chat.completions.create({ model: 'slow', stream: true, messages: [{ role: 'user', content: 'hi' }] });
  const heard: string[] = [];
  const reading = (async () => { for await (const part of stream) heard.push(part.choices[0]?.delta.content ?? ''); })();
  const refused = assert.rejects(reading, /cancelled in Waybill/);
  const id = await oneRunning('local/slow');
  const before = closed;
  const result = await askServer(door.connection, cancelRequestRequest, { id });
  assert.equal(result.cancelled, true, result.message);
  await refused;
  assert.deepEqual(heard, ['Hello']);
  await until('the provider to be left', () => closed > before);
  const receipt = await testRouter.receipt(id);
  assert.deepEqual([receipt.outcome, receipt.attempts.map(({ outcome }) => outcome), receipt.cost.certainty], ['cancelled', ['cancelled'], 'estimated']);
  assert.ok((receipt.cost.microUsd ?? 0) > 0);
  assert.equal((await askServer(door.connection, runningRequestsRequest, {})).length, 0);
  const again = await cancelOverHttp(id);
  assert.equal(again.status, 409);
  assert.match(await again.text(), /has ended already/);
});

test('a tool whose answer had not begun gets the status of a cancelled request, and does not ask again', async () => {
  const client = new Anthropic({ baseURL: testRouter.url, apiKey: testRouter.token, maxRetries: 2 });
  const asked = client.messages.create({ model: 'silent', max_tokens: 10, messages: [{ role: 'user', content: 'hi' }] });
  const refused = assert.rejects(asked, (error: { status?: number; message?: string }) => error.status === 499 && /cancelled in Waybill/.test(error.message ?? ''));
  const id = await oneRunning(undefined);
  assert.equal((await cancelOverHttp(id)).status, 200);
  await refused;
  assert.equal((await askServer(door.connection, runningRequestsRequest, {})).length, 0);
});

test('a turn of the chat that is cancelled from the list ends as cancelled, with the sentence', async () => {
  const asked = askServer(door.connection, chatRequest, { id: 'chat-1', requestedModel: 'slow', conversation: { system: [], messages: [{ role: 'user', content: [{ type: 'text', text: 'hi' }] }], tools: [] }, caller: { tool: 'vscode-chat' } });
  const id = await oneRunning('local/slow');
  await askServer(door.connection, cancelRequestRequest, { id });
  const result: ChatResult = await asked;
  assert.deepEqual([result.outcome, result.error?.failureClass, result.exchangeId], ['cancelled', 'cancelled', id]);
});

test('requests are found by what is kept of them, over the language server and over HTTP alike', async () => {
  await openai().chat.completions.create({ model: 'quick', stream: true, messages: [{ role: 'user', content: 'a secret question' }] }).then(async stream => { for await (const part of stream) void part; });
  const find = async (query: string): Promise<string[]> => {
    const response = await fetch(`${testRouter.url}/waybill/exchanges?${query}`, { headers: { authorization: `Bearer ${testRouter.token}` } });
    return (await response.json() as RequestSummary[]).map(({ requestedModel }) => requestedModel);
  };
  assert.deepEqual(await find('outcome=ok'), ['quick']);
  assert.deepEqual(await find('text=CANCELLED%20in'), ['slow', 'silent', 'slow']);
  assert.deepEqual(await find('provider=openai-compatible&minCostMicroUsd=1000&limit=5'), ['quick']);
  assert.deepEqual(await find('text=secret%20question'), []);
  const found = await askServer(door.connection, findRequestsRequest, { filter: { outcome: 'cancelled' }, limit: 2 });
  assert.ok('requests' in found && found.next !== undefined);
  assert.deepEqual(found.requests.map(({ requestedModel }) => requestedModel), ['slow', 'silent']);
  const rest = await askServer(door.connection, findRequestsRequest, { filter: { outcome: 'cancelled' }, limit: 2, after: found.next });
  assert.ok('requests' in rest);
  assert.deepEqual(rest.requests.map(({ requestedModel }) => requestedModel), ['slow']);
  const refused = await fetch(`${testRouter.url}/waybill/exchanges?minCostMicroUsd=much`, { headers: { authorization: `Bearer ${testRouter.token}` } });
  assert.equal(refused.status, 400);
});
