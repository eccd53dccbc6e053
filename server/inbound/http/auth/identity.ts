import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { request, type IncomingMessage, type ServerResponse } from 'node:http';
import { plainAddress } from '../../../config/baseUrl.ts';
import { sendJson } from '../sendJson.ts';

/** Where a server proves that it has the token of its data folder. Requires no token, and reveals none. */
export const identityPath = '/waybill/identity';

/** Who holds a port: a server with our token, another program, or one that did not answer in time. */
export type PortOwner = 'ours' | 'foreign' | 'silent';

const nonceShape = /^[0-9a-f]{64}$/;
const maxAnswerBytes = 4096;

/** Answers a challenge. The proof holds for the port that was asked only, so that no program in between can pass it on. */
export function answerIdentity(request: IncomingMessage, response: ServerResponse, token: string): void {
  request.resume();
  // Whoever holds this port of 127.0.0.1 alone may prove it: at another address the port of the same number can have another holder.
  if (plainAddress(request.socket.localAddress ?? '') !== '127.0.0.1') return sendJson(response, 404, { error: { message: 'The identity is proved at 127.0.0.1 alone.' } });
  const nonce = new URL(request.url ?? '', 'http://localhost').searchParams.get('nonce') ?? '';
  if (!nonceShape.test(nonce)) sendJson(response, 400, { error: { message: 'Give nonce as 64 hexadecimal digits.' } });
  else sendJson(response, 200, { proof: proofOf(token, request.socket.localPort ?? 0, nonce) });
}

/**
 * Asks whoever holds a port of this machine to prove that it has our token, which is not sent. Never rejects.
 * @param timeoutMs how long the answer may take in all
 */
export function askIdentity(port: number, token: string, timeoutMs: number): Promise<PortOwner> {
  const nonce = randomBytes(32).toString('hex');
  return new Promise(resolve => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const finish = (owner: PortOwner): void => {
      clearTimeout(timer);
      resolve(owner);
      asked.destroy();
    };
    const timer = setTimeout(() => finish('silent'), timeoutMs);
    const asked = request({ host: '127.0.0.1', port, path: `${identityPath}?nonce=${nonce}`, agent: false }, response => {
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > maxAnswerBytes) finish('foreign');
        else chunks.push(chunk);
      });
      response.on('end', () => finish(isProof(Buffer.concat(chunks).toString('utf8'), proofOf(token, port, nonce)) ? 'ours' : 'foreign'));
      response.on('error', () => finish('silent'));
    });
    // A holder that is about to end refuses or resets; one that speaks another protocol is no server of ours.
    asked.on('error', (error: NodeJS.ErrnoException) => finish(error.code?.startsWith('HPE_') === true ? 'foreign' : 'silent'));
    asked.end();
  });
}

function proofOf(token: string, port: number, nonce: string): string {
  return createHmac('sha256', token).update(`waybill identity\n${port}\n${nonce}`).digest('base64url');
}

function isProof(text: string, expected: string): boolean {
  let proof: unknown;
  try {
    proof = (JSON.parse(text) as { proof?: unknown } | null)?.proof;
  } catch {
    return false;
  }
  if (typeof proof !== 'string') return false;
  const [given, wanted] = [Buffer.from(proof), Buffer.from(expected)];
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}
