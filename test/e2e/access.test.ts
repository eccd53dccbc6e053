import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, describe, it } from 'node:test';
import type { Sandbox } from './harness/sandbox.ts';
import { Scene, tellInOrder } from './harness/scene.ts';
import { until } from './harness/until.ts';
import { extensionId, serverProcesses } from './harness/waybill.ts';
import type { Workbench } from './harness/workbench.ts';

describe('the access of a connected tool', () => {
  let scene: Scene;
  let window: Workbench;
  let token: string;
  tellInOrder(() => scene);

  before(async () => {
    scene = await Scene.set(settings);
    mkdirSync(path.join(scene.editor.home, '.codex'), { recursive: true });
    writeFileSync(path.join(scene.editor.home, '.codex', 'config.toml'), 'model = "gpt-5.4"\n');
    window = await scene.openWindow('alpha');
    await window.statusBarItem('1 of 1 provider up').waitFor();
  });
  after(async () => { await scene?.end(); });

  it('is offered once a tool is connected', async () => {
    await window.command('Waybill: Edit Tool Access…');
    await until('the sentence', async () => (await window.notifications()).some(text => text.startsWith('No tool is connected.')));
    await window.dismissNotifications();
    await window.command('Waybill: Connect a Tool…');
    await window.pick('Codex');
    await until('the routes', async () => /route or model/.test(await placeholder()));
    await window.pick('default');
    await until('the question', async () => (await window.notifications()).some(text => text.includes('Write ~/.codex/config.toml?')));
    await window.page.locator('.notification-toast a').getByText('Write', { exact: true }).click();
    await until('the token', () => {
      token = /experimental_bearer_token = "(.*)"/.exec(readFileSync(path.join(scene.editor.home, '.codex', 'config.toml'), 'utf8'))?.[1] ?? '';
      return token !== '';
    });
    await window.dismissNotifications();
    assert.deepEqual([(await ask('default')).status, (await ask('small')).status], [200, 200]);
  });

  it('is changed in words, and holds for the next request', async () => {
    await window.command('Waybill: Edit Tool Access…');
    await until('the tools', async () => (await window.quickInputText()).includes('codex'));
    await window.screenshot('access-tools');
    await row('codex').click();
    await menu();
    await window.screenshot('access-menu');
    await row('Routes:').click();
    await until('the routes', async () => (await window.quickInputText()).includes('small'));
    // A route that is chosen takes "every route" away, and the other way round.
    assert.deepEqual(await ticked(), ['Every route, also those that are made later']);
    await row('default').click();
    await until('the route alone', async () => (await ticked()).join() === 'default');
    await row('Every route').click();
    await until('every route alone', async () => (await ticked()).join() === 'Every route, also those that are made later');
    await row('default').click();
    await until('the route alone', async () => (await ticked()).join() === 'default');
    await window.screenshot('access-routes');
    await window.page.keyboard.press('Enter');
    await until('the menu with the route', async () => (await window.quickInputText()).includes('Routes: default'));
    await row('Budget:').click();
    await until('the periods', async () => (await window.quickInputText()).includes('A Month'));
    await row('A Day').click();
    await until('the amount', async () => (await placeholder()) === '5');
    for (const [wrong, sentence] of [['-1', 'Write an amount of US dollars'], ['abc', 'Write an amount of US dollars'], ['0', 'Write an amount above 0']] as const) {
      await window.enter(wrong);
      await until(`the sentence about ${wrong}`, async () => (await window.quickInputText()).includes(sentence));
      assert.equal(await window.quickInputBox().inputValue(), wrong);
    }
    await window.screenshot('access-wrong-amount');
    await back();
    await until('the periods again', async () => (await window.quickInputText()).includes('A Month'));
    await row('A Day').click();
    await until('the amount again', async () => (await placeholder()) === '5');
    await window.enter('2');
    await until('the menu with the budget', async () => (await window.quickInputText()).includes('Budget: $2.00 a day'));
    await row('Does not end').click();
    await until('the spans', async () => (await window.quickInputText()).includes('In 7 Days'));
    await window.screenshot('access-end');
    await row('On a Date…').click();
    await until('the day', async () => /^\d{4}-\d\d-\d\d$/.test(await placeholder()));
    for (const wrong of ['2020-01-01', '2099-02-30', 'soon']) {
      await window.enter(wrong);
      await until(`the sentence about ${wrong}`, async () => (await window.quickInputText()).includes('Write a day that is not past, such as '));
      await window.quickInputBox().fill('');
      await until('the sentence to go', async () => !(await window.quickInputText()).includes('Write a day'));
    }
    await back();
    await until('the spans again', async () => (await window.quickInputText()).includes('In 7 Days'));
    await row('In 7 Days').click();
    await until('the menu with the end', async () => (await window.quickInputText()).includes('Ends on'));
    await window.screenshot('access-changed');
    await row('Models:').click();
    await until('the models', async () => (await window.quickInputText()).includes('sandbox-chat'));
    await window.screenshot('access-models');
    await back();
    await menu();
    await back();
    await until('the tools again', async () => (await window.quickInputText()).includes('Routes: default'));
    await row('codex').click();
    await menu();
    await row('Limits:').click();
    await until('the limits', async () => (await window.quickInputText()).includes('Tokens a Minute'));
    await window.page.keyboard.press('Escape');
    await window.quickInput().waitFor({ state: 'hidden' });
    assert.equal((await ask('default')).status, 200);
    const refused = await ask('small');
    assert.equal(refused.status, 403);
    assert.match(refused.text, /The token of codex may not use .*small.*It may use the route default/);
  });

  it('is among the budgets', async () => {
    await window.command('Waybill: Edit Budgets…');
    await until('the budget of the tool', async () => (await window.quickInputText()).includes('Access of codex'));
    await window.screenshot('access-budgets');
    await row('Access of codex').click();
    await menu();
    await window.page.keyboard.press('Escape');
  });

  it('holds after the editor\'s window and its server ended', async () => {
    const before = serverProcesses(scene.editor).map(({ pid }) => pid);
    await scene.closeWindow(window);
    await until('the server to end', () => serverProcesses(scene.editor).every(({ pid }) => !before.includes(pid)), { timeoutMs: 60_000 });
    window = await scene.openWindow('alpha');
    await window.statusBarItem('1 of 1 provider up').waitFor();
    assert.equal((await ask('small')).status, 403);
    assert.equal((await ask('default')).status, 200);
  });

  it('can be over, and be changed all the same', async () => {
    const book = new DatabaseSync(path.join(scene.editor.globalStorage(extensionId), 'access', 'tokens.db'));
    assert.equal(book.prepare('UPDATE tokens SET expires_at = ? WHERE id = ?').run(Date.now() - 60_000, 'codex').changes, 1);
    book.close();
    await until('the token to expire', async () => (await ask('default')).status === 401);
    assert.match((await ask('default')).text, /The access of codex ended on .*: in VS Code/);
    await window.command('Waybill: Edit Tool Access…');
    await until('the tools', async () => (await window.quickInputText()).includes('Ended on'));
    await row('codex').click();
    await menu();
    await row('Budget:').click();
    await until('the periods', async () => (await window.quickInputText()).includes('A Month'));
    await row('A Month').click();
    await until('the amount', async () => (await placeholder()) === '5');
    await window.enter('20');
    await until('the menu with the budget', async () => (await window.quickInputText()).includes('Budget: $2.00 a day, $20.00 a month'));
    await window.screenshot('access-ended');
    await row('Ended on').click();
    await until('the spans', async () => (await window.quickInputText()).includes('In 7 Days'));
    await row('Never').click();
    await until('the menu without an end', async () => (await window.quickInputText()).includes('Does not end'));
    await window.page.keyboard.press('Escape');
    assert.equal((await ask('default')).status, 200);
  });

  it('ends with its token, and the tool is told so', async () => {
    await window.command('Waybill: Edit Tool Access…');
    await until('the tools', async () => (await window.quickInputText()).includes('Routes: default'));
    await row('codex').click();
    await menu();
    await row('Revoke').click();
    const dialog = window.page.locator('.monaco-dialog-box');
    await dialog.waitFor();
    await window.screenshot('access-revoke');
    await dialog.locator('.monaco-button').getByText('Revoke', { exact: true }).click();
    await until('the message', async () => (await window.notifications()).some(text => text.includes('The token of codex is revoked.')));
    const refused = await ask('default');
    assert.equal(refused.status, 401);
    assert.match(refused.text, /The token of codex was revoked: in VS Code/);
  });

  async function menu(): Promise<void> {
    await until('the menu', async () => (await window.quickInputText()).includes('Limits:'));
  }

  async function back(): Promise<void> {
    await window.quickInput().locator('.quick-input-titlebar .codicon-quick-input-back').click();
  }

  /** The labels of the rows whose boxes are ticked. */
  async function ticked(): Promise<string[]> {
    const labels: string[] = [];
    for (const one of await window.quickInput().locator('.monaco-list-row').all()) {
      if (await one.locator('.monaco-checkbox[aria-checked="true"]').count() > 0) labels.push((await one.innerText()).trim());
    }
    return labels;
  }

  function row(text: string) {
    return window.quickInput().locator('.monaco-list-row').filter({ hasText: text }).first();
  }

  async function placeholder(): Promise<string> {
    return await window.quickInputBox().getAttribute('placeholder', { timeout: 500 }) ?? '';
  }

  async function ask(model: string): Promise<{ status: number; text: string }> {
    const response = await fetch(`http://127.0.0.1:${String(scene.port)}/v1/chat/completions`, {
      method: 'POST', headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' }, body: JSON.stringify({ model, messages: [{ role: 'user', content: 'hello' }] }),
    });
    return { status: response.status, text: await response.text() };
  }
});

function settings({ first }: Sandbox): Record<string, unknown> {
  return {
    'waybill.endpoints': { north: { provider: 'sandbox', baseUrl: first.url, models: { 'sandbox-chat': { contextWindow: 100_000, prices: { inputPerMTok: 2, outputPerMTok: 8 } } } } },
    'waybill.routes': { default: { targets: ['north/sandbox-chat'] }, small: { targets: ['north/sandbox-chat'] } },
  };
}
