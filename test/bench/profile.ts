import { mkdirSync, mkdtempSync, readdirSync, rmSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { ProfiledLoad } from './arguments.ts';
import { buildPassThrough, buildReadableServer } from './bundles.ts';
import { LoadClient, startUpstream, stop } from './childProcess.ts';
import type { JobOf } from './jobs.ts';
import { hotSpots, moduleNames } from './profileReport.ts';
import { resultsFolder } from './report.ts';
import { ProxyStarter, type ProfiledProxy } from './subjects.ts';

type Load = Omit<JobOf<'flood'>, 'target'> | Omit<JobOf<'turns'>, 'target'>;

function loadOf(kind: ProfiledLoad): Load {
  switch (kind) {
    case 'small': return { kind: 'flood', request: kind, requests: 30_000, concurrency: 16 };
    case 'flood': return { kind: 'flood', request: kind, requests: 64, concurrency: 8 };
    case 'steady': return { kind: 'flood', request: kind, requests: 160, concurrency: 32 };
    case 'turn': return { kind: 'turns', perSecond: 30, seconds: 15 };
    case 'tools1k': case 'tools100k':
    case 'megabyte': case 'tools1m': return { kind: 'flood', request: kind, requests: 300, concurrency: 1 };
    case 'eightMegabytes': return { kind: 'flood', request: kind, requests: 40, concurrency: 1 };
    case 'start': return { kind: 'flood', request: 'small', requests: 1, concurrency: 1 };
  }
}

/** Runs a proxy, bundled with readable names, under a load; writes its CPU profile and prints where the time went. */
export async function profileProxy(name: ProfiledProxy, kind: ProfiledLoad): Promise<void> {
  const folder = mkdtempSync(path.join(tmpdir(), 'waybill-bench-'));
  const upstream = await startUpstream();
  const load = await LoadClient.start();
  try {
    const files = { waybill: await buildReadableServer(folder), 'pass-through': await buildPassThrough(folder, false) };
    const starter = new ProxyStarter(folder, upstream.port, files['pass-through'], files.waybill, undefined);
    mkdirSync(resultsFolder, { recursive: true });
    const known = new Set(readdirSync(resultsFolder));
    const job = loadOf(kind);
    const requests = job.kind === 'flood' ? job.requests : job.perSecond * job.seconds;
    const proxy = await starter.start(name, 'data', { nodeArgs: ['--cpu-prof', '--cpu-prof-interval', '200', '--cpu-prof-dir', resultsFolder] });
    try {
      await load.run({ ...job, target: proxy.target });
    } finally {
      await stop(proxy.child);
    }
    const written = readdirSync(resultsFolder).find(entry => entry.endsWith('.cpuprofile') && !known.has(entry));
    if (written === undefined) throw new Error('Node wrote no profile.');
    const file = path.join(resultsFolder, written);
    process.stdout.write(`${hotSpots(readFileSync(file, 'utf8'), moduleNames(readFileSync(files[name], 'utf8')), files[name])}\n\n`
      + `Self time of ${name}: its start, ${requests} ${kind === 'start' ? 'small' : kind} requests, its end. Profile: ${path.relative(process.cwd(), file)}\n`);
  } finally {
    await stop(load.child);
    await stop(upstream.child);
    rmSync(folder, { recursive: true, force: true });
  }
}
