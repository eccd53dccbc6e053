import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Chat } from './harness/chat.ts';
import { Keyboard } from './harness/keyboard.ts';
import { Scene, tellInOrder } from './harness/scene.ts';
import { until } from './harness/until.ts';
import type { Workbench } from './harness/workbench.ts';

/** No key, no provider of anybody's: only what the extension brings. */
describe('a first run without a key', () => {
  let scene: Scene;
  let window: Workbench;
  let chat: Chat;
  let untouched: string;
  tellInOrder(() => scene);

  before(async () => {
    scene = await Scene.set(() => ({ 'chat.allowAnonymousAccess': true }));
    window = await scene.openWindow('alpha');
    chat = new Chat(window);
  });
  after(async () => { await scene?.end(); });

  it('offers to try it without a key where the providers would be', async () => {
    untouched = settingsText();
    await window.openViewContainer('Waybill');
    const welcome = window.view('Providers').locator('.welcome-view-content');
    await until('the welcome', async () => /try it without keys/.test(await welcome.innerText()));
    await window.screenshot('first-run-empty');
    await welcome.getByText('try it without keys').click();
  });

  it('answers in the chat, and says that the answer is simulated', async () => {
    await until('the route in the chat', async () => (await chat.chosenModel()).includes('simulated'), { timeoutMs: 30_000 });
    await window.screenshot('first-run-chat');
    const prompt = 'Which provider answers this?';
    await until('the prompt that is typed already', async () => /Which.provider.answers.this/.test(await window.page.locator('.interactive-input-part .monaco-editor .view-lines').innerText()));
    await window.page.keyboard.press('Enter');
    assert.match(await chat.answerTo(prompt), /This answer is simulated: simulated-a wrote it.*"Which provider answers this\?"/);
    const rows = await until('both providers', async () => {
      const found = await window.treeRows('Providers');
      return found.length < 2 ? undefined : found;
    });
    for (const row of rows) assert.match(row, /^simulated-[ab] ?simulated/);
    await window.statusBarItem('simulated').waitFor();
  });

  it('lets the other one take over when a fire drill takes the first away', async () => {
    const keyboard = new Keyboard(window);
    await until('the offer of a fire drill', async () => (await window.notifications()).some(text => /without a key and at no cost/.test(text)));
    await window.screenshot('first-run-answered');
    await window.page.locator('.notification-toast').getByText('Fire Drill…').click();
    await keyboard.answer('What should go wrong with simulated-a', 'Down');
    await keyboard.answer('For how long', '1 min');
    await window.page.locator('.monaco-dialog-box').getByRole('button', { name: 'Start Drill' }).click();
    await window.statusBarItem('fire drill').waitFor();
    assert.match(await chat.ask('and who are you now'), /simulated-b wrote it/);
    await window.screenshot('first-run-drill');
  });

  it('counts no money, and every record says that it was simulated', async () => {
    const exchanges = await until('both requests', async () => {
      const found = (await scene.endpoint.exchanges()).filter(({ requestedModel }) => requestedModel === 'simulated');
      return found.length < 2 ? undefined : found;
    });
    for (const { cost, target } of exchanges) {
      assert.deepEqual([cost.microUsd, cost.priceSource], [0, 'simulated']);
      assert.match(target ?? '', /^simulated-[ab]\/simulated-chat$/);
    }
    assert.equal((await scene.endpoint.spend()).totals.microUsd, 0);
  });

  it('goes with one command, and the settings are as they were', async () => {
    await window.command('Waybill: Remove Simulated Providers');
    await until('the settings as before', () => settingsText() === untouched);
    await window.view('Providers').locator('.welcome-view-content').waitFor();
    await until('the server without them', async () => (await scene.endpoint.status()).endpoints.length === 0);
    await window.screenshot('first-run-removed');
  });

  function settingsText(): string {
    return readFileSync(path.join(scene.editor.userDataDir, 'User', 'settings.json'), 'utf8');
  }
});
