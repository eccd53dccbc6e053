import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Chat } from './harness/chat.ts';
import type { Sandbox } from './harness/sandbox.ts';
import { Scene, tellInOrder } from './harness/scene.ts';
import { until } from './harness/until.ts';
import type { Workbench } from './harness/workbench.ts';

/** The server sends probes by itself. Without probes, every request that reaches a provider is one of the test. */
const probe = { enabled: false };
const settings = ({ first, second }: Sandbox): Record<string, unknown> => ({
  'waybill.endpoints': {
    north: { provider: 'sandbox', protocol: 'openai-chat', baseUrl: first.url, probe },
    south: { provider: 'sandbox', protocol: 'anthropic-messages', baseUrl: second.url, probe },
  },
  'waybill.routes': { default: { targets: ['north/sandbox-chat', 'south/sandbox-messages'] }, solo: { targets: ['north/sandbox-chat'] } },
});

describe('a fire drill in VS Code', () => {
  let scene: Scene;
  let window: Workbench;
  let chat: Chat;
  tellInOrder(() => scene);

  before(async () => {
    scene = await Scene.set(settings);
    window = await scene.openWindow('alpha');
    chat = new Chat(window);
    await window.statusBarItem('2 of 2 providers up').waitFor();
    await window.useColourTheme('dark');
    await chat.open();
    await chat.chooseModel('default');
    assert.match(await chat.ask('hello before'), /sandbox-a answers/);
  });
  after(async () => { await scene?.end(); });

  it('asks for endpoint, fault and time, and says before it starts that it sends nothing', async () => {
    await window.command('Waybill: Fire Drill…');
    await window.pick('north');
    await until('the faults', async () => (await window.quickInputText()).includes('Every connection is refused'));
    await window.screenshot('drill-faults-dark');
    await window.pick('Down');
    await choose(/For how long/, '5 min');
    const dialog = window.page.locator('.monaco-dialog-box');
    await dialog.waitFor();
    assert.match(await dialog.innerText(), /north is down, for 5 min\?[\s\S]*real requests of this window[\s\S]*The drill itself sends nothing/);
    await window.screenshot('drill-question-dark');
    await dialog.getByRole('button', { name: 'Start Drill' }).click();
  });

  it('shows in the sidebar the fault, the remaining time, and the target that answers for each route', async () => {
    const rows = await until('the Fire Drill view', async () => {
      const texts = await window.treeRows('Fire Drill');
      return texts.some(text => text.startsWith('default')) ? texts : undefined;
    });
    assert.equal(rows[0], 'north is down');
    assert.ok(rows.some(row => /^default ?→ south\/sandbox-messages$/.test(row)), rows.join(' | '));
    assert.ok(rows.some(row => /^solo ?nothing answers$/.test(row)), rows.join(' | '));
    const left = async (): Promise<string | undefined> => /[0-4]:[0-5]\d left/.exec(await window.view('Fire Drill').locator('.pane-header').innerText())?.[0];
    const first = await until('the time left', left);
    await until('the time to run', async () => await left() !== first);
    await window.statusBarItem('fire drill').waitFor();
    await window.screenshot('drill-running-dark');
  });

  it('lets another provider answer while the drilled one receives nothing', async () => {
    const already = (await scene.sandbox.first.requests()).length;
    assert.match(await chat.ask('hello during'), /sandbox-b answers your prompt: "hello during"/);
    await until('the way of the request', async () => (await window.treeRows('Fire Drill')).some(row => /north ✕ → .*south/.test(row)));
    assert.equal((await scene.sandbox.first.requests()).length, already);
    for (const [theme, name] of [['light', 'light'], ['highContrast', 'high-contrast'], ['dark', 'dark']] as const) {
      await window.useColourTheme(theme);
      await window.screenshot(`drill-met-${name}`);
      await window.screenshot(`drill-sidebar-${name}`, window.page.locator('.part.sidebar'));
    }
    await window.hoverStatusBarItem('fire drill');
    await window.screenshot('drill-tooltip-dark');
  });

  it('opens the receipt of an affected request, which carries the mark of the drill', async () => {
    // The list grows while it is clicked, and the row is at its edge.
    await until('the receipt', async () => {
      await window.treeRow('Fire Drill', 'north ✕').click();
      return until('its tab', async () => await window.page.locator('.tab[aria-label^="Receipt"]').count() > 0, { timeoutMs: 2_000 });
    });
    const frame = await window.webviewFrame('receipt', async candidate => await candidate.locator('main.receipt .badge').count() > 0);
    assert.equal(await frame.locator('.badge').first().innerText(), 'Fire drill');
    assert.match(await frame.locator('main').innerText(), /Fire drill: north refused the connection/);
    await window.screenshot('drill-receipt-dark');
  });

  it('reports what each route survives, in the colours of the theme, and takes the reader to the gap', async () => {
    await window.command('Waybill: Show Fire Drill Report');
    const frame = await window.webviewFrame('report', async candidate => await candidate.locator('main.drill-report table').count() > 0);
    const text = await frame.locator('main').innerText();
    assert.match(text, /0 of 2 routes survive|1 of 2 routes survives/);
    assert.match(text, /Route solo/);
    assert.match(text, /has one target only, "north\/sandbox-chat"/);
    assert.match(text, /A fire drill is running: north is down/);
    assert.doesNotMatch(text, /undefined|NaN|\[object/);
    for (const theme of ['dark', 'light', 'highContrast'] as const) {
      await window.useColourTheme(theme);
      await window.screenshot(`drill-report-${theme}`);
    }
    await window.useColourTheme('dark');
    await frame.getByRole('button', { name: /^Edit Route…/ }).first().click();
    await until('the route to be asked for', async () => (await window.quickInputText()).includes('Edit Route'));
    await window.page.keyboard.press('Escape');
  });

  it('offers to stop the running drill, and sums it up afterwards', async () => {
    await window.command('Waybill: Fire Drill…');
    await until('the offer', async () => (await window.notifications()).some(text => /A fire drill is running: north is down/.test(text)));
    await window.page.locator('.notification-toast').getByRole('button', { name: 'Stop Drill' }).click();
    await until('the summary', async () => (await window.notifications()).some(text => /Fire drill over: north was down for .+ met it: .*answered/.test(text)));
    await window.screenshot('drill-over-dark');
    await window.page.locator('.notification-toast').getByRole('button', { name: 'Show Report' }).click();
    await window.webviewFrame('report of the drill', async candidate => /The last fire drill: north was down/.test(await candidate.locator('main.drill-report').innerText()));
    await window.screenshot('drill-report-after-dark');
    await window.view('Fire Drill').waitFor({ state: 'detached' });
    await window.statusBarItem('2 of 2 providers up').waitFor();
    assert.match(await chat.ask('hello after'), /sandbox-a answers your prompt: "hello after"/);
  });

  async function choose(saying: RegExp, label: string): Promise<void> {
    await until(`the step ${saying}`, async () => saying.test(await window.quickInputBox().getAttribute('placeholder', { timeout: 500 }) ?? ''));
    await window.pick(label);
  }
});
