import { ByteQueue } from '../base/byteQueue.ts';
import { WaybillError } from '../base/failure.ts';
import type { ResponseHeaders } from '../base/headers/responseHeaders.ts';
import type { CallPlace, Dispatcher, UpstreamRequest } from './call.ts';

export interface TextResponse { status: number; headers: ResponseHeaders; text: string; latencyMs: number }

const maxBytes = 8 * 1024 * 1024;

/**
 * One small request whose whole answer is read as text: probes, model lists, token counts.
 * @throws WaybillError for network failures, timeouts and oversize answers; any HTTP status is a result
 */
export function fetchText(
  dispatcher: Dispatcher, endpoint: CallPlace, request: UpstreamRequest, timeoutMs: number, signal?: AbortSignal,
): Promise<TextResponse> {
  return new Promise((resolve, reject) => {
    const startedAt = performance.now();
    const body = new ByteQueue();
    let status = 0;
    let headers: ResponseHeaders = {};
    const finish = (settle: () => void): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      settle();
    };
    const giveUp = (error: WaybillError): void => finish(() => {
      call.abort(error.failureClass === 'timeout');
      reject(error);
    });
    const onAbort = (): void => giveUp(new WaybillError('cancelled', 'cancelled', 'The test was cancelled.'));
    const timer = setTimeout(() => giveUp(new WaybillError('headers-timeout', 'timeout', `${endpoint.name} did not answer within ${timeoutMs / 1000} s.`)), timeoutMs);
    signal?.addEventListener('abort', onAbort, { once: true });
    const call = dispatcher.dispatch(endpoint, request, {
      onHeaders(code, received) {
        status = code;
        headers = received;
      },
      onData(chunk) {
        if (body.length + chunk.length > maxBytes) giveUp(new WaybillError('answer-too-large', 'server', `${endpoint.name} sent an answer larger than is accepted.`));
        else body.add(chunk);
      },
      onEnd: () => finish(() => resolve({ status, headers, text: body.take().toString('utf8'), latencyMs: performance.now() - startedAt })),
      onError: error => finish(() => reject(error)),
    });
    if (signal?.aborted === true) onAbort();
  });
}
