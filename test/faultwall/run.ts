/**
 * `npm run faultwall`: plays every row and writes docs/fault-wall.md; fails when a promise was broken.
 *
 *   --row 10             plays only rows of this number (repeatable), and writes nothing
 *   --peer portkey       installs Portkey's gateway from npm, plays the rows that apply to it, writes test/faultwall/peers/portkey.json and the page
 *   --gateway URL        plays those rows against any gateway that runs already and prints them; with
 *     --adapter portkey    (default) it is configured request by request, as Portkey's gateway is
 *     --adapter model      it knows two providers at --ports 4101,4102, which speak --target openai-chat, and asks the second after the first for
 *                          --model faultwall; --alone-model NAME where the first is alone; --callers openai-chat,anthropic-messages
 *                          names the protocols it accepts, and the environment variable FAULTWALL_TOKEN holds the token of its callers
 */
import { parseArgs } from 'node:util';
import { protocolNames, type ProtocolName } from '../../server/api/conversation.ts';
import { readPeers, writePage, writePeer } from './files.ts';
import { modelAdapter } from './gateway/modelAdapter.ts';
import type { GatewayAdapter } from './gateway/gatewayAdapter.ts';
import { playPeer, type PeerRow } from './gateway/playPeer.ts';
import { portkeyAdapter } from './gateway/portkeyAdapter.ts';
import { startPortkey } from './gateway/portkeyProcess.ts';
import { faultWallPage } from './page.ts';
import { allRows } from './rows/allRows.ts';
import { cellWords, playWall } from './wall.ts';

const { values: options } = parseArgs({
  options: {
    'row': { type: 'string', multiple: true },
    'peer': { type: 'string' },
    'gateway': { type: 'string' },
    'adapter': { type: 'string', default: 'portkey' },
    'ports': { type: 'string', default: '4101,4102' },
    'model': { type: 'string', default: 'faultwall' },
    'alone-model': { type: 'string' },
    'callers': { type: 'string', default: 'openai-chat' },
    'target': { type: 'string', default: 'openai-chat' },
  },
});
const rows = options.row === undefined ? allRows : allRows.filter(row => options.row?.includes(String(row.number)));

if (options.gateway !== undefined) {
  printPeer(await playPeer(options.gateway.replace(/\/$/, ''), adapterNamed(options.adapter), rows));
} else {
  if (options.peer !== undefined) await playPortkey(options.peer);
  await playOurs();
}

/** Plays the wall; writes the page when all of it was played. */
async function playOurs(): Promise<void> {
  const startedAt = performance.now();
  const results = await playWall(rows);
  const broken = results.filter(result => result.wrong.length > 0);
  for (const result of broken) console.error(`${cellWords(result)}: ${result.wrong.join('; ')}`);
  if (rows === allRows) writePage(faultWallPage(results, readPeers()));
  console.log(`${results.length - broken.length} of ${results.length} cells kept, ${Math.round((performance.now() - startedAt) / 1000)} s`);
  process.exitCode = broken.length === 0 ? 0 : 1;
}

async function playPortkey(name: string): Promise<void> {
  if (name !== 'portkey') throw new Error(`There is no peer ${name}; there is portkey.`);
  const peer = await startPortkey();
  try {
    const played = await playPeer(peer.url, portkeyAdapter, rows);
    printPeer(played);
    if (rows === allRows) {
      writePeer('portkey', { name: 'Portkey gateway', version: peer.version, playedOn: new Date().toISOString().slice(0, 10), how: [...portkeyAdapter.how], rows: played });
    }
  } finally {
    await peer.stop();
  }
}

function adapterNamed(name: string): GatewayAdapter {
  if (name === 'portkey') return portkeyAdapter;
  if (name !== 'model') throw new Error(`There is no adapter ${name}; there are portkey and model.`);
  const [a, b] = options.ports.split(',').map(Number);
  if (a === undefined || b === undefined || !(a > 0) || !(b > 0)) throw new Error('--ports wants two numbers, such as 4101,4102.');
  return modelAdapter({
    ports: { a, b }, model: options.model, aloneModel: options['alone-model'], callers: options.callers.split(',').map(protocolNamed), target: protocolNamed(options.target),
    token: process.env['FAULTWALL_TOKEN'] ?? 'none',
  });
}

function protocolNamed(name: string): ProtocolName {
  const found = protocolNames.find(one => one === name);
  if (found === undefined) throw new Error(`There is no protocol ${name}; there are ${protocolNames.join(', ')}.`);
  return found;
}

function printPeer(played: readonly PeerRow[]): void {
  for (const { number, fault, mode, cells } of played) {
    console.log(`${number}. ${fault}, ${mode}`);
    for (const cell of cells) console.log(`   ${cell.kept ? 'kept  ' : 'broken'} ${cell.caller} → ${cell.target}: ${cell.outcome} (asked: ${cell.asked}; ${cell.elapsedMs} ms)`);
  }
  const cells = played.flatMap(row => row.cells);
  console.log(`${cells.filter(cell => cell.kept).length} of ${cells.length} cells kept`);
}
