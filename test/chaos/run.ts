import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { runChaos } from './chaosRun.ts';
import { reportText } from './report.ts';
import { serverFile } from './serverFile.ts';

/** `npm run chaos`: callers, a router and providers that misbehave at random from a seed; see docs/chaos.md. */

const usage = `Usage: npm run chaos -- [--seed N] [--requests N] [--concurrency N] [--server FILE]
  --seed         which faults come when; default: drawn at random, and printed
  --requests     default 20000
  --concurrency  callers at the same time; default 64
  --server       the router: a bundle, or server/main.ts; default dist/server.js when it is up to date, else server/main.ts
`;

function whole(text: string | undefined, otherwise: number): number {
  const value = text === undefined ? otherwise : Number(text);
  if (!Number.isSafeInteger(value) || value < 1) throw new Error(`"${text ?? ''}" is no whole number from 1`);
  return value;
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { seed: { type: 'string' }, requests: { type: 'string' }, concurrency: { type: 'string' }, server: { type: 'string' }, help: { type: 'boolean' } } });
  if (values.help === true) {
    process.stdout.write(usage);
    return;
  }
  const folder = mkdtempSync(path.join(tmpdir(), 'waybill-chaos-'));
  try {
    const report = await runChaos({
      seed: whole(values.seed, 1 + Math.floor(Math.random() * 1_000_000)), requests: whole(values.requests, 20_000), concurrency: whole(values.concurrency, 64),
      serverFile: values.server === undefined ? serverFile() : path.resolve(values.server), folder, onProgress: line => process.stderr.write(`${line}\n`),
    });
    process.stdout.write(reportText(report));
    if (report.violations.length > 0) process.exitCode = 1;
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
  }
}

await main();
