import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Chat } from './harness/chat.ts';
import { Scene, tellInOrder } from './harness/scene.ts';
import { until } from './harness/until.ts';
import { addProvider, editSettings } from './harness/waybill.ts';
import type { Workbench } from './harness/workbench.ts';

describe('a budget in the editor', () => {
  let scene: Scene;
  let window: Workbench;
  let chat: Chat;
  tellInOrder(() => scene);

  before(async () => {
    scene = await Scene.set(undefined);
    window = await scene.openWindow('alpha');
    chat = new Chat(window);
  });
  after(async () => { await scene?.end(); });

  it('is set by the palette, without JSON', async () => {
    const { first } = scene.sandbox;
    await addProvider(window, { provider: 'Sandbox (simulated)', baseUrl: first.url, name: 'north', key: 'sk-north-5f1c8d24e7a94b60', model: 'sandbox-chat' });
    await editSettings(window, scene.editor, settings => {
      const endpoints = settings['waybill.endpoints'] as Record<string, object>;
      settings['waybill.endpoints'] = { north: { ...endpoints['north'], models: { 'sandbox-chat': { prices: { inputPerMTok: 10, outputPerMTok: 40 } } } } };
    });
    await window.dismissNotifications();
    await window.command('Waybill: Set Budget…');
    await window.pick('Everything');
    await window.pick('A Day');
    await window.enter('0.30');
    await window.screenshot('budget-outcome');
    await window.pick('Stop');
    await until('the budget to hold', async () => (await scene.endpoint.status()).budgets?.[0]?.limitMicroUsd === 300_000);
    await window.dismissNotifications();
  });

  it('stops the chat, which asks, and the message is answered after "Allow $1 More"', async () => {
    await chat.open();
    await chat.chooseModel('default');
    const asks = async (): Promise<boolean> => (await window.notifications()).some(text => text.includes('The turn waits for your answer'));
    let message = '';
    let isWarned = false;
    for (let count = 1; count <= 12; count += 1) {
      // The notification lies over the input of the chat.
      if (!isWarned && (await scene.endpoint.status()).budgets?.[0]?.state === 'near') {
        await until('the warning', async () => (await window.notifications()).some(text => text.includes('% of the budget "daily" is used')) || undefined);
        isWarned = true;
        await window.dismissNotifications();
      }
      message = `hello budget ${String(count)}`;
      await chat.send(message);
      const answered = chat.answerTo(message).then(() => true, () => false);
      const stopped = until('the stop', async () => await asks() || undefined, { timeoutMs: 60_000 }).then(() => false, () => true);
      if (!await Promise.race([answered, stopped])) break;
    }
    assert.ok(await asks(), 'the budget was reached');
    await window.screenshot('budget-stop');
    await window.page.getByRole('button', { name: 'Allow $1 More' }).first().click();
    assert.match(await chat.answerTo(message), /sandbox-a answers/);
    await window.screenshot('budget-allowed');
    const [budget] = (await scene.endpoint.status()).budgets ?? [];
    assert.equal(budget?.allowedMicroUsd, 1_000_000);
    assert.equal(budget.reservedMicroUsd, 0);
  });

  it('is shown with what is spent, reserved and left', async () => {
    await window.openViewContainer('Waybill');
    await window.expandView('Spend');
    await window.hoverStatusBarItem('up');
    await window.screenshot('budget-tooltip');
    const spend = await window.webviewFrame('the Spend view', async frame => (await frame.locator('h2').allTextContents()).includes('Budgets'));
    assert.match(await spend.locator('section').filter({ hasText: 'Budgets' }).last().innerText(), /daily[\s\S]*of \$1\.30 a day[\s\S]*left/);
    await window.screenshot('budget-spend');
  });
});
