import assert from 'node:assert/strict';
import type { Frame } from 'playwright-core';
import type { WebviewPage } from '../../../client/views/shared/webviewPages.ts';
import { silentLog } from '../../../server/base/log.ts';
import { openLedger } from '../../../server/ledger/sqlite/sqliteLedger.ts';
import { openAiAdminKey, serveCostApis, type CostApi } from '../../unit/router/bills/costApiSimulators.ts';
import { randomReceipts } from '../../unit/ledger/dashboard/randomReceipts.ts';
import { seededRandom } from '../../unit/support/seededRandom.ts';
import { Scene } from './scene.ts';
import { until } from './until.ts';
import { extensionId } from './waybill.ts';
import type { Workbench } from './workbench.ts';

const dayMs = 86_400_000;

/** One window in which every page and view has something to show: providers up and down, a failover, budgets, five weeks of spend, and a bill. */
export class Showcase {
  readonly scene: Scene;
  readonly window: Workbench;
  readonly #provider: CostApi;

  private constructor(scene: Scene, window: Workbench, provider: CostApi) {
    this.scene = scene;
    this.window = window;
    this.#provider = provider;
  }

  /** @param language of the window; absent: English */
  static async open(language?: string): Promise<Showcase> {
    const moment = (daysAgo: number): string => `${new Date(Date.now() - daysAgo * dayMs).toISOString().slice(0, 10)}T00:00:00Z`;
    const provider = await serveCostApis([
      { at: moment(0), model: 'gpt-4.1-2025-04-14', item: 'gpt-4.1-2025-04-14, input', usd: '0.018', requests: 3, input: 3000, output: 1500 },
      { at: moment(1), model: 'gpt-5-mini-2025-08-07', item: 'gpt-5-mini-2025-08-07, output', usd: '0.42', requests: 12, input: 9000, output: 90_000 },
      { at: moment(1), item: 'web search tool calls', usd: '0.03' },
    ]);
    const probe = { enabled: false };
    const scene = await Scene.set(({ first, second }) => ({
      'waybill.endpoints': {
        north: { provider: 'sandbox', protocol: 'openai-chat', baseUrl: first.url, probe, models: { 'sandbox-chat': { prices: { inputPerMTok: 200, outputPerMTok: 800, cacheReadPerMTok: 100 } } } },
        south: { provider: 'sandbox', protocol: 'anthropic-messages', baseUrl: second.url, probe, models: { 'sandbox-messages': { prices: { inputPerMTok: 300, outputPerMTok: 1500, cacheReadPerMTok: 100, cacheWritePerMTok: 400 } } } },
        openai: { provider: 'openai', baseUrl: `${provider.origin}/v1`, probe, models: { 'gpt-4.1': {} } },
      },
      'waybill.routes': {
        default: { targets: ['north/sandbox-chat', 'south/sandbox-messages'] },
        'a-route-with-quite-a-long-name': { targets: ['south/sandbox-messages'], caps: { conversationUsd: 2, whenReached: 'ask' } },
      },
      'waybill.budgets': {
        daily: { limitUsd: 2_000, period: 'day' }, 'all-tools-together-in-a-day': { limitUsd: 0.02, period: 'day', whenReached: 'warn' },
        'each-tool': { limitUsd: 0.008, period: 'day', per: 'tool', only: ['night-build'], whenReached: 'warn' },
      },
    }), language === undefined ? {} : { language });
    try {
      const window = await scene.openWindow('web-shop');
      const showcase = new Showcase(scene, window, provider);
      await showcase.#fill();
      return showcase;
    } catch (error) {
      console.error(await scene.report('showcase'));
      await scene.end();
      await provider.close();
      throw error;
    }
  }

  /** Shows each page of the extension and gives its frame. A page that is missing here does not compile. */
  readonly pages: Readonly<Record<WebviewPage, () => Promise<Frame>>> = {
    spend: async () => {
      await this.window.openViewContainer('Waybill');
      await this.window.expandView('Spend');
      return this.window.webviewFrame('Spend', async frame => await frame.locator('main.spend:not(.dashboard) .shares').count() > 0);
    },
    dashboard: async () => {
      await this.window.command('Waybill: Open Spend Dashboard');
      const frame = await this.window.webviewFrame('dashboard', async one => await one.locator('main.dashboard .shares').count() > 0);
      await frame.locator('.choice select').nth(1).selectOption('tool');
      await frame.locator('.cross').waitFor();
      await until('the dearest conversations', async () => await frame.locator('.lists > section').count() >= 4);
      return frame;
    },
    receipt: async () => {
      await this.window.openViewContainer('Waybill');
      await this.window.expandView('Requests');
      // Its place in the list is the same in every language: the latest one failed over.
      await this.window.view('Requests').locator('.monaco-list-row').first().click();
      return this.window.webviewFrame('receipt', async frame => await frame.locator('main.receipt h1').count() > 0);
    },
    drillReport: async () => {
      await this.window.command('Waybill: Show Fire Drill Report');
      return this.window.webviewFrame('fire drill report', async frame => await frame.locator('main.drill-report table').count() > 0);
    },
    bill: async () => {
      await this.window.command('Waybill: Reconcile Bill…');
      await this.window.pick('openai');
      await this.window.pick('Last 7 Days');
      await this.window.page.locator('.quick-input-widget:visible .monaco-list-row').filter({ hasText: 'OpenAI' }).click();
      await this.window.enter(openAiAdminKey);
      return this.window.webviewFrame('bill', async frame => await frame.locator('main.bill h1').count() > 0);
    },
  };

  async end(): Promise<void> {
    await this.scene.end();
    await this.#provider.close();
  }

  /** One request of a tool through the local endpoint. */
  async ask(tool: string, model = 'default'): Promise<number> {
    const response = await this.scene.endpoint.request('/v1/chat/completions', {
      method: 'POST', headers: { 'content-type': 'application/json', 'x-waybill-tool': tool }, body: JSON.stringify({ model, messages: [{ role: 'user', content: 'hello' }] }),
    });
    await response.text();
    return response.status;
  }

  async #fill(): Promise<void> {
    const { scene } = this;
    await until('the local endpoint', async () => await this.ask('night-build').catch(() => 0) === 200);
    await this.ask('codex');
    await scene.sandbox.first.die();
    assert.equal(await this.ask('claude-code'), 200);
    const now = Date.now();
    const peer = openLedger({ dataDir: scene.editor.globalStorage(extensionId), clock: { now: () => Date.now() }, log: silentLog, instanceId: 'peer' });
    for (const receipt of randomReceipts(300, seededRandom(3), { from: now - 35 * dayMs, to: now - 60_000 })) peer.close(receipt);
    peer.flush();
    peer.shutdown();
    const failed = await until('the failover', async () => (await scene.endpoint.exchanges()).some(({ attempts, outcome }) => attempts > 1 && outcome === 'ok'));
    assert.ok(failed);
  }
}
