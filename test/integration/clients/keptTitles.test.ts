import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { forgetTitlesRequest, keptTitlesRequest } from '../../../server/api/ledger/keptTitles.ts';
import { chatRequest } from '../../../server/api/messages.ts';
import type { RequestSummary } from '../../../server/api/receipt.ts';
import { startSandboxProvider, type SandboxProvider } from '../../../server/sandbox/sandboxProvider.ts';
import { EditorDoor } from '../support/editorDoor.ts';
import { sandboxEndpoint } from '../support/sandboxPair.ts';
import { startTestRouter, type TestRouter, type TestRouterOptions } from '../support/testRouter.ts';
import { exitOf, spawnServer } from '../support/serverProcess.ts';
import { askServer } from '../support/typedMessages.ts';

let sandbox: SandboxProvider;
let testRouter: TestRouter;
let options: TestRouterOptions;

before(async () => {
  sandbox = await startSandboxProvider({ name: 'local', protocol: 'openai-chat' });
  options = { endpoints: { local: sandboxEndpoint(sandbox) } };
  testRouter = await startTestRouter(options);
});
after(async () => {
  await testRouter?.close();
  await sandbox?.close();
});

const headers = (): Record<string, string> => ({ 'authorization': `Bearer ${testRouter.token}`, 'content-type': 'application/json' });

async function ask(content: string): Promise<RequestSummary> {
  const answer = await fetch(`${testRouter.url}/v1/chat/completions`, { method: 'POST', headers: headers(), body: JSON.stringify({ model: 'm', messages: [{ role: 'system', content: 'Instructions of marigold.' }, { role: 'user', content }] }) });
  assert.equal(answer.status, 200, await answer.text());
  const [latest] = await found('limit=1');
  return latest ?? assert.fail();
}
async function found(query: string): Promise<RequestSummary[]> {
  return await (await fetch(`${testRouter.url}/waybill/exchanges?${query}`, { headers: headers() })).json() as RequestSummary[];
}
/** Whether a text stands in any file of the data folder. */
function onDisk(text: string): boolean {
  return readdirSync(testRouter.dataDir, { recursive: true, encoding: 'utf8' }).map(name => path.join(testRouter.dataDir, name)).some(file => statSync(file).isFile() && readFileSync(file).includes(text));
}

test('nothing of a prompt is written to disk while titles are not kept', async () => {
  const { title } = await ask('Count the lighthouses of the north');
  assert.equal(title, undefined);
  assert.equal(onDisk('lighthouses'), false);
});

test('the first words of a conversation are kept where that is switched on, with their request, found by a search, and nothing else of it', async () => {
  await testRouter.configure({ ...options, ledger: { keepTitles: true } });
  const { id, title } = await ask(`Translate the lighthouse log ${'of the northern coast '.repeat(5)}into periwinkle`);
  assert.equal(title, 'Translate the lighthouse log of the northern coast of the n…');
  assert.deepEqual((await found('text=LIGHTHOUSE')).map(one => one.id), [id]);
  assert.equal((await testRouter.receipt(id)).title, title);
  assert.equal(onDisk('Translate the lighthouse log'), true);
  assert.deepEqual([onDisk('periwinkle'), onDisk('marigold')], [false, false]);
});

test('a chat of the editor has the words that a person typed', async () => {
  const door = new EditorDoor(testRouter.testRouter);
  await door.open();
  const text = '<context>main.ts is open</context>\n<userRequest>\nPaint the harbour\n</userRequest>';
  await askServer(door.connection, chatRequest, { id: 'chat-1', requestedModel: 'm', conversation: { system: [], messages: [{ role: 'user', content: [{ type: 'text', text }] }], tools: [] }, caller: { tool: 'vscode-chat' } });
  door.close();
  assert.deepEqual((await found('tool=vscode-chat')).map(({ title }) => title), ['Paint the harbour']);
});

test('agents that ask why do not get them', async () => {
  const answer = await fetch(`${testRouter.url}/mcp`, { method: 'POST', headers: { ...headers(), accept: 'application/json, text/event-stream' }, body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'waybill_why', arguments: { tool: 'vscode-chat' } } }) });
  const text = await answer.text();
  assert.match(text, /local\/m/, text);
  assert.doesNotMatch(text, /harbour/);
});

test('switched off again, later requests have no title', async () => {
  await testRouter.configure(options);
  assert.equal((await ask('Fold the yellow maps')).title, undefined);
  assert.equal(onDisk('yellow maps'), false);
});

test('a person can have the titles forgotten: no byte of them stays in the folder, and everything else does', async () => {
  await testRouter.configure({ ...options, ledger: { keepTitles: true } });
  // Rows of several sizes, so that some have moved between pages, and some words stand in parts of pages that nothing uses.
  for (let number = 0; number < 40; number++) await ask(`Quokka ${String(number)} ${'feeds on leaves '.repeat(number % 7)}`);
  await testRouter.configure(options);
  const before = await found('limit=100');
  const [spent, count] = [(await testRouter.receipt(before[0]?.id ?? '')).cost, before.filter(({ title }) => title !== undefined).length];
  assert.equal(onDisk('Quokka'), true);

  const door = new EditorDoor(testRouter.testRouter);
  await door.open();
  assert.deepEqual(await askServer(door.connection, keptTitlesRequest, {}), { count });
  assert.deepEqual(await askServer(door.connection, forgetTitlesRequest, {}), { count, damagedCopies: [] });
  assert.deepEqual(await askServer(door.connection, keptTitlesRequest, {}), { count: 0 });
  door.close();

  assert.deepEqual(['Quokka', 'feeds on leaves', 'lighthouse log', 'Paint the harbour'].filter(onDisk), []);
  const after = await found('limit=100');
  assert.deepEqual(after, before.map(({ title: _title, ...request }) => request));
  assert.deepEqual((await testRouter.receipt(before[0]?.id ?? '')).cost, spent);
  assert.deepEqual(await found('text=quokka'), []);
  // The ledger goes on, and titles are kept again where that is switched on again.
  await testRouter.configure({ ...options, ledger: { keepTitles: true } });
  assert.equal((await ask('Wombats at dusk')).title, 'Wombats at dusk');
  assert.equal((await found('limit=100')).length, before.length + 1);
});

test('the command line counts and removes them while a server runs on the folder', async () => {
  const titles = async (...args: string[]): Promise<unknown> => {
    const { child, written } = spawnServer(['titles', ...args, '--data', testRouter.dataDir, '--json']);
    const closed = new Promise(resolve => child.once('close', resolve));
    assert.equal(await exitOf(child), 0, written.stderr);
    await closed;
    return JSON.parse(written.stdout) as unknown;
  };
  await ask('Emus in the rain');
  const { count } = await titles('count') as { count: number };
  assert.ok(count > 0);
  assert.equal(onDisk('Emus in the rain'), true);
  assert.deepEqual(await titles('forget'), { forgotten: count, damagedCopies: [] });
  assert.deepEqual(await titles('count'), { count: 0 });
  assert.deepEqual(['Emus in the rain', 'Wombats at dusk'].filter(onDisk), []);
  assert.equal((await ask('Emus in the sun')).title, 'Emus in the sun');
});
