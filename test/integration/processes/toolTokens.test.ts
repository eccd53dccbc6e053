import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { connectedToolsRequest, connectToolRequest, disconnectToolRequest } from '../../../server/api/messages.ts';
import type { RequestType } from '../../../server/api/messageTypes.ts';
import { startSandboxProvider, type SandboxProvider } from '../../../server/sandbox/sandboxProvider.ts';
import { ToolTokens } from '../../../server/inbound/http/auth/toolTokens.ts';
import { EditorClient } from '../support/editorClient.ts';
import { sandboxEndpoint } from '../support/sandboxPair.ts';
import { exitOf } from '../support/serverProcess.ts';
import { temporaryFolder } from '../support/temporaryFolder.ts';
import { startTestRouter, type TestRouter } from '../support/testRouter.ts';
import { askServer } from '../support/typedMessages.ts';

let provider: SandboxProvider;
let testRouter: TestRouter;
before(async () => {
  provider = await startSandboxProvider({ protocol: 'openai-chat', name: 'a' });
  testRouter = await startTestRouter({ endpoints: { a: sandboxEndpoint(provider) }, routes: { best: { targets: ['a/m'] } } });
});
after(async () => {
  await testRouter.close();
  await provider.close();
});

function ask(credentials: Record<string, string>): Promise<Response> {
  return fetch(`${testRouter.url}/v1/chat/completions`, {
    method: 'POST', headers: { 'content-type': 'application/json', 'user-agent': 'claude-cli/2.1 (external, cli)', ...credentials },
    body: JSON.stringify({ model: 'best', messages: [{ role: 'user', content: 'say 3 words' }] }),
  });
}

async function toolOf(response: Response): Promise<string | undefined> {
  assert.equal(response.status, 200, await response.clone().text());
  await response.arrayBuffer();
  return (await testRouter.receipt(response.headers.get('x-waybill-exchange') ?? '')).caller.tool;
}

describe('the local endpoint with tokens of single tools', () => {
  it('records the tool of the token, whichever header carries it and whatever the user agent says', async () => {
    const token = testRouter.testRouter.tools.connect('codex');
    assert.equal(await toolOf(await ask({ authorization: `Bearer ${token}` })), 'codex');
    assert.equal(await toolOf(await ask({ 'x-api-key': token })), 'codex');
    assert.equal(await toolOf(await ask({ 'x-goog-api-key': token, 'x-waybill-tool': 'another' })), 'codex');
    assert.equal(await toolOf(await ask({ authorization: `Bearer ${testRouter.token}` })), 'claude-code');
  });

  it('lets a tool neither move the routing nor handle an admin key', async () => {
    const post = async (path: string, token: string): Promise<number> => {
      const response = await fetch(testRouter.url + path, { method: 'POST', headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' }, body: '{}' });
      const text = await response.text();
      if (response.status === 403) assert.match(text, /The token of a connected tool may not do this/);
      return response.status;
    };
    const token = testRouter.testRouter.tools.connect('codex');
    for (const path of ['/waybill/canary', '/waybill/shadow', '/waybill/reconcile']) assert.deepEqual([await post(path, token), await post(path, testRouter.token)], [403, 400], path);
  });

  it('refuses a token as soon as a peer has revoked it, and goes on with the others', async () => {
    const peer = new ToolTokens(testRouter.dataDir);
    const [kept, revoked] = [peer.connect('opencode'), peer.connect('aider')];
    assert.equal(await toolOf(await ask({ authorization: `Bearer ${revoked}` })), 'aider');
    peer.disconnect('aider');
    const refused = await ask({ authorization: `Bearer ${revoked}` });
    assert.equal(refused.status, 401);
    assert.match(await refused.text(), /token/);
    assert.equal(await toolOf(await ask({ authorization: `Bearer ${kept}` })), 'opencode');
    const again = peer.connect('aider');
    assert.notEqual(again, revoked);
    assert.equal(await toolOf(await ask({ authorization: `Bearer ${again}` })), 'aider');
  });
});

describe('the language server', () => {
  it('gives tools their tokens, says which have one, and revokes them', async () => {
    const { folder, remove } = temporaryFolder();
    const client = new EditorClient('node-ipc');
    try {
      await client.initialize(folder);
      const request = <Params, Result>(type: RequestType<Params, Result>, params: Params): Promise<Result> => askServer(client.connection, type, params);
      const { token } = await request(connectToolRequest, { tool: 'codex' });
      assert.equal((await request(connectToolRequest, { tool: 'codex' })).token, token);
      assert.deepEqual(await request(connectedToolsRequest, {}), ['codex']);
      assert.equal(new ToolTokens(folder).tokens.get('codex')?.toString(), token);
      await request(disconnectToolRequest, { tool: 'codex' });
      assert.deepEqual(await request(connectedToolsRequest, {}), []);
      await assert.rejects(request(connectToolRequest, { tool: '../token' }), /A tool cannot be named/);
    } finally {
      client.kill();
      await exitOf(client.child);
      remove();
    }
  });
});
