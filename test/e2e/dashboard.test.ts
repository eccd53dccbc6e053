import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Frame } from 'playwright-core';
import { silentLog } from '../../server/base/log.ts';
import { openLedger } from '../../server/ledger/sqlite/sqliteLedger.ts';
import { randomReceipts } from '../unit/ledger/dashboard/randomReceipts.ts';
import { seededRandom } from '../unit/support/seededRandom.ts';
import type { Sandbox } from './harness/sandbox.ts';
import { Scene, tellInOrder } from './harness/scene.ts';
import { until } from './harness/until.ts';
import { extensionId, readLedger } from './harness/waybill.ts';
import type { Workbench } from './harness/workbench.ts';

const settings = ({ first, second }: Sandbox): Record<string, unknown> => ({
  'waybill.endpoints': {
    north: { provider: 'sandbox', protocol: 'openai-chat', baseUrl: first.url, probe: { enabled: false } },
    south: { provider: 'sandbox', protocol: 'anthropic-messages', baseUrl: second.url, probe: { enabled: false } },
  },
  'waybill.routes': { default: { targets: ['north/sandbox-chat', 'south/sandbox-messages'] } },
});

describe('the Spend dashboard', () => {
  let scene: Scene;
  let window: Workbench;
  let frame: Frame;
  tellInOrder(() => scene);

  /** One request of a tool through the local endpoint. */
  async function ask(): Promise<number> {
    const response = await scene.endpoint.request('/v1/chat/completions', { method: 'POST', headers: { 'content-type': 'application/json', 'x-waybill-tool': 'night-build' }, body: JSON.stringify({ model: 'default', messages: [{ role: 'user', content: 'hello' }] }) });
    await response.text();
    return response.status;
  }

  before(async () => {
    scene = await Scene.set(settings);
    window = await scene.openWindow('alpha');
    await window.useColourTheme('dark');
    await window.statusBarItem('2 of 2 providers up').waitFor();
  });
  after(async () => { await scene?.end(); });

  it('says what to do while nothing was asked', async () => {
    await window.command('Waybill: Open Spend Dashboard');
    frame = await window.webviewFrame('dashboard', async one => await one.getByText('No requests in this range.').count() > 0);
    assert.equal(await frame.getByRole('button', { name: 'Open Chat' }).count(), 1);
    await window.screenshot('dashboard-empty');
  });

  it('shows a new request by itself', async () => {
    await until('the local endpoint', async () => await ask().catch(() => 0) === 200);
    await frame.getByText('sandbox-chat').first().waitFor({ timeout: 5_000 });
    await frame.getByRole('radio', { name: 'Today' }).press('Space');
    await until('today', async () => !(await frame.locator('.notes').innerText()).includes('–'));
    await frame.getByRole('radio', { name: 'A range of days' }).press('Space');
    await frame.getByLabel('First day').waitFor();
    await window.screenshot('dashboard-range');
  });

  it('adds up to the ledger of all servers, and crosses two dimensions', async () => {
    const now = Date.now();
    const date = new Date(now);
    const peer = openLedger({ dataDir: scene.editor.globalStorage(extensionId), clock: { now: () => Date.now() }, log: silentLog, instanceId: 'peer' });
    for (const receipt of randomReceipts(400, seededRandom(3), { from: now - 35 * 86_400_000, to: now })) peer.close(receipt);
    peer.flush();
    peer.shutdown();
    await frame.getByRole('radio', { name: 'This month' }).press('Space');
    await frame.getByLabel('Rows').selectOption('model');
    await frame.getByLabel('Columns').selectOption('tool');
    await frame.getByRole('region', { name: 'Model × Tool' }).waitFor();
    await frame.getByText('Dearest conversations').waitFor();
    const [row] = readLedger<{ sum: number; unknown: number }>(scene.editor, `SELECT sum(cost_micro_usd) AS sum, sum(cost_certainty = 'unknown') AS unknown FROM attempts WHERE started_at >= ${new Date(date.getFullYear(), date.getMonth(), 1).getTime()}`);
    assert.ok((row?.sum ?? 0) > 0 && (row?.unknown ?? 0) > 0);
    assert.equal(await frame.locator('.amount').innerText(), `~$${((row?.sum ?? 0) / 1e6).toFixed(2)}+`);
    for (const theme of ['dark', 'light', 'highContrast'] as const) {
      await window.useColourTheme(theme);
      await window.screenshot(`dashboard-${theme}`);
    }
    await frame.locator('.cross').scrollIntoViewIfNeeded();
    await window.screenshot('dashboard-cross-highContrast');
    await window.useColourTheme('dark');
    await window.screenshot('dashboard-cross-dark');
  });

  it('is reached from the Spend view, shows the period that is chosen there, and has the same sum', async () => {
    await window.openViewContainer('Waybill');
    await window.expandView('Spend');
    const spend = await window.webviewFrame('Spend', async one => await one.locator('main.spend:not(.dashboard) .amount').count() > 0);
    for (const [period, last] of [['Last 7 days', 'week'], ['Today', 'today'], ['This month', 'month']] as const) {
      await spend.getByRole('radio', { name: period }).press('Space');
      await until('the figures of the period', async () => await spend.locator('.figures[aria-busy="false"]').count() > 0);
      await spend.getByRole('button', { name: 'Open Dashboard' }).press('Enter');
      await until(`the dashboard to show ${last}`, async () => await frame.locator(`input[value="${last}"]`).isChecked() && await frame.locator('.figures[aria-busy="false"]').count() > 0);
      await until(`the sum of ${last}`, async () => await frame.locator('.amount').innerText() === await spend.locator('.amount').innerText());
    }
  });

  it('is walked by keyboard: a part of the filter comes and goes, and a bar opens its requests', async () => {
    await frame.getByLabel('Rows').selectOption('tool');
    await frame.getByRole('button', { name: 'Show only claude-code', exact: true }).press('Enter');
    const chip = frame.getByRole('button', { name: 'Remove the filter Tool: claude-code' });
    await chip.waitFor();
    await window.screenshot('dashboard-filtered');
    await chip.press('Enter');
    await until('the filter to go', async () => await chip.count() === 0);
    await frame.getByRole('button', { name: /^night-build .*Show its requests/ }).press('Enter');
    await until('the requests of the tool alone', async () => {
      const rows = await window.treeRows('Requests');
      return rows.length > 0 && rows.length < 10;
    });
  });

  it('fits 300 pixels', async () => {
    await window.page.setViewportSize({ width: 1280, height: 1600 });
    await frame.evaluate(() => { document.documentElement.style.width = '300px'; document.body.style.width = '300px'; });
    assert.ok(await frame.evaluate(() => [...document.querySelectorAll('main *')].every((one) => one.closest('.cross, .for-screen-readers') !== null || one.getBoundingClientRect().right <= 301)));
    await window.screenshot('dashboard-narrow');
  });
});
