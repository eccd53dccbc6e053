import { statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';
import { Guard } from '../../../base/guarded.ts';
import { silentLog } from '../../../base/log.ts';
import { isBusy, isDamage, isEnvironmental } from '../ledgerErrors.ts';
import { countTitles, forgetTitles } from '../titles/keptTitles.ts';
import { DashboardQueries } from './dashboardQueries.ts';
import type { DashboardAnswer, DashboardQuestion } from './dashboardThread.ts';
import { DearestQueries } from './dearest.ts';

/** How long a lock of another process is waited for, in milliseconds. Nothing else waits in this thread. */
const busyTimeoutMs = 2_000;

interface OpenFile { id: string; database: DatabaseSync; dashboard: DashboardQueries; dearest: DearestQueries }

/** The thread that reads for the Spend dashboard. The connection it keeps open only reads; titles are removed over one of their own. */
class DashboardFile {
  readonly #file: string;
  #open: OpenFile | undefined;

  constructor(file: string) {
    this.#file = file;
  }

  answer(question: DashboardQuestion): DashboardAnswer {
    try {
      return { id: question.id, result: this.#result(question) };
    } catch (error) {
      this.#close();
      return { id: question.id, error: error instanceof Error ? error.message : String(error), passes: isBusy(error) || isDamage(error) || isEnvironmental(error) };
    }
  }

  #result(question: DashboardQuestion): Extract<DashboardAnswer, { result: unknown }>['result'] {
    switch (question.method) {
      case 'dashboard': return this.#opened().dashboard.dashboard(question.params);
      case 'dearest': return this.#opened().dearest.read(question.params);
      case 'countTitles': return countTitles(this.#file);
      case 'forgetTitles':
        this.#close();
        return forgetTitles(this.#file);
    }
  }

  /** A ledger that was replaced by another file is opened again. */
  #opened(): OpenFile {
    const found = statSync(this.#file, { bigint: true });
    const id = `${found.dev}:${found.ino}`;
    if (this.#open?.id === id) return this.#open;
    this.#close();
    const database = new DatabaseSync(this.#file, { readOnly: true });
    try {
      database.exec(`PRAGMA busy_timeout = ${busyTimeoutMs}; PRAGMA temp_store = MEMORY; PRAGMA mmap_size = 268435456`);
      const dashboard = new DashboardQueries(database);
      this.#open = { id, database, dashboard, dearest: new DearestQueries(database, dashboard, new Guard('The reading of a row of the ledger', silentLog)) };
      return this.#open;
    } catch (error) {
      database.close();
      throw error;
    }
  }

  #close(): void {
    this.#open?.database.close();
    this.#open = undefined;
  }
}

const { file } = workerData as { file: string };
const reader = new DashboardFile(file);
parentPort?.on('message', (question: DashboardQuestion) => { parentPort?.postMessage(reader.answer(question)); });
