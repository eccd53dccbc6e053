import { requestType } from '../messageTypes.ts';

/** What a route keeps of answers, and what that was good for since the server started. */
export interface ResponseCacheStatus {
  route: string;
  /** Answers that are kept now, and their memory. */
  answers: number;
  bytes: number;
  maxBytes: number;
  /** Requests that were answered from memory, by a call that ran for an equal request, and by a provider although they took part. */
  hits: number;
  shared: number;
  misses: number;
  /** What the first two would have cost, in millionths of a US dollar, as far as that is known. */
  savedMicroUsd: number;
  /** Of the first two, how many have no known cost. */
  unknownSaved: number;
}

/** What became of a wish to clear: how many answers were forgotten, or why none could be, as one sentence. */
export type ClearResponseCacheResult = { answers: number } | { refused: string };

/** Client -> server, request: forget the kept answers of this server. `route`: of this route only. */
export const clearResponseCacheRequest = requestType<{ route?: string | undefined }, ClearResponseCacheResult>('waybill/clearResponseCache');
