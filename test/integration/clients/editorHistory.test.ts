import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { CancellationTokenSource } from 'vscode-jsonrpc/node';
import { RestartBudget } from '../../../client/server/restartBudget.ts';
import { realTimers } from '../../../client/server/connection.ts';
import { ServerProcess } from '../../../client/server/serverProcess.ts';
import type { ConversationRequest, Message } from '../../../server/api/conversation.ts';
import { chatRequest, type ChatParams, type ChatResult } from '../../../server/api/messages.ts';
import { EditorDoor } from '../support/editorDoor.ts';
import { startTestRouter, type TestRouter } from '../support/testRouter.ts';
import { askServer } from '../support/typedMessages.ts';

/** The bodies that providers got, as they came. */
const bodies: string[] = [];
const provider = createServer((request, response) => {
  let body = '';
  request.setEncoding('utf8').on('data', (text: string) => { body += text; });
  request.on('end', () => {
    bodies.push(body);
    const chunk = (fields: object): string => `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', model: 'm', ...fields })}\n\n`;
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.end(`${chunk({ choices: [{ index: 0, delta: { content: 'Yes.' }, finish_reason: null }] })}${chunk({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] })}data: [DONE]\n\n`);
  });
});
let testRouter: TestRouter;
let door: EditorDoor;
/** What went over the connection. */
const sent: ChatParams[] = [];
/** The extension's own end of the connection. */
let client: ServerProcess;
let chats = 0;

before(async () => {
  provider.listen(0, '127.0.0.1');
  await once(provider, 'listening');
  const baseUrl = `http://127.0.0.1:${String((provider.address() as AddressInfo).port)}`;
  testRouter = await startTestRouter({
    endpoints: {
      open: { provider: 'openai-compatible', baseUrl: `${baseUrl}/v1`, probe: { enabled: false }, models: { m: {} } },
      messages: { provider: 'anthropic-compatible', baseUrl, probe: { enabled: false }, models: { m: {} } },
    },
  });
  door = new EditorDoor(testRouter.testRouter);
  await door.open();
  client = new ServerProcess({
    connect: () => Promise.resolve({
      processId: undefined,
      sendRequest: async (type, params, token) => {
        if (type.method === 'waybill/configure') return { problems: [] } as never;
        if (type.method === chatRequest.method) sent.push(params as ChatParams);
        return askServer(door.connection, type, params, token === undefined ? undefined : new CancellationTokenSource().token);
      },
      sendNotification: (type, params) => void door.connection.sendNotification(type.method, params),
      stop: () => Promise.resolve(),
    }),
    readConfiguration: () => Promise.resolve({ endpoints: {}, routes: {}, keys: {}, http: { enabled: false, port: 0 } }),
    log: { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined }, timers: realTimers, budget: new RestartBudget(),
  });
});
after(async () => {
  door.close();
  await testRouter.close();
  provider.close();
});

function conversation(messages: readonly Message[]): ConversationRequest {
  return {
    system: [{ type: 'text', text: 'Be brief.' }], messages: [...messages],
    tools: [{ name: 'read', description: 'Reads a file.', parameters: { type: 'object', properties: { path: { type: 'string', default: 1e21 } }, required: ['path'] } }],
  };
}

const said = (text: string): Message => ({ role: 'user', content: [{ type: 'text', text }] });
const history: Message[] = [
  said(`Why does the test fail? ${'"quoted" \\ text\n'.repeat(2000)}`),
  { role: 'assistant', content: [{ type: 'thinking', text: 'Hm.', signature: 's', origin: 'other' }, { type: 'tool-call', id: 'call_1', name: 'read', arguments: '{"line": 1.0}' }] },
  { role: 'user', content: [{ type: 'tool-result', callId: 'call_1', name: 'read', content: [{ type: 'text', text: '数据\ud83d\ude00' }, { type: 'image', mimeType: 'image/png', source: { kind: 'base64', data: 'AAAA' } }] }] },
];

async function chatThroughClient(requestedModel: string, messages: readonly Message[]): Promise<ChatResult> {
  return client.chat({ id: `chat-${String(++chats)}`, requestedModel, conversation: conversation(messages), caller: { tool: 'vscode-chat' } }, () => undefined, new CancellationTokenSource().token);
}

/** The same turn, sent whole. */
async function bodyOfWhole(requestedModel: string, messages: readonly Message[]): Promise<string> {
  await askServer(door.connection, chatRequest, { id: `whole-${String(++chats)}`, requestedModel, conversation: conversation(messages), caller: { tool: 'vscode-chat' } }, undefined);
  return bodies.at(-1) ?? '';
}

describe('the history of a chat is sent once', { timeout: 60_000 }, () => {
  for (const requestedModel of ['open/m', 'messages/m']) {
    it(`${requestedModel} gets the very bytes that it gets for the whole conversation, turn after turn`, async () => {
      const messages = [said(requestedModel), ...history];
      for (let turn = 0; turn < 4; turn++) {
        messages.push(said(`And now, ${String(turn)}?`));
        await chatThroughClient(requestedModel, messages);
        const body = bodies.at(-1);
        assert.equal(sent.at(-1)?.conversation.messages.length, turn === 0 ? messages.length : 1, `turn ${String(turn)}`);
        assert.equal(body, await bodyOfWhole(requestedModel, messages));
      }
    });
  }

  it('a server that does not have the rest asks no provider and gets the whole', async () => {
    const before = bodies.length;
    const result = await askServer(door.connection, chatRequest, {
      id: 'foreign', requestedModel: 'open/m', conversation: conversation([said('more')]), continues: { id: 'never sent', messages: 3 }, caller: { tool: 'vscode-chat' },
    }, undefined);
    assert.deepEqual([result.outcome, result.resend, bodies.length], ['failed', true, before]);
  });
});
