import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Chat } from './harness/chat.ts';
import { tellWindowsOfSecrets } from './harness/desktopSecrets.ts';
import { listenerOf } from './harness/processTree.ts';
import type { RunningProcess } from './harness/processTree.ts';
import type { Sandbox } from './harness/sandbox.ts';
import { Scene, tellInOrder } from './harness/scene.ts';
import { addProvider, serverProcesses } from './harness/waybill.ts';
import { until } from './harness/until.ts';
import type { Workbench } from './harness/workbench.ts';

describe('two windows at once', () => {
  let scene: Scene;
  let alpha: Workbench;
  let beta: Workbench;
  let betaChat: Chat;
  tellInOrder(() => scene);

  before(async () => {
    scene = await Scene.set(settings);
    await tellWindowsOfSecrets(scene.browser);
    alpha = await scene.openWindow('alpha');
    // The first window has its server before the second is opened, so that it is known who holds the port.
    await alpha.statusBarItem('1 of 1 provider up').waitFor();
    beta = await scene.openWindow('beta');
    await beta.statusBarItem('1 of 1 provider up').waitFor();
    betaChat = new Chat(beta);
  });
  after(async () => { await scene?.end(); });

  it('have a server each, and one local endpoint', async () => {
    assert.equal(servers().length, 2);
    const holder = await until('the local endpoint', portHolder);
    assert.ok(servers().some(({ pid }) => pid === holder.pid));
    assert.equal((await scene.endpoint.status()).http.state, 'listening');
  });

  it('see a key that was added in the other one, without a reload', async () => {
    const key = 'sk-sandbox-Jw3nT8qLmX5z';
    await beta.openViewContainer('Waybill');
    await beta.treeRow('Providers', 'north').click();
    const shown = async (window: Workbench): Promise<boolean> => (await window.treeRows('Providers')).some((row) => row.includes(key.slice(-4)));
    assert.equal(await shown(beta), false);
    await alpha.command('Waybill: Add Key…');
    await alpha.enterKey(key);
    await until('the key to be stored', async () => (await alpha.notifications()).some((text) => text.includes('of north was stored')));
    const storedAt = performance.now();
    await until('the key in the other window', () => shown(beta));
    console.log(`      a key is seen in the other window ${String(Math.round(performance.now() - storedAt))} ms after it was stored`);
    await alpha.dismissNotifications();
    await alpha.openViewContainer('Waybill');
    await alpha.treeRow('Providers', 'north').click();
    await until('the key in the first window', () => shown(alpha));
    await beta.command('Waybill: Remove Key…');
    await beta.page.locator('.monaco-dialog-box .monaco-button').filter({ hasText: 'Remove' }).click();
    await until('the key to be gone in the first window', async () => !await shown(alpha));
    await beta.dismissNotifications();
  });

  it('use a provider that was added in the other one, after a reload', async () => {
    // A desktop VS Code informs its windows of changed settings; in the browser a window sees only its own changes.
    const key = 'sk-ant-api03-Hd2Lp9Xw4Vt7Bq';
    await addProvider(alpha, { provider: 'Anthropic-compatible', baseUrl: scene.sandbox.second.url, name: 'south', key, model: 'sandbox-messages' });
    await alpha.dismissNotifications();
    await alpha.statusBarItem('2 of 2 providers up').waitFor();
    await beta.reload();
    await beta.statusBarItem('2 of 2 providers up').waitFor({ timeout: 30_000 });
    await beta.openViewContainer('Waybill');
    await beta.treeRow('Providers', 'south').click();
    await until('the key in the other window', async () => (await beta.treeRows('Providers')).some((row) => row.includes(key.slice(-4))));
    await until('one server a window', () => servers().length === 2);
  });

  it('both show a failure that only one of them met', async () => {
    const chat = new Chat(alpha);
    await chat.open();
    await chat.chooseModel('default');
    assert.match(await chat.ask('hello from alpha'), /sandbox-a answers/);
    await scene.sandbox.first.die();
    assert.match(await chat.ask('alpha again'), /sandbox-b answers/);
    await alpha.statusBarItem('1 of 2 providers up').waitFor();
    await beta.statusBarItem('1 of 2 providers up').waitFor();
    await beta.openViewContainer('Waybill');
    await until('the tree of the other window to say it', async () => (await beta.treeRows('Providers')).some((row) => /^north.*down/.test(row)));
  });

  it('write one ledger and show the same sum', async () => {
    await betaChat.open();
    await betaChat.chooseModel('default');
    assert.match(await betaChat.ask('hello from beta'), /sandbox-b answers/);
    await until('exchanges of both windows', async () => {
      const workspaces = (await scene.endpoint.exchanges()).map(({ caller }) => caller.workspace);
      return workspaces.includes('alpha') && workspaces.includes('beta');
    });
    const spend = await beta.webviewFrame('Spend', async (frame) => await frame.locator('main.spend .amount').count() > 0);
    await until('what both windows spent in the Spend view of one', async () => {
      const text = await spend.locator('main').innerText();
      return ['alpha', 'beta', 'north', 'south'].every((name) => text.includes(name));
    });
    await until('both windows to show the same sum', async () => {
      const [first, second] = await Promise.all([alpha, beta].map(spokenStatus));
      return first === second && !/ 0\.00 dollars/.test(first ?? '');
    });
  });

  it('cancel from one window what the other one runs', async () => {
    await scene.sandbox.second.behave({ type: 'answer', text: 'late', headersMs: 120_000 });
    await new Chat(alpha).send('hello for too long');
    const row = beta.view('Requests').locator('.monaco-list-row').filter({ hasText: 'in another window' }).first();
    await beta.openViewContainer('Waybill');
    await beta.expandView('Requests');
    await row.hover();
    await row.locator('.action-label[aria-label*="Cancel Request"]').click();
    await beta.page.locator('.monaco-dialog-box .monaco-button').filter({ hasText: 'Cancel Request' }).click();
    await until('the end of the turn', async () => (await scene.endpoint.exchanges()).some(({ outcome }) => outcome === 'cancelled'));
    await until('the message of the window that asked', async () => (await beta.notifications()).some(text => text.includes('The request was cancelled.')));
    await scene.sandbox.second.behave({ type: 'answer' });
    await beta.dismissNotifications();
    await betaChat.open();
  });

  it('pass the local endpoint on when the window that holds it closes', async () => {
    const before = await until('the local endpoint', portHolder);
    await scene.closeWindow(alpha);
    const heir = await until('the other window to take the port over', () => {
      const holder = portHolder();
      return holder !== undefined && holder.pid !== before.pid && holder;
    }, { timeoutMs: 20_000 });
    // The server of the closed window gives the port back first, and then writes down what it has.
    await until('only the server of the other window to run', () => servers().every(({ pid }) => pid === heir.pid));
    assert.equal((await scene.endpoint.status()).http.state, 'listening');
    assert.ok((await scene.endpoint.exchanges()).some(({ caller }) => caller.workspace === 'alpha'), 'the requests of the closed window are still listed');
  });

  it('survive the end of a server: the running answer ends with a sentence, the next one is answered', async () => {
    const [before] = servers();
    assert.ok(before !== undefined);
    await scene.sandbox.second.behave({ type: 'stall', after: 4 });
    await betaChat.send('hello in vain');
    await beta.page.locator('.interactive-session .chat-response-loading').getByText('Waybill sandbox').waitFor();
    process.kill(before.pid, 'SIGKILL');
    const answer = await betaChat.answerTo('hello in vain');
    await scene.sandbox.second.behave({ type: 'answer' });
    assert.match(answer, /Waybill's server stopped/);
    assert.doesNotMatch(answer, /\bat .*\.js:\d+/, 'no stack trace');
    const [next] = await until('a new server', () => {
      const running = servers();
      return running.length === 1 && running[0]?.pid !== before.pid && running;
    });
    assert.ok(next !== undefined);
    assert.match(await betaChat.ask('hello after the crash'), /sandbox-b answers/);
    const broken = (await scene.endpoint.exchanges()).filter(({ outcome }) => outcome === 'interrupted');
    assert.equal(broken.length, 1, 'the ledger has the lost turn');
    assert.deepEqual((await beta.notifications()).filter((text) => text.includes('server')), []);
  });

  it('say so when the server keeps stopping, and start it again on demand', async () => {
    for (let crash = 1; crash <= 4; crash++) {
      const [server] = await until('a server to stop', () => servers().length > 0 && servers(), { timeoutMs: 20_000 });
      assert.deepEqual((await beta.notifications()).filter((text) => text.includes('stopped several times')), [], `no message before crash ${crash + 1}`);
      assert.ok(server !== undefined);
      // A server that has not answered yet counts too, but is not the subject of this test.
      await beta.statusBarItem('providers up').waitFor();
      process.kill(server.pid, 'SIGKILL');
      await until('it to be gone', () => !servers().some(({ pid }) => pid === server.pid));
    }
    await until('the message', async () => (await beta.notifications()).some((text) => text.includes('stopped several times')));
    assert.deepEqual(servers(), []);
    await beta.statusBarItem('its server is not running').waitFor();
    await until('the tree to say so', async () => /server is not running/.test(await beta.view('Providers').innerText()));
    await beta.screenshot('server-stopped');
    await beta.page.locator('.notification-toast').getByText('Restart', { exact: true }).click();
    await beta.statusBarItem('of 2 providers up').waitFor({ timeout: 20_000 });
    assert.match(await betaChat.ask('hello after the restart'), /sandbox-b answers/);
  });

  function servers(): RunningProcess[] {
    return serverProcesses(scene.editor);
  }

  function portHolder(): RunningProcess | undefined {
    return listenerOf(scene.port, servers());
  }
});

function settings({ first }: Sandbox): Record<string, unknown> {
  return {
    'waybill.endpoints': {
      north: { provider: 'sandbox', baseUrl: first.url, models: { 'sandbox-chat': { prices: { inputPerMTok: 2, outputPerMTok: 8 } } } },
    },
    'waybill.routes': { default: { targets: ['north/sandbox-chat'] } },
  };
}

/** What a screen reader says about the status bar item. */
async function spokenStatus(window: Workbench): Promise<string | null> {
  return window.statusBarItem('Waybill').getAttribute('aria-label');
}
