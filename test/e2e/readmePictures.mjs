/**
 * Makes the pictures of the README, from the packaged extension in a real editor with two sandbox providers:
 * `node test/e2e/readmePictures.mjs` after `npm run package`. They are written to media/screenshots.
 */
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { install } from './install.mjs';

console.log(install());
// The harness needs what install.mjs brings.
const { Chat } = await import('./harness/chat.ts');
const { places } = await import('./harness/places.ts');
const { Scene } = await import('./harness/scene.ts');
const { addProvider, editSettings } = await import('./harness/waybill.ts');
const { until } = await import('./harness/until.ts');

const folder = path.join(places.repository, 'media', 'screenshots');
const prices = {
  north: { 'sandbox-chat': { prices: { inputPerMTok: 2, outputPerMTok: 8, cacheReadPerMTok: 1 } } },
  south: { 'sandbox-messages': { prices: { inputPerMTok: 3, outputPerMTok: 15, cacheReadPerMTok: 1, cacheWritePerMTok: 4 } } },
};
const questions = { before: ['Which tests cover the checkout?', 'How is a discount computed?'], after: 'What does this project do?' };

const scene = await Scene.set(() => ({ 'window.title': '${rootName}' }));
try {
  mkdirSync(folder, { recursive: true });
  const window = await scene.openWindow('web-shop');
  const { first, second } = scene.sandbox;
  await addProvider(window, { provider: 'Sandbox (simulated)', baseUrl: first.url, name: 'north', key: 'sk-north-5f1c8d24e7a94b60', model: 'sandbox-chat' });
  await addProvider(window, { provider: 'Anthropic-compatible', baseUrl: second.url, name: 'south', key: 'sk-ant-south-9b7e3a61c2d84f05', model: 'sandbox-messages' });
  await editSettings(window, scene.editor, (settings) => {
    settings['waybill.statusBar.show'] = 'both';
    settings['waybill.endpoints'] = Object.fromEntries(Object.entries(settings['waybill.endpoints']).map(([name, endpoint]) => [name, { ...endpoint, models: prices[name] }]));
  });
  await until('the prices to be known', async () => (await scene.endpoint.status()).offered.some(({ kind, pricing }) => kind === 'route' && pricing !== undefined));

  const chat = new Chat(window);
  await chat.open();
  await chat.chooseModel('default');
  for (const question of questions.before) await chat.ask(question);
  await first.die();
  assert.match(await chat.ask(questions.after), /sandbox-b/);
  const failover = await until('every request to be over, and one to have failed over', async () => {
    const exchanges = await scene.endpoint.exchanges();
    return exchanges.every(({ outcome }) => outcome !== 'open') && exchanges.find(({ attempts, caller }) => attempts > 1 && caller.purpose === 'agent');
  });
  assert.ok(failover);

  await window.useColourTheme('dark');
  await window.openViewContainer('Waybill');
  await window.expandView('Requests');
  await window.treeRow('Requests', '2 attempts').click();
  const receipt = await window.webviewFrame('receipt', async (frame) => await frame.locator('main.receipt h1').count() > 0);
  assert.match(await receipt.locator('main').innerText(), /Answered after 1 failed attempt/);
  const spend = await window.webviewFrame('Spend', async (frame) => await frame.locator('main.spend').count() > 0);
  await until('both providers in the Spend view', async () => /north\s+\$[\d.]+[\s\S]*south\s+\$|south\s+\$[\d.]+[\s\S]*north\s+\$/.test(await spend.locator('main').innerText()));
  await window.dismissNotifications();
  await widenSidebar(window, 64);
  await takePicture(window, 'overview');

  await window.useColourTheme('light');
  await takePicture(window, 'sidebar', window.page.locator('.part.sidebar'));
} catch (error) {
  console.error(await scene.report('readme-pictures'));
  throw error;
} finally {
  await scene.end();
}

/** The machine that draws the pictures may have a wider font than most; so much wider is the sidebar. */
async function widenSidebar({ page }, pixels) {
  const box = await page.locator('.part.sidebar').boundingBox();
  assert.ok(box !== null);
  const [x, y] = [box.x + box.width + 1, box.y + box.height / 2];
  await page.mouse.move(x, y);
  await page.mouse.down();
  await page.mouse.move(x + pixels, y, { steps: 4 });
  await page.mouse.up();
}

/** Of the window or a part of it, with the pointer away from what it would highlight, and no path of this machine in sight. */
async function takePicture(window, name, part = window.page.locator('.monaco-workbench')) {
  const { page } = window;
  assert.ok(!(await page.locator('.monaco-workbench').innerText()).includes(scene.editor.home), 'a path of this machine can be seen');
  await page.mouse.move(640, 4);
  const file = path.join(folder, `${name}.png`);
  await part.screenshot({ path: file, animations: 'disabled' });
  console.log(path.relative(places.repository, file));
}
