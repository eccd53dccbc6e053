import { setTimeout as sleep } from 'node:timers/promises';
import { startSandboxProvider, type SandboxOptions, type SandboxProvider } from '../../../server/sandbox/sandboxProvider.ts';
import { askOverHttp } from '../httpTurn.ts';
import { toolPrompt, wordsPrompt } from '../prompts.ts';
import { startAtQuietPort } from '../providerPorts.ts';
import { allRows } from '../rows/allRows.ts';
import { certificateOf } from '../stage.ts';
import type { Cell, Mode, WallRow } from '../wallRow.ts';
import type { GatewayAdapter, GatewayQuestion } from './gatewayAdapter.ts';
import { judgePeer, keepsPromise } from './judgePeer.ts';

/** One field of another gateway's column. */
export interface PeerCell {
  caller: string;
  target: string;
  outcome: string;
  /** Whether that is what the row promises. */
  kept: boolean;
  /** The providers in the order in which they were asked, such as `a, b`. */
  asked: string;
  elapsedMs: number;
}

/** What another gateway made of one row. */
export interface PeerRow { number: number; fault: string; mode: Mode; cells: PeerCell[] }

/** A silent or slow gateway is waited for so long: ten times what its timer was set to. */
const patienceMs = 5_000;
/** Slack for a gateway that is slower than this server. Work that goes on longer has no caller any more. */
const abortedWithinMs = 1_000;
/** Longer than every cooldown that providers ask for in these rows, except the one of an hour. */
const trustsAgainWithinMs = 90_000;

/** Plays every row that applies to an HTTP gateway, a few cells at a time. */
export async function playPeer(url: string, adapter: GatewayAdapter, rows: readonly WallRow[] = allRows): Promise<PeerRow[]> {
  const played = rows.filter(row => row.peer === true).flatMap(row => row.modes.map(mode => ({ row, mode, cells: [] as PeerCell[] })));
  const waiting = played.flatMap(({ row, mode, cells }) => adapter.pairs.map(pair => ({ row, cell: { ...pair, mode }, cells })))
    .filter(({ row, cell }) => row.includes?.(cell) !== false);
  // With fixed ports only one cell can run at a time.
  const atOnce = adapter.ports === undefined ? 3 : 1;
  let started = 0;
  await Promise.all(Array.from({ length: atOnce }, async () => {
    for (let next = waiting[started++]; next !== undefined; next = waiting[started++]) {
      const result = await playCell(url, adapter, next.row, next.cell, waiting.indexOf(next));
      if (result !== undefined) next.cells.push(result);
    }
  }));
  return played.filter(({ cells }) => cells.length > 0).map(({ row, mode, cells }) => ({ number: row.number, fault: row.fault, mode, cells: inOrder(cells, adapter) }));
}

function inOrder(cells: readonly PeerCell[], adapter: GatewayAdapter): PeerCell[] {
  return adapter.pairs.flatMap(pair => cells.filter(cell => cell.caller === pair.caller && cell.target === pair.target));
}

async function playCell(url: string, adapter: GatewayAdapter, row: WallRow, cell: Cell, place: number): Promise<PeerCell | undefined> {
  const order: string[] = [];
  const provider = (name: 'a' | 'b' | 'elsewhere', more: Partial<SandboxOptions> = {}): Promise<SandboxProvider> => {
    const options = { protocol: cell.target, name, port: name === 'elsewhere' ? undefined : adapter.ports?.[name], ...more };
    return row.refuses === true && adapter.ports === undefined && name === 'a' ? startAtQuietPort(options, place) : startSandboxProvider(options);
  };
  const a = await provider('a', { tls: certificateOf(row), latency: { headersMs: row.latencyMs } });
  const b = await provider('b');
  const elsewhere = await provider('elsewhere');
  try {
    if (adapter.ports !== undefined && !await asksAAgain(url, adapter, row, cell, a)) return undefined;
    const already = { a: a.requests.length, b: b.requests.length, elsewhere: 0 };
    const script = row.behaviour(cell);
    a.script('type' in script && script.type === 'redirect' ? { ...script, location: `${elsewhere.url}${script.location}` } : script);
    const question = adapter.question(row, cell, { a: row.settings?.(a.url).baseUrl ?? a.url, b: b.url });
    if (question === undefined) return undefined;
    const turn = row.number === 28 ? await leave(url, question, row, cell, a, already.a) : await ask(url, question, row, cell);
    // A gateway that follows a redirect gives the key to a stranger, however good the answer is.
    const outcome = elsewhere.requests.length > 0 ? 'follows, with the key' : turn.outcome;
    order.push(...[a, b, elsewhere].flatMap(one => one.requests.slice(already[nameOf(one)]).map(request => ({ name: one.name, at: request.receivedAt }))).sort((left, right) => left.at - right.at).map(({ name }) => name));
    return { caller: cell.caller, target: cell.target, outcome, kept: keepsPromise(row, cell, outcome), asked: order.join(', '), elapsedMs: Math.round(turn.elapsedMs) };
  } finally {
    await Promise.all([a.close(), b.close(), elsewhere.close()]);
  }
}

