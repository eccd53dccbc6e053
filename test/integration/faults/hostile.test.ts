import assert from 'node:assert/strict';
import { it } from 'node:test';
import { serverFile } from '../../chaos/serverFile.ts';
import { hostileText, runHostile } from '../../hostile/hostileRun.ts';
import { temporaryFolder } from '../support/temporaryFolder.ts';

it('hostile model lists, usage, headers, errors and streams neither end, freeze nor fill the server, and its ledger can be read', async context => {
  const { folder, remove } = temporaryFolder();
  try {
    const report = await runHostile({ seed: 8, rounds: 2, callers: 8, serverFile: serverFile(), folder });
    context.diagnostic(hostileText(report));
    assert.deepEqual(report.violations, [], hostileText(report));
    assert.ok(report.kinds >= 200 && report.requests > 2 * report.kinds, hostileText(report));
  } finally {
    remove();
  }
});
