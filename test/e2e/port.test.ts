import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { after, before, describe, it } from 'node:test';
import type { Sandbox } from './harness/sandbox.ts';
import { Scene, tellInOrder } from './harness/scene.ts';
import { until } from './harness/until.ts';
import type { Workbench } from './harness/workbench.ts';

describe('a local endpoint whose port another program holds', () => {
  let scene: Scene;
  let window: Workbench;
  let program: Server;
  /** Everything that the other program received. */
  const received: string[] = [];
  tellInOrder(() => scene);

  before(async () => {
    scene = await Scene.set(settings);
    program = createServer((request, response) => {
      received.push(`${request.method ?? ''} ${request.url ?? ''} ${JSON.stringify(request.headers)}`);
      response.end('{}');
    });
    await new Promise<void>((resolve) => program.listen(scene.port, '127.0.0.1', resolve));
    window = await scene.openWindow('alpha');
  });
  after(async () => {
    program?.closeAllConnections();
    program?.close();
    await scene?.end();
  });

  it('is reported by a notification with two actions, a line of the view and the log', async () => {
    const text = await until('the notification', async () => (await window.notifications()).find((one) => one.includes('taken by another program')));
    assert.match(text, new RegExp(`Port ${scene.port} is taken by another program`));
    for (const button of ['Choose Another Port…', 'Try Again']) assert.ok(await window.page.locator('.notification-toast').getByText(button, { exact: true }).isVisible(), button);
    await window.openViewContainer('Waybill');
    await window.expandView('Providers');
    await until('the line', async () => (await window.treeRows('Providers')).some((row) => /^Local endpoint.*port is taken/.test(row)));
    await window.screenshot('port-held');
    await until('the line in the log', () => [...scene.editor.logs()].some(([file, log]) => file.includes('Waybill.log') && log.includes(`Port ${scene.port} is taken by another program`)));
    await window.dismissNotifications();
  });

  it('has no address to copy', async () => {
    await window.command('Waybill: Copy Local Endpoint URL');
    await until('the reason', async () => (await window.notifications()).some((one) => one.includes('taken by another program')));
    assert.equal(await window.page.locator('.statusbar-item').filter({ hasText: 'Copied' }).count(), 0);
    await window.dismissNotifications();
  });

  it('is written into no configuration', async () => {
    await window.command('Waybill: Connect a Tool…');
    await until('the reason', async () => (await window.notifications()).some((one) => one.includes('taken by another program')));
    assert.equal(await window.page.locator('.monaco-diff-editor').count(), 0);
    await window.dismissNotifications();
  });

  it('sends no token to that program', () => {
    assert.ok(received.length > 0);
    assert.ok(received.every((one) => /^GET \/waybill\/identity\?nonce=[0-9a-f]{64} /.test(one)), received.find((one) => !one.includes('/waybill/identity')));
    assert.ok(!received.join().includes('waybill-') && !received.join().includes('authorization'));
  });

  it('moves to another port with one command', async () => {
    await window.command('Waybill: Choose Another Port…');
    await until('the box', async () => (await window.quickInputText()).includes('port of the local endpoint'));
    const port = Number(await window.quickInputBox().inputValue());
    assert.equal(port, scene.port + 1);
    await window.page.keyboard.press('Enter');
    await until('the line to go', async () => await window.treeRow('Providers', 'Local endpoint').count() === 0);
    await window.command('Waybill: Copy Local Endpoint URL');
    await window.page.locator('.statusbar-item').filter({ hasText: `Copied http://127.0.0.1:${port}` }).waitFor();
  });
});

function settings({ first }: Sandbox): Record<string, unknown> {
  return {
    'waybill.endpoints': { north: { provider: 'sandbox', baseUrl: first.url } },
    'waybill.routes': { default: { targets: ['north/sandbox-chat'] } },
  };
}
