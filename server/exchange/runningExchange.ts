import type { PlannedTarget, Receipt } from '../api/receipt.ts';
import type { ExchangeInput, RequestBody } from './request.ts';

/** A running exchange, as observers and the router see it. */
export interface RunningExchange {
  readonly receipt: Receipt;
  /** Keeps a silent caller's connection alive. @param now milliseconds since the epoch */
  tick(now: number): void;
  /** Attempts and usage so far, for the ledger of a long stream. */
  progress(): Receipt;
  /** A person cancels it: the caller gets an error, and what it cost so far is kept. @returns `shared`: its call goes on for other requests; false: the caller has the whole answer already */
  stop(): 'stopped' | 'shared' | false;
  /** The server ends: the caller gets an error, and what the exchange cost so far is kept. */
  interrupt(): void;
  /** What was asked for; absent: a conversation. */
  readonly operation?: RequestBody['kind'];
  /** The request. Its headers hold the caller's token, and its body what the caller wrote: they are read by name and kept nowhere unasked. */
  readonly input?: Pick<ExchangeInput, 'headers' | 'body'>;
  /** The exchange belongs to a trace, which its receipt names. */
  traced?(traceId: string): void;
  /** The second request that runs beside the first one, if one does. */
  hedgeUnderWay?(): HedgeUnderWay | undefined;
}

/** A second request whose cost is still to come. */
export interface HedgeUnderWay { route: string; target: Pick<PlannedTarget, 'endpoint' | 'model' | 'upstreamModel'>; promptTokens: number }
