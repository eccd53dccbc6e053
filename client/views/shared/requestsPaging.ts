import type { RequestsParams } from '../../../server/api/messages.ts';
import type { RequestSummary } from '../../../server/api/receipt.ts';

export interface CollectedRequests {
  /** Newest first, each once. */
  requests: RequestSummary[];
  /** There are older ones in the wanted range that were not collected. */
  more: boolean;
}
export interface CollectRequestsOptions {
  /** Collect no more than this many. */
  limit: number;
  pageSize: number;
  /** Only exchanges begun at this moment or later. */
  from?: number | undefined;
  /** Only exchanges begun before this moment. */
  to?: number | undefined;
  /** Asked before each page; true ends the collection early with what is there. */
  isCancelled?: (() => boolean) | undefined;
}

/**
 * Reads exchanges page by page until the limit, the start of the range or the end of the ledger. Relies neither
 * on full pages nor on unique start times: several exchanges may have begun in one millisecond.
 */
export async function collectRequests(
  fetchPage: (params: RequestsParams) => Promise<RequestSummary[]>,
  options: CollectRequestsOptions,
): Promise<CollectedRequests> {
  const byId = new Map<string, RequestSummary>();
  let before = options.to;
  let exhausted = false;
  // One more than the limit tells whether there is more.
  while (!exhausted && byId.size <= options.limit && options.isCancelled?.() !== true) {
    const page = await fetchPage({ limit: options.pageSize, before });
    const sizeBefore = byId.size;
    for (const request of page) if (isWithin(request.startedAt, options)) byId.set(request.id, request);
    const oldest = page.at(-1)?.startedAt;
    if (oldest === undefined || (options.from !== undefined && oldest < options.from)) {
      exhausted = true;
    } else {
      // The oldest millisecond is asked for again, for its other exchanges; when that gave nothing new, step past it.
      before = byId.size > sizeBefore ? oldest + 1 : oldest;
    }
  }
  const requests = [...byId.values()].sort((one, other) => other.startedAt - one.startedAt);
  return { requests: requests.slice(0, options.limit), more: requests.length > options.limit };
}

function isWithin(startedAt: number, options: CollectRequestsOptions): boolean {
  return (options.from === undefined || startedAt >= options.from) && (options.to === undefined || startedAt < options.to);
}
