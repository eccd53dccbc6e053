import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Chat } from './harness/chat.ts';
import type { Sandbox } from './harness/sandbox.ts';
import { Scene, tellInOrder } from './harness/scene.ts';
import { until } from './harness/until.ts';
import type { Workbench } from './harness/workbench.ts';

const settings = ({ first, second }: Sandbox): Record<string, unknown> => ({
  'chat.allowAnonymousAccess': true,
  'waybill.endpoints': {
    north: { provider: 'sandbox', protocol: 'openai-chat', baseUrl: first.url, probe: { enabled: false } },
    south: { provider: 'sandbox', protocol: 'anthropic-messages', baseUrl: second.url, probe: { enabled: false } },
  },
  'waybill.routes': { default: { targets: ['north/sandbox-chat', 'south/sandbox-messages'] }, other: { targets: ['south/sandbox-messages'] } },
});

describe('the list of requests', () => {
  let scene: Scene;
  let window: Workbench;
  tellInOrder(() => scene);

  /** One request of a tool through the local endpoint. */
  async function ask(tool: string, model = 'default'): Promise<Response> {
    return scene.endpoint.request('/v1/chat/completions', {
      method: 'POST', headers: { 'content-type': 'application/json', 'x-waybill-tool': tool }, body: JSON.stringify({ model, messages: [{ role: 'user', content: 'hello' }] }),
    });
  }
  /** Rows come and go while they are read, so they are read in one go. */
  const rows = () => window.view('Requests').locator('.monaco-list-row').evaluateAll(all => all.map(row => (row as HTMLElement).innerText.replace(/\s+/g, ' ').trim()));

  before(async () => {
    scene = await Scene.set(settings);
    window = await scene.openWindow('alpha');
    await window.statusBarItem('2 of 2 providers up').waitFor();
    await window.useColourTheme('dark');
    await until('the local endpoint', async () => (await ask('codex')).status === 200);
    await ask('aider', 'other');
    await ask('aider');
  });
  after(async () => { await scene?.end(); });

  it('tells requests apart by time, tool, the words of a chat, model and cost', async () => {
    const chat = new Chat(window);
    await chat.open();
    await chat.chooseModel('default');
    await chat.ask('Name a colour');
    await window.openViewContainer('Waybill');
    await window.expandView('Requests');
    await until('the chat, with its first words', async () => (await rows()).some(text => /^\d\d?:\d\d.* Chat: Name a colour ?sandbox-chat · /.test(text)), { timeoutMs: 20_000 });
    assert.ok((await rows()).some(text => / aider ?sandbox-messages · /.test(text)), (await rows()).join(' | '));
    await window.screenshot('requests-list');
  });

  it('shows the receipt of the last answer of the chat', async () => {
    await window.command('Waybill: Show Receipt of Last Chat Answer');
    const frame = await window.webviewFrame('of the receipt', async one => await one.locator('main.receipt .outcome').count() > 0);
    assert.match(await frame.locator('main.receipt').innerText(), /VS Code chat \((agent|chat)\)/);
    await window.screenshot('requests-receipt');
    await frame.locator('button', { hasText: 'Show This Conversation' }).click();
    await until('its requests alone', async () => (await rows()).length > 1 && (await rows()).every((text, index) => (index === 0 ? text.startsWith('Conversation: ') : text.includes(' Chat'))));
    await window.command('Waybill: Clear Filter of Requests');
    await until('every request', async () => (await rows()).some(text => text.includes(' codex')));
  });

  it('is filtered by keyboard, over the whole ledger, and each condition can be taken away', async () => {
    await window.command('Waybill: Filter Requests…');
    await window.pick('Tool…');
    await window.pick('aider');
    await until('the requests of that tool alone', async () => {
      const texts = await rows();
      return texts.length === 3 && texts[0] === 'Tool: aider' && texts.slice(1).every(text => text.includes(' aider'));
    });
    await window.command('Waybill: Filter Requests…');
    await window.pick('Route…');
    await window.pick('other');
    await until('both conditions to hold', async () => (await rows()).filter(text => / aider ?sandbox-/.test(text)).length === 1);
    await window.screenshot('requests-filtered');
    const condition = window.treeRow('Requests', 'Tool: aider');
    await condition.hover();
    await condition.locator('.action-label[aria-label*="Clear Filter"]').click();
    await until('one condition to be gone', async () => !(await rows()).includes('Tool: aider') && (await rows()).includes('Route: other'));
    await window.command('Waybill: Clear Filter of Requests');
    await until('every request', async () => (await rows()).length >= 4 && (await rows()).every(text => !text.startsWith('Route:')));
  });

  it('shows what runs on top, and cancels it: the tool gets an error', async () => {
    await scene.sandbox.first.behave({ type: 'answer', text: 'late', headersMs: 120_000 });
    await scene.sandbox.second.behave({ type: 'answer', text: 'late', headersMs: 120_000 });
    const asked = ask('curl', 'other').then(async response => ({ status: response.status, text: await response.text() }));
    const running = await until('the request that runs', async () => {
      const [top = ''] = await rows();
      return / curl ?running · \d+ s · /.test(top) ? top : undefined;
    });
    await until('its time to go on', async () => (await rows())[0] !== running);
    await window.screenshot('requests-running');
    const row = window.treeRow('Requests', ' curl');
    await row.hover();
    await row.locator('.action-label[aria-label*="Cancel Request"]').click();
    await window.page.locator('.monaco-dialog-box').waitFor();
    await window.screenshot('requests-cancel');
    await window.page.locator('.monaco-dialog-box .monaco-button').filter({ hasText: 'Cancel Request' }).click();
    const { status, text } = await asked;
    assert.equal(status, 499);
    assert.match(text, /cancelled in Waybill/);
    await until('it to have ended in the list', async () => (await rows()).some(one => / curl ?cancelled · /.test(one)));
    await scene.sandbox.first.behave({ type: 'answer' });
    await scene.sandbox.second.behave({ type: 'answer' });
  });

  it('compares two of them', async () => {
    await window.dismissNotifications();
    await window.treeRow('Requests', ' codex').click();
    await window.treeRow('Requests', 'Chat: Name').click({ modifiers: ['Control'] });
    await window.command('Waybill: Compare Two Requests…');
    const frame = await window.webviewFrame('of the comparison', async one => await one.locator('h1', { hasText: 'Two requests' }).count() > 0);
    assert.match(await frame.locator('body').innerText(), /Asked by\s+codex\s+VS Code chat \(\w+\)\s+differs/);
    await window.screenshot('requests-compared');
  });
});