/**
 * A gateway that keeps the same two providers remembers what they did: before each fault it is asked, while both are well,
 * until it trusts the first one again. @returns false when it did not in time; the cell cannot be played then
 */
async function asksAAgain(url: string, adapter: GatewayAdapter, row: WallRow, cell: Cell, a: SandboxProvider): Promise<boolean> {
  const question = adapter.question(row, cell, { a: a.url, b: a.url });
  if (question === undefined || cell.caller === 'editor') return false;
  const deadline = performance.now() + trustsAgainWithinMs;
  while (a.requests.length === 0 && performance.now() < deadline) {
    await askOverHttp({ url, caller: cell.caller, ...question, prompt: wordsPrompt, stream: false, patienceMs });
    if (a.requests.length === 0) await sleep(500);
  }
  return a.requests.length > 0;
}

function nameOf(provider: SandboxProvider): 'a' | 'b' | 'elsewhere' {
  return provider.name === 'a' ? 'a' : provider.name === 'b' ? 'b' : 'elsewhere';
}

async function ask(url: string, question: GatewayQuestion, row: WallRow, cell: Cell): Promise<{ outcome: string; elapsedMs: number }> {
  if (cell.caller === 'editor') throw new Error('a gateway has no editor');
  const prompt = row.tool === true ? toolPrompt : wordsPrompt;
  const turn = await askOverHttp({ url, caller: cell.caller, ...question, prompt, stream: cell.mode === 'stream', tools: row.tool, patienceMs });
  return { outcome: judgePeer(row, turn, prompt), elapsedMs: turn.elapsedMs };
}

/** The caller goes away: at the first word where there is one, else when the provider has its request. */
async function leave(url: string, question: GatewayQuestion, row: WallRow, cell: Cell, a: SandboxProvider, already: number): Promise<{ outcome: string; elapsedMs: number }> {
  if (cell.caller === 'editor') throw new Error('a gateway has no editor');
  const going = new AbortController();
  let leftAt = 0;
  const go = (): void => {
    leftAt = Date.now();
    going.abort();
  };
  const script = row.behaviour(cell);
  const afterWords = 'type' in script && script.type === 'stall';
  const asked = askOverHttp({
    url, caller: cell.caller, ...question, prompt: wordsPrompt, stream: cell.mode === 'stream', patienceMs, signal: going.signal,
    onChunk: () => {
      if (afterWords && leftAt === 0) go();
    },
  });
  const request = await a.waitForRequest(one => one.number > already, patienceMs).catch(() => undefined);
  if (request === undefined) return { outcome: 'the provider was never asked', elapsedMs: 0 };
  if (!afterWords) go();
  await asked;
  const ended = await a.waitForRequest(one => one.number > already && one.closedEarlyAt !== undefined, abortedWithinMs).catch(() => undefined);
  return ended?.closedEarlyAt === undefined ? { outcome: 'upstream goes on', elapsedMs: 0 } : { outcome: 'upstream aborted', elapsedMs: Math.max(0, ended.closedEarlyAt - leftAt) };
}
