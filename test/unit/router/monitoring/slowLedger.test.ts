import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SpendReport } from '../../../../server/api/receipt.ts';
import type { StatusSnapshot } from '../../../../server/api/status.ts';
import { silentLog } from '../../../../server/base/log.ts';
import { emptyConfig } from '../../../../server/config/config.ts';
import { resolveMonitoring } from '../../../../server/config/monitoring/resolveMonitoring.ts';
import { ExchangePublisher } from '../../../../server/exchange/publisher.ts';
import { MonitoringPart } from '../../../../server/router/monitoring/monitoringPart.ts';
import { Receivers } from '../../../../server/upstream/receivers.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'waybill-slow-'));
after(() => { rmSync(folder, { recursive: true, force: true }); });

/** Looks until the log says that an endpoint is down. @param mostTicks so often it is given the time @param spend how the spend of the last hour is read @returns how often it was read */
async function saysDown(name: string, mostTicks: number, spend: () => Promise<Pick<SpendReport, 'totals'>>): Promise<number> {
  const monitoring = resolveMonitoring({ alerts: { down: { when: 'endpoint-down', forMinutes: 0, to: ['log'] }, dear: { when: 'spend', above: 20 } } }, {}, (_path, message) => assert.fail(message));
  const config = { ...emptyConfig, monitoring };
  const status = { endpoints: [{ name: 'north', enabled: true, state: 'down', condition: { kind: 'down', why: 'timeouts' } }] } as unknown as StatusSnapshot;
  const said: string[] = [];
  const clock = { at: Date.UTC(2026, 10, 28, 12), now: () => clock.at };
  const none = (): never => assert.fail('nobody reads that here');
  let reads = 0;
  const part = new MonitoringPart({
    events: new ExchangePublisher(silentLog), copies: new ExchangePublisher(silentLog), ledger: { isOpen: true, revision: () => 0, backlog: () => ({ waiting: 0, lagMs: 0 }) }, sharedLedger: { figures: none }, status: () => status,
    spend: () => { reads += 1; return spend(); }, outcomes: () => Promise.resolve([]), alertsFolder: path.join(folder, name), store: { isConfigured: false, replica: 'one', run: none }, config: () => config, receivers: new Receivers(), tracePassing: { headers: undefined },
    codecFor: none, news: () => undefined, shared: () => undefined, answers: () => undefined, redact: text => text, hasAudience: () => false, notify: none, clock, log: { ...silentLog, warn: line => { said.push(line); } },
  }, config as never);
  for (let ticks = 0; !said.some(line => line.includes('north')); ticks += 1) {
    assert.ok(ticks < mostTicks, said.join('\n'));
    clock.at += 100;
    part.tick();
    await sleep(10);
  }
  await part.close();
  return reads;
}

describe('alerts whose ledger is slow or cannot be read', () => {
  it('look at endpoints all the same, and do not read the spend again before it came', async () => {
    assert.equal(await saysDown('slow', 5_000, () => new Promise(() => undefined)), 1);
  });

  it('look at endpoints in the same look where the spend cannot be read', async () => {
    // Every fifth tick looks.
    assert.equal(await saysDown('broken', 9, () => Promise.reject(new Error('the ledger is locked'))), 1);
  });
});
