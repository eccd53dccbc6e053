import { WaybillError } from '../../base/failure.ts';

/** What a reader of an answer threw, as a failure of the endpoint. */
export function unreadableAnswer(endpoint: string, cause: unknown): WaybillError {
  return cause instanceof WaybillError ? cause
    : new WaybillError('unreadable-answer', 'server', `${endpoint} sent an answer that could not be read.`, { cause, detail: String(cause) });
}
