import { protocolNames, type ProtocolName } from '../../server/api/conversation.ts';
import type { PeerCell, PeerRow } from './gateway/playPeer.ts';
import type { WallResult } from './wall.ts';
import type { Cell, Mode, WallRow } from './wallRow.ts';

/** What another gateway did in the rows that were played against it. */
export interface PeerReport {
  name: string;
  version: string;
  /** ISO date. */
  playedOn: string;
  /** How it was installed and configured, as lines of Markdown. */
  how: string[];
  rows: PeerRow[];
}

const names: Readonly<Record<ProtocolName | 'editor', string>> = {
  'openai-chat': 'Chat', 'openai-responses': 'Responses', 'anthropic-messages': 'Messages', 'gemini': 'Gemini', 'editor': 'Editor',
};

/** Times differ from run to run; everything else on the page must not. */
export function withoutTimes(page: string): string {
  return page.replace(/≈ [\d.]+ m?s/g, '≈');
}

/** The published page, from what was played and from what other gateways were seen to do. */
export function faultWallPage(results: readonly WallResult[], peers: readonly PeerReport[]): string {
  return [introduction(results), table(results, peers), ...peers.map(peerNotes)].join('\n');
}

function introduction(results: readonly WallResult[]): string {
  const kept = results.filter(result => result.wrong.length === 0).length;
  const rows = new Set(results.map(result => result.row));
  return `# The fault wall

What a caller gets when a provider fails. Every cell is played by a simulated provider over real sockets, and judged by what a client of the
protocol would make of the answer. \`npm run faultwall\` plays it all and writes this page; \`npm test\` plays it too, and fails when a promise
is broken or an outcome is no longer what stands here.

**${results.length} cells of ${rows.size} faults played, ${kept} kept.** Callers speak Chat (OpenAI Chat Completions), Responses (OpenAI), Messages (Anthropic) or
Gemini over HTTP, or are VS Code's chat; the failing provider speaks each of the four, so every caller meets it untranslated and translated.

- **a** fails; **b** is well and comes next in the route, unless the line says that a is the only target. A row is one kind of
  fault, by its number, and may have several lines.
- **same**: caller and target speak the same protocol. **translated**: another, or the editor's own.
- *b answers*: the whole answer of b and nothing else; no byte of the failed attempt was seen.
- *error event, connection breaks*: words were out, so the stream ends with the protocol's own error event and not as a whole answer would.
- *starts again in sight*: the editor says that the answer broke off and begins anew; half tool calls are void.
- *begun by a, b goes on*: the route has \`afterCommit: resume\`.
- **attempts**: what the ledger says, each with its failure class. **time**: from the request to the last byte, the median of the line's cells,
  on a machine that played many at once. Timers that end a silence were set to 400 or 500 ms.
- Beside the answer, each cell demands: the class and a sentence for each failed attempt, usage and an estimated price for what was said before
  a break, the right state of breaker and keys, no work left running at a provider, and no tool call that is not whole.
- Other gateways: ✓ keeps the row's promise, ✗ does not, ± in some of the pairs of protocols it was asked in (which are below).
`;
}

function table(results: readonly WallResult[], peers: readonly PeerReport[]): string {
  const heading = ['#', 'the provider …', 'mode', 'same', 'translated', 'attempts', 'time', ...peers.map(peer => `${peer.name} ${peer.version}`)];
  const lines = [`| ${heading.join(' | ')} |`, `|--:|---|---|---|---|---|--:|${peers.map(() => '---|').join('')}`];
  for (const [row, ofRow] of grouped(results)) {
    for (const mode of row.modes) lines.push(tableLine(row, mode, ofRow.filter(result => result.cell.mode === mode), peers));
  }
  return `${lines.join('\n')}\n`;
}

function grouped(results: readonly WallResult[]): Map<WallRow, WallResult[]> {
  const groups = new Map<WallRow, WallResult[]>();
  for (const result of results) groups.set(result.row, [...groups.get(result.row) ?? [], result]);
  return groups;
}

