import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it, mock } from 'node:test';
import { ParentWatch } from '../../../server/app/parentWatch.ts';
import { createRouterProcess, type RouterProcess } from '../../../server/app/routerProcess.ts';
import { findProvider, providers } from '../../../server/catalog/providers.ts';
import { supportedProtocols } from '../../../server/protocols/registry.ts';
import { resolveMonitoring } from '../../../server/config/monitoring/resolveMonitoring.ts';
import { resolveConfig } from '../../../server/config/resolve.ts';

const secondMs = 1000;
const minute = 60;
/** Seconds until the process has done what follows its start: lists of models, first probes, records of them. */
const settled = 20;

/** Lets what waits for the network, the disk and promises go on, in the time of the machine. */
async function otherWork(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await new Promise(resolve => { setImmediate(resolve); });
}

describe('a server at rest, with three endpoints that are probed, metrics and a rule of an alert', () => {
  const dataDir = mkdtempSync(path.join(tmpdir(), 'waybill-rest-'));
  const provider = createServer((_request, response) => { response.writeHead(200, { 'content-type': 'application/json' }).end('{"object":"list","data":[{"id":"m","object":"model"}]}'); });
  /** When each timer of the process ran, and how often it was to run. */
  const woken: { at: number; everyMs: number; repeats: boolean }[] = [];
  let server: RouterProcess;
  let probes = 0;

  before(async () => {
    await once(provider.listen(0, '127.0.0.1'), 'listening');
    provider.on('request', () => { probes += 1; });
    const baseUrl = `http://127.0.0.1:${(provider.address() as AddressInfo).port}/v1`;
    mock.timers.enable({ apis: ['setInterval', 'setTimeout', 'Date'], now: Date.UTC(2026, 10, 27, 12) });
    const { setInterval: repeat, setTimeout: later } = globalThis;
    const counted = <Timers extends typeof repeat | typeof later>(set: Timers): Timers => ((work: (...values: unknown[]) => void, ms = 1, ...values: unknown[]) => (set as typeof repeat)(() => {
      woken.push({ at: Date.now(), everyMs: ms, repeats: set === repeat });
      work(...values);
    }, ms)) as Timers;
    globalThis.setInterval = counted(repeat);
    globalThis.setTimeout = counted(later);
    server = createRouterProcess({ dataDir, instanceId: 'at-rest', writeLog: () => {}, portChanged: () => {} });
    new ParentWatch(() => { assert.fail('the starter of this process is gone'); }).lookWith(server.ticker);
    const endpoint = { provider: 'openai-compatible', baseUrl, models: { m: {} } };
    const { config } = resolveConfig({ endpoints: { a: endpoint, b: endpoint, c: endpoint }, routes: { all: { targets: ['a/m', 'b/m', 'c/m'] } } }, { catalog: { providers, findProvider }, supportedProtocols, source: 'settings' });
    const monitoring = resolveMonitoring({ metrics: {}, alerts: { down: { when: 'endpoint-down', forMinutes: 0 } } }, {}, () => { assert.fail('these settings have no mistake'); });
    server.router.configure({ ...config, monitoring }, new Map(), []);
  });

  after(async () => {
    const closed = server.close();
    for (let turn = 0; turn < 50; turn += 1) {
      mock.timers.tick(100);
      await otherWork();
    }
    await closed;
    mock.timers.reset();
    assert.ok(!existsSync(path.join(dataDir, 'allowances')), 'a server that counts no caps and budgets makes no file for them, at its end neither');
    provider.closeAllConnections();
    provider.close();
    rmSync(dataDir, { recursive: true, force: true });
  });

  async function pass(seconds: number): Promise<void> {
    for (let step = 0; step < seconds * 20; step += 1) {
      mock.timers.tick(secondMs / 20);
      await otherWork();
    }
  }

  it('wakes once a second, and a few times more for each probe', async () => {
    await pass(settled);
    assert.ok(probes >= 3, 'the endpoints were probed');
    woken.length = 0;
    probes = 0;
    await pass(minute);
    assert.ok(probes >= 3, `${probes} probes in a minute`);
    const moments = new Set(woken.map(({ at }) => at)).size;
    const mostForAProbe = 6;
    assert.ok(moments <= minute + probes * mostForAProbe, `${moments} wake-ups in a minute with ${probes} probes: ${JSON.stringify(byPeriod())}`);
    assert.deepEqual([...new Set(woken.filter(({ repeats }) => repeats).map(({ everyMs }) => everyMs))], [secondMs], 'the one timer that repeats is the ticker');
    for (const [everyMs, times] of byPeriod()) assert.ok(times <= Math.max(minute + 1, probes * mostForAProbe), `a timer of ${everyMs} ms ran ${times} times in a minute`);
  });

  function byPeriod(): [number, number][] {
    const times = new Map<number, number>();
    for (const { everyMs } of woken) times.set(everyMs, (times.get(everyMs) ?? 0) + 1);
    return [...times];
  }
});
