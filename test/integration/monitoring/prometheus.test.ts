import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { startSandboxProvider, type SandboxProvider } from '../../../server/sandbox/sandboxProvider.ts';
import { endedWithTests } from '../../support/childProcesses.ts';
import { missingEngine } from '../../support/engines/engines.ts';
import { freePort } from '../../support/freePort.ts';
import { sandboxEndpoint } from '../support/sandboxPair.ts';
import { until } from '../support/serverProcess.ts';
import { temporaryFolder } from '../support/temporaryFolder.ts';
import { startTestRouter, type TestRouter } from '../support/testRouter.ts';

const root = path.join(import.meta.dirname, '..', '..', '..');
const missing = missingEngine('prometheus');
const { metricsDashboard } = await import(pathToFileURL(path.join(root, 'scripts', 'metricsDashboard.mjs')).href) as { metricsDashboard(): { panels: { title: string; targets?: { expr: string }[] }[] } };

interface Result { metric: Record<string, string>; value: [number, string] }
/** Panels whose events no request of this test causes, or of what the sandbox providers do not report. */
const withoutData: readonly RegExp[] = [/hedge/, /waybill_limit/, /waybill_budget/];

describe('a Prometheus that reads a running server', { skip: missing }, () => {
  const { folder, remove } = temporaryFolder();
  let first: SandboxProvider;
  let second: SandboxProvider;
  let router: TestRouter;
  let prometheus: ChildProcess;
  let address = '';

  before(async () => {
    first = await startSandboxProvider({ protocol: 'openai-chat', name: 'first' });
    second = await startSandboxProvider({ protocol: 'openai-chat', name: 'second' });
    router = await startTestRouter({
      endpoints: { first: sandboxEndpoint(first, { breaker: { failures: 2, openForMs: 1_000 } }), second: sandboxEndpoint(second, { keys: ['${SECOND_KEY}'] }) }, environment: { SECOND_KEY: 'a-key-of-the-test' },
      routes: { coding: { targets: ['first/m', 'second/m'] } }, monitoring: { metrics: {} },
    });
    const port = await freePort();
    address = `http://127.0.0.1:${String(port)}`;
    // The rules as they are shipped, but with no time to wait for.
    writeFileSync(path.join(folder, 'alerts.yml'), readFileSync(path.join(root, 'docs', 'monitoring', 'alerts.yml'), 'utf8').replace(/^ +for: .*\n/gm, ''));
    writeFileSync(path.join(folder, 'prometheus.yml'), [
      'global: { scrape_interval: 500ms, scrape_timeout: 500ms, evaluation_interval: 500ms }', 'rule_files: [alerts.yml]', 'scrape_configs:', '  - job_name: waybill',
      `    static_configs: [{ targets: ["${new URL(router.url).host}"] }]`, '',
    ].join('\n'));
    prometheus = endedWithTests(spawn('prometheus', [`--config.file=${path.join(folder, 'prometheus.yml')}`, `--storage.tsdb.path=${path.join(folder, 'data')}`, `--web.listen-address=127.0.0.1:${String(port)}`, '--log.level=error'], { stdio: 'ignore' }));
    await until('Prometheus is ready', async () => fetch(`${address}/-/ready`).then(({ ok }) => ok, () => false), 60_000);
  });
  after(async () => {
    const ended = new Promise(resolve => prometheus.once('exit', resolve));
    prometheus.kill('SIGTERM');
    await ended;
    await router.close();
    await Promise.all([first.close(), second.close()]);
    remove();
  });

  async function query(expression: string): Promise<Result[]> {
    const response = await fetch(`${address}/api/v1/query?query=${encodeURIComponent(expression)}`);
    const body = await response.json() as { status: string; error?: string; data: { result: Result[] } };
    assert.equal(body.status, 'success', `${expression}: ${body.error ?? ''}`);
    return body.data.result;
  }

  async function ask(stream = false): Promise<void> {
    const response = await fetch(`${router.url}/v1/chat/completions`, { method: 'POST', headers: { 'authorization': `Bearer ${router.token}`, 'content-type': 'application/json' }, body: JSON.stringify({ model: 'coding', stream, messages: [{ role: 'user', content: 'hello' }] }) });
    await response.text();
  }

  const firing = async (name: string): Promise<boolean> => {
    const { data } = await (await fetch(`${address}/api/v1/alerts`)).json() as { data: { alerts: { labels: Record<string, string>; state: string }[] } };
    return data.alerts.some(({ labels, state }) => labels.alertname === name && state === 'firing');
  };

  test('every panel of the dashboard has data', async () => {
    first.script([{ type: 'error', error: 'server' }]);
    await ask(true);
    first.script([{ type: 'error', error: 'bad-request' }]);
    await ask();
    await until('Prometheus has read the traffic', async () => (await query('sum(waybill_requests_total) > 1')).length > 0, 60_000);
    // A rate needs two values.
    for (let index = 0; index < 4; index += 1) {
      await ask(true);
      await new Promise(resolve => setTimeout(resolve, 600));
    }
    const empty: string[] = [];
    for (const { title, targets = [] } of metricsDashboard().panels) {
      for (const { expr } of targets) {
        const found = await query(expr.replaceAll('$__rate_interval', '30s').replaceAll('$instance', '.*'));
        if (found.length === 0 && !withoutData.some(one => one.test(expr))) empty.push(`${title}: ${expr}`);
      }
    }
    assert.deepEqual(empty, []);
  });

  test('a rule fires while an endpoint is down, and resolves', async () => {
    assert.equal(await firing('WaybillEndpointDown'), false);
    first.script(Array.from({ length: 50 }, () => ({ type: 'error', error: 'server' }) as const));
    await until('the rule fires', async () => {
      await ask();
      return firing('WaybillEndpointDown');
    }, 60_000);
    first.script([]);
    await until('the rule resolves', async () => {
      await ask();
      return !(await firing('WaybillEndpointDown'));
    }, 60_000);
  });
});
