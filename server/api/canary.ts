import { requestType } from './messageTypes.ts';

/** The two sides of a canary: the targets of the route, and those that are tried out. */
export type CanaryArm = 'baseline' | 'canary';

/** Which arm of a canary a request went to. */
export interface ArmOfPlan {
  arm: CanaryArm;
  /** Per cent of conversations that the canary gets at this stage. */
  share: number;
  /** One sentence without its end: why this arm. */
  why: string;
}

/** `none`: it was never started. `promoted`: every request goes to the canary's targets first. */
export type CanaryPhase = 'none' | 'running' | 'paused' | 'rolled-back' | 'promoted';

/** A figure with the bounds between which its true value lies at 95 %; absent bounds are not known. */
export interface FigureWithInterval { value: number; low?: number | undefined; high?: number | undefined }

/** What one arm did since the canary started, while both arms ran. Figures without data are absent. */
export interface ArmReport {
  targets: string[];
  /** Requests that were judged. */
  requests: number;
  /** Share of requests with a failed attempt at the arm, 0..1. */
  errorRate?: FigureWithInterval | undefined;
  /** Share of requests that the arm itself answered, 0..1. */
  successRate?: FigureWithInterval | undefined;
  p99FirstTokenMs?: FigureWithInterval | undefined;
  p99TotalMs?: FigureWithInterval | undefined;
  /** Millionths of a US dollar for 1,000 tokens, in and out. */
  microUsdPerThousandTokens?: FigureWithInterval | undefined;
}

export type GateState = 'pass' | 'fail' | 'inconclusive' | 'no-data';

export interface GateReport {
  /** Such as `error rate`. */
  gate: string;
  state: GateState;
  /** One sentence. */
  message: string;
}

/** Everything a person is shown of the canary of one route. */
export interface CanaryReport {
  route: string;
  phase: CanaryPhase;
  /** Counts from 1; 0 before the first start. */
  stage: number;
  stages: number[];
  /** Per cent of conversations that go to the canary now. */
  share: number;
  /** `none` until it was started. */
  verdict: GateState | 'none';
  /** One sentence: where it stands, and why. */
  message: string;
  /** Milliseconds since the epoch; absent before the first start. */
  startedAt?: number | undefined;
  stageSince?: number | undefined;
  /** Requests of this process that still run at the canary's targets; after a roll-back they end by themselves. */
  draining: number;
  gates: GateReport[];
  baseline: ArmReport;
  canary: ArmReport;
}

/** The part of a report that lists show. */
export type CanaryStatus = Pick<CanaryReport, 'route' | 'phase' | 'stage' | 'stages' | 'share' | 'verdict' | 'message'>;

/** `start` also goes on with one that is paused. `promote` goes to the next stage, whatever the gates say. */
export const canaryActions = ['start', 'status', 'promote', 'pause', 'rollback'] as const;
export type CanaryAction = (typeof canaryActions)[number];

export interface CanaryParams {
  action: CanaryAction;
  /** May be absent where exactly one route has a canary; for `status`: all of them. */
  route?: string | undefined;
}

/** An action that cannot be done is an answer with one sentence. */
export type CanaryResult = { canaries: CanaryReport[] } | { refused: string };

/** Client -> server, request: the canaries of routes, and what is done with them. */
export const canaryRequest = requestType<CanaryParams, CanaryResult>('waybill/canary');
