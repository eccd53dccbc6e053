import { mkdirSync, writeFileSync } from 'node:fs';
import { faultTable, playAllFaults } from './support/faultTable.ts';

/** Plays all faults and writes docs/faults.md from what happened. Fails when a promise was broken. */
const results = await playAllFaults();
const broken = results.flatMap(({ row, cell, outcome, attempts, violations }) => {
  const expected = row.expect(cell);
  const unexpected = outcome === expected.outcome && attempts === expected.attempts ? [] : [`${outcome} (${attempts}) instead of ${expected.outcome} (${expected.attempts})`];
  const wrong = [...violations, ...unexpected];
  return wrong.length === 0 ? [] : [`${row.number} ${row.fault} (${cell.caller}, ${cell.target}, ${cell.mode}): ${wrong.join('; ')}\n`];
});
process.stderr.write(broken.join(''));
const folder = new URL('../../docs/', import.meta.url);
mkdirSync(folder, { recursive: true });
writeFileSync(new URL('faults.md', folder), faultTable(results));
process.exitCode = broken.length === 0 ? 0 : 1;