function tableLine(row: WallRow, mode: Mode, results: readonly WallResult[], peers: readonly PeerReport[]): string {
  const same = results.filter(({ cell }) => cell.caller === cell.target);
  const translated = results.filter(({ cell }) => cell.caller !== cell.target);
  const fields = [
    String(row.number), row.fault, mode, outcomes(same), outcomes(translated),
    together(results, result => result.played.attempts), `≈ ${timeWords(median(results.map(result => result.played.elapsedMs)))}`,
    ...peers.map(peer => peerField(peer.rows.find(one => one.number === row.number && one.fault === row.fault && one.mode === mode)?.cells ?? [])),
  ];
  return `| ${fields.join(' | ')} |`;
}

function outcomes(results: readonly WallResult[]): string {
  return together(results, result => (result.wrong.length === 0 ? result.played.outcome : `**broken promise:** ${result.wrong[0]?.replaceAll('|', '/').replaceAll('\n', ' ') ?? ''}`));
}

/** What most cells have in common, then who differs, such as `error event; Editor: starts again`. */
function together(results: readonly WallResult[], wordsOf: (result: WallResult) => string): string {
  const groups = new Map<string, Cell[]>();
  for (const result of results) groups.set(wordsOf(result), [...groups.get(wordsOf(result)) ?? [], result.cell]);
  const [most, ...others] = [...groups].sort(([, left], [, right]) => right.length - left.length);
  if (most === undefined) return '';
  return [most[0], ...others.map(([words, cells]) => `${whoWords(cells, results.map(result => result.cell))}: ${words}`)].join('; ');
}

/** Callers all of whose cells are meant, or targets likewise, or else each pair. */
function whoWords(cells: readonly Cell[], all: readonly Cell[]): string {
  const whole = (field: 'caller' | 'target'): string | undefined => {
    const values = new Set(cells.map(cell => cell[field]));
    return all.filter(cell => values.has(cell[field])).length === cells.length ? [...values].map(value => names[value]).join(', ') : undefined;
  };
  const callers = whole('caller');
  if (callers !== undefined) return callers;
  const targets = whole('target');
  return targets === undefined ? cells.map(cell => `${names[cell.caller]} → ${names[cell.target]}`).join(', ') : `at ${targets}`;
}

function peerField(cells: readonly PeerCell[]): string {
  if (cells.length === 0) return '';
  const kept = cells.filter(cell => cell.kept).length;
  const groups = new Map<string, PeerCell[]>();
  for (const cell of cells) groups.set(cell.outcome, [...groups.get(cell.outcome) ?? [], cell]);
  const [most, ...others] = [...groups].sort(([, left], [, right]) => right.length - left.length);
  const words = [most?.[0] ?? '', ...others.map(([outcome, some]) => `${some.map(pairWords).join(', ')}: ${outcome}`)].join('; ');
  return `${kept === cells.length ? '✓' : kept === 0 ? '✗' : '±'} ${words}`;
}

function pairWords({ caller, target }: Pick<PeerCell, 'caller' | 'target'>): string {
  const name = (protocol: string): string => names[protocolNames.find(one => one === protocol) ?? 'editor'];
  return `${name(caller)} → ${name(target)}`;
}

function peerNotes(peer: PeerReport): string {
  const cells = peer.rows.flatMap(row => row.cells);
  const pairs = [...new Set(cells.map(pairWords))];
  return `## ${peer.name} ${peer.version}

Played on ${peer.playedOn} by the same simulated providers and callers, in the rows that apply to any HTTP gateway: rows about Waybill's own
keys, breakers, settings or records were left out. Judged by what the caller got alone: **${cells.filter(cell => cell.kept).length} of ${cells.length} cells kept.**
Asked in these pairs: ${pairs.join(', ')}.

${peer.how.map(line => `- ${line}`).join('\n')}

\`npm run faultwall -- --peer portkey\` installs it from npm into a folder of its own, plays it again and writes its part of this page.
`;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((left, right) => left - right);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

function timeWords(ms: number): string {
  return ms < 995 ? `${Math.max(1, Math.round(ms))} ms` : `${(ms / 1000).toFixed(1)} s`;
}
