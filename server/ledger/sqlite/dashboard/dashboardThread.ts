import path from 'node:path';
import { Worker } from 'node:worker_threads';
import type { DearestParams, DearestSpend, SpendDashboard, SpendDashboardParams } from '../../../api/reports/dashboard.ts';
import { LedgerUnavailableError } from '../../ledgerUnavailable.ts';

export type DashboardQuestion = { id: number; method: 'dashboard'; params: SpendDashboardParams } | { id: number; method: 'dearest'; params: DearestParams } | { id: number; method: 'countTitles' | 'forgetTitles' };
type Result = SpendDashboard | DearestSpend | number;
export type DashboardAnswer =
  | { id: number; result: Result }
  /** @param passes the same question may be answered in a moment */
  | { id: number; error: string; passes: boolean };

interface Waiting { resolve(result: Result): void; reject(error: Error): void }

/** Without a question for so long, the thread ends and gives its memory back. */
const idleMs = 30_000;
/** More than sums of a million attempts take. */
const limits = { maxOldGenerationSizeMb: 128, maxYoungGenerationSizeMb: 16, stackSizeMb: 4 };

/** In the bundle the thread is a file of its own beside the server (scripts/build.mjs sets the variable). */
const workerFile = path.join(import.meta.dirname, process.env.WAYBILL_DASHBOARD ?? 'dashboardWorker.ts');

/**
 * Asks the thread that reads for the Spend dashboard and removes titles, which is started with the first question and has connections of its own:
 * what goes through a whole ledger takes longer than the event loop may stand still.
 */
export class DashboardThread {
  readonly #file: string;
  readonly #program: string;
  readonly #waiting = new Map<number, Waiting>();
  #worker: Worker | undefined;
  #lastId = 0;
  #idle: NodeJS.Timeout | undefined;
  #closed = false;

  /** @param file of the ledger @param program that the thread runs; absent: the one beside this code */
  constructor(file: string, program = workerFile) {
    this.#file = file;
    this.#program = program;
  }

  get isRunning(): boolean {
    return this.#worker !== undefined;
  }

  /** @throws LedgerUnavailableError where nothing can be read now, but later */
  async dashboard(params: SpendDashboardParams): Promise<SpendDashboard> {
    return await this.#ask({ id: this.#nextId(), method: 'dashboard', params }) as SpendDashboard;
  }

  /** @throws LedgerUnavailableError where nothing can be read now, but later */
  async dearest(params: DearestParams): Promise<DearestSpend> {
    return await this.#ask({ id: this.#nextId(), method: 'dearest', params }) as DearestSpend;
  }

  /** See countTitles. @throws LedgerUnavailableError where nothing can be read now, but later */
  async countTitles(): Promise<number> {
    return await this.#ask({ id: this.#nextId(), method: 'countTitles' }) as number;
  }

  /** See forgetTitles. @throws LedgerUnavailableError where it cannot be done now, but later */
  async forgetTitles(): Promise<number> {
    return await this.#ask({ id: this.#nextId(), method: 'forgetTitles' }) as number;
  }

  /** Ends the thread. What still waits is rejected. */
  close(): void {
    this.#closed = true;
    this.#end(this.#worker, 'The ledger was closed.');
  }

  #nextId(): number {
    this.#lastId += 1;
    return this.#lastId;
  }

  #ask(question: DashboardQuestion): Promise<Result> {
    return new Promise((resolve, reject) => {
      if (this.#closed) {
        reject(new LedgerUnavailableError(`The ledger ${this.#file} is closed.`));
        return;
      }
      this.#worker ??= this.#start();
      this.#waiting.set(question.id, { resolve, reject });
      this.#worker.ref();
      this.#worker.postMessage(question);
      clearTimeout(this.#idle);
      this.#idle = undefined;
    });
  }

  #start(): Worker {
    const worker = new Worker(this.#program, { workerData: { file: this.#file }, execArgv: [], env: {}, name: 'spend-dashboard', resourceLimits: limits });
    worker.on('message', (answer: DashboardAnswer) => { this.#answered(worker, answer); });
    worker.on('error', (error) => { this.#end(worker, `The spend could not be added up: ${error instanceof Error ? error.message : String(error)}`); });
    worker.on('exit', () => { this.#end(worker, 'The spend could not be added up: the thread ended.'); });
    return worker;
  }

  #answered(worker: Worker, answer: DashboardAnswer): void {
    const waiting = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    if (this.#waiting.size === 0 && this.#worker === worker) {
      worker.unref();
      this.#idle = setTimeout(() => { this.#end(worker, ''); }, idleMs).unref();
    }
    if (waiting === undefined) return;
    if ('result' in answer) waiting.resolve(answer.result);
    else waiting.reject(answer.passes ? new LedgerUnavailableError(`The ledger ${this.#file} cannot be read now (${answer.error}); try again in a moment.`) : new Error(answer.error));
  }

  #end(worker: Worker | undefined, why: string): void {
    if (worker === undefined || this.#worker !== worker) return;
    this.#worker = undefined;
    clearTimeout(this.#idle);
    void worker.terminate();
    for (const { reject } of this.#waiting.values()) reject(new Error(why));
    this.#waiting.clear();
  }
}
