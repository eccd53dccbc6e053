import { playFault, type FaultResult } from './faultCell.ts';
import type { FaultCaller, FaultCell, FaultMode, FaultRow } from './faultRow.ts';
import { faultRows } from './faultRows.ts';
import { callerProtocols } from './callerProtocols.ts';

const targets = callerProtocols;
const callers: readonly FaultCaller[] = [...callerProtocols, 'editor'];
/** Timers that wait overlap; more than this would make small timers late on a small machine. */
const atOnce = 12;

/** All cells of the table. The editor always streams. */
export function allCells(): { row: FaultRow; cell: FaultCell }[] {
  return faultRows.flatMap(row => row.modes.flatMap(mode => callers.flatMap(caller => (caller === 'editor' && mode === 'plain' ? []
    : targets.map(target => ({ row, cell: { caller, mode, target } }))))));
}

/** Plays every cell, some at a time. A cell that throws is a result with that as its violation. */
export async function playAllFaults(): Promise<FaultResult[]> {
  const waiting = allCells();
  const results: FaultResult[] = new Array(waiting.length);
  let started = 0;
  await Promise.all(Array.from({ length: atOnce }, async () => {
    while (started < waiting.length) {
      const index = started;
      started += 1;
      const { row, cell } = waiting[index] ?? {};
      if (row === undefined || cell === undefined) return;
      results[index] = await playFault(row, cell).catch((error: unknown): FaultResult => ({
        row, cell, outcome: 'could not be played', attempts: '', violations: [error instanceof Error ? error.message : String(error)],
      }));
    }
  }));
  return results;
}

const heading = `# What happens when a provider fails

Each line is a fault, played by a simulated provider over real sockets; what callers got is written down by the tests
(\`node test/integration/writeFaultTable.ts\`), which fail when it changes. The faulty target is **a**; **b** is well and comes next in the
route, unless the line says that a is the only one. Columns: the protocol of the caller, then of the targets. Rows carry the numbers of the
project's list of faults.

An answer that begins again in the editor is announced there, and half tool calls are void. HTTP callers cannot take words back: they get
their protocol's own error event, and the connection does not end as a whole answer would.
`;

const columns: readonly { title: string; caller: FaultCaller; target: FaultCell['target'] }[] = [
  { title: 'Chat → Chat', caller: 'openai-chat', target: 'openai-chat' },
  { title: 'Chat → Messages', caller: 'openai-chat', target: 'anthropic-messages' },
  { title: 'Messages → Messages', caller: 'anthropic-messages', target: 'anthropic-messages' },
  { title: 'Messages → Chat', caller: 'anthropic-messages', target: 'openai-chat' },
  { title: 'Editor → Chat', caller: 'editor', target: 'openai-chat' },
  { title: 'Editor → Messages', caller: 'editor', target: 'anthropic-messages' },
];

/** The published table, from what was seen. */
export function faultTable(results: readonly FaultResult[]): string {
  const lines = [
    `| # | the provider … | mode | ${columns.map(column => column.title).join(' | ')} | attempts |`,
    `|--:|---|---|${columns.map(() => '---|').join('')}---|`,
  ];
  for (const row of faultRows) for (const mode of row.modes) lines.push(tableLine(row, mode, results.filter(result => result.row === row && result.cell.mode === mode)));
  return `${heading}\n${lines.join('\n')}\n`;
}

function tableLine(row: FaultRow, mode: FaultMode, results: readonly FaultResult[]): string {
  const fields = columns.map(({ caller, target }) => {
    const result = results.find(one => one.cell.caller === caller && one.cell.target === target);
    return result === undefined ? '' : result.outcome;
  });
  const attempts = [...new Set(results.map(result => result.attempts))].join(' / ');
  return `| ${row.number} | ${row.fault} | ${mode} | ${fields.join(' | ')} | ${attempts} |`;
}
