import type { ChildProcess } from 'node:child_process';
import type { LoadClient } from './childProcess.ts';
import type { Target } from './connection.ts';
import type { ProxyStarter, RunningProxy, SubjectName } from './subjects.ts';

/** One line of the table. */
export interface Row {
  title: string;
  unit: 'us' | 'ms' | 'MB' | 'x' | '%' | 'bytes' | 'a request' | 'a second' | 'in all';
  /** What Waybill may need at most: times what the pass-through needs, or in the row's unit. */
  target?: { ratio: number } | { most: number };
}

/** How much work one round does. */
export interface Amounts {
  floodRequests: number;
  pacedSeconds: number;
  turnSeconds: number;
  megabyteRequests: number;
  eightMegabyteRequests: number;
  startsPerRound: number;
  /** How long a process at rest is watched. */
  restSeconds: number;
  /** Requests that meet a dead target, of each kind. */
  deadRequests: number;
  /** Streamed questions with stalls among them, and as many without. */
  stallRequests: number;
}

/** What a measure works with. */
export interface Bench {
  load: LoadClient;
  upstream: ChildProcess;
  starter: ProxyStarter;
  /** The subjects that run for the whole of the benchmark. */
  passThrough: RunningProxy;
  waybill: RunningProxy;
  /** Absent unless `--against` names an earlier build. */
  earlier: RunningProxy | undefined;
  direct: Target;
  amounts: Amounts;
  /** Counted from 0; the order of the subjects changes with it. */
  round: number;
  record(row: string, subject: SubjectName, value: number): void;
}

/** A part of the benchmark; every round runs every part once. */
export interface Measure {
  name: string;
  rows: Readonly<Record<string, Row>>;
  run(bench: Bench): Promise<void>;
}

/** Lets what was put off, such as writing the ledger, happen while it is still counted. */
export const settleMs = 250;

/** The same list, beginning elsewhere each round: no item always comes first. */
export function rotated<T>(items: readonly T[], round: number): T[] {
  const start = round % items.length;
  return [...items.slice(start), ...items.slice(0, start)];
}
