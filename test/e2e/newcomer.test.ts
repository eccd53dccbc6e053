import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Chat } from './harness/chat.ts';
import { Keyboard } from './harness/keyboard.ts';
import { Scene, tellInOrder } from './harness/scene.ts';
import { until } from './harness/until.ts';
import type { Workbench } from './harness/workbench.ts';

/**
 * The whole way of a newcomer, from an empty window to a budget that stops a turn. The editor is as installed: the only setting is
 * the port, which the test owns. No account is signed in; no mouse is used.
 */
describe('a newcomer with default settings and a keyboard', () => {
  let scene: Scene;
  let window: Workbench;
  let keyboard: Keyboard;
  let chat: Chat;
  let beganMs: number;
  tellInOrder(() => scene);

  before(async () => {
    scene = await Scene.set(() => ({}), { defaults: true });
    beganMs = performance.now();
    window = await scene.openWindow();
    keyboard = new Keyboard(window);
    chat = new Chat(window);
  });
  after(async () => { await scene?.end(); });

  it('reads in the empty window what to do first', async () => {
    await keyboard.command('Waybill: Focus on Providers View');
    const welcome = window.view('Providers').locator('.welcome-view-content');
    await until('the welcome', async () => /Add Provider/.test(await welcome.innerText()));
    await window.screenshot('newcomer-empty');
  });

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

  it('gets the first answer, with no sign-in on the way', async (t) => {
    await until('the route in the chat', async () => (await chat.chosenModel()).includes('default'), { timeoutMs: 30_000 });
    // The chat is open and has the keyboard focus.
    assert.match(await type('hello waybill'), /sandbox-a answers your prompt: "hello waybill"/);
    assert.equal(await window.page.locator('.monaco-dialog-box').count(), 0);
    // The view that is opened, the command, five answers, the consent, and the question.
    const inputs = keyboard.inputs + 1;
    t.diagnostic(`from the empty window to the first answer: ${String(inputs)} inputs, ${((performance.now() - beganMs) / 1000).toFixed(0)} s`);
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

  it('gives the providers prices, and sets a budget for the day', async () => {
    for (const target of ['north/sandbox-chat', 'south/sandbox-messages']) {
      await keyboard.command('Waybill: Set Prices…');
      await keyboard.answer('Choose a model', target);
      await keyboard.answer('million tokens of input', '10');
      await keyboard.answer('million tokens of output', '40');
      await keyboard.answer('read from the prompt cache');
      await keyboard.answer('written to the prompt cache');
      await until(`prices of ${target}`, async () => (await window.notifications()).some(text => text.includes(`requests to ${target} cost $10 in, $40 out`)));
    }
    const models = Object.values(settings()['waybill.endpoints'] as Record<string, { models: object }>).map(endpoint => endpoint.models);
    const prices = { inputPerMTok: 10, outputPerMTok: 40 };
    assert.deepEqual(models, [{ 'sandbox-chat': { prices } }, { 'sandbox-messages': { prices } }]);
    await keyboard.command('Notifications: Clear All Notifications');
    await keyboard.command('Waybill: Set Budget…');
    await keyboard.answer('What should have a budget?', 'Everything');
    await keyboard.answer('How long does it count?', 'A Day');
    await keyboard.answer('How much may be spent', '0.30');
    await keyboard.answer('What follows at the limit?', 'Stop');
    await until('the budget to hold', async () => (await scene.endpoint.status()).budgets?.[0]?.limitMicroUsd === 300_000);
    await keyboard.command('Notifications: Clear All Notifications');
  });

  it('is asked when the budget is reached, and gets the answer after "Allow $1 More"', async () => {
    const asks = async (): Promise<boolean> => (await window.notifications()).some(text => text.includes('The turn waits for your answer'));
    let message = '';
    let isWarned = false;
    for (let count = 1; count <= 12 && !await asks(); count += 1) {
      // The notification lies over the input of the chat.
      if (!isWarned && (await scene.endpoint.status()).budgets?.[0]?.state === 'near') {
        await until('the warning', async () => (await window.notifications()).some(text => text.includes('% of the budget "daily" is used')));
        isWarned = true;
        await keyboard.command('Notifications: Clear All Notifications');
      }
      message = `hello budget ${String(count)}`;
      await keyboard.command('Waybill: Open Chat');
      await send(message);
      await Promise.race([chat.answerTo(message), until('the stop', asks, { timeoutMs: 40_000 })]);
    }
    await window.screenshot('newcomer-budget-stop');
    await keyboard.acceptNotification('The turn waits for your answer');
    assert.match(await chat.answerTo(message), /sandbox-b answers/);
    const [budget] = (await scene.endpoint.status()).budgets ?? [];
    assert.deepEqual([budget?.allowedMicroUsd, budget?.reservedMicroUsd], [1_000_000, 0]);
  });

  it('reads in the Spend view what is spent and left of it', async () => {
    await keyboard.command('Waybill: Show Spend');
    const spend = await window.webviewFrame('the Spend view', async frame => (await frame.locator('h2').allTextContents()).includes('Budgets'));
    assert.match(await spend.locator('section').filter({ hasText: 'Budgets' }).last().innerText(), /daily[\s\S]*of \$1\.30 a day[\s\S]*left/);
    await window.hoverStatusBarItem('up');
    await window.screenshot('newcomer-budget');
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
    await send(text);
    return chat.answerTo(text);
  }

  async function send(text: string): Promise<void> {
    await until('the chat to have the keyboard', async () => await window.page.locator('.interactive-input-part .monaco-editor.focused').count() > 0);
    await window.page.keyboard.type(text);
    await window.page.keyboard.press('Enter');
  }

  function settings(): Record<string, unknown> {
    return JSON.parse(readFileSync(path.join(scene.editor.userDataDir, 'User', 'settings.json'), 'utf8')) as Record<string, unknown>;
  }
});
