import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';

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
      response.on('close', () => { finish(judged(response.statusCode ?? 0, response.headers['retry-after'])); });
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

function judged(status: number, retryAfter: string | undefined): Posted {
  if (status >= 200 && status < 300) return { kind: 'taken' };
  const why = `HTTP ${String(status)}`;
  if (status !== 408 && status !== 429 && status < 500) return { kind: 'refused', why };
  return { kind: 'wait', why, afterMs: retryAfterMs(retryAfter) };
}

/** The header Retry-After in milliseconds, bounded. */
function retryAfterMs(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const ms = /^\d+(?:\.\d+)?$/.test(text) ? Number(text) * 1000 : Date.parse(text) - Date.now();
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, 0), longestWaitMs);
}
