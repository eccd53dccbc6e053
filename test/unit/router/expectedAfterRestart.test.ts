import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { silentLog } from '../../../server/base/log.ts';
import { findProvider, providers } from '../../../server/catalog/providers.ts';
import { resolveConfig } from '../../../server/config/resolve.ts';
import { openLedger } from '../../../server/ledger/sqlite/sqliteLedger.ts';
import { anAttempt, aReceipt, noon } from '../ledger/receipts.ts';
import { createTestRouter } from './createTestRouter.ts';

const folder = mkdtempSync(join(tmpdir(), 'waybill-expected-'));
after(() => { rmSync(folder, { recursive: true, force: true }); });

test('how long answers of a caller usually are is known again a moment after a restart, so that caps reserve as before it', async () => {
  const earlier = openLedger({ dataDir: folder, clock: { now: () => noon }, log: silentLog, instanceId: 'earlier' });
  for (let index = 0; index < 12; index += 1) {
    earlier.close(aReceipt(`x-${String(index)}`, { caller: { tool: 'cline' }, startedAt: noon + index, attempts: [anAttempt({ endpoint: 'relay', model: 'm', target: 'relay/m', kind: 'normal', startedAt: noon + index, usage: { inputTokens: 1_000, cacheReadTokens: 0, outputTokens: 20_000 } })] }));
  }
  earlier.shutdown();

  const clock = { now: () => noon + 60_000 };
  const ledger = openLedger({ dataDir: folder, clock, log: silentLog, instanceId: 'later' });
  const { router, services } = createTestRouter({ ledger, clock, interfaces: () => ({}) });
  try {
    const { config } = resolveConfig({ endpoints: { relay: { provider: 'openai-compatible', baseUrl: 'http://127.0.0.1:1/v1', probe: { enabled: false }, models: { m: { prices: { inputPerMTok: 0, outputPerMTok: 1 } } } } }, routes: {} }, { catalog: { providers, findProvider }, supportedProtocols: ['openai-chat'], source: 'settings' });
    router.configure(config, new Map(), []);
    const target = services.routeTable().target('relay', 'm') ?? assert.fail();
    const expected = (tool: string): number | undefined => services.spending.expectedMicroUsd(target, { kind: 'normal', stream: false, caller: { tool }, requirements: { estimatedInputTokens: 1_000 } });
    // Nothing is read before the server is up.
    assert.ok((expected('cline') ?? 0) < 1_000);
    for (let turn = 0; turn < 200 && (expected('cline') ?? 0) < 1_000; turn += 1) await sleep(50);
    assert.equal(expected('cline'), 20_000);
    assert.ok((expected('another') ?? 0) < 1_000);
  } finally {
    await router.shutdown();
  }
});
