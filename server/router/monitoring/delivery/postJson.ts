import { request as requestHttp, type IncomingHttpHeaders } from 'node:http';
import { request as requestHttps } from 'node:https';
import { askedForMs } from '../../../base/headers/retryAfter.ts';

/** What became of a message. `wait`: it may be sent again, after so many milliseconds where the receiver said so. */
export type Posted = { kind: 'taken' } | { kind: 'refused'; why: string } | { kind: 'wait'; why: string; afterMs?: number | undefined };

const largestAnswer = 65_536;
const longestWaitMs = 600_000;

/**
 * Sends JSON. Never rejects, and says nothing of the address, which may be a secret. Redirects are not followed.
 * @param timeoutMs how long it may take in all
 */
export function postJson(url: string, body: string, headers: Readonly<Record<string, string>>, timeoutMs: number): Promise<Posted> {
  return new Promise(resolve => {
    const send = url.startsWith('https:') ? requestHttps : requestHttp;
    const sent = send(url, { method: 'POST', agent: false, headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body), ...headers } }, response => {
      let bytes = 0;
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > largestAnswer) response.destroy();
      });
      response.on('error', () => undefined);
      response.on('close', () => { finish(judged(response.statusCode ?? 0, response.headers)); });
    });
    const timer = setTimeout(() => { sent.destroy(new Error('there was no answer in time')); }, timeoutMs);
    const finish = (posted: Posted): void => {
      clearTimeout(timer);
      resolve(posted);
    };
    sent.on('error', (error: NodeJS.ErrnoException) => { finish({ kind: 'wait', why: error.code ?? error.message }); });
    sent.end(body);
  });
}

function judged(status: number, headers: IncomingHttpHeaders): Posted {
  if (status >= 200 && status < 300) return { kind: 'taken' };
  const why = `HTTP ${String(status)}`;
  if (status !== 408 && status !== 429 && status < 500) return { kind: 'refused', why };
  const afterMs = askedForMs(headers, Date.now());
  return { kind: 'wait', why, afterMs: afterMs === undefined ? undefined : Math.min(afterMs, longestWaitMs) };
}
