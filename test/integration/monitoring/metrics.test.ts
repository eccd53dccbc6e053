import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import { startSandboxProvider, type SandboxProvider } from '../../../server/sandbox/sandboxProvider.ts';
import { isInstalled } from '../../support/isInstalled.ts';
import { rawRequest } from '../support/rawClient.ts';
import { sandboxEndpoint } from '../support/sandboxPair.ts';
import { until } from '../support/serverProcess.ts';
import { startTestRouter, type TestRouter } from '../support/testRouter.ts';

describe('metrics', () => {
  let first: SandboxProvider;
  let second: SandboxProvider;
  let router: TestRouter;
  const settings = () => ({ endpoints: { first: sandboxEndpoint(first), second: sandboxEndpoint(second) }, routes: { coding: { targets: ['first/m', 'second/m'] } } });

  before(async () => {
    first = await startSandboxProvider({ protocol: 'openai-chat', name: 'first' });
    second = await startSandboxProvider({ protocol: 'openai-chat', name: 'second' });
    router = await startTestRouter({ ...settings(), monitoring: { metrics: {} } });
  });
  after(async () => {
    await router.close();
    await Promise.all([first.close(), second.close()]);
  });

  async function ask(model: string): Promise<number> {
    const response = await fetch(`${router.url}/v1/chat/completions`, { method: 'POST', headers: { 'authorization': `Bearer ${router.token}`, 'content-type': 'application/json' }, body: JSON.stringify({ model, messages: [{ role: 'user', content: 'a private word' }] }) });
    await response.text();
    return response.status;
  }

  const scrape = async (): Promise<string> => (await fetch(`${router.url}/metrics`)).text();
  /** The value of a series; undefined: there is none. @param labels in the order of the text */
  function value(text: string, series: string): number | undefined {
    const line = text.split('\n').find(one => one.startsWith(`${series} `));
    return line === undefined ? undefined : Number(line.slice(series.length + 1));
  }

  test('are served to this machine without a token, in the format of Prometheus', async () => {
    const response = await fetch(`${router.url}/metrics`);
    assert.equal(response.status, 200);
    assert.equal(response.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8');
    for (const [name, value] of [['via', '1.1 proxy'], ['x-real-ip', '203.0.113.7'], ['x-forwarded-host', 'example.com'], ['x-forwarded-proto', 'https'], ['forwarded', 'for=203.0.113.7']] as const) {
      const through = await fetch(`${router.url}/metrics`, { headers: { [name]: value } });
      await through.body?.cancel();
      assert.equal(through.status, 401, name);
    }
    const forwarded = await fetch(`${router.url}/metrics`, { headers: { 'x-forwarded-for': '203.0.113.7' } });
    assert.equal(forwarded.status, 401, 'what a proxy passes on comes from elsewhere');
    const page = await rawRequest({ url: `${router.url}/metrics`, method: 'GET', headers: { host: 'attacker.example' } });
    assert.equal(page.status, 403, 'a page that rebinds its name is refused');
    const withToken = await fetch(`${router.url}/metrics`, { headers: { 'x-forwarded-for': '203.0.113.7', 'authorization': `Bearer ${router.token}` } });
    assert.equal(withToken.status, 200);
  });

  test('count what a request and its attempts did', async () => {
    const before = await scrape();
    const count = (text: string, series: string): number => value(text, series) ?? 0;
    first.script([{ type: 'error', error: 'overloaded' }]);
    assert.equal(await ask('coding'), 200);
    let text = '';
    const spent = 'waybill_spend_usd_total{endpoint="second",model="m",purpose="request"}';
    await until('the request is priced', async () => (text = await scrape()).includes(spent) && count(text, spent) > count(before, spent));
    const grew = (series: string): number => count(text, series) - count(before, series);
    assert.equal(grew('waybill_requests_total{route="coding",protocol="openai-chat",inbound="http",outcome="ok"}'), 1);
    assert.equal(grew('waybill_attempts_total{endpoint="first",model="m",protocol="openai-chat",outcome="failed"}'), 1);
    assert.equal(grew('waybill_attempt_failures_total{endpoint="first",model="m",class="overloaded"}'), 1);
    assert.equal(grew('waybill_attempts_total{endpoint="second",model="m",protocol="openai-chat",outcome="ok"}'), 1);
    assert.equal(grew('waybill_fallbacks_total{route="coding",outcome="ok"}'), 1);
    assert.equal(grew('waybill_request_duration_seconds_count{route="coding",outcome="ok"}'), 1);
    assert.equal(value(text, 'waybill_requests_in_flight'), 0);
    const input = grew('waybill_tokens_total{endpoint="second",model="m",purpose="request",bucket="input"}');
    const output = grew('waybill_tokens_total{endpoint="second",model="m",purpose="request",bucket="output"}');
    assert.ok(input > 0 && output > 0);
    // 2 and 8 dollars for a million tokens.
    assert.ok(Math.abs(grew(spent) - (2 * input + 8 * output) / 1e6) < 1e-6);
    assert.equal(grew('gen_ai_client_operation_duration_seconds_count{gen_ai_operation_name="chat",gen_ai_provider_name="sandbox",gen_ai_request_model="m",error_type="overloaded"}'), 1);
    assert.equal(grew('litellm_total_tokens_metric_total{model="m",api_provider="sandbox"}'), input + output);
    assert.equal(grew('litellm_deployment_failure_responses_total{litellm_model_name="m",model_id="first/m",api_provider="sandbox",exception_class="overloaded"}'), 1);
  });

  test('have no label that a caller made up, no prompt and no token', async () => {
    await ask('first/made-up-by-a-caller');
    await ask('first/m');
    await ask('nothing-like-it');
    const text = await scrape();
    assert.doesNotMatch(text, /made-up-by-a-caller|nothing-like-it|private word/);
    assert.ok(!text.includes(router.token));
    assert.match(text, /model="other"/);
  });

  test('tell the state of endpoints', async () => {
    const text = await scrape();
    assert.equal(value(text, 'waybill_breaker_state{endpoint="second",state="closed"}'), 1);
    assert.equal(value(text, 'waybill_endpoint_up{endpoint="second",provider="sandbox"}'), 1);
    assert.equal(value(text, 'waybill_ledger_open'), 1);
    assert.equal(value(text, 'litellm_deployment_state{litellm_model_name="m",model_id="second/m",api_provider="sandbox"}'), 0);
  });

  test('are good for promtool', { skip: isInstalled('promtool') ? false : 'promtool is not installed (apt-get install prometheus)' }, async () => {
    const checked = spawnSync('promtool', ['check', 'metrics'], { input: await scrape(), encoding: 'utf8' });
    // LiteLLM's names have no unit; that is not ours to mend.
    const found = `${checked.stdout}${checked.stderr}`.split('\n').filter(line => line !== '' && !line.startsWith('litellm_'));
    assert.deepEqual(found, []);
  });

  test('are off until they are switched on, and can be switched off', async () => {
    await router.configure(settings());
    const response = await fetch(`${router.url}/metrics`, { headers: { authorization: `Bearer ${router.token}` } });
    assert.equal(response.status, 404);
    assert.match(await response.text(), /Metrics are off\. Switch them on with/);
    assert.equal((await fetch(`${router.url}/metrics`)).status, 401);
    await router.configure({ ...settings(), monitoring: { metrics: {} } });
    assert.equal((await fetch(`${router.url}/metrics`)).status, 200);
  });
});
