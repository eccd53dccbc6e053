import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Locator } from 'playwright-core';
import { Chat } from './harness/chat.ts';
import type { Sandbox } from './harness/sandbox.ts';
import { Scene, tellInOrder } from './harness/scene.ts';
import { until } from './harness/until.ts';
import type { Workbench } from './harness/workbench.ts';

const settings = ({ first, second }: Sandbox): Record<string, unknown> => ({
  'waybill.endpoints': {
    north: { provider: 'sandbox', protocol: 'openai-chat', baseUrl: first.url, probe: { enabled: false } },
    south: { provider: 'sandbox', protocol: 'anthropic-messages', baseUrl: second.url, probe: { enabled: false } },
  },
  'waybill.routes': { default: { targets: ['north/sandbox-chat', 'south/sandbox-messages'] } },
});

describe('the views after a failover', () => {
  let scene: Scene;
  let window: Workbench;
  tellInOrder(() => scene);

  /** One request of a tool through the local endpoint. */
  async function ask(model = 'default'): Promise<number> {
    const response = await scene.endpoint.request('/v1/chat/completions', {
      method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ model, messages: [{ role: 'user', content: 'hello' }] }),
    });
    await response.text();
    return response.status;
  }

  /** Whether a hover is on screen, looked at every 100 ms for some seconds. */
  async function looks(seconds: number): Promise<boolean[]> {
    const seen: boolean[] = [];
    for (let look = 0; look < seconds * 10; look += 1) {
      seen.push(await window.page.locator('.monaco-hover:visible').count() > 0);
      await window.page.waitForTimeout(100);
    }
    return seen;
  }

  /** @param shows a part of the tooltip; the one of an icon that the pointer was on before can still come */
  async function hover(item: Locator, shows: string): Promise<string> {
    return until(`the tooltip with "${shows}"`, async () => {
      await window.page.mouse.move(640, 4);
      await window.page.locator('.monaco-hover:visible').waitFor({ state: 'hidden', timeout: 3000 });
      await item.hover();
      const hovered = window.page.locator('.monaco-hover:visible').first();
      await hovered.waitFor({ timeout: 3000 });
      const text = await hovered.innerText();
      return text.includes(shows) ? text : undefined;
    }, { everyMs: 500 });
  }

  /** What has the focus: the title of a list, or the kind of element. */
  const focused = () => window.page.evaluate(() => {
    const { activeElement } = document;
    return activeElement?.closest('.pane')?.querySelector('.pane-header .title')?.textContent ?? activeElement?.tagName;
  });

  before(async () => {
    scene = await Scene.set(settings);
    window = await scene.openWindow('alpha');
    await window.statusBarItem('2 of 2 providers up').waitFor();
    await window.useColourTheme('dark');
    await until('the local endpoint', async () => await ask() === 200);
    await scene.sandbox.first.die();
    await until('the other provider to answer', async () => await ask() === 200);
    await window.openViewContainer('Waybill');
    await window.statusBarItem('1 of 2 providers up').waitFor();
  });
  after(async () => { await scene?.end(); });

  it('keep the tooltip of the failed provider for as long as the pointer is on it', async () => {
    const view = await window.expandView('Providers');
    const row = view.locator('.monaco-list-row').filter({ hasText: 'north' }).first();
    assert.match(await row.innerText(), /down \(network error\)/);
    assert.doesNotMatch(await row.innerText(), /\d ms/, 'no latency of a provider that is down');
    const text = await hover(row, 'north: Sandbox');
    assert.match(text, /north: Sandbox.*down \(network error\)/s);
    assert.match(text, /Down since \d\d:\d\d/);
    const seen = await looks(5);
    assert.ok(seen.every(Boolean), seen.map(Number).join(''));
    await window.screenshot('views-provider-hover');
  });

  it('keep the tooltip of the status bar item', async () => {
    const text = await hover(window.statusBarItem('1 of 2 providers up'), 'north');
    assert.match(text, /north.*down \(network error\)/s);
    const seen = await looks(5);
    assert.ok(seen.every(Boolean), seen.map(Number).join(''));
    await window.screenshot('views-status-hover');
  });

  it('say the same in the model picker, beside a name that can be read', async () => {
    const chat = new Chat(window);
    await chat.open();
    const rows = await chat.offeredModels('default');
    assert.ok(rows.some(row => /^default.*1\/2 up · via south/.test(row)), rows.join(' | '));
    await window.page.locator('.model-picker-name').first().click();
    const name = window.page.locator('.monaco-list-row.action .title').filter({ hasText: 'default' }).first();
    await name.waitFor();
    assert.ok(await name.evaluate(element => element.scrollWidth <= element.clientWidth), 'the name is not cut');
    await window.screenshot('views-picker');
    await window.page.keyboard.press('Escape');
    await window.openViewContainer('Waybill');
  });

  it('show the result of a check, and remove an error that the check disproves', async () => {
    await window.command('Waybill: Check Health Now');
    await until('the result of the check', async () => (await window.notifications()).some(text => /^1 of 2 providers up; north: down \(network error\)/.test(text)));
    await window.screenshot('views-check');
    await scene.sandbox.first.revive();
    // The check runs again when its result was not seen: a notification can disappear before the next look.
    await until('a check that finds both', async () => {
      await window.command('Waybill: Check Health Now');
      return until('its result', async () => (await window.notifications()).some(text => text.startsWith('All 2 providers are up')), { timeoutMs: 5_000 });
    }, { timeoutMs: 40_000 });
    await window.statusBarItem('2 of 2 providers up').waitFor();
    await window.dismissNotifications();
    const row = window.treeRow('Providers', 'north');
    await row.click();
    await window.page.keyboard.press('ArrowRight');
    await until('the error to be past', async () => (await window.treeRows('Providers')).some(text => /^\d\d:\d\d, over ?refused the connection$/.test(text)));
    await window.screenshot('views-recovered');
  });

  it('are walked by keyboard: a click and Space show a receipt, arrows go on, Enter goes into it', async () => {
    const view = await window.expandView('Requests');
    await until('the requests', async () => await view.locator('.monaco-list-row').count() >= 2);
    await view.locator('.monaco-list-row').first().click();
    const receipt = window.page.locator('.tab[aria-label^="Receipt"]');
    await receipt.waitFor();
    assert.equal(await focused(), 'Requests');
    const shown = async (): Promise<string> => {
      const frame = await window.webviewFrame('of the receipt', async one => await one.locator('main.receipt .outcome').count() > 0);
      return frame.locator('main.receipt').innerText();
    };
    const first = await until('the first receipt', shown);
    await window.page.keyboard.press('ArrowDown');
    await window.page.keyboard.press('Space');
    await until('the next receipt', async () => await shown() !== first);
    assert.equal(await focused(), 'Requests');
    await window.screenshot('views-requests');
    await window.page.keyboard.press('Enter');
    await until('the focus to be in the receipt', async () => await focused() === 'IFRAME' || await focused() === 'WEBVIEW');
  });

  it('leave the details in the log', async () => {
    await ask('nope');
    const log = await until('the lines of the log', () => {
      const text = [...scene.editor.logs()].filter(([file]) => file.includes('waybill')).map(([, lines]) => lines).join('\n');
      return text.includes('"nope"') ? text : undefined;
    });
    assert.match(log, /attempt 1 at north\/sandbox-chat failed: network error/);
    assert.match(log, /south\/sandbox-messages answered after 1 failed attempt/);
    // Changes that follow one another within a moment are one line.
    assert.match(log, /north: down \(network error\).*\(before: (?:healthy|not used yet)\)/);
    assert.match(log, /for "nope" was not sent: model not found/);
  });
});
