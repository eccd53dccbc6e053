import type { ServerResponse } from 'node:http';

/** Milliseconds to the second check; each later one waits four times as long, up to the longest wait. */
const firstWaitMs = 5;
const longestWaitMs = 5000;

/**
 * A caller that has closed its side of the connection may still read the answer, or be gone altogether: the system can
 * distinguish the two only when something is sent. So a message without content is sent: an interim answer, which every
 * client of HTTP/1.1 ignores (RFC 9110, section 15.2), or the keep-alive of a stream. The machine of a caller that is
 * gone answers with a reset, and the next write ends the connection; a caller that still reads notices nothing.
 * @param fillSilence writes into a stream that has begun
 */
export function askWhetherGone(response: ServerResponse, fillSilence: () => void): void {
  const { socket, httpVersion } = response.req;
  let timer: NodeJS.Timeout | undefined;
  const ask = (waitMs: number): void => {
    if (response.writableEnded || response.destroyed) return;
    if (response.headersSent) fillSilence();
    else if (httpVersion === '1.1') response.writeContinue();
    timer = setTimeout(() => ask(Math.min(waitMs * 4, longestWaitMs)), waitMs);
    timer.unref();
  };
  const closed = (): void => ask(firstWaitMs);
  if (socket.readableEnded) closed();
  else socket.once('end', closed);
  response.once('close', () => {
    socket.off('end', closed);
    clearTimeout(timer);
  });
}
