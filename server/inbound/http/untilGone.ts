import type { HttpCall } from './httpCall.ts';

/** Runs what ends early when the caller is gone. */
export async function untilGone(call: Pick<HttpCall, 'query' | 'response'>, answer: (parameters: URLSearchParams, signal: AbortSignal) => Promise<void>): Promise<void> {
  const aborter = new AbortController();
  const gone = (): void => aborter.abort();
  call.response.once('close', gone);
  try {
    await answer(new URLSearchParams(call.query), aborter.signal);
  } catch (error) {
    if (!aborter.signal.aborted) throw error;
  } finally {
    call.response.off('close', gone);
  }
}
