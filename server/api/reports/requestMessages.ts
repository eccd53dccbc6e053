import { requestType, type NoParams } from '../messageTypes.ts';
import type { Said } from '../localization/said.ts';
import type { RequestSummary } from '../receipt.ts';
import type { RequestFilter } from './requestFilter.ts';

/** Behind a request, in the order of their start. */
export interface RequestPlace { startedAt: number; seq: number }

/** A part of the requests that pass a filter, newest first. */
export interface FoundRequests {
  requests: RequestSummary[];
  /** Where the search goes on; absent: it has reached its end. */
  next?: RequestPlace | undefined;
}

/** Client -> server, request: the requests of the whole ledger that pass a filter, newest first, page by page. Cancelled by the request's token. */
export interface FindRequestsParams {
  filter: RequestFilter;
  limit: number;
  /** `next` of the page before; absent: the first page. */
  after?: RequestPlace | undefined;
}
/** `refused`: the filter cannot be read, as one sentence. */
export type FindRequestsResult = FoundRequests | { refused: string };
export const findRequestsRequest = requestType<FindRequestsParams, FindRequestsResult>('waybill/findRequests');

/** A request that has not ended. */
export interface RunningRequest extends RequestSummary {
  /** Another server process runs it, such as that of another window. */
  ofPeer: boolean;
}
/** Client -> server, request: what runs now in all server processes of this user, newest first. */
export const runningRequestsRequest = requestType<NoParams, RunningRequest[]>('waybill/runningRequests');

/** Client -> server, request: ends a request that runs, here or in another server process of this user. Its caller gets the error of its protocol, and what it has cost is kept. */
export interface CancelRequestParams { id: string }
export interface CancelRequestResult {
  cancelled: boolean;
  /** What became of it, as one sentence. */
  message: string;
  /** What the sentence is made of. */
  said?: Said | undefined;
}
export const cancelRequestRequest = requestType<CancelRequestParams, CancelRequestResult>('waybill/cancelRequest');
