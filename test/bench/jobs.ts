import type { Target } from './connection.ts';
import type { RequestKind } from './traffic.ts';

/** What the load client is asked to do. */
export type Job =
  /** As many requests as given, always `concurrency` of them running. */
  | { kind: 'flood'; target: Target; request: RequestKind; requests: number; concurrency: number }
  /** Every target in turn within each interval, so that all are asked in the same moments. */
  | { kind: 'paced'; targets: Target[]; perSecond: number; seconds: number }
  /** Streamed questions, always `concurrency` of them running. */
  | { kind: 'questions'; target: Target; requests: number; concurrency: number }
  /** Streamed agent turns at a steady rate. */
  | { kind: 'turns'; target: Target; perSecond: number; seconds: number };

/** Samples in microseconds. */
export type JobResult =
  | { kind: 'flood'; latenciesUs: number[] }
  /** One list a target, in the order of the job's targets. */
  | { kind: 'paced'; latenciesUs: number[][] }
  | { kind: 'questions'; firstTokensUs: number[] }
  | { kind: 'turns'; firstTokensUs: number[]; chunkDelaysUs: number[] };

/** `kind` is written out, so that it is known where K is not. */
export type JobOf<K extends Job['kind']> = Extract<Job, { kind: K }> & { kind: K };
export type ResultOf<K extends Job['kind']> = Extract<JobResult, { kind: K }>;

/** What the load client sends back: one reply a job, in order. */
export type Reply = { result: JobResult } | { error: string };
