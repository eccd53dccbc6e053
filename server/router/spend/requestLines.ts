import type { ExportFormat } from '../../api/reports/exportFormat.ts';
import type { RequestFilter } from '../../api/reports/requestFilter.ts';
import type { RequestPlace } from '../../api/reports/requestMessages.ts';
import { requestsCsvHead, requestsCsvLines, requestsJsonLines } from '../../api/reports/requestRows.ts';
import type { History } from '../history.ts';

/** Requests that are read at a time. */
const pageSize = 500;

/** The requests that pass a filter, newest first, as text: a page of whole lines at a time. Ends early when the signal is aborted. */
export async function* requestLines(history: Pick<History, 'find'>, filter: RequestFilter, format: ExportFormat, signal: AbortSignal): AsyncGenerator<string, void, undefined> {
  if (format === 'csv') yield requestsCsvHead();
  let after: RequestPlace | undefined;
  do {
    const page = await history.find(filter, pageSize, after, signal);
    if (signal.aborted) return;
    if (page.requests.length > 0) yield format === 'csv' ? requestsCsvLines(page.requests) : requestsJsonLines(page.requests);
    after = page.next;
  } while (after !== undefined);
}
