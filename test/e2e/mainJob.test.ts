import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { formatMicroUsd } from '../../client/base/money.ts';
import type { Receipt } from '../../server/api/receipt.ts';
import { Chat } from './harness/chat.ts';
import { Company } from './harness/company.ts';
import { Scene, tellInOrder } from './harness/scene.ts';
import { addProvider, editSettings, readLedger } from './harness/waybill.ts';
import { until } from './harness/until.ts';
import type { Workbench } from './harness/workbench.ts';

/** How many tools VS Code's agent mode brings along. */
const agentTools = 39;
const keys = { north: 'sk-north-5f1c8d24e7a94b60', south: 'sk-ant-south-9b7e3a61c2d84f05' };
const prices = {
  north: { 'sandbox-chat': { prices: { inputPerMTok: 2, outputPerMTok: 8, cacheReadPerMTok: 1 } } },
  south: { 'sandbox-messages': { prices: { inputPerMTok: 3, outputPerMTok: 15, cacheReadPerMTok: 1, cacheWritePerMTok: 4 } } },
};

describe('a day with Waybill in VS Code', () => {
  let scene: Scene;
  let window: Workbench;
  let chat: Chat;
  let company: Company;
  tellInOrder(() => scene);

  before(async () => {
    company = await Company.found();
    scene = await Scene.set(undefined, { environment: () => company.environment });
    window = await scene.openWindow('alpha');
    chat = new Chat(window);
  });
  after(async () => {
    await scene?.end();
    await company?.close();
  });

  it('begins with a status bar that says there are no providers, and a sidebar that offers to add one', async () => {
    await window.statusBarItem('no providers yet').waitFor();
    await window.openViewContainer('Waybill');
    const view = await window.expandView('Providers');
    await view.getByText('Add Provider', { exact: false }).first().waitFor();
    await window.useColourTheme('dark');
    await window.screenshot('empty-dark');
  });

  it('adds two providers through the palette and shows them healthy', async () => {
    const { first, second } = scene.sandbox;
    await addProvider(window, { provider: 'Sandbox (simulated)', baseUrl: first.url, name: 'north', key: keys.north, model: 'sandbox-chat' });
    await addProvider(window, { provider: 'Anthropic-compatible', baseUrl: second.url, name: 'south', key: keys.south, model: 'sandbox-messages' });
    await window.dismissNotifications();
    await window.statusBarItem('2 of 2 providers up').waitFor();
    const rows = await until('both providers in the tree', async () => {
      const texts = await window.treeRows('Providers');
      return texts.some((text) => text.startsWith('north')) && texts.some((text) => text.startsWith('south')) ? texts : undefined;
    });
    assert.ok(!rows.some((row) => row.includes('down')), rows.join(' | '));
    const seen = await first.requests();
    assert.ok(seen.some(({ headers }) => headers['authorization']?.endsWith(keys.north.slice(-4))), 'the key was tried when it was added');
  });

  it('applies prices of settings.json without a restart', async () => {
    await editSettings(window, scene.editor, (settings) => {
      const endpoints = settings['waybill.endpoints'] as Record<string, object>;
      settings['waybill.endpoints'] = Object.fromEntries(Object.entries(endpoints).map(([name, endpoint]) => [name, { ...endpoint, models: prices[name as 'north' | 'south'] }]));
    });
    await until('the prices to be known', async () => (await scene.endpoint.status()).offered.some(({ kind, pricing }) => kind === 'route' && pricing !== undefined));
    assert.deepEqual((await scene.endpoint.status()).problems, []);
  });

  it('answers a message of the agent mode through the first provider, with all its tools', async () => {
    await chat.open();
    await chat.chooseModel('default');
    const answer = await chat.ask('hello waybill');
    assert.match(answer, /sandbox-a answers your prompt: "hello waybill"/);
    const turn = (await scene.sandbox.first.turns()).findLast(({ body }) => JSON.stringify(body?.messages).includes('hello waybill'));
    assert.equal(turn?.body?.tools?.length, agentTools);
    assert.equal(turn.body.stream, true);
  });

  it('carries a tool call to the editor and its result back', async () => {
    const folder = path.join(scene.editor.home, 'workspaces', 'alpha');
    const answer = await chat.ask(`call tool list_dir ${JSON.stringify({ path: folder })}`);
    assert.match(answer, /got the tool's answer: .*readme\.md/s);
    await window.screenshot('chat-tool-call');
  });

  it('answers the next message through the second provider when the first is down, and says so within 2 s', async () => {
    await window.openViewContainer('Waybill');
    await scene.sandbox.first.die();
    await chat.send('hello again');
    const shown = Promise.all([
      until('the status bar to say it', async () => await window.statusBarItem('1 of 2 providers up').isVisible() && Date.now(), { timeoutMs: 30_000, everyMs: 25 }),
      until('the tree to say it', async () => (await window.treeRows('Providers')).some((row) => /^north.*down/.test(row)) && Date.now(), { timeoutMs: 30_000, everyMs: 25 }),
    ]);
    assert.match(await chat.answerTo('hello again'), /sandbox-b answers your prompt: "hello again"/);
    const [statusBarAt, treeAt] = await shown;

    const failed = (await receipts()).flatMap(({ attempts }) => attempts).filter(({ endpoint, outcome }) => endpoint === 'north' && outcome === 'failed');
    const failedAt = Math.min(...failed.map(({ startedAt, totalMs }) => startedAt + totalMs));
    assert.ok(statusBarAt - failedAt < 2_000, `the status bar took ${statusBarAt - failedAt} ms`);
    assert.ok(treeAt - failedAt < 2_000, `the tree took ${treeAt - failedAt} ms`);
    await window.screenshot('chat-failover', chat.panel());
    await window.screenshot('status-bar', window.page.locator('.part.statusbar'));
  });

  it('carries a tool call through the second provider too', async () => {
    const folder = path.join(scene.editor.home, 'workspaces', 'alpha');
    const answer = await chat.ask(`please call tool list_dir ${JSON.stringify({ path: folder })}`);
    assert.match(answer, /sandbox-b got the tool's answer: .*readme\.md/s);
  });

  it('shows what both providers cost, and the ledger agrees with the receipts to the micro-dollar', async () => {
    const sums = await until('every exchange to be over and counted', async () => {
      const all = await receipts();
      if (all.some(({ outcome }) => outcome === 'open')) return undefined;
      const spend = await scene.endpoint.spend();
      const [row] = readLedger<{ total: number }>(scene.editor, 'SELECT sum(cost_micro_usd) AS total FROM attempts WHERE final = 1');
      const receiptSum = all.reduce((sum, { cost }) => sum + (cost.microUsd ?? 0), 0);
      return spend.totals.exchanges === all.length && { exchanges: all.length, receiptSum, attemptSum: sumOfAttempts(all), ledgerSum: row?.total, spendSum: spend.totals.microUsd, byEndpoint: spend.byEndpoint };
    });
    assert.ok(sums.receiptSum > 0);
    assert.equal(sums.attemptSum, sums.receiptSum);
    assert.equal(sums.ledgerSum, sums.receiptSum);
    assert.equal(sums.spendSum, sums.receiptSum);
    for (const name of ['north', 'south']) assert.ok((sums.byEndpoint.find((group) => group.name === name)?.microUsd ?? 0) > 0, `${name} cost something`);

    await window.openViewContainer('Waybill');
    await window.expandView('Spend');
    const frame = await window.webviewFrame('Spend', async (candidate) => await candidate.locator('main.spend').count() > 0);
    // The view is drawn again shortly after a request has ended: an earlier page counts fewer requests, or one that still runs.
    const text = await until('both costs and every request in the Spend view', async () => {
      const shown = await frame.locator('main').innerText();
      const isOfNow = shown.includes(`\n${sums.exchanges} requests\n`) && shown.includes(`\n${formatMicroUsd(sums.receiptSum)}\n`);
      return isOfNow && /north\s+\$[\d.]+/.test(shown) && /south\s+\$[\d.]+/.test(shown) ? shown : undefined;
    });
    assert.doesNotMatch(text, /unknown|NaN|undefined/);
  });

  it('lists the requests, and opens the receipt of the one that failed over', async () => {
    await window.expandView('Requests');
    await until('the requests', async () => (await window.treeRows('Requests')).some((row) => row.includes('sandbox-messages')));
    const failover = (await scene.endpoint.exchanges()).find(({ attempts, target }) => attempts > 1 && target?.startsWith('south/'));
    assert.ok(failover !== undefined);
    await window.treeRow('Requests', '2 attempts').click();
    const frame = await window.webviewFrame('receipt', async (candidate) => await candidate.locator('main.receipt h1').count() > 0);
    const text = await frame.locator('main').innerText();
    assert.match(text, /north\/sandbox-chat/);
    assert.match(text, /south\/sandbox-messages/);
    await window.screenshot('receipt-dark');
  });

  it('looks right in dark, light and high contrast', async () => {
    for (const [theme, name] of [['dark', 'dark'], ['light', 'light'], ['highContrast', 'high-contrast']] as const) {
      await window.useColourTheme(theme);
      await window.openViewContainer('Waybill');
      await window.screenshot(`window-${name}`);
      await window.screenshot(`sidebar-${name}`, window.page.locator('.part.sidebar'));
    }
    await window.useColourTheme('dark');
    await window.collapseView('Requests');
    await window.screenshot('spend-dark', window.page.locator('.part.sidebar'));
    await window.hoverStatusBarItem('1 of 2 providers up');
    await window.screenshot('status-bar-tooltip');
  });

  it("answers through the proxy of the editor's settings, which inspects TLS, and follows each of those settings", async () => {
    const { proxyUrl, authorization, endpoint, host, secrets } = company;
    /** The settings reach the server a moment after they are saved, so that a first message may still find those of before. */
    const isAnswered = async (name: string, network: Record<string, unknown>, expected: RegExp): Promise<void> => {
      await editSettings(window, scene.editor, (settings) => {
        for (const setting of Object.keys(settings)) if (setting.startsWith('http.')) delete settings[setting];
        Object.assign(settings, network, { 'waybill.endpoints': { inside: endpoint }, 'waybill.routes': { default: { targets: ['inside/m'] } } });
      });
      await until('the endpoint to be there', async () => (await scene.endpoint.status()).endpoints.some(({ name: known }) => known === 'inside'));
      let answer = '';
      for (let message = 1; message <= 4 && !expected.test(answer); message += 1) answer = await chat.ask(`hello ${name} ${message}`);
      assert.match(answer, expected);
    };
    const known = { 'http.proxy': proxyUrl, 'http.proxyAuthorization': authorization };
    await isAnswered('proxy', known, /inside answers your prompt: "hello proxy/);
    assert.ok(company.asked.some((line) => line === `CONNECT ${host}:443`) && company.asked.some((line) => line.startsWith('read POST ')), company.asked.join(' | '));
    await isAnswered('stranger', { ...known, 'http.systemCertificates': false }, /certificate that is not trusted/);
    await isAnswered('lenient', { ...known, 'http.systemCertificates': false, 'http.proxyStrictSSL': false }, /inside answers your prompt: "hello lenient/);
    await isAnswered('exception', { ...known, 'http.noProxy': [host] }, /inside has no address/);
    const seen = JSON.stringify([await receipts(), await scene.endpoint.status(), [...scene.editor.logs()].filter(([file]) => file.includes('Waybill'))]);
    for (const secret of secrets) assert.ok(!seen.includes(secret), 'the password of the proxy is shown');
  });

  async function receipts(): Promise<Receipt[]> {
    const summaries = await scene.endpoint.exchanges();
    return Promise.all(summaries.map(({ id }) => scene.endpoint.receipt(id)));
  }
});

function sumOfAttempts(all: Receipt[]): number {
  return all.flatMap(({ attempts }) => attempts).reduce((sum, { cost }) => sum + (cost.microUsd ?? 0), 0);
}
