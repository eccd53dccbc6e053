import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Frame } from 'playwright-core';
import { openAiAdminKey, serveCostApis, type CostApi } from '../unit/router/bills/costApiSimulators.ts';
import { Scene, tellInOrder } from './harness/scene.ts';
import { until } from './harness/until.ts';
import type { Workbench } from './harness/workbench.ts';

const dayMs = 86_400_000;
const moment = (daysAgo: number): string => `${new Date(Date.now() - daysAgo * dayMs).toISOString().slice(0, 10)}T00:00:00Z`;
const usage = { prompt_tokens: 1000, completion_tokens: 500, total_tokens: 1500 };

/** A provider's models and answers, beside its costs. The second answer names a tier that has no published price. */
function answers(): (method: string, path: string) => unknown {
  let asked = 0;
  return (method, path) => {
    if (method === 'GET' && path === '/v1/models') return { object: 'list', data: [{ id: 'gpt-4.1', object: 'model', created: 1, owned_by: 'openai' }] };
    if (method !== 'POST' || path !== '/v1/chat/completions') return undefined;
    asked += 1;
    return {
      id: `c${asked}`, object: 'chat.completion', created: 1, model: 'gpt-4.1', choices: [{ index: 0, message: { role: 'assistant', content: 'Hi' }, finish_reason: 'stop' }], usage,
      ...(asked === 2 ? { service_tier: 'contract' } : {}),
    };
  };
}

describe('a bill beside the ledger', () => {
  let provider: CostApi;
  let scene: Scene;
  let window: Workbench;
  tellInOrder(() => scene);

  before(async () => {
    provider = await serveCostApis([
      { at: moment(0), model: 'gpt-4.1-2025-04-14', item: 'gpt-4.1-2025-04-14, input', usd: '0.018', requests: 3, input: 3000, output: 1500 },
      { at: moment(1), model: 'gpt-5-mini-2025-08-07', item: 'gpt-5-mini-2025-08-07, output', usd: '0.42', requests: 12, input: 9000, output: 90_000 },
      { at: moment(1), item: 'web search tool calls', usd: '0.03' },
    ], { other: answers() });
    scene = await Scene.set(() => ({ 'waybill.endpoints': { openai: { provider: 'openai', baseUrl: `${provider.origin}/v1`, probe: { enabled: false } } } }));
    window = await scene.openWindow('alpha');
    await window.useColourTheme('dark');
    await window.command('Waybill: Add Key…');
    await window.enterKey('sk-simulated-0123456789abcdef');
    const ask = async (): Promise<number> => {
      const response = await scene.endpoint.request('/v1/chat/completions', { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ model: 'gpt-4.1', messages: [{ role: 'user', content: 'hello' }] }) });
      await response.text();
      return response.status;
    };
    await until('the key to be used', async () => await ask() === 200);
    assert.equal(await ask(), 200);
  });
  after(async () => {
    await scene?.end();
    await provider?.close();
  });

  it('names in Spend what has no price', async () => {
    await window.openViewContainer('Waybill');
    const frame = await window.webviewFrame('Spend', async one => await one.getByText('at least: without service tier contract').count() > 0);
    assert.match(await frame.locator('main').innerText(), /\$0\.0120\+/);
    await window.screenshot('bill-spend');
  });

  it('refuses a key for requests before anything is sent, and asks the provider with an admin key', async () => {
    await window.command('Waybill: Reconcile Bill…');
    await window.pick('Last 7 Days');
    await window.page.locator('.quick-input-widget:visible .monaco-list-row').filter({ hasText: 'Ask OpenAI' }).click();
    await window.enterKey('sk-proj-0123456789abcdef');
    await until('the refusal', async () => /a key for requests cannot read costs/.test(await window.quickInputText()));
    await window.screenshot('bill-key');
    assert.equal(provider.seen.filter(({ path }) => path.includes('/organization/')).length, 0);
    await window.enterKey(openAiAdminKey);
  });

  let page: Frame;
  it('shows days and models, why they differ, and the requests that explain it', async () => {
    page = await window.webviewFrame('the bill', async one => await one.getByText('Bill of OpenAI').count() > 0);
    const text = await page.locator('main').innerText();
    assert.match(text, /did not go through Waybill/);
    assert.match(text, /gpt-5-mini/);
    assert.match(text, /service tier contract/);
    assert.match(text, /The bill lists this apart from models/);
    assert.ok(!text.includes(openAiAdminKey));
    await window.screenshot('bill');
  });

  it('opens the receipt of a request from there, which names the part and the date of the price', async () => {
    await page.getByRole('button', { name: /show the receipt of/ }).first().click();
    const receipt = await window.webviewFrame('the receipt', async one => await one.getByText(/price from genai-prices/).count() > 0);
    assert.match(await receipt.locator('main').innerText(), /price from genai-prices \S+ of 2026-09-23/);
    await window.screenshot('bill-receipt');
  });
});
