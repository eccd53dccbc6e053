import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Sandbox } from './harness/sandbox.ts';
import { Scene, tellInOrder } from './harness/scene.ts';
import { until } from './harness/until.ts';
import type { Workbench } from './harness/workbench.ts';

const settings = ({ first, second }: Sandbox): Record<string, unknown> => ({
  'waybill.endpoints': {
    north: { provider: 'sandbox', protocol: 'openai-chat', baseUrl: first.url, probe: { enabled: false }, models: { 'sandbox-chat': { contextWindow: 100_000, prices: { inputPerMTok: 2, outputPerMTok: 8 } } } },
    south: { provider: 'sandbox', protocol: 'anthropic-messages', baseUrl: second.url, probe: { enabled: false }, models: { 'sandbox-messages': { contextWindow: 200_000, prices: { inputPerMTok: 3, outputPerMTok: 15 } } } },
  },
});

describe('a route in the editor', () => {
  let scene: Scene;
  let window: Workbench;
  tellInOrder(() => scene);

  const rowOf = (text: RegExp): Promise<string> => until(`a line that matches ${String(text)}`, async () => (await window.treeRows('Routes')).find(row => text.test(row)));
  /** The title of the open question: a row of the one before it can still be on screen. */
  const asked = (title: string): Promise<void> => window.quickInput().locator('.quick-input-title').getByText(title, { exact: true }).waitFor();

  before(async () => {
    scene = await Scene.set(settings);
    window = await scene.openWindow('alpha');
    await window.statusBarItem('2 of 2 providers up').waitFor();
    await window.openViewContainer('Waybill');
    await window.collapseView('Spend');
    await window.collapseView('Providers');
    await window.expandView('Routes');
  });
  after(async () => { await scene?.end(); });

  it('is made and weighted from the palette', async () => {
    await window.command('Waybill: New Route…');
    await asked('New Route (1/2)');
    await window.enter('coding');
    await asked('New Route "coding" (2/2)');
    await window.pick('north/sandbox-chat');
    await asked('Edit Route "coding"');
    await window.pick('Add a Model or Route…');
    await asked('Edit Route "coding": add a model or route');
    await window.pick('south/sandbox-messages');
    await asked('Edit Route "coding"');
    await window.screenshot('routes-edit');
    await window.pick('Which model comes first…');
    await asked('Edit Route "coding": Which model comes first');
    await window.pick('By weight');
    await asked('Edit Route "coding"');
    await window.pick('1. north/sandbox-chat');
    await asked('Edit Route "coding": north/sandbox-chat');
    await window.pick('Set Its Weight…');
    await asked('Edit Route "coding": weight of north/sandbox-chat');
    await window.enter('3');
    await asked('Edit Route "coding"');
    await window.pick('Done');
    assert.match(await rowOf(/^coding/), /by weight/);
    await rowOf(/^north\/sandbox-chat.*75 %/);
    await rowOf(/^south\/sandbox-messages.*25 %/);
    await window.screenshot('routes-weighted');
  });

  it('gets a canary from the palette, which the sidebar shows', async () => {
    await window.command('Waybill: Start Canary…');
    await asked('Start Canary of "coding" (1/2)');
    await window.enter('north/sandbox-next');
    await asked('Start Canary of "coding" (2/2)');
    await window.screenshot('routes-canary-wizard');
    await window.pick('By Hand');
    await rowOf(/^Canary.*stage 1 of 5, 5 %/);
    await rowOf(/^coding.*canary 5 %/);
    await window.screenshot('routes-canary');
  });

  it('is rolled back', async () => {
    await window.command('Waybill: Roll Back Canary…');
    await rowOf(/^Canary.*rolled back/);
    await window.screenshot('routes-rolled-back');
  });
});
