import assert from 'node:assert/strict';
import { it } from 'node:test';
import { runChaos } from '../../chaos/chaosRun.ts';
import { reportText } from '../../chaos/report.ts';
import { serverFile } from '../../chaos/serverFile.ts';
import { temporaryFolder } from '../support/temporaryFolder.ts';

/** As many as fit into a minute of two busy processors; `npm run chaos` sends 20,000. */
const requests = 5000;
const seed = 20;

it('whatever its providers do, the router ends every request in one right answer or one error, keeps an exact ledger and leaks nothing', async context => {
  const { folder, remove } = temporaryFolder();
  try {
    const report = await runChaos({ seed, requests, concurrency: 64, serverFile: serverFile(), folder });
    context.diagnostic(reportText(report));
    assert.deepEqual(report.violations, [], reportText(report));
    // A run in which too little happened proves nothing.
    assert.ok(report.guarded.requests > requests / 4 && report.ledger.attempts > requests * 1.05 && report.faultChanges > 100, reportText(report));
  } finally {
    remove();
  }
});
