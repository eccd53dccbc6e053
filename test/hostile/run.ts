import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { serverFile } from '../chaos/serverFile.ts';
import { hostileText, runHostile } from './hostileRun.ts';

/** `npm run hostile`: every kind of hostile answer at a router with several callers. */

const usage = `Usage: npm run hostile -- [--seed N] [--rounds N] [--callers N] [--server FILE]
  --seed     the order; default 1
  --rounds   how often every kind is asked for; default 3
  --callers  requests at the same time; default 8
  --server   the router: a bundle, or server/main.ts; default dist/server.js when it is up to date, else server/main.ts
`;

function whole(text: string | undefined, otherwise: number): number {
  const value = text === undefined ? otherwise : Number(text);
  if (!Number.isSafeInteger(value) || value < 1) throw new Error(`"${text ?? ''}" is no whole number from 1`);
  return value;
}

const { values } = parseArgs({ options: { seed: { type: 'string' }, rounds: { type: 'string' }, callers: { type: 'string' }, server: { type: 'string' }, help: { type: 'boolean' } } });
if (values.help === true) {
  process.stdout.write(usage);
} else {
  const folder = mkdtempSync(path.join(tmpdir(), 'waybill-hostile-'));
  try {
    const report = await runHostile({
      seed: whole(values.seed, 1), rounds: whole(values.rounds, 3), callers: whole(values.callers, 8),
      serverFile: values.server === undefined ? serverFile() : path.resolve(values.server), folder,
    });
    process.stdout.write(hostileText(report));
    if (report.violations.length > 0) process.exitCode = 1;
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
  }
}
