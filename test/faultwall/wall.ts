import { setTimeout as sleep } from 'node:timers/promises';
import { protocolNames } from '../../server/api/conversation.ts';
import { allRows } from './rows/allRows.ts';
import { Stage } from './stage.ts';
import type { Cell, Played, WallCaller, WallRow } from './wallRow.ts';

/** A cell and how it turned out. */
export interface WallResult { row: WallRow; cell: Cell; played: Played; wrong: string[] }

const callers: readonly WallCaller[] = [...protocolNames, 'editor'];
/** Cells wait for their timers at the same time; with more of them, short timers would fire late on a small machine. */
const atOnce = 16;
const cellDeadlineMs = 60_000;

/** All cells of a row. The editor always streams. */
export function cellsOf(row: WallRow): Cell[] {
  const cells = row.modes.flatMap(mode => callers.flatMap(caller => (caller === 'editor' && mode === 'plain' ? [] : protocolNames.map(target => ({ caller, mode, target })))));
  return cells.filter(cell => row.includes?.(cell) !== false);
}

/** Plays rows, all by default, some cells at a time. A cell that throws is a result with that as its violation. */
export async function playWall(rows: readonly WallRow[] = allRows): Promise<WallResult[]> {
  const waiting = rows.flatMap(row => cellsOf(row).map(cell => ({ row, cell })));
  const results: WallResult[] = new Array(waiting.length);
  let started = 0;
  await Promise.all(Array.from({ length: atOnce }, async () => {
    while (started < waiting.length) {
      const index = started;
      started += 1;
      const next = waiting[index];
      if (next !== undefined) results[index] = await playCell(next.row, next.cell, index);
    }
  }));
  return results;
}

async function playCell(row: WallRow, cell: Cell, place: number): Promise<WallResult> {
  const played = await withinDeadline(playOnStage(row, cell, place)).catch((error: unknown): Played => ({
    outcome: 'could not be played', attempts: '', elapsedMs: 0, violations: [error instanceof Error ? error.message : String(error)],
  }));
  const expected = row.expect(cell);
  const unexpected = played.outcome === expected.outcome && played.attempts === expected.attempts ? []
    : [`${played.outcome} (${played.attempts}) instead of ${expected.outcome} (${expected.attempts})`];
  return { row, cell, played, wrong: [...unexpected, ...played.violations] };
}

/** A cell that does not end in time fails alone; the others go on. */
async function withinDeadline(playing: Promise<Played>): Promise<Played> {
  const over = new AbortController();
  const deadline = sleep(cellDeadlineMs, undefined, { signal: over.signal, ref: false }).then(() => {
    throw new Error(`the cell did not end within ${cellDeadlineMs / 1000} s`);
  });
  try {
    return await Promise.race([playing, deadline]);
  } finally {
    over.abort();
    deadline.catch(() => undefined);
  }
}

async function playOnStage(row: WallRow, cell: Cell, place: number): Promise<Played> {
  const stage = await Stage.open(row, cell, place);
  try {
    return await (row.play?.(stage) ?? stage.ask().then(turn => stage.judge(turn)));
  } finally {
    await stage.close();
  }
}

/** A cell in words. */
export function cellWords({ row, cell }: Pick<WallResult, 'row' | 'cell'>): string {
  return `${row.number}. ${row.fault} (${cell.caller} asks ${cell.target}, ${cell.mode})`;
}
