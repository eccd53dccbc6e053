import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from '../bundles.ts';
import type { Bench, Measure } from '../measure.ts';
import { cpuTimeUs } from '../processStat.ts';
import { median } from '../statistics.ts';
import { longAnswers } from '../traffic.ts';
import type { EditorJob, EditorJobResult } from './editorJobs.ts';
import { EditorProcess } from './editorProcess.ts';

/** The turns of an agent that begin in a second. */
const perSecond = 10;
const warmUpTurns = 10;
/** Long answers whose allocations are sampled; those of the second process are its first. */
const sampledAnswers = 5;
const sampler = path.join(root, 'test/bench/sampleAllocations.mjs');

const turnJob = { via: 'editor', history: 'turn', continued: true, answer: 'turn', turns: 0, perSecond, watched: false, sampled: false } as const satisfies EditorJob;
const megabyteJob = { ...turnJob, history: 'megabyte', continued: false, answer: 'short', perSecond: 0 } as const satisfies EditorJob;
const floodJob = { ...turnJob, answer: 'flood', perSecond: 0, turns: sampledAnswers } as const satisfies EditorJob;

/** What the editor's own way costs: from the call of the chat provider to the upstream, and back to a part of the answer. */
export const editorMeasure: Measure = {
  name: 'editor',
  rows: {
    'editor turn client': { title: 'editor, agent turn: CPU of the client', unit: 'ms' },
    'editor turn server': { title: 'editor, agent turn: CPU of the server', unit: 'ms' },
    'editor turn first': { title: 'editor, agent turn: added first token p50', unit: 'ms', target: { most: 1 } },
    'editor turn delay': { title: 'editor, agent turn: delay of a chunk p50', unit: 'ms' },
    'editor megabyte client': { title: 'editor, 1 MB with 40 tools: CPU of the client', unit: 'ms' },
    'editor megabyte server': { title: 'editor, 1 MB with 40 tools: CPU of the server', unit: 'ms' },
    'editor megabyte first': { title: 'editor, 1 MB with 40 tools: added first token p50', unit: 'ms' },
    'editor megabyte block': { title: 'editor, 1 MB with 40 tools: longest block of the client', unit: 'ms', target: { most: 10 } },
    'editor megabyte run': { title: 'editor, 1 MB with 40 tools: longest run of the client', unit: 'ms' },
    'editor continued client': { title: 'editor, next turn at 1 MB: CPU of the client', unit: 'ms' },
    'editor continued server': { title: 'editor, next turn at 1 MB: CPU of the server', unit: 'ms' },
    'editor continued first': { title: 'editor, next turn at 1 MB: added first token p50', unit: 'ms' },
    'editor flood client': { title: 'editor, chunks at once: CPU of the client a chunk', unit: 'us' },
    'editor flood server': { title: 'editor, chunks at once: CPU of the server a chunk', unit: 'us' },
    'editor flood client bytes': { title: 'editor, chunks at once: own bytes of the client a chunk', unit: 'bytes' },
    'editor flood server bytes': { title: 'editor, chunks at once: own bytes of the server a chunk', unit: 'bytes' },
  },
  async run(bench) {
    await withEditor(bench, bench.starter.serverFile, [], `data-editor-${bench.round}`, editor => measureTimes(bench, editor));
    // Scripts are known by their addresses only where the server is not a bundle.
    await withEditor(bench, path.join(root, 'server/main.ts'), ['--import', pathToFileURL(sampler).href], `data-editor-sampled-${bench.round}`, editor => measureAllocations(bench, editor));
  },
};

async function withEditor({ starter }: Bench, serverFile: string, nodeArgs: readonly string[], dataFolder: string, work: (editor: EditorProcess) => Promise<void>): Promise<void> {
  const editor = await EditorProcess.start({ serverFile, nodeArgs, dataDir: starter.newFolder(dataFolder), upstreamPort: starter.direct.port });
  try {
    if (starter.core !== undefined) editor.pin(starter.core);
    await work(editor);
  } finally {
    await editor.stop();
  }
}

async function measureTimes({ amounts, record }: Bench, editor: EditorProcess): Promise<void> {
  const milliseconds = (valuesUs: readonly number[]): number => median(valuesUs) / 1000;
  const run = async (name: string, job: EditorJob, unitUs: number): Promise<EditorJobResult> => {
    const before = cpuTimeUs(editor.serverPid);
    const result = await editor.run(job);
    record(`${name} client`, 'waybill', result.cpuUs / unitUs);
    record(`${name} server`, 'waybill', (cpuTimeUs(editor.serverPid) - before) / unitUs);
    return result;
  };
  await editor.run({ ...turnJob, turns: warmUpTurns });
  await editor.run({ ...megabyteJob, turns: warmUpTurns });
  const turns = amounts.turnSeconds * perSecond;
  const direct = milliseconds((await editor.run({ ...turnJob, via: 'direct', turns })).firstTokensUs);
  const turn = await run('editor turn', { ...turnJob, turns }, turns * 1000);
  record('editor turn first', 'direct', direct);
  record('editor turn first', 'waybill', milliseconds(turn.firstTokensUs) - direct);
  record('editor turn delay', 'waybill', milliseconds(turn.chunkDelaysUs));
  const megabytes = amounts.megabyteRequests;
  const directMegabyte = milliseconds((await editor.run({ ...megabyteJob, via: 'direct', turns: megabytes })).firstTokensUs);
  const megabyte = await run('editor megabyte', { ...megabyteJob, turns: megabytes }, megabytes * 1000);
  record('editor megabyte first', 'direct', directMegabyte);
  record('editor megabyte first', 'waybill', milliseconds(megabyte.firstTokensUs) - directMegabyte);
  const continued = await run('editor continued', { ...megabyteJob, continued: true, turns: megabytes }, megabytes * 1000);
  record('editor continued first', 'direct', directMegabyte);
  record('editor continued first', 'waybill', milliseconds(continued.firstTokensUs) - directMegabyte);
  const { longestMs, longestRunMs } = await editor.run({ ...megabyteJob, turns: megabytes, watched: true });
  record('editor megabyte block', 'waybill', longestMs);
  record('editor megabyte run', 'waybill', longestRunMs);
  await editor.run({ ...floodJob, turns: 1 });
  await run('editor flood', floodJob, sampledAnswers * longAnswers.flood.chunks);
}

async function measureAllocations({ record }: Bench, editor: EditorProcess): Promise<void> {
  await editor.run({ ...floodJob, turns: 1 });
  process.kill(editor.serverPid, 'SIGUSR2');
  await editor.serverReports.next();
  const { allocated } = await editor.run({ ...floodJob, sampled: true });
  process.kill(editor.serverPid, 'SIGUSR2');
  const server = JSON.parse(await editor.serverReports.next()) as Record<string, number>;
  const chunks = sampledAnswers * longAnswers.flood.chunks;
  record('editor flood client bytes', 'waybill', ownBytes(allocated) / chunks);
  record('editor flood server bytes', 'waybill', ownBytes(server) / chunks);
}

/** Bytes that our own scripts allocated, without those of the bench. */
function ownBytes(byScript: Readonly<Record<string, number>>): number {
  const folders = ['client', 'server'].map(name => `${pathToFileURL(path.join(root, name)).href}/`);
  let sum = 0;
  for (const [url, bytes] of Object.entries(byScript)) if (folders.some(folder => url.startsWith(folder))) sum += bytes;
  return sum;
}
