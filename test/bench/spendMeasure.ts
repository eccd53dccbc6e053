import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { SpendDashboardParams } from '../../server/api/reports/dashboard.ts';
import { DashboardThread } from '../../server/ledger/sqlite/dashboard/dashboardThread.ts';
import { ledgerEnd, makeLedgerOfSize } from './ledgerOfSize.ts';
import type { Measure, Row } from './measure.ts';

/** What the Spend dashboard takes to answer, over ledgers of a year of requests: its thread as it is shipped, asked from this process. */

const sizes = [10_000, 100_000, 1_000_000] as const;
const dayMs = 86_400_000;
const month = { from: ledgerEnd - 27 * dayMs, to: ledgerEnd + 1 };
const year = { from: ledgerEnd - 366 * dayMs, to: ledgerEnd + 1 };
const openWithinMs = 300;
const answerWithinMs = 150;
const blockAllowedMs = 10;
const repeats = 5;
const shippedThread = path.join(import.meta.dirname, '..', '..', 'dist', 'lib', 'dashboard.js');

const questions: Record<string, { title: string; params: SpendDashboardParams; most?: number }> = {
  month: { title: 'this month, models by tools, with the days of the forecast', params: { range: month, filter: {}, rows: 'model', columns: 'tool', historyFrom: month.from - dayMs }, most: answerWithinMs },
  filtered: { title: 'this month of one tool, models by branches', params: { range: month, filter: { tool: 'tool-3' }, rows: 'model', columns: 'branch' }, most: answerWithinMs },
  year: { title: 'the year, models by tools', params: { range: year, filter: {}, rows: 'model', columns: 'tool' }, most: answerWithinMs },
  yearFiltered: { title: 'the year of one tool', params: { range: year, filter: { tool: 'tool-3' }, rows: 'workspace', columns: 'model' }, most: answerWithinMs },
  conversations: { title: 'this month by conversation', params: { range: month, filter: {}, rows: 'conversation', columns: 'model' }, most: answerWithinMs },
  yearConversations: { title: 'the year by conversation', params: { range: year, filter: {}, rows: 'conversation', columns: 'model' }, most: answerWithinMs },
};

const named = (size: number): string => `${size.toLocaleString('en-US')} requests`;
const rows: Record<string, Row> = Object.fromEntries(sizes.flatMap((size): [string, Row][] => [
  [`spend open ${size}`, { title: `${named(size)}: first answer, with the start of the thread`, unit: 'ms', target: { most: openWithinMs } }],
  ...Object.entries(questions).map(([name, { title, most }]): [string, Row] => [`spend ${name} ${size}`, { title: `${named(size)}: ${title}`, unit: 'ms', ...(most === undefined ? {} : { target: { most } }) }]),
  [`spend dearest ${size}`, { title: `${named(size)}: what cost most this month`, unit: 'ms' }],
  [`spend block ${size}`, { title: `${named(size)}: most CPU of the thread that asks, for one answer`, unit: 'ms', target: { most: blockAllowedMs } }],
]));

/** By size; made with the first round. */
const folders = new Map<number, string>();
process.once('exit', () => { for (const folder of folders.values()) rmSync(folder, { recursive: true, force: true }); });

export const spendMeasure: Measure = {
  name: 'spend',
  rows,
  async run(bench) {
    for (const size of sizes) {
      let folder = folders.get(size);
      if (folder === undefined) {
        folder = mkdtempSync(path.join(tmpdir(), 'waybill-spend-'));
        folders.set(size, folder);
        makeLedgerOfSize(folder, size);
      }
      const thread = new DashboardThread(path.join(folder, 'ledger.db'), shippedThread);
      let mostCpuUs = 0;
      const timed = async (row: string, ask: () => Promise<unknown>, times: number): Promise<void> => {
        const taken: number[] = [];
        for (let count = 0; count < times; count += 1) {
          const startedAt = performance.now();
          const before = process.threadCpuUsage();
          await ask();
          taken.push(performance.now() - startedAt);
          // No block of its event loop is longer than this; on a busy machine, its clock would also count other programs.
          const { user, system } = process.threadCpuUsage(before);
          mostCpuUs = Math.max(mostCpuUs, user + system);
        }
        bench.record(`${row} ${size}`, 'waybill', taken.sort((a, b) => a - b)[Math.floor(times / 2)] ?? NaN);
      };
      const { month: first } = questions;
      if (first !== undefined) await timed('spend open', () => thread.dashboard(first.params), 1);
      mostCpuUs = 0;
      for (const [name, { params }] of Object.entries(questions)) await timed(`spend ${name}`, () => thread.dashboard(params), repeats);
      await timed('spend dearest', () => thread.dearest({ range: month, filter: {}, limit: 10 }), repeats);
      bench.record(`spend block ${size}`, 'waybill', mostCpuUs / 1000);
      thread.close();
    }
  },
};
