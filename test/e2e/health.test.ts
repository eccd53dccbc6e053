import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
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

describe('health in the editor', () => {
  let scene: Scene;
  let window: Workbench;
  tellInOrder(() => scene);

  async function ask(): Promise<{ status: number; target: string | null }> {
    const response = await scene.endpoint.request('/v1/chat/completions', {
      method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ model: 'default', messages: [{ role: 'user', content: 'hello' }] }),
    });
    await response.text();
    return { status: response.status, target: response.headers.get('x-waybill-target') };
  }

  const rows = (): Promise<string[]> => window.treeRows('Providers');

  before(async () => {
    scene = await Scene.set(settings);
    window = await scene.openWindow('alpha');
    await window.statusBarItem('2 of 2 providers up').waitFor();
    await until('the local endpoint', async () => (await ask()).status === 200);
    await scene.sandbox.first.die();
    await until('the other provider to answer', async () => (await ask()).status === 200);
    await window.openViewContainer('Waybill');
    await window.collapseView('Spend');
    await window.collapseView('Routes');
    await window.expandView('Providers');
    await window.statusBarItem('1 of 2 providers up').waitFor();
  });
  after(async () => { await scene?.end(); });

  it('has who answers instead, and the latest hour under the provider, in dark and light', async () => {
    await until('the reason', async () => (await rows()).some(row => /^north.*down \(network error\), .*using south/.test(row)));
    await window.treeRow('Providers', 'north').click();
    await window.page.keyboard.press('ArrowRight');
    await until('the latest hour', async () => (await rows()).some(row => /^Hour to \d\d:\d\d ?[·▁▂▃▄▅▆▇█]{12} \d+\/\d+ failed/.test(row)));
    for (const theme of ['dark', 'light'] as const) {
      await window.useColourTheme(theme);
      await window.screenshot(`health-${theme}`);
    }
    await window.useColourTheme('dark');
  });

  it('pauses the endpoint from the palette, and a second window says the same at once', async () => {
    await scene.sandbox.first.revive();
    const other = await scene.openWindow('beta');
    await other.openViewContainer('Waybill');
    await other.expandView('Providers');
    await window.command('Waybill: Pause Endpoint…');
    await window.pick('north');
    await window.screenshot('health-pause-spans');
    await window.pick('Until I Resume It');
    await until('the pause in the first window', async () => (await rows()).some(row => /^north.*paused until it is resumed, using south/.test(row)));
    await until('the pause in the second window', async () => (await other.treeRows('Providers')).some(row => /^north.*paused until it is resumed/.test(row)), { timeoutMs: 5_000 });
    await window.statusBarItem('1 paused').waitFor();
    assert.equal((await ask()).target, 'south/sandbox-messages');
    await window.screenshot('health-paused');
    await window.dismissNotifications();
    await other.command('Waybill: Resume Endpoint');
    await until('the end of the pause in the first window', async () => !(await rows()).some(row => /^north.*paused/.test(row)), { timeoutMs: 5_000 });
    await scene.closeWindow(other);
  });

  it('lists the incident, which leads to the receipt of a request that it touched', async () => {
    await window.command('Waybill: Show Incidents…');
    await until('the incident', async () => /north: network error/.test(await window.quickInputText()));
    await window.screenshot('health-incidents');
    await window.page.keyboard.press('Enter');
    await until('its requests', async () => /answered by south\/sandbox-messages/.test(await window.quickInputText()));
    await window.page.keyboard.press('Enter');
    await window.webviewFrame('the receipt', async frame => /south\/sandbox-messages/.test(await frame.locator('body').innerText()));
    await window.screenshot('health-receipt');
  });
});
