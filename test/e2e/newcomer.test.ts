import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Chat } from './harness/chat.ts';
import { Keyboard } from './harness/keyboard.ts';
import { Scene, tellInOrder } from './harness/scene.ts';
import { until } from './harness/until.ts';
import type { Workbench } from './harness/workbench.ts';

/** The editor as installed: the only setting is the port, which the test owns. No account is signed in; no mouse is used. */
describe('a newcomer with default settings and a keyboard', () => {
  let scene: Scene;
  let window: Workbench;
  let keyboard: Keyboard;
  let chat: Chat;
  tellInOrder(() => scene);

  before(async () => {
    scene = await Scene.set(() => ({}), { defaults: true });
    window = await scene.openWindow('alpha');
    keyboard = new Keyboard(window);
    chat = new Chat(window);
  });
  after(async () => { await scene?.end(); });

  it('adds a provider, and reads that the chat asks for a sign-in', async () => {
    assert.ok(!Object.keys(settings()).some((name) => /^(chat|github|workbench)\./.test(name)));
    await add('Sandbox (simulated)', scene.sandbox.first.url, 'north', 'sk-north-5f1c8d24e7a94b60', 'sandbox-chat');
    const text = await until('the offer', async () => (await window.notifications()).find((one) => one.includes('GitHub sign-in')));
    assert.match(text, /north accepts the key .*chat\.allowAnonymousAccess/);
    assert.ok(!('chat.allowAnonymousAccess' in settings()), 'nothing is changed without consent');
    await window.screenshot('newcomer-offer');
  });

  it('agrees with one keystroke, and the setting is written for all windows', async () => {
    await keyboard.acceptNotification('GitHub sign-in');
    await until('the setting', () => settings()['chat.allowAnonymousAccess'] === true);
    assert.deepEqual(Object.keys(settings()).filter((name) => name.startsWith('chat.')), ['chat.allowAnonymousAccess']);
    await until('the settings file to be closed', async () => await window.page.locator('.tab[data-resource-name="settings.json"]').count() === 0);
  });

  it('gets the first answer, with no sign-in on the way', async () => {
    await until('the route in the chat', async () => (await chat.chosenModel()).includes('default'), { timeoutMs: 30_000 });
    // The chat is open and has the keyboard focus.
    assert.match(await type('hello waybill'), /sandbox-a answers your prompt: "hello waybill"/);
    assert.equal(await window.page.locator('.monaco-dialog-box').count(), 0);
    await window.screenshot('newcomer-answer');
  });

  it('adds a fallback, without another offer about sign-ins', async () => {
    await add('Anthropic-compatible', scene.sandbox.second.url, 'south', 'sk-ant-south-9b7e3a61c2d84f05', 'sandbox-messages');
    const text = await until('the message', async () => (await window.notifications()).find((one) => one.includes('south/sandbox-messages')));
    assert.doesNotMatch(text, /sign-in/);
  });

  it('gets the next answer from the fallback when the first provider is down', async () => {
    await scene.sandbox.first.die();
    assert.match(await ask('hello again'), /sandbox-b answers your prompt: "hello again"/);
  });

  it('opens the receipt of the failover from the list of requests', async () => {
    await keyboard.command('Waybill: Show Requests');
    const index = await until('the failover in the list', async () => {
      const rows = await window.treeRows('Requests');
      const found = rows.findIndex((row) => row.includes('2 attempts'));
      return found < 0 ? undefined : { found };
    });
    // The view had no lines yet when it was opened for the first time.
    await keyboard.command('Waybill: Show Requests');
    await until('the list to have the keyboard', async () => await window.view('Requests').locator('.monaco-list:focus-within').count() > 0);
    await window.page.keyboard.press('Home');
    for (let step = 0; step < index.found; step++) await window.page.keyboard.press('ArrowDown');
    await window.page.keyboard.press('Enter');
    const frame = await window.webviewFrame('receipt', async (candidate) => await candidate.locator('main.receipt h1').count() > 0);
    const text = await frame.locator('main').innerText();
    assert.match(text, /north\/sandbox-chat/);
    assert.match(text, /south\/sandbox-messages/);
    await window.screenshot('newcomer-receipt');
  });

  async function add(provider: string, baseUrl: string, name: string, key: string, model: string): Promise<void> {
    await keyboard.command('Waybill: Add Provider…');
    await keyboard.answer('Choose a provider', provider);
    await keyboard.answer('Base URL', baseUrl);
    await keyboard.answer('A short name', name);
    await keyboard.answer('Paste a key', key);
    await keyboard.answer('or type a name', model);
    await until(`${name} in its route`, async () => (await window.notifications()).some((text) => text.includes(`${name}/${model}`)), { timeoutMs: 20_000 });
  }

  /** Asks in the chat, to which the palette moves the keyboard. */
  async function ask(text: string): Promise<string> {
    await keyboard.command('Waybill: Open Chat');
    return type(text);
  }

  async function type(text: string): Promise<string> {
    await until('the chat to have the keyboard', async () => await window.page.locator('.interactive-input-part .monaco-editor.focused').count() > 0);
    await window.page.keyboard.type(text);
    await window.page.keyboard.press('Enter');
    return chat.answerTo(text);
  }

  function settings(): Record<string, unknown> {
    return JSON.parse(readFileSync(path.join(scene.editor.userDataDir, 'User', 'settings.json'), 'utf8')) as Record<string, unknown>;
  }
});
