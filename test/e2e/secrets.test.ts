import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Chat } from './harness/chat.ts';
import { Scene, tellInOrder } from './harness/scene.ts';
import { addProvider, serverProcesses } from './harness/waybill.ts';
import { until } from './harness/until.ts';
import type { Workbench } from './harness/workbench.ts';

const keys = { north: 'sk-proj-Qm7xV2tLw9RzB4nYc6Kd8HfJ', south: 'sk-ant-api03-Zt5Wk1GpX8vNq3LrM7bS' };

describe('keys', () => {
  let scene: Scene;
  let window: Workbench;
  let chat: Chat;
  /** All texts shown so far: windows, pages in them, answers, notifications. */
  const seen = new Map<string, string>();
  tellInOrder(() => scene);

  before(async () => {
    scene = await Scene.set();
    window = await scene.openWindow('alpha');
    chat = new Chat(window);
  });
  after(async () => { await scene?.end(); });

  it('are taken, tried and used', async () => {
    const { first, second } = scene.sandbox;
    await addProvider(window, { provider: 'Sandbox (simulated)', baseUrl: first.url, name: 'north', key: keys.north, model: 'sandbox-chat' });
    await addProvider(window, { provider: 'Anthropic-compatible', baseUrl: second.url, name: 'south', key: keys.south, model: 'sandbox-messages' });
    await read('after adding');
    await chat.open();
    await chat.chooseModel('default');
    assert.match(await chat.ask('hello waybill'), /sandbox-a answers/);
    assert.ok((await first.turns()).every(({ headers }) => headers['authorization']?.endsWith(keys.north.slice(-4))), 'the key went to its provider');
  });

  it('show no more than their last four characters', async () => {
    await window.openViewContainer('Waybill');
    await window.treeRow('Providers', 'north').click();
    await until('the key in the tree', async () => (await window.treeRows('Providers')).some((row) => row.includes(keys.north.slice(-4))));
    await read('tree');
    await window.screenshot('keys-in-the-tree', window.page.locator('.part.sidebar'));
  });

  it('stay out of errors that quote them', async () => {
    const quoting = (key: string): object => ({ type: 'error', error: 'auth', message: `Incorrect API key provided: ${key}.`, scope: 'all' });
    await scene.sandbox.first.behave(quoting(keys.north));
    await scene.sandbox.second.behave(quoting(keys.south));
    const answer = await chat.ask('hello with bad keys');
    assert.match(answer, /key/i, answer);
    seen.set('answer', answer);
    await until('both keys to be marked', async () => (await scene.endpoint.status()).endpoints.every(({ keys: states }) => states.some(({ state }) => state === 'rejected')));
    await read('after errors');
    await window.screenshot('keys-rejected');
    for (const { id } of await scene.endpoint.exchanges()) seen.set(`receipt ${id}`, JSON.stringify(await scene.endpoint.receipt(id)));
    seen.set('status', JSON.stringify(await scene.endpoint.status()));
    await window.command('Waybill: Show Requests');
    await window.treeRow('Requests', 'default').click();
    const receipt = await window.webviewFrame('receipt', async (frame) => await frame.locator('main.receipt h1').count() > 0);
    seen.set('receipt page', await receipt.locator('main').innerText());
    await window.command('Waybill: Show Log');
    await read('log');
  });

  it('are in no file of the editor or the extension, in no command line and no environment', async () => {
    // The browser's profile is the secret store itself.
    const files = filesBelow(scene.editor.home).filter((file) => !file.startsWith(path.join(scene.editor.home, 'browser-profile')));
    assert.ok(files.some((file) => file.endsWith('settings.json')) && files.some((file) => file.endsWith('ledger.db')) && files.some((file) => file.endsWith('Waybill.log')));
    assert.deepEqual(files.filter((file) => containsKey(readFileSync(file))), []);

    const processes = scene.editor.processes();
    assert.equal(serverProcesses(scene.editor).length, 1);
    const exposed = processes.filter(({ commandLine, environment }) => containsKey(commandLine) || containsKey(environment));
    assert.deepEqual(exposed.map(({ commandLine }) => commandLine), []);
  });

  it('were never on the screen', () => {
    assert.ok(seen.size > 5);
    assert.deepEqual([...seen].filter(([, text]) => containsKey(text)).map(([where]) => where), []);
  });

  it('survive a reload of the window, in the secret store', async () => {
    await scene.sandbox.first.behave({ type: 'answer' });
    await window.reload();
    await window.statusBarItem('providers up').waitFor({ timeout: 30_000 });
    const count = (await scene.sandbox.first.turns()).length;
    await chat.open();
    await chat.chooseModel('default');
    await chat.ask('hello after the reload');
    const turn = (await scene.sandbox.first.turns()).slice(count).find(({ body }) => JSON.stringify(body?.messages).includes('hello after the reload'));
    assert.ok(turn?.headers['authorization']?.endsWith(keys.north.slice(-4)));
  });

  /** Keeps all text of the window and of every page in it, attributes included. */
  async function read(when: string): Promise<void> {
    for (const [index, frame] of window.page.frames().entries()) {
      if (!frame.isDetached()) seen.set(`${when}, frame ${index}`, await frame.content());
    }
    seen.set(`${when}, notifications`, (await window.notifications()).join('\n'));
  }
});

/** Looks for the distinctive part of each key, also as base64 and percent-encoded text would spell it. */
function containsKey(content: Buffer | string): boolean {
  const bytes = Buffer.from(content);
  return Object.values(keys).some((key) => [key, key.slice(8, 24), Buffer.from(key).toString('base64').slice(0, -4)].some((form) => bytes.includes(form)));
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name));
}
