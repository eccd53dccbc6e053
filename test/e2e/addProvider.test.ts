import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Keyboard } from './harness/keyboard.ts';
import { Scene, tellInOrder } from './harness/scene.ts';
import { until } from './harness/until.ts';
import type { Workbench } from './harness/workbench.ts';

/** The hosts of requests that came with the key. */
const asked: string[] = [];

const key = 'relay-5f1c8d24e7a94b60';

/** A server that is strict about paths and keys, as the sandbox is not. */
function strictServer(): Server {
  return createServer((request, response) => {
    const known = request.url === '/v1/models';
    const allowed = request.headers.authorization === `Bearer ${key}`;
    if (allowed) asked.push(request.headers.host ?? '');
    response.writeHead(!known ? 404 : allowed ? 200 : 401, { 'content-type': 'application/json' });
    response.end(JSON.stringify(known && allowed ? { data: [{ id: 'm-1' }, { id: 'm-2' }] } : { error: { message: 'no' } }));
  });
}

describe('adding and removing a provider', () => {
  let scene: Scene;
  let window: Workbench;
  let keyboard: Keyboard;
  let server: Server;
  let address: string;
  tellInOrder(() => scene);

  before(async () => {
    server = strictServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    scene = await Scene.set();
    window = await scene.openWindow('alpha');
    keyboard = new Keyboard(window);
  });
  after(async () => {
    server?.closeAllConnections();
    server?.close();
    await scene?.end();
  });

  it('says that nothing answers at a wrong address, and goes back to it', async () => {
    await keyboard.command('Waybill: Add Provider…');
    await keyboard.answer('Choose a provider', 'OpenAI-compatible');
    await keyboard.answer('Base URL', `${address}/wrong`);
    await keyboard.answer('A short name', 'south');
    await keyboard.answer('Paste a key', key);
    const dialog = window.page.locator('.monaco-dialog-box');
    await dialog.waitFor();
    assert.match(await dialog.innerText(), new RegExp(`Nothing answers at http://${address}/wrong/models \\(404\\): check the base URL of south\\.`));
    await window.screenshot('wrong-address');
    await dialog.getByText('Edit Base URL', { exact: true }).click();
  });

  it('finds the /v1 that was left out, keeps it and says so', async () => {
    await keyboard.answer('Base URL', address);
    await keyboard.answer('A short name');
    await keyboard.answer('Paste a key');
    await keyboard.answer('or type a name', 'm-1');
    await until('the sentence', async () => (await window.notifications()).some((text) => text.includes(`south accepts the key at http://${address}/v1 and lists 2 models`)));
    assert.deepEqual(setting('endpoints'), { south: { provider: 'openai-compatible', baseUrl: `http://${address}/v1` } });
    await window.dismissNotifications();
  });

  it('asks before keys go to another host, and sends nothing there unless it may', async () => {
    await keyboard.command('Waybill: Edit Provider…');
    await keyboard.answer('Choose what to change', 'Address…');
    await keyboard.answer('Base URL', `${address.replace('127.0.0.1', 'localhost')}/v1`);
    const dialog = window.page.locator('.monaco-dialog-box');
    await dialog.waitFor();
    assert.match(await dialog.innerText(), new RegExp(`Send the keys of south to http://${address.replace('127.0.0.1', 'localhost')}\\?`));
    assert.match(await dialog.innerText(), new RegExp(`So far they go to http://${address}\\.`));
    await window.screenshot('keys-to-another-host');
    await dialog.getByText('Cancel', { exact: true }).click();
    await until('the box again', async () => (await window.quickInput().innerText({ timeout: 500 })).includes('Base URL'));
    assert.deepEqual(asked.filter(host => host.startsWith('localhost')), []);
    await window.page.keyboard.press('Escape');
    await keyboard.answer('Choose what to change', 'Done');
  });

  it('asks about a key of another vendor before it is sent', async () => {
    await keyboard.command('Waybill: Add Provider…');
    await keyboard.answer('Choose a provider', 'OpenAI');
    await keyboard.answer('A short name', 'openai');
    await keyboard.answer('Paste a key', 'sk-ant-api03-0123456789abcdef');
    const text = await until('the question', async () => {
      const shown = await window.quickInputText();
      return shown.includes('Use It for Anthropic Instead') && shown;
    });
    assert.ok(!text.includes('It Is Right'), text);
    await window.screenshot('foreign-key');
    await window.page.keyboard.press('Escape');
    assert.deepEqual(Object.keys(setting('endpoints')), ['south']);
  });

  it('refuses a key that is there already inside the box', async () => {
    await keyboard.command('Waybill: Add Key…');
    await keyboard.answer('Paste a key', key);
    await until('the reason', async () => (await window.quickInputText()).includes('This key is already there, as "key 1".'));
    await window.page.keyboard.press('Escape');
  });

  it('says what a removal deletes, and undoes it exactly', async () => {
    const before = [setting('endpoints'), setting('routes')];
    await keyboard.command('Waybill: Remove Provider…');
    const dialog = window.page.locator('.monaco-dialog-box');
    await dialog.waitFor();
    assert.match(await dialog.innerText(), /1 key is deleted from the secret store\.\s*The route "default" is deleted too/);
    await dialog.getByText('Remove', { exact: true }).click();
    await until('the removal', async () => (await window.notifications()).some((text) => text.includes('Removed south.')));
    assert.deepEqual([setting('endpoints'), setting('routes')], [{}, {}]);
    await keyboard.acceptNotification('Removed south.');
    await until('the settings of before', () => JSON.stringify([setting('endpoints'), setting('routes')]) === JSON.stringify(before));
    await window.openViewContainer('Waybill');
    await window.expandView('Providers');
    await window.treeRow('Providers', 'south').click();
    await until('its key', async () => (await window.treeRow('Providers', key.slice(-4)).count()) > 0);
  });

  it('leads on when no model is chosen: the provider is in no route yet', async () => {
    await window.dismissNotifications();
    await keyboard.command('Waybill: Add Provider…');
    await keyboard.answer('Choose a provider', 'OpenAI-compatible');
    await keyboard.answer('Base URL', address);
    await keyboard.answer('A short name', 'west');
    await keyboard.answer('Paste a key', key);
    await until('the models', async () => (await window.quickInputText()).includes('m-2'));
    await window.page.keyboard.press('Escape');
    await keyboard.acceptNotification('It is in no route yet.');
    await until('the models of this provider only', async () => {
      const shown = await window.quickInputText();
      return shown.includes('west/m-1') && !shown.includes('south/m-1');
    });
    await window.pick('west/m-2');
    await until('the route', () => JSON.stringify(setting('routes')).includes('west/m-2'));
  });

  function setting(name: string): Record<string, unknown> {
    const settings = JSON.parse(readFileSync(path.join(scene.editor.userDataDir, 'User', 'settings.json'), 'utf8')) as Record<string, Record<string, unknown> | undefined>;
    return settings[`waybill.${name}`] ?? {};
  }
});
